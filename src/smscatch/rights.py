"""What a key may see and do (authorization): its scopes and lines, now and while something is open. No request here.

What keys are is in keys.py, what they are given in access.py. Waits and streams are checked again while they are open,
on every instance: rights follow the key, which another instance may limit, revoke, or let expire.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import TypeVar

from smscatch.errors import Forbidden, StoreUnavailable, Unauthorized, UnknownLease
from smscatch.inbox import Inbox
from smscatch.interrupting import Interruptible
from smscatch.keys import ADMIN, LEASE, is_expired
from smscatch.leases import Leases
from smscatch.messages import Lease
from smscatch.stores import Key

T = TypeVar("T")
RECHECK_SECONDS = 10.0  # between two looks at the key of what is open, and at the keys of the leases that are held
ORIGINS = (ADMIN,)  # may see who read a message, and the delivery that it came in


class Rights:
    """What a key may see and do, for one thing that it was given for and that needs one of the scopes `needed`."""

    def __init__(self, key: Key, secret_hash: bytes, needed: tuple[str, ...], inbox: Inbox) -> None:
        self.key = key
        self.secret_hash = secret_hash
        self._needed = needed
        self._inbox = inbox

    @property
    def owner(self) -> str:
        """The id that leases and reads are kept under: of the key itself, whichever session it came in."""
        return self.key.parent or self.key.id

    def may(self, scopes: Sequence[str]) -> bool:
        """Return whether the key has one of these scopes; an administrator's has them all."""
        return has_scope(self.key, scopes)

    def sees(self, line: str) -> bool:
        """Return whether the key may see a line."""
        return covers(self.key, (line,))

    def check_scopes(self, scopes: Sequence[str] = ()) -> None:
        """Raise Forbidden if the key lacks the scope that is needed; one of `scopes`, if some are given."""
        if not self.may(scopes or self._needed):
            needed, held = " or ".join(map(repr, scopes or self._needed)), ", ".join(self.key.scopes)
            raise Forbidden(f"The key {self.key.name!r} lacks the scope {needed}; it has: {held}.")

    def check_line(self, line: str, doing: str = "see") -> None:
        """Raise Forbidden if the key may not see a line; `doing` says what it was to be done with it."""
        if not self.sees(line):
            seen = ", ".join(self.key.lines or ())
            raise Forbidden(f"This key may not {doing} the line {line}; it may {doing}: {seen}.", line=line)

    def check_lease(self, lease: Lease) -> None:
        """Raise UnknownLease for a lease of a line that the key must not see."""
        if not self.sees(lease.line):
            raise UnknownLease(f"There is no lease {lease.id!r} that this key may see.")

    def check_own(self, lease: Lease) -> None:
        """Raise as `check_lease` does, and Forbidden if another key holds the lease, unless this is an admin's."""
        self.check_lease(lease)
        if lease.key != self.owner and not self.may((ADMIN,)):
            raise Forbidden(f"The lease {lease.id} was given to another key; only that one may use it, or an admin's.")

    async def check_still(self, lines: Sequence[str] | None) -> None:
        """Return if the key may still do what it was let in for, with these lines; None stands for all.

        Raises Unauthorized if it was revoked or expired meanwhile, Forbidden if it was limited, StoreUnavailable.
        """
        key = await self._inbox.find_key(self.secret_hash)
        if key is None or is_expired(key, self._inbox.now()):
            raise Unauthorized("This key was revoked, or expired, while this went on.")
        if not has_scope(key, self._needed):
            raise Forbidden("This key lost the scope that this needs, while it went on.")
        if not covers(key, lines):
            raise Forbidden("This key was limited to other lines while this went on. Ask again for those it may see.")

    async def guard(self, wait: Awaitable[T], lines: Sequence[str] | None) -> T:
        """Return what `wait` returns, or raise what it raises; cancel it when the key may no longer have it.

        Whatever comes of it is told only after a last look at the key: an error may say what came. Raises as
        `check_still` does.
        """
        loop, block, checking = asyncio.get_running_loop(), Interruptible(), list[asyncio.Task[None]]()

        def recheck() -> None:
            checking.append(loop.create_task(self._keep_checking(lines, block)))

        later = loop.call_later(RECHECK_SECONDS, recheck)  # most waits are over before
        try:
            with block:
                found = await wait
        except Exception:
            await self.check_still(lines)
            raise
        finally:
            later.cancel()
            for task in checking:
                task.cancel()
        await self.check_still(lines)
        return found

    async def _keep_checking(self, lines: Sequence[str] | None, block: Interruptible) -> None:
        """Interrupt a block when the key may no longer have it."""
        while True:
            try:
                with contextlib.suppress(StoreUnavailable):  # nothing can come either; the last look decides
                    await self.check_still(lines)
            except Exception as error:
                return block.interrupt(error)
            await asyncio.sleep(RECHECK_SECONDS)


def has_scope(key: Key, scopes: Sequence[str]) -> bool:
    """Return whether a key has one of these scopes; an administrator's has them all."""
    return bool({*scopes, ADMIN} & {*key.scopes})


def covers(key: Key, lines: Sequence[str] | None) -> bool:
    """Return whether a key may see all of these lines; None stands for all that there are."""
    return key.lines is None or (lines is not None and {*lines} <= {*key.lines})


async def end_forfeited(leases: Leases, inbox: Inbox) -> None:
    """Release each lease whose key was revoked, has expired, or may no longer lease its line. The line then rests.

    Raises StoreUnavailable.
    """
    held = await leases.held()  # first: a key that is made after the look at the keys has none of these
    keys = {key.id: key for key in await inbox.store.keys()} if held else {}
    for lease in held:
        if not _may_hold(keys.get(lease.key), lease, inbox.now()):
            await leases.release(lease)


def _may_hold(key: Key | None, lease: Lease, now: datetime) -> bool:
    return key is not None and not is_expired(key, now) and has_scope(key, (LEASE,)) and covers(key, (lease.line,))


async def keep_ending_forfeited(leases: Leases, inbox: Inbox, interval_seconds: float = RECHECK_SECONDS) -> None:
    """End what keys forfeit, whichever instance or command limited them, every so often; runs until cancelled."""
    while True:
        with contextlib.suppress(StoreUnavailable):  # the next round makes up for it
            await end_forfeited(leases, inbox)
        await asyncio.sleep(interval_seconds)
