"""A caught request on its way to our server: another path, another host, and for AWS another key."""

from typing import NamedTuple
from urllib.parse import urlsplit

import h11
import httpcore2

from smscatch.catching.incoming import Headers, RequestStream
from smscatch.catching.relaying import headers_of, open_pool, relay
from smscatch.catching.tally import Tally
from smscatch.providers import SmsProvider

SIGNING = "sns"  # whose requests are signed for its own host, with a secret that never travels


class Destination(NamedTuple):
    """Our server: where it is, and the key that stands in for an application's own; not for `keeps_aws`."""

    url: str
    key: str
    keeps_aws: bool = False


class Forwarder:
    """Asks our server in the place of providers."""

    def __init__(self, target: Destination, tally: Tally) -> None:
        self._target, self._tally = target, tally
        parts = urlsplit(target.url)
        self._host = parts.netloc.encode()
        self._path = parts.path.rstrip("/").encode()
        self._origin = httpcore2.URL(f"{parts.scheme}://{parts.netloc}")
        self._pool = open_pool()

    async def close(self) -> None:
        """End the connections to the server."""
        await self._pool.aclose()

    async def forward(self, incoming: RequestStream, request: h11.Request, provider: SmsProvider, host: str) -> None:
        """Ask the server what a program asks a provider's host, and answer as it does. Raises as `relay`."""
        headers = [item for item in headers_of(request) if item[0].lower() != b"host"]
        if provider.name == SIGNING:
            headers = _with_key(headers, self._target.key)
        url = httpcore2.URL(
            scheme=self._origin.scheme,
            host=self._origin.host,
            port=self._origin.port,
            target=self._path + provider.prefix.encode() + path_of(request.target),
        )
        asked = httpcore2.Request(
            request.method, url, headers=[(b"Host", self._host), *headers], content=incoming.body()
        )
        await relay(self._pool, incoming, asked, lambda status: self._tally.caught(host, status))


def path_of(target: bytes) -> bytes:
    """Return path and query of a request's target, also where it names the host (RFC 9112, 3.2.2)."""
    if target.startswith(b"/"):
        return target
    _, _, rest = target.partition(b"://")
    _, slash, path = rest.partition(b"/")
    return slash + path or b"/"


def _with_key(headers: Headers, key: str) -> list[tuple[bytes, bytes]]:
    """Return headers with our key in the place of a signature, which nobody but the provider can check.

    So it matters not which key an application signed with: it may read its own from a file, or from its machine's role.
    """
    kept = [(name, value) for name, value in headers if name.lower() != b"authorization"]
    return [*kept, (b"Authorization", f"Bearer {key}".encode())]
