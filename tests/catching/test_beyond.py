"""A proxy that was set before ours is used for all that is no provider's."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from smscatch.catching.beyond import Beyond, Unreachable
from smscatch.catching.forwarding import Destination, Forwarder
from smscatch.catching.proxy import Proxy
from smscatch.errors import BadSetting
from tests.catching.conftest import Catcher
from tests.catching.stand_in import KEY, client_through, tls_elsewhere


@asynccontextmanager
async def chained(catcher: Catcher, beyond: Beyond) -> AsyncIterator[int]:
    """Another proxy in front of `catcher`, which goes on as `beyond` says: its port."""
    forwarder = Forwarder(Destination(catcher.server.url, KEY), catcher.tally)
    async with Proxy(catcher.listener, forwarder, catcher.tally, beyond).open() as port:
        yield port


async def test_calls_go_on_through_the_proxy_that_was_set(catcher: Catcher) -> None:
    before = Beyond.of(proxy := f"127.0.0.1:{catcher.proxy}", proxy, "")
    async with (
        chained(catcher, before) as port,
        tls_elsewhere() as (elsewhere, their_ca),
        client_through(port, their_ca) as client,
    ):
        assert (await client.get(f"https://localhost:{elsewhere}/")).text == "from elsewhere"
        assert (await client.get(f"{catcher.server.url}/plain")).json()["target"] == "/plain"
    # Each was counted at both proxies.
    assert catcher.tally.report() == ["passed through 127.0.0.1, 2 times", "passed through localhost, 2 times"]


async def test_hosts_that_went_around_the_proxy_before_still_do(catcher: Catcher) -> None:
    before = Beyond.of("http://127.0.0.1:1", "http://127.0.0.1:1", "example.com,localhost,127.0.0.1")
    async with (
        chained(catcher, before) as port,
        tls_elsewhere() as (elsewhere, their_ca),
        client_through(port, their_ca) as client,
    ):
        assert (await client.get(f"https://localhost:{elsewhere}/")).text == "from elsewhere"
        assert (await client.get(f"{catcher.server.url}/plain")).json()["target"] == "/plain"


async def test_the_name_and_the_password_in_its_address_are_given_to_it_and_what_it_says_is_told() -> None:
    heard = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set_result((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 407 Not you\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        address = f"http://me:p%40ss@127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(Unreachable, match="the proxy that is set for it answers 407 Not you"):
            await Beyond.of(address, None, "").connect("::1", 443)
    assert (await heard).startswith("CONNECT [::1]:443 HTTP/1.1\r\n")
    assert base64.b64encode(b"me:p@ss").decode() in await heard


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "https://proxy.example:443", "http://"])
def test_a_proxy_that_cannot_be_gone_through_is_said_at_the_start(proxy: str) -> None:
    with pytest.raises(BadSetting, match="of the form http://HOST:PORT"):
        Beyond.of(None, proxy, "")
