"""The way to hosts that are no provider's: directly, or through the proxy that was set before ours (chaining)."""

import asyncio
import base64
import urllib.request
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import h11
import httpcore2

from smscatch.catching.accepting import Streams
from smscatch.catching.incoming import READ_BYTES, RequestStream
from smscatch.catching.relaying import headers_of, open_pool, relay
from smscatch.errors import BadSetting

CONNECT_SECONDS = 60.0
HAPPY_EYEBALLS_SECONDS = 0.25  # RFC 8305, 5


class Unreachable(Exception):
    """A host cannot be reached; the text says why."""


class Beyond(NamedTuple):
    """The proxies through which other hosts are reached, one for tunnels and one for plain HTTP, None for none.

    `direct` are the hosts that are reached without, as NO_PROXY has them.
    """

    tunnels: str | None = None
    plain: str | None = None
    direct: str = ""

    @classmethod
    def of(cls, tunnels: str | None, plain: str | None, direct: str) -> "Beyond":
        """Return it for the values of HTTPS_PROXY, HTTP_PROXY and NO_PROXY. Raises BadSetting for other kinds."""
        return cls(_checked(tunnels), _checked(plain), direct)

    def is_direct(self, host: str) -> bool:
        """Return whether a host is reached without a proxy."""
        # What it reads is what curl reads in NO_PROXY: names and their ends, * for all.
        return bool(urllib.request.proxy_bypass_environment(host, {"no": self.direct}))  # type: ignore[attr-defined]

    async def connect(self, host: str, port: int) -> tuple[Streams, bytes]:
        """Return a connection to a host, and what came of it already. Raises Unreachable."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                if self.tunnels and not self.is_direct(host):
                    return await _open_through(self.tunnels, host, port)
                return await _open(host, port), b""
        except TimeoutError as error:
            raise Unreachable("it does not answer") from error
        except (OSError, UnicodeError, h11.RemoteProtocolError) as error:
            raise Unreachable(getattr(error, "strerror", None) or str(error)) from error


class PlainHttp:
    """Hands on what a program asks of other hosts in plain HTTP, where its environment had a proxy for that."""

    def __init__(self, beyond: Beyond) -> None:
        self._beyond = beyond
        self._direct = open_pool()
        self._proxied = open_pool(_proxy_of(beyond.plain)) if beyond.plain else self._direct

    async def close(self) -> None:
        """End the connections."""
        await self._direct.aclose()
        await self._proxied.aclose()

    async def pass_on(self, incoming: RequestStream, request: h11.Request, note: Callable[[int], None]) -> None:
        """Ask the host that a request names, and answer as it does. Raises as `relay`."""
        asked = httpcore2.Request(
            request.method, request.target, headers=list(headers_of(request)), content=incoming.body()
        )
        pool = self._direct if self._beyond.is_direct(asked.url.host.decode()) else self._proxied
        await relay(pool, incoming, asked, note)


def _checked(proxy: str | None) -> str | None:
    """Return a proxy's address with its scheme."""
    if not proxy:
        return None
    written = proxy if "://" in proxy else f"http://{proxy}"
    if urlsplit(written).scheme != "http" or not urlsplit(written).hostname:
        raise BadSetting(
            "A proxy is set already (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY), and smscatch can go on through one of the"
            " form http://HOST:PORT only. Unset it for this command, or name such a one."
        )
    return written


def _proxy_of(address: str) -> httpcore2.Proxy:
    parts = urlsplit(address)
    url = httpcore2.URL(scheme="http", host=parts.hostname or "", port=parts.port, target="/")
    return httpcore2.Proxy(url, headers=_credentials(address))


async def _open(host: str, port: int) -> Streams:
    return Streams(*await asyncio.open_connection(host, port, happy_eyeballs_delay=HAPPY_EYEBALLS_SECONDS))


async def _open_through(proxy: str, host: str, port: int) -> tuple[Streams, bytes]:
    parts = urlsplit(proxy)
    streams = await _open(parts.hostname or "", parts.port or 80)
    try:
        return streams, await _ask_to_tunnel(streams, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", proxy)
    except BaseException:
        streams.writer.transport.abort()
        raise


async def _ask_to_tunnel(streams: Streams, place: str, proxy: str) -> bytes:
    """Have the proxy behind connect to a place; return what came behind its yes already."""
    http = h11.Connection(h11.CLIENT)
    request = h11.Request(method="CONNECT", target=place, headers=[("Host", place), *_credentials(proxy)])
    streams.writer.write(http.send(request) or b"")
    http.send(h11.EndOfMessage())
    await streams.writer.drain()
    while (event := http.next_event()) is h11.NEED_DATA or isinstance(event, h11.InformationalResponse):
        if event is h11.NEED_DATA:
            http.receive_data(await streams.reader.read(READ_BYTES))
    if not isinstance(event, h11.Response) or event.status_code // 100 != 2:
        said = f"{event.status_code} {event.reason.decode('latin-1')}" if isinstance(event, h11.Response) else "nothing"
        raise Unreachable(f"the proxy that is set for it answers {said}")
    return http.trailing_data[0]


def _credentials(proxy: str) -> list[tuple[str, str]]:
    """Return the header for the name and the password in a proxy's address (RFC 7617)."""
    parts = urlsplit(proxy)
    if parts.username is None:
        return []
    both = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return [("Proxy-Authorization", f"Basic {base64.b64encode(both.encode()).decode()}")]
