"""Connections to PostgreSQL: how many, how long to wait, how often to try again.

No SQL here.
"""

import asyncio
import contextlib
import os
import random
import select
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Concatenate, ParamSpec, TypeVar

import psycopg

from smscatch.stores.postgres.address import DatabaseAddress
from smscatch.stores.postgres.failing import unavailable
from smscatch.stores.postgres.session import Connection, connect

P = ParamSpec("P")
R = TypeVar("R")

WAIT_SECONDS = 2  # for one of our connections to be free; then the caller hears of it, and tries again
CUT_SECONDS = 0.5  # after the server should have ended a statement by itself
ATTEMPTS = 4
PAUSE_SECONDS = 0.05
# These come of what we ask; trying again later would not help.
OUR_FAULT = (psycopg.IntegrityError, psycopg.DataError, psycopg.errors.ProgramLimitExceeded)
# Nothing was done, because another transaction was in the way.
CONFLICT = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)


class _Lost(psycopg.OperationalError):
    """A connection ended in the middle of some work. Nobody knows whether the last of it was done."""


class Connections:
    """Up to `size` connections, made when they are needed and kept, on which a piece of work may take `seconds`."""

    def __init__(self, address: DatabaseAddress, size: int, seconds: float, *, plans: str = "auto") -> None:
        self._address = address
        self._seconds = seconds
        self._plans = plans
        self._free = asyncio.Semaphore(size)
        self._idle: list[Connection] = []

    async def run(self, work: Callable[Concatenate[Connection, P], Awaitable[R]], *args: P.args, **kw: P.kwargs) -> R:
        """Return what `work` returns, given a connection. Raises StoreUnavailable if the database is at fault.

        It is done again if another transaction is in its way or the connection is lost, even in the commit: what it
        does twice must come to the same as once.
        """
        return await self._run(lambda connection: work(connection, *args, **kw), (*CONFLICT, _Lost))

    async def run_once(
        self, work: Callable[Concatenate[Connection, P], Awaitable[R]], *args: P.args, **kw: P.kwargs
    ) -> R:
        """Do the same with what must not be done twice."""
        return await self._run(lambda connection: work(connection, *args, **kw), CONFLICT)

    async def _run(self, work: Callable[[Connection], Awaitable[R]], passing: Sequence[type[Exception]]) -> R:
        try:
            return await self._attempt(work, passing)
        except OUR_FAULT:
            raise
        except (psycopg.Error, TimeoutError, OSError) as error:
            raise unavailable(self._address, error) from error

    async def _attempt(self, work: Callable[[Connection], Awaitable[R]], passing: Sequence[type[Exception]]) -> R:
        """Do the work, some times more after an error that passes. One that cannot even connect does not."""
        for attempt in range(1, ATTEMPTS):
            with contextlib.suppress(*passing):
                async with self._lent() as connection:
                    return await work(connection)
            await asyncio.sleep(random.uniform(0.5, 1.5) * PAUSE_SECONDS * attempt)  # noqa: S311 - no secret
        async with self._lent() as connection:
            return await work(connection)

    @contextlib.asynccontextmanager
    async def _lent(self) -> AsyncGenerator[Connection, None]:
        """Lend a connection. After any error it is closed, which ends its transaction and cannot leave half of one."""
        async with asyncio.timeout(WAIT_SECONDS):
            await self._free.acquire()
        try:
            connection = self._take() or await connect(self._address, self._seconds, self._plans)
            # A server that stands still answers neither a query nor its cancellation: only the end of the
            # connection ends the wait.
            cutting = asyncio.get_running_loop().call_later(self._seconds + CUT_SECONDS, _cut, connection)
            try:
                yield connection
                self._idle.append(connection)
            except BaseException as error:
                is_lost = connection.closed
                await connection.close()
                if isinstance(error, psycopg.Error) and asyncio.get_running_loop().time() >= cutting.when():
                    raise TimeoutError from error  # libpq takes our cut for the server's
                if isinstance(error, psycopg.Error) and is_lost:
                    raise _Lost(str(error)) from error
                raise
            finally:
                cutting.cancel()
        finally:
            self._free.release()

    def _take(self) -> Connection | None:
        """Return an idle connection whose server is still there."""
        while self._idle:
            connection = self._idle.pop()
            if not _is_ended(connection):
                return connection
            connection.pgconn.finish()
        return None

    async def close(self) -> None:
        """Close all connections. None may be lent any more."""
        while self._idle:
            await self._idle.pop().close()


def _is_ended(connection: Connection) -> bool:
    """Return whether the server has said something unasked, and that is goodbye; 1,000 times cheaper than a query."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _cut(connection: Connection) -> None:
    # Suppressed: that it is closed already.
    with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as other:
        other.shutdown(socket.SHUT_RDWR)
