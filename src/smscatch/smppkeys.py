"""The keys of applications that send by SMPP, where a password has 8 characters at most (SMPP v3.4, 5.2.2).

A key's secret is too long for that. So such a key is made with a password of its own, which goes with its id as the
system_id. That is safe enough for what it opens, the scope send: 48 random bits are far more than can be tried where
each wrong one holds up its address (tries.py), and what the store has of them is a slow, salted hash.
"""

import asyncio
import hashlib
import secrets
from datetime import timedelta
from typing import NamedTuple

from smscatch.inbox import Inbox
from smscatch.keycache import KeyCache
from smscatch.keys import SEND, get_key_by_hash, hash_secret, new_key
from smscatch.settings import Settings
from smscatch.stores import Key

MOST_PASSWORD = 8  # characters; what is longer is the secret of a key, which some clients let pass
CONFIGURED = "smpp"  # the id of the key of the settings
_ROUNDS = 50_000  # of PBKDF2 (RFC 8018): some 20 ms, and half a second on the smallest machine


class SmppKey(NamedTuple):
    """A key whose id is the system_id, and its password, which is not to be had again."""

    key: Key
    password: str


class FoundKey(NamedTuple):
    """The key that a bind brings, and the hash under which the store has it."""

    key: Key
    secret_hash: bytes


async def add_smpp_key(
    inbox: Inbox, name: str, lines: tuple[str, ...] | None = None, *, lifetime: timedelta | None = None
) -> SmppKey:
    """Make a key with the scope send for SMPP. Raises BadRequest for a name that is none."""
    key, password = new_key(inbox, name, (SEND,), lines, lifetime=lifetime), secrets.token_urlsafe(6)
    await inbox.store.add_key(key, await hash_password(key.id, password))
    return SmppKey(key, password)


async def hash_password(system_id: str, password: str) -> bytes:
    """Return what the store keeps of a password: PBKDF2 with the system_id as salt. In a thread: it takes time."""
    salt = f"smscatch smpp {system_id}".encode()
    return await asyncio.to_thread(hashlib.pbkdf2_hmac, "sha256", password.encode(), salt, _ROUNDS)


async def get_smpp_key(inbox: Inbox, system_id: str, password: str, remembered: KeyCache) -> FoundKey:
    """Return the key of a system_id and a password; or of its secret as the password, whatever the system_id then is.

    From the cache while the store is silent. Raises Unauthorized.
    """
    is_secret = len(password) > MOST_PASSWORD
    secret_hash = hash_secret(password) if is_secret else await hash_password(system_id, password)
    return FoundKey(await get_key_by_hash(inbox, secret_hash, remembered), secret_hash)


async def ensure_smpp_key(inbox: Inbox, settings: Settings) -> None:
    """See to it that the password of the settings is a key's, and one that stood there before is none."""
    password = settings.smpp_server_password
    wanted = None if password is None else await hash_password(settings.smpp_server_system_id, password)
    found = None if wanted is None else await inbox.store.find_key(wanted)
    if found is None:
        await inbox.store.revoke_key(CONFIGURED)
        if wanted is not None:
            key = Key(id=CONFIGURED, name="SMPP (configured)", scopes=(SEND,), created_at=inbox.now())
            await inbox.store.add_key(key, wanted)
