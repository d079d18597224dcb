"""A connection to SQLite and the one thread that uses it; which errors pass, and which a store will never get over."""

import asyncio
import errno
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from smscatch.errors import CannotStart, StoreUnavailable
from smscatch.files import check_room, describe_unwritable

P = ParamSpec("P")
R = TypeVar("R")
# Of each connection; SQLite would keep 2 MB for each of three. What is not here is in the page cache of the system.
CACHE_KIB = 512
BUSY_SECONDS = 3  # then the caller hears of it, and tries again
# These come of what we ask; trying again later would not help.
PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL)
# A file system that is full, or that a network brings.
PASSING_IN_FILES = (
    errno.EIO,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ESTALE,
    errno.ETIMEDOUT,
    errno.EHOSTDOWN,
    errno.ENOTCONN,
)
OUR_FAULT = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.NotSupportedError)


class Worker:
    """A connection and the one thread that uses it."""

    def __init__(self, path: str) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._path = path
        self.connection = self._executor.submit(connect, path).result()

    async def run(self, work: Callable[Concatenate[sqlite3.Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what `work` does, in the thread. Raises StoreUnavailable for an error that passes."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, lambda: work(self.connection, *args, **kwargs))
        except OUR_FAULT:
            raise
        except sqlite3.DatabaseError as error:
            raise self._unavailable(error) from error

    async def check_room(self) -> None:
        """Return if the disk of the database has room for more. Raises StoreUnavailable."""
        folder = Path(self._path).parent
        try:
            await asyncio.to_thread(check_room, folder)
        except OSError as error:
            raise StoreUnavailable(describe_unwritable("database's folder", folder, error)) from error

    async def twin(self) -> "Worker":
        """Return a new worker on the same database."""
        try:
            return await asyncio.to_thread(Worker, self._path)
        except sqlite3.DatabaseError as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: sqlite3.DatabaseError) -> StoreUnavailable:
        is_full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        return StoreUnavailable(
            f"The database {self._path} failed: {error}.{' Free some space on its disk.' if is_full else ''}"
        )

    def close(self) -> None:
        """Close the connection and end the thread."""
        self._executor.submit(self.connection.close).result()
        self._executor.shutdown()


def connect(path: str, patience_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Return a connection, which waits so long for others."""
    connection = sqlite3.connect(path, timeout=patience_seconds, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return connection


def cannot_open(path: str, error: BaseException) -> CannotStart | StoreUnavailable:
    """Return StoreUnavailable for what passes: another process keeps the file, or the disk fails, is full or away."""
    if isinstance(error, sqlite3.Error):
        passes = getattr(error, "sqlite_errorcode", 0) & 0xFF in PASSING
    else:
        passes = isinstance(error, OSError) and error.errno in PASSING_IN_FILES
    if passes:
        return StoreUnavailable(f"The database {path} cannot be opened: {error}.")
    return CannotStart(
        f"The database {path} cannot be opened: {error}. Make its folder one that this user may write,"
        " or name another with SMSCATCH_STORE."
    )
