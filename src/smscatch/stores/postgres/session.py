"""One connection to PostgreSQL, with its settings: those of its session, or of each transaction behind a pooler.

No pool of ours and no SQL about messages here.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.pq import TransactionStatus
from psycopg.types.string import StrDumperUnknown

from smscatch.stores.postgres.address import CONNECT_SECONDS, DatabaseAddress

# One who stops in the middle of a transaction must not keep all others from writing; a message must be on disk, also
# where the database's default is otherwise.
SETTINGS = """
    SET {scope} TIME ZONE 'UTC';
    SET {scope} statement_timeout = {milliseconds};
    SET {scope} idle_in_transaction_session_timeout = 10000;
    SET {scope} plan_cache_mode = {plans};
    SELECT set_config('synchronous_commit', 'on', {is_local}) WHERE current_setting('synchronous_commit') = 'off'
"""


class _Text(StrDumperUnknown):
    """A text as PostgreSQL can hold it: without NUL, whoever sent it."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\ufffd"))


class Connection(psycopg.AsyncConnection[tuple[Any, ...]]):
    """A connection that commits each statement unless a transaction was begun. `is_pooled`: a pooler is in between.

    A pooler such as PgBouncer in its transaction mode lends us a session for one transaction at a time: what is set in
    a session, prepared or listened for would be found by others, and not by us.
    https://www.pgbouncer.org/features.html
    """

    is_pooled = False
    _settings = ""

    async def set_up(self, seconds: float, plans: str) -> None:
        """Have statements take up to `seconds`, and be planned according to `plans`."""
        self.adapters.register_dumper(str, _Text)
        # The protocol's pid of the session (BackendKeyData) is the server's own, unless who answered is no server.
        found = await (await self.execute("SELECT pg_backend_pid()")).fetchone()
        self.is_pooled = found != (self.info.backend_pid,)
        scope, is_local = ("LOCAL", "true") if self.is_pooled else ("SESSION", "false")
        milliseconds = round(seconds * 1000)
        settings = SETTINGS.format(scope=scope, milliseconds=milliseconds, plans=plans, is_local=is_local)
        if self.is_pooled:
            self.prepare_threshold = None
            self._settings = settings
        else:
            await self.execute(settings)

    def begin(self, kind: str = "") -> str:
        """Return the statements that begin a transaction, to be sent as one text, with others behind if need be."""
        return f"BEGIN {kind}; {self._settings}" if self.is_pooled else f"BEGIN {kind}"

    @asynccontextmanager
    async def transaction_of_its_own(self) -> AsyncGenerator[None, None]:
        """Begin a transaction, and commit what the block does. After an error the caller closes the connection."""
        await self.execute(self.begin())
        yield
        await self.execute("COMMIT")

    @asynccontextmanager
    async def settled(self) -> AsyncGenerator[None, None]:
        """Let the block do one statement under our settings, in the present transaction or one of its own."""
        if self.is_pooled and self.info.transaction_status == TransactionStatus.IDLE:
            async with self.transaction_of_its_own():
                yield
        else:
            yield


async def connect(address: DatabaseAddress, seconds: float, plans: str = "auto") -> Connection:
    """Return a new connection whose statements may take up to `seconds`, and are planned according to `plans`.

    Raises psycopg.Error or TimeoutError. See https://www.postgresql.org/docs/current/sql-prepare.html#SQL-PREPARE-NOTES
    """
    async with asyncio.timeout(CONNECT_SECONDS + 1):  # libpq's own limit leaves out the name server, and begins anew
        connection = await Connection.connect(address.conninfo, autocommit=True)
        try:
            await connection.set_up(seconds, plans)
        except BaseException:
            await connection.close()
            raise
    return connection
