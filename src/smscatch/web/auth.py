"""Who asks: API keys, the browser's session made from one, and what each may do. Secrets are kept hashed only."""

import asyncio
import base64
import binascii
import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from starlette.requests import Request

from smscatch.errors import BadRequest, Forbidden, Unauthorized
from smscatch.inbox import Inbox
from smscatch.stores import Key, Store
from smscatch.web.endpoint import ADMIN, SCOPES, Endpoint, inbox_of

COOKIE = "smscatch_session"
SESSION = timedelta(days=30)
PREFIX = "smscatch_"
CONFIGURED = "admin"  # the id of the key in SMSCATCH_ADMIN_KEY
FAILURE_SECONDS = 0.5  # with 256 random bits a guess is hopeless; this keeps one from filling the log
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def new_secret() -> str:
    """Return a new key: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_secret(secret: str) -> bytes:
    """Return what the store keeps of a key: SHA-256. (A slow hash is for secrets that people choose.)"""
    return hashlib.sha256(secret.encode()).digest()


async def add_key(
    inbox: Inbox,
    name: str,
    scopes: tuple[str, ...],
    lines: tuple[str, ...] | None = None,
    *,
    lifetime: timedelta | None = None,
) -> tuple[Key, str]:
    """Make a key; return it with its secret, which is not to be had again. It ends after `lifetime`, if that is given.

    Raises BadRequest for an unknown scope.
    """
    check_scopes(scopes)
    if not name or len(name) > 100:
        raise BadRequest("A key needs a name of up to 100 characters, to know it by.")
    now = inbox.now()
    expires_at = None if lifetime is None else now + lifetime
    key = Key(id=secrets.token_hex(4), name=name, scopes=scopes, lines=lines, created_at=now, expires_at=expires_at)
    secret = new_secret()
    await inbox.store.add_key(key, hash_secret(secret))
    return key, secret


def check_scopes(scopes: Iterable[str]) -> None:
    """Raise BadRequest for a scope that there is not."""
    for scope in scopes:
        if scope not in SCOPES:
            raise BadRequest(f"There is no scope {scope!r}; there are: {', '.join(SCOPES)}.")


async def ensure_admin_key(inbox: Inbox, configured: str | None) -> str | None:
    """See to it that there is an administrator's key; return it if it was made just now, to be shown once.

    A key that was configured before and is no longer is revoked.
    """
    found = None if configured is None else await inbox.store.find_key(hash_secret(configured))
    if found is None or found.id != CONFIGURED:
        await inbox.store.revoke_key(CONFIGURED)  # not only replaced: the sessions made from the old one end with it
        if found is not None:
            await inbox.store.revoke_key(found.id)  # two keys cannot have one secret
        if configured is not None:
            admin = Key(id=CONFIGURED, name="admin (configured)", scopes=(ADMIN,), created_at=inbox.now())
            await inbox.store.add_key(admin, hash_secret(configured))
    if any(ADMIN in key.scopes for key in await inbox.store.keys()):
        return None
    return (await add_key(inbox, "admin", (ADMIN,)))[1]


async def start_session(inbox: Inbox, secret: str) -> str:
    """Return the secret of a session with the rights of a key. Raises Unauthorized if it is no key."""
    key = await _check_key(inbox, secret)
    session_secret = new_secret()
    now = inbox.now()
    session = Key(
        id=secrets.token_hex(8),
        name=key.name,
        scopes=key.scopes,
        lines=key.lines,
        created_at=now,
        expires_at=min(now + SESSION, key.expires_at or now + SESSION),
        parent=key.parent or key.id,
    )
    await inbox.store.add_key(session, hash_secret(session_secret))
    return session_secret


async def end_session(store: Store, secret: str) -> None:
    """Make a session's secret worthless."""
    session = await store.find_key(hash_secret(secret))
    if session is not None and session.parent is not None:
        await store.revoke_key(session.id)


async def identify(request: Request, endpoint: Endpoint) -> Key:
    """Return the key of a request. Raises Unauthorized without a good one, Forbidden if it lacks the scope."""
    secret = _secret_of_header(request)
    if secret is None:
        secret = request.cookies.get(COOKIE)
        if secret is not None:
            refuse_other_sites(request)
    if secret is None:
        raise Unauthorized("This needs an API key: 'Authorization: Bearer KEY', or Basic with the key as user name.")
    key = await _check_key(inbox_of(request), secret)
    if not {*endpoint.scopes, ADMIN} & {*key.scopes}:
        needed = " or ".join(map(repr, endpoint.scopes))
        raise Forbidden(f"The key {key.name!r} lacks the scope {needed}; it has: {', '.join(key.scopes)}.")
    return key


async def is_still_good(request: Request) -> bool:
    """Return whether the key that a request came with is neither revoked nor expired since: for answers that last."""
    secret = _secret_of_header(request) or request.cookies.get(COOKIE)
    return secret is not None and await _find_key(inbox_of(request), secret) is not None


async def _find_key(inbox: Inbox, secret: str) -> Key | None:
    key = await inbox.store.find_key(hash_secret(secret))
    is_expired = key is not None and key.expires_at is not None and key.expires_at <= inbox.now()
    return None if is_expired else key


async def _check_key(inbox: Inbox, secret: str) -> Key:
    key = await _find_key(inbox, secret)
    if key is None:
        await asyncio.sleep(FAILURE_SECONDS)
        raise Unauthorized("This key is unknown, revoked or expired. `smscatch keys list` shows the ones there are.")
    return key


def _secret_of_header(request: Request) -> str | None:
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


def refuse_other_sites(request: Request) -> None:
    """Raise Forbidden for what a page of another site sends: it could act in a person's name, or sign them in or out.

    The cookie alone does not show that our own page asked: SameSite lets sibling domains through.
    """
    if request.method in UNSAFE and request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("A page of another site may not do this.")
