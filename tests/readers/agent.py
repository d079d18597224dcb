"""An agent's client of mcp 1.x calls our tools, over HTTP and over stdio; prints what it is told, as JSON.

usage: PYTHONPATH=FOLDER python -P agent.py COMMAND ARGUMENT…, with SMSCATCH_URL and SMSCATCH_KEY
"""

import asyncio
import json
import os
import re
import sys
from importlib import import_module
from typing import Any

import httpx

mcp: Any = import_module("mcp")  # that of the folder; the checks of types see the newer one
http_client: Any = import_module("mcp.client.streamable_http")
URL, KEY = os.environ["SMSCATCH_URL"], os.environ["SMSCATCH_KEY"]


async def call(session: Any, name: str, hear: Any = None, **arguments: Any) -> Any:
    answer = await session.call_tool(name, arguments, progress_callback=hear)
    text = answer.content[0].text
    if answer.isError:
        return text
    assert json.loads(text) == answer.structuredContent
    return answer.structuredContent


async def talk(session: Any, *, is_quiet: bool) -> dict[str, Any]:
    await session.initialize()
    tools = [tool.name for tool in (await session.list_tools()).tools]
    leased = await call(session, "lease_line", label="apart")
    lease = leased["lease"]
    vain = await call(session, "wait_for_code", lease=lease, timeout_seconds=0)
    after = re.findall(r'after="(\d+)"', vain)[0]
    heard = 0

    async def hear(*_: object) -> None:
        nonlocal heard
        heard += 1
        if heard == 1:
            print(lease, flush=True)  # who started this has a text come to it

    if is_quiet:  # over stdio nobody hears of progress in the first 5 s
        await hear()
    found = await call(session, "wait_for_code", hear, lease=lease, after=after)
    await call(session, "release", lease=lease)
    wrong = await call(session, "release", lease="none")
    told = {"tools": tools, "number": leased["number"], "vain": vain, "wrong": wrong}
    return told | {"code": found["code"], "from": found["message"]["sender"]}


async def over_http(key: str) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {key}"}
    async with (
        httpx.AsyncClient(headers=headers, timeout=None) as http,
        http_client.streamable_http_client(f"{URL}/mcp", http_client=http) as (read, write, _),
        mcp.ClientSession(read, write) as session,
    ):
        return await talk(session, is_quiet=False)


async def over_stdio(command: list[str]) -> dict[str, Any]:
    started = mcp.StdioServerParameters(command=command[0], args=command[1:], env={**os.environ, "PYTHONPATH": ""})
    async with mcp.stdio_client(started) as (read, write), mcp.ClientSession(read, write) as session:
        return await talk(session, is_quiet=True)


async def refused() -> str:
    try:
        await over_http("wrong")
    except BaseExceptionGroup as group:
        return repr(group.exceptions)
    return "let in"


async def main() -> None:
    told = {"http": await over_http(KEY), "stdio": await over_stdio(sys.argv[1:]), "refused": await refused()}
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main())
