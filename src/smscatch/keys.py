"""API keys: making them, the sessions that browsers get from them, their scopes, the administrator's.

Secrets are kept hashed only. How a request brings one is the web's; what a key may see is in rights.py.
"""

import contextlib
import hashlib
import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from smscatch.clock import utc_now
from smscatch.errors import BadRequest, NotFound, Unauthorized
from smscatch.inbox import Inbox
from smscatch.keycache import KeyCache
from smscatch.stores import Key

READ, LEASE, INGEST, SEND, ADMIN = SCOPES = ("read", "lease", "ingest", "send", "admin")
SESSION = timedelta(days=30)
PREFIX = "smscatch_"
CONFIGURED = "admin"  # the id of the key in SMSCATCH_ADMIN_KEY


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
    key, secret = new_key(inbox, name, scopes, lines, lifetime=lifetime), new_secret()
    await inbox.store.add_key(key, hash_secret(secret))
    return key, secret


def new_key(
    inbox: Inbox,
    name: str,
    scopes: tuple[str, ...],
    lines: tuple[str, ...] | None = None,
    *,
    lifetime: timedelta | None = None,
) -> Key:
    """Return a key that the store does not have yet. Raises BadRequest as `add_key` does."""
    check_scopes(scopes)
    if not name or len(name) > 100:
        raise BadRequest("A key needs a name of up to 100 characters, to know it by.")
    now = inbox.now()
    expires_at = None if lifetime is None else now + lifetime
    return Key(id=secrets.token_hex(4), name=name, scopes=scopes, lines=lines, created_at=now, expires_at=expires_at)


def check_scopes(scopes: Iterable[str]) -> None:
    """Raise BadRequest for a scope that there is not."""
    for scope in scopes:
        if scope not in SCOPES:
            raise BadRequest(f"There is no scope {scope!r}; there are: {', '.join(SCOPES)}.")


async def get_key(inbox: Inbox, secret: str, remembered: KeyCache | None = None) -> Key:
    """Return the key with a secret; from a cache, if one is given, while the store is silent. Raises Unauthorized."""
    return await get_key_by_hash(inbox, hash_secret(secret), remembered)


async def get_key_by_hash(inbox: Inbox, secret_hash: bytes, remembered: KeyCache | None = None) -> Key:
    """Return the key whose secret has this hash, as `get_key` does."""
    found = inbox.find_key(secret_hash) if remembered is None else remembered.ask(inbox.store, secret_hash)
    key = await found
    if key is None or is_expired(key, inbox.now()):
        raise Unauthorized("This key is unknown, revoked or expired. `smscatch keys list` shows the ones there are.")
    return key


def is_expired(key: Key, now: datetime) -> bool:
    """Return whether a key is over."""
    return key.expires_at is not None and key.expires_at <= now


async def list_keys(inbox: Inbox) -> list[Key]:
    """Return the keys, without sessions, oldest first."""
    return await inbox.store.keys()


async def change_key(inbox: Inbox, remembered: KeyCache, key: Key) -> None:
    """Put `key` in the place of the one with its id, whose sessions end. Raises NotFound."""
    with _forgotten(remembered, key.id):
        is_known = await inbox.store.change_key(key)
    if not is_known:
        raise unknown_id()


async def revoke_key(inbox: Inbox, remembered: KeyCache, key_id: str) -> None:
    """End a key and its sessions. Raises NotFound."""
    with _forgotten(remembered, key_id):
        is_known = await inbox.store.revoke_key(key_id)
    if not is_known:
        raise unknown_id()


@contextlib.contextmanager
def _forgotten(remembered: KeyCache, key_id: str) -> Iterator[None]:
    """Have the cache forget a key behind the block, also if the store is just going away."""
    try:
        yield
    finally:
        remembered.forget(key_id)


def unknown_id() -> NotFound:
    """Return the error for an id that is no key's."""
    return NotFound("There is no such key; it may have been revoked already.")


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
            await inbox.store.add_key(configured_key(inbox.now()), hash_secret(configured))
    if any(ADMIN in key.scopes for key in await inbox.store.keys()):
        return None
    return (await add_key(inbox, "admin", (ADMIN,)))[1]


def configured_key(now: datetime) -> Key:
    """Return the administrator's key of the settings, as the store keeps it."""
    return Key(id=CONFIGURED, name="admin (configured)", scopes=(ADMIN,), created_at=now)


def remember_configured(secret: str | None) -> KeyCache:
    """Return an empty cache of keys, but for the one of the settings."""
    remembered = KeyCache()
    if secret is not None:
        remembered.configure(hash_secret(secret), configured_key(utc_now()))
    return remembered


async def start_session(inbox: Inbox, secret: str) -> str:
    """Return the secret of a session with the rights of a key. Raises Unauthorized if it is no key."""
    key = await get_key(inbox, secret)
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


async def end_session(inbox: Inbox, secret: str) -> None:
    """Make a session's secret worthless."""
    session = await inbox.store.find_key(hash_secret(secret))
    if session is not None and session.parent is not None:
        await inbox.store.revoke_key(session.id)
