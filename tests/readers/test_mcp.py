"""Agents' programs call our tools: over HTTP in this process, and over stdio from `smscatch mcp`.

The package `mcp` is imported where it is used: each of several workers loads each module of tests.
"""

import asyncio
import contextlib
import importlib.util
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.patience import PATIENCE_SECONDS
from tests.readers.conftest import APART, LINE, House
from tests.surroundings import bare_environ

if TYPE_CHECKING:
    from mcp.client import Client

ROOT = Path(__file__).parent.parent.parent
SIGN_UP = ROOT / "examples/signup/app.py"
NAMES = ["list_lines", "lease_line", "wait_for_code", "read_messages", "explain_code", "release"]


def load_example(path: Path) -> Any:
    """Return the module of an example."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.asynccontextmanager
async def over_http(house: House, key: str, mode: Any = "auto") -> AsyncIterator["Client"]:
    """A client of the newer protocol, or of the one with sessions, `legacy`."""
    from mcp.client import Client
    from mcp.client.streamable_http import streamable_http_client

    headers = {"authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=PATIENCE_SECONDS) as http,
        Client(streamable_http_client(f"{house.url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


async def call(client: "Client", name: str, **arguments: Any) -> Any:
    """Return what a tool returns as a value, or the text of its error."""
    answer = await client.call_tool(name, arguments)
    if answer.is_error:
        return answer.content[0].text  # type: ignore[union-attr]
    assert json.loads(answer.content[0].text) == answer.structured_content  # type: ignore[union-attr]
    return answer.structured_content


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_agent_leases_a_line_is_given_its_code_and_releases_it(house: House, mode: str) -> None:
    async with over_http(house, house.key("read", "lease"), mode) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == NAMES
        listed = await call(client, "list_lines")
        assert [line["label"] for line in listed["lines"]] == ["abcd1234", "abcd1234", "apart"]
        leased = await call(client, "lease_line", label="apart")
        assert leased["number"] == APART
        held = house.do(house.leases.get(leased["lease"]))
        await asyncio.to_thread(house.receive_for, held, text="Hello, there is no code in this")
        sending = house.receive_when_awaited(line=APART, sender="Authy", text="Your code is 482913")
        found = await call(client, "wait_for_code", lease=leased["lease"])
        await asyncio.to_thread(sending.join)
        assert (found["code"], found["message"]["sender"], found["message"]["line"]) == ("482913", "Authy", APART)
        read = await call(client, "read_messages", lease=leased["lease"], limit=1)
        assert [message["id"] for message in read["messages"]] == [found["message"]["id"]]
        assert (await call(client, "release", lease=leased["lease"]))["lease"] == leased["lease"]
        assert house.do(house.leases.get(leased["lease"])).released_at is not None


async def test_an_agent_signs_up_at_the_example_application_with_its_tools_alone(house: House) -> None:
    """What SKILL.md says, step by step; an agent types into a browser what is typed into the application here."""
    leased: dict[str, Any] = {}

    def send(number: str, text: str) -> None:
        assert number == leased["number"]
        house.receive_for(house.do(house.leases.get(leased["lease"])), sender="Example", text=text)

    page = load_example(SIGN_UP).create_app(send).test_client()
    async with over_http(house, house.key("read", "lease")) as client:
        leased |= await call(client, "lease_line", label="apart")
        phone = {"phone": leased["number"]}
        behind: dict[str, str] = {}
        for welcome in (False, True):
            await asyncio.to_thread(page.post, "/sign-up", data=phone)
            found = await call(client, "wait_for_code", lease=leased["lease"], sender="Example", **behind)
            behind = {"after": found["message"]["cursor"]}
            typed = found["code"] if welcome else "no code"
            answer = page.post("/verify", data=phone | {"code": typed})
            assert answer.status_code == (200 if welcome else 403)
        assert "Welcome" in answer.text
        await call(client, "release", lease=leased["lease"])


def test_the_skill_names_the_tools_that_there_are() -> None:
    skill = (ROOT / "agents/smscatch/SKILL.md").read_text("utf-8")
    assert [name for name in NAMES if f"`{name}`" not in skill] == []
    assert set(re.findall(r"`([a-z]+_[a-z_]+)`", skill)) <= set(NAMES)


async def test_a_wait_in_vain_tells_the_agent_why_and_how_to_go_on_and_misses_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smscatch import mcp

    async with over_http(house, house.key("read", "lease")) as client:
        start = (await call(client, "list_lines"))["cursor"]
        house.receive(sender="Google", text="Your code is 111111", line=LINE)
        told = await call(client, "wait_for_code", line=LINE, sender="Authy", after=start, timeout_seconds=0)
        assert "sender 'Google' is not 'Authy'" in told
        after = re.search(r'call again with after="(\d+)"', told)
        assert after is not None
        house.receive(sender="Authy", text="Your code is 482913", line=LINE)
        found = await call(client, "wait_for_code", line=LINE, sender="Authy", after=after[1], timeout_seconds=0)
        assert found["code"] == "482913"
        later = found["message"]["cursor"]

        monkeypatch.setattr(mcp, "PROGRESS_SECONDS", 0.01)
        heard = asyncio.Event()

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            heard.set()

        waiting = asyncio.create_task(
            client.call_tool("wait_for_code", {"line": LINE, "after": later}, progress_callback=hear)
        )
        await asyncio.wait_for(heard.wait(), PATIENCE_SECONDS)
        house.receive(text="Your code is 333333", line=LINE)
        assert (await waiting).structured_content["code"] == "333333"


async def test_tools_have_the_rights_of_the_key_and_say_what_is_refused(house: House) -> None:
    house.receive(line=LINE)
    async with over_http(house, house.key("read", lines=(APART,))) as client:
        assert (await call(client, "read_messages"))["messages"] == []
        assert "This key may not see the line" in await call(client, "read_messages", line=LINE)
        assert "lacks the scope 'lease'" in await call(client, "lease_line", line=APART)
        assert "lacks the scope 'lease'" in await call(client, "release", lease="an id")
        assert "There is no /api/v1/leases/../lines" in await call(client, "release", lease="../lines")
        assert [line["number"] for line in (await call(client, "list_lines"))["lines"]] == [APART]
        assert (await call(client, "explain_code", text="Your code is 482913"))["code"] == "482913"
    async with httpx2.AsyncClient() as http:
        assert (await http.post(f"{house.url}/mcp", json={})).status_code == 401
        assert (await http.get(f"{house.url}/mcp")).status_code == 405


async def test_the_command_has_the_same_tools_over_stdio(house: House) -> None:
    from mcp import StdioServerParameters, stdio_client
    from mcp.client import Client

    house.receive(line=LINE, sender="Authy", text="Your code is 482913")
    environ = bare_environ(SMSCATCH_URL=house.url, SMSCATCH_KEY=house.key("read"))
    command = StdioServerParameters(command=sys.executable, args=["-m", "smscatch.cli", "mcp"], env=environ)
    async with Client(stdio_client(command)) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == NAMES
        assert (await call(client, "wait_for_code", line=LINE, after="0"))["code"] == "482913"
