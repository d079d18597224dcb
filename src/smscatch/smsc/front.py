"""What all connections of applications share, and who is let in: the key behind a system_id and a password."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from smscatch.access import Access, House
from smscatch.arriving import LateArrivals
from smscatch.committing import Committer
from smscatch.keys import SEND, get_key_by_hash, hash_secret
from smscatch.sending import Desk
from smscatch.sinks.callbacks import Callbacks
from smscatch.smpp.accounts import Accounts
from smscatch.smpp.pdu import Bind
from smscatch.smppkeys import FoundKey, get_smpp_key
from smscatch.smsc.submitting import PROVIDER
from smscatch.tries import Tries

FAILURE_SECONDS = 1.0  # to try all passwords of eight characters at this pace takes millions of years


class BindTimes(NamedTuple):
    """How long to wait, in seconds: for a bind; until a silent application is asked, and for its answer then.

    `recheck` is between two looks whether its key is still good.
    """

    bind: float = 30.0
    idle: float = 60.0
    link: float = 30.0
    recheck: float = 10.0
    goodbye: float = 2.0


class Front(NamedTuple):
    """What the connections share: the house with its keys, what keeps texts, the accounts, and how patient to be."""

    house: House
    committer: Committer
    callbacks: Callbacks
    tries: Tries
    accounts: Accounts
    receipt_after: timedelta
    late: LateArrivals | None = None
    times: BindTimes = BindTimes()
    pause: Callable[[], Awaitable[object]] = partial(asyncio.sleep, FAILURE_SECONDS)

    async def let_in(self, bind: Bind, address: str) -> Access:
        """Return what the key that a bind brings may do. A wrong one holds up its address, as at logins (brute force).

        Raises Unauthorized, TooManyTries, Forbidden if it may not send, and StoreUnavailable.
        """
        given = hash_secret(f"{bind.system_id}\0{bind.password}")
        found = await self.tries.check(address, given, partial(self._find, bind), self.pause)
        access = Access(found.key, found.secret_hash, (SEND,), self.house)
        access.check_scopes()
        return access

    async def _find(self, bind: Bind) -> FoundKey:
        return await get_smpp_key(self.house.inbox, bind.system_id, bind.password, self.house.remembered)

    async def renew(self, access: Access) -> Access:
        """Return what a key may do now, since it may have been limited, revoked, or have expired. Raises as let_in."""
        secret_hash = access.secret_hash
        key = await get_key_by_hash(self.house.inbox, secret_hash, self.house.remembered)
        renewed = Access(key, secret_hash, (SEND,), self.house)
        renewed.check_scopes()
        return renewed

    def desk(self, access: Access) -> Desk:
        """Return what keeps the texts of a key. It signs nothing, so needs no secret."""
        return Desk(PROVIDER, access, "", committer=self.committer, callbacks=self.callbacks, late=self.late)
