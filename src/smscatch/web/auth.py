"""Who asks: API keys, the browser's session made from one, and what each may do. Secrets are kept hashed only."""

import asyncio
import base64
import binascii
import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from starlette.requests import Request

from smscatch.errors import BadRequest, Forbidden, StoreUnavailable, Unauthorized
from smscatch.inbox import Inbox, utc_now
from smscatch.settings import Settings
from smscatch.stores import Key, Store
from smscatch.web.endpoint import ADMIN, INGEST, SCOPES, Endpoint, context_of, inbox_of
from smscatch.web.remembered import Remembered

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
            await inbox.store.add_key(_configured_key(inbox.now()), hash_secret(configured))
    if any(ADMIN in key.scopes for key in await inbox.store.keys()):
        return None
    return (await add_key(inbox, "admin", (ADMIN,)))[1]


def _configured_key(now: datetime) -> Key:
    return Key(id=CONFIGURED, name="admin (configured)", scopes=(ADMIN,), created_at=now)


def remember(settings: Settings) -> Remembered:
    """Return an empty memory of keys, but for the configured one."""
    remembered = Remembered()
    if settings.admin_key is not None:
        remembered.configure(hash_secret(settings.admin_key), _configured_key(utc_now()))
    return remembered


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
    context = context_of(request)
    # Only what goes into the spool may pass on a memory alone.
    key = request.state.key = await _check_key(
        context.inbox, secret, context.remembered if INGEST in endpoint.scopes else None
    )
    if not {*endpoint.scopes, ADMIN} & {*key.scopes}:
        needed = " or ".join(map(repr, endpoint.scopes))
        raise Forbidden(f"The key {key.name!r} lacks the scope {needed}; it has: {', '.join(key.scopes)}.")
    return key


async def is_still_good(request: Request) -> bool:
    """Return whether the key that a request came with is neither revoked nor expired since: for answers that last."""
    secret = _secret_of_header(request) or request.cookies.get(COOKIE)
    return secret is not None and await _find_key(inbox_of(request), secret) is not None


async def _find_key(inbox: Inbox, secret: str, remembered: Remembered | None = None) -> Key | None:
    """Return the key with a secret, unless it has expired; what is remembered of it while the store is away."""
    secret_hash = hash_secret(secret)
    changes = 0 if remembered is None else remembered.changes
    try:
        key = await inbox.store.find_key(secret_hash)
    except StoreUnavailable:
        key = None if remembered is None else remembered.find(secret_hash)
        if key is None:
            raise
    else:
        if remembered is not None:
            remembered.note(secret_hash, key, changes)
    is_expired = key is not None and key.expires_at is not None and key.expires_at <= inbox.now()
    return None if is_expired else key


async def _check_key(inbox: Inbox, secret: str, remembered: Remembered | None = None) -> Key:
    key = await _find_key(inbox, secret, remembered)
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
