"""A POST to an address that was checked: not to a private one unless that is allowed (SSRF), and no redirect followed.

No sink and no message here.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import httpx2

from smscatch import __version__
from smscatch.clock import utc_now
from smscatch.sinks.base import PASSING, PERMANENT, TAKEN, Result
from smscatch.sinks.retry import parse_retry_after

TIMEOUT_SECONDS = 10.0
MAX_REASON = 150
# Request Timeout, Too Early, Too Many Requests (RFC 9110, 15.5.9; RFC 8470, 5.2; RFC 6585, 4): of 4xx those that pass.
PASSING_STATUSES = (408, 425, 429)
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052, 2.1: the last 32 bits are an IPv4 address
USER_AGENT = f"smscatch/{__version__}"


class Target(NamedTuple):
    """Where to post: a URL, whether its host may be at a private address, and the certificates that are trusted."""

    url: str
    allows_private: bool
    trusted: ssl.SSLContext | bool


def make_target(url: str, *, allows_private: bool) -> Target:
    """Return a target. Of certificates those of the system, or of SSL_CERT_FILE, are trusted."""
    is_safe = url.lower().startswith("https:")
    return Target(url, allows_private, httpx2.create_ssl_context() if is_safe else False)


async def post(target: Target, content: bytes, headers: Mapping[str, str]) -> Result:
    """Post `content` once, and judge the answer by its status alone."""
    return (await request(target, content, headers)).result


class Posted(NamedTuple):
    """What came of one request: its HTTP status, None if nobody answered, and what that means."""

    status: int | None
    result: Result


async def request(target: Target, content: bytes, headers: Mapping[str, str], method: str = "POST") -> Posted:
    """Do as `post` does, or GET, and return the status too."""
    transport = _CheckedTransport(target)
    # No proxy of the environment: it would look up the name by itself, and connect where it likes.
    async with httpx2.AsyncClient(transport=transport, trust_env=False, timeout=TIMEOUT_SECONDS) as client:
        built = client.build_request(method, target.url, content=content, headers={"user-agent": USER_AGENT, **headers})
        try:
            answer = await client.send(built, stream=True)
        except httpx2.TimeoutException:
            return Posted(None, Result(PASSING, f"no answer within {TIMEOUT_SECONDS:g} s"))
        except httpx2.TransportError as error:
            return Posted(None, Result(PASSING, _reason(error)))
        await answer.aclose()
        judged = judge(answer.status_code, answer.headers.get("retry-after"), utc_now())
        return Posted(answer.status_code, judged)


def judge(status: int, retry_after: str | None, now: datetime) -> Result:
    """Return what a status means: 2xx is taken; 4xx will not change, but for three; all else passes, redirects too."""
    if 200 <= status < 300:
        return Result(TAKEN)
    if 400 <= status < 500 and status not in PASSING_STATUSES:
        return Result(PERMANENT, f"HTTP {status}")
    return Result(PASSING, f"HTTP {status}", parse_retry_after(retry_after, now))


def _reason(error: httpx2.TransportError) -> str:
    """Return what a driver's error says, in half a sentence."""
    said = str(error).strip().rstrip(".") or type(error).__name__
    return said[:MAX_REASON]


class _CheckedTransport(httpx2.AsyncBaseTransport):
    """Looks up a host once, and connects to the very address that was checked: no second look-up can give another."""

    def __init__(self, target: Target) -> None:
        self._allows_private = target.allows_private
        self._inner = httpx2.AsyncHTTPTransport(verify=target.trusted, trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        addresses = await look_up(host, request.url.port or 443)
        allowed = [address for address in addresses if self._allows_private or is_public(address)]
        if not allowed:
            raise httpx2.ConnectError(f"{host} is at a private address, {addresses[0]}; allow_private = true allows it")
        # The name stays in the header Host, which is set already, and in what the certificate is checked for.
        request.extensions = {**request.extensions, "sni_hostname": host}
        for address in allowed:
            request.url = request.url.copy_with(host=address)
            try:
                return await self._inner.handle_async_request(request)
            except httpx2.ConnectError as error:  # a host of several addresses may be reached by another one
                failed = error
        raise failed

    async def aclose(self) -> None:
        await self._inner.aclose()


async def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a host, in the order to try them. Raises ConnectError if there are none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no such name"
        raise httpx2.ConnectError(f"{host} is not found: {reason}") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Return whether an address is on the public Internet, also if it carries an IPv4 address inside.

    Source: the IANA special-purpose registries, as Python's ipaddress has them.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast
