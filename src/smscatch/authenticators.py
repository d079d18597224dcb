"""Authenticator apps of a key: secrets under a name and an id, in the store, for who asks for their codes by that id.

All of a key are one memo, and every change of it is a compare and set. What clients call them is not known here.
"""

import uuid
from collections.abc import Callable

import msgspec

from smscatch.errors import BadRequest, NotFound
from smscatch.inbox import Inbox
from smscatch.settings import Settings
from smscatch.stores import Memo
from smscatch.totp import parse_totp

MOST = 200  # of one key
MAX_NAME = 200  # characters


class Authenticator(msgspec.Struct, frozen=True):
    """One of them; `id` is a UUID, `secret` as it was given."""

    id: str
    name: str
    secret: str


class Kept(msgspec.Struct, frozen=True):
    """What the memo holds; `change` is another one after each change, so that two never leave the same behind."""

    authenticators: tuple[Authenticator, ...] = ()
    change: str = ""


class Authenticators:
    """Those of one key, `owner`. All are kept as long as messages are, from the last change of any on."""

    def __init__(self, inbox: Inbox, settings: Settings, owner: str) -> None:
        self._inbox = inbox
        self._settings = settings
        self._name = f"authenticators {owner}"

    async def all(self) -> tuple[Authenticator, ...]:
        """Return them, the oldest first."""
        return _decode(await self._inbox.store.memo(self._name, await self._inbox.time()))

    async def find(self, authenticator_id: str) -> Authenticator:
        """Return one. Raises NotFound."""
        for each in await self.all():
            if each.id == authenticator_id.lower():
                return each
        raise _unknown(authenticator_id)

    async def add(self, name: str, secret: str) -> Authenticator:
        """Return a new one. Raises BadRequest for a secret that is none, and for one too many."""
        parse_totp(secret)
        new = Authenticator(str(uuid.uuid4()), name[:MAX_NAME], secret)

        def added(before: tuple[Authenticator, ...]) -> tuple[Authenticator, ...]:
            if len(before) >= MOST:
                raise BadRequest(f"This key has {MOST} authenticators already: delete some.", parameter="secret")
            return (*before, new)

        await self._change(added)
        return new

    async def remove(self, authenticator_id: str) -> None:
        """Remove one. Raises NotFound."""

        def removed(before: tuple[Authenticator, ...]) -> tuple[Authenticator, ...]:
            after = tuple(each for each in before if each.id != authenticator_id.lower())
            if after == before:
                raise _unknown(authenticator_id)
            return after

        await self._change(removed)

    async def _change(self, decide: Callable[[tuple[Authenticator, ...]], tuple[Authenticator, ...]]) -> None:
        while True:
            now = await self._inbox.time()
            memo = await self._inbox.store.memo(self._name, now)
            kept = Kept(decide(_decode(memo)), uuid.uuid4().hex)
            after = Memo(msgspec.json.encode(kept), now + self._settings.retention)
            if await self._inbox.store.change_memo(self._name, memo, after, now):
                return


def _decode(memo: Memo | None) -> tuple[Authenticator, ...]:
    return () if memo is None else msgspec.json.decode(memo.content, type=Kept).authenticators


def _unknown(authenticator_id: str) -> NotFound:
    return NotFound(f"There is no device {authenticator_id[:40]!r}: it was never made with this key, or is deleted.")
