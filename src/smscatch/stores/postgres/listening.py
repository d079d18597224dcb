"""Hearing from other instances that they have committed messages: LISTEN on a connection of its own.

The NOTIFY is part of the transaction that gives positions (statements.py), so it is heard when that has committed.
"""

import asyncio
import random
import secrets
from collections.abc import Callable

import psycopg

from smscatch.stores.hearing import Hearing
from smscatch.stores.postgres.address import DatabaseAddress
from smscatch.stores.postgres.failing import reason
from smscatch.stores.postgres.session import Connection, connect

CHANNEL = "smscatch"
ANSWER_SECONDS = 5.0
FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 10.0
PROBE_SECONDS = 2.0
DEAF_SECONDS = 60.0  # between two looks whether the pooler is still deaf


class Listener:
    """Listens at an address that leads past any pooler, for what is told at the address of the store."""

    def __init__(
        self, store: DatabaseAddress, address: DatabaseAddress, heard: Callable[[], None], hearing: Hearing
    ) -> None:
        self._store = store
        self._address = address
        self._heard = heard
        self._hearing = hearing

    async def run(self) -> None:
        """See Store.listen."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hearing.keep_polling(self._heard))
            tasks.create_task(self._keep_listening())

    async def _keep_listening(self) -> None:
        """Connect again and again, ever less often but, unless it is of no use, every MAX_DELAY_SECONDS or so."""
        delay = FIRST_DELAY_SECONDS
        while True:
            try:
                async with await connect(self._address, ANSWER_SECONDS) as connection:
                    if await self._is_deaf(connection):
                        delay = DEAF_SECONDS
                        self._hearing.end(self._deafness())
                    else:
                        delay = FIRST_DELAY_SECONDS
                        await self._listen(connection)
            except (psycopg.Error, TimeoutError, OSError) as error:
                self._hearing.end(f"Listening to the database {self._address.name} failed: {reason(error)}.")
            # Not all instances at the same instant, or they bring down what has just come up.
            await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            delay = min(2 * delay, MAX_DELAY_SECONDS)

    async def _is_deaf(self, connection: Connection) -> bool:
        """Return whether what is told at the store's address is not heard on a connection that is idle.

        A pooler that lends sessions for a transaction takes LISTEN, and gives the session to somebody else.
        """
        probe = f"{CHANNEL}_{secrets.token_hex(8)}"
        await _execute(connection, f"LISTEN {probe}")
        async with await connect(self._store, ANSWER_SECONDS) as teller:
            await _execute(teller, f"NOTIFY {probe}")
        heard = [told async for told in connection.notifies(timeout=PROBE_SECONDS, stop_after=1)]
        await _execute(connection, f"UNLISTEN {probe}")
        return not heard

    def _deafness(self) -> str:
        if self._address == self._store:
            return (
                f"The database {self._store.name} is behind a pooler that takes LISTEN and tells nothing (such as"
                " PgBouncer with pool_mode = transaction): set SMSCATCH_STORE_LISTEN to a URL that leads to PostgreSQL"
                " itself, or to a pool with pool_mode = session."
            )
        return (
            f"What is told in the database {self._store.name} is not heard at {self._address.name}: set"
            " SMSCATCH_STORE_LISTEN to a URL of the same database that leads to PostgreSQL itself."
        )

    async def _listen(self, connection: Connection) -> None:
        await _execute(connection, f"LISTEN {CHANNEL}")
        self._hearing.begin(self._heard)  # and finds what was committed while nobody listened
        async for _ in connection.notifies():
            self._heard()


async def _execute(connection: Connection, sql: str) -> None:
    await asyncio.wait_for(connection.execute(sql), ANSWER_SECONDS)
