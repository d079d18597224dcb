"""Who asks: the key that a request brings in a header or a cookie (authentication), and requests of other sites (CSRF).

What keys are is in smscatch.keys.
"""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from starlette.requests import Request

from smscatch.access import Access
from smscatch.errors import Forbidden, Unauthorized
from smscatch.keys import INGEST, READ, SEND, get_key, hash_secret
from smscatch.web.addresses import address_of
from smscatch.web.endpoint import Endpoint, context_of

T = TypeVar("T")

COOKIE = "smscatch_session"
FAILURE_SECONDS = 0.5  # with 256 random bits a guess is hopeless; a configured key may be weaker
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


async def identify(request: Request, endpoint: Endpoint) -> Access:
    """Return what the key of a request may do, and keep it with the request.

    Raises Unauthorized without a good key, Forbidden if it lacks the scope.
    """
    secret = secret_of_header(request)
    if secret is None:
        secret = request.cookies.get(COOKIE)
        if secret is not None:
            refuse_cross_site(request)
    if secret is None:
        raise Unauthorized("This needs an API key: 'Authorization: Bearer KEY', or Basic with the key as user name.")
    return await identify_by(request, endpoint, secret)


async def identify_by(request: Request, endpoint: Endpoint, secret: str) -> Access:
    """Return what the key with a secret may do, and keep it with the request. Raises as `identify` does."""
    context = context_of(request)
    # Only what goes into the spool may pass on a memory alone.
    keeps = {INGEST, SEND} & {*endpoint.scopes} and READ not in endpoint.scopes
    remembered = context.house.remembered if keeps else None
    key = await slow_down(request, secret, lambda: get_key(context.house.inbox, secret, remembered))
    access = request.state.access = Access(key, hash_secret(secret), endpoint.scopes, context.house)
    access.check_scopes()
    return access


async def slow_down(request: Request, secret: str, find: Callable[[], Awaitable[T]]) -> T:
    """Return what `find` returns for a secret; raise its Unauthorized so late that nobody can try many (brute force).

    Raises TooManyTries.
    """
    tries = context_of(request).tries
    return await tries.check(address_of(request), hash_secret(secret), find, partial(asyncio.sleep, FAILURE_SECONDS))


def secret_of_header(request: Request) -> str | None:
    """Return the key in the Authorization header: Bearer (RFC 6750) or Basic's user name (RFC 7617)."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Unauthorized("The Basic credentials are not base64 of 'KEY:'.") from error
    return None


def refuse_cross_site(request: Request) -> None:
    """Raise Forbidden for what a page of another site sends: it could act in a person's name, or sign them in or out.

    The cookie alone does not show that our own page asked: SameSite lets sibling domains and other ports through.
    Browsers send Sec-Fetch-Site to https and localhost only (W3C Fetch Metadata, 2), but Origin with every POST (WHATWG
    Fetch, 3.1); who sends neither is a program.
    """
    if request.method not in UNSAFE:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_ours = origin is None or _is_own(request, origin) if site is None else site in ("same-origin", "none")
    if not is_ours:
        raise Forbidden(
            "A page of another site may not do this. (If this is the right one, then a proxy hides which host the"
            " browser asked for: let it pass on the header Host.)"
        )


def _is_own(request: Request, origin: str) -> bool:
    """Return whether an origin has the host and port that the browser asked for.

    The scheme is not compared: behind a proxy ours is another. X-Forwarded-Host says what a proxy was asked for; a page
    of another site cannot send it, since we allow no such header (WHATWG Fetch, 4.8).
    """
    scheme, _, host = origin.lower().partition("://")
    default_port = {"http": ":80", "https": ":443"}.get(scheme, "")
    asked = [request.headers.get("host", ""), request.headers.get("x-forwarded-host", "").partition(",")[0].strip()]
    return bool(host) and host in [one.lower().removesuffix(default_port) for one in asked]
