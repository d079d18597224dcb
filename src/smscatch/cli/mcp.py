"""`smscatch mcp`: tools for agents, over standard input and output. Needs the extra `mcp`."""

import argparse

from smscatch.cli.base import OK, Command
from smscatch.cli.meaning import a_server, server_of
from smscatch.errors import CannotStart

TIMEOUT_SECONDS = 70  # longer than the tools wait


def run_mcp(options: argparse.Namespace) -> int:
    """smscatch mcp."""
    import asyncio  # noqa: PLC0415 - most commands do without

    import httpx2  # noqa: PLC0415

    from smscatch.client.exchange import trusted_for  # noqa: PLC0415

    url, key = server_of(options)
    try:
        from smscatch.mcp import make_server  # noqa: PLC0415 - needs the extra `mcp`
    except ModuleNotFoundError as error:
        raise CannotStart(f"{error.name} is missing: pip install 'smscatch[mcp]'") from error
    headers, verify = {"authorization": f"Bearer {key}"}, trusted_for(url)
    server = make_server(
        lambda: httpx2.AsyncClient(
            base_url=url, headers=headers, timeout=TIMEOUT_SECONDS, verify=verify, trust_env=False
        )
    )
    asyncio.run(server.run_stdio_async())
    return OK


def _add_mcp_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "An agent's program starts it and speaks the Model Context Protocol with it: tools that list and lease lines,"
        " wait for codes, read texts, explain a code and release. The server itself has the same tools at /mcp."
    )


COMMANDS = (Command("mcp", "tools for agents, over stdio", run_mcp, _add_mcp_arguments, means=a_server),)
