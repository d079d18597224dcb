"""The MongoDB database as its store uses it: primary and majority only, bounded in time, errors as ours.

No collection is known here.
"""

import asyncio
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import parse_qsl, urlsplit

import pymongo
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient, ReadPreference
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.server_api import ServerApi, ServerApiVersion

from smscatch.errors import BadSetting, StoreUnavailable
from smscatch.stores.mongo.failing import is_our_fault, unavailable
from smscatch.stores.mongo.scope import Document, Scope
from smscatch.stores.mongo.transacting import SAFE, Transactor

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_NAME = "smscatch"
REQUEST_SECONDS = 5.0  # then the caller hears of it, and tries again
LONGEST_SECONDS = 50.0  # for what moves much; after 60 the server ends a transaction (transactionLifetimeLimitSeconds)
# What the URL says of these wins.
DEFAULTS = {"appName": "smscatch", "serverSelectionTimeoutMS": 3000, "connectTimeoutMS": 3000}
UTC_TIMES: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
# So that a newer server answers as today's does. Not strict, for one command that is not of it: killSessions.
API = ServerApi(ServerApiVersion.V1)


class Database:
    """One database of a replica set, and the one transaction at a time in which this process writes."""

    def __init__(self, client: "AsyncMongoClient[Document]", name: str, where: str) -> None:
        self.client = client
        self.where = where  # for sentences: it names no user and no password
        self.handle = client.get_database(name, UTC_TIMES, ReadPreference.PRIMARY, SAFE, ReadConcern("majority"))
        self._transactor = Transactor(self.handle)

    @classmethod
    def of(cls, url: str) -> "Database":
        """Return the database that `url` names, without asking it. Raises BadSetting, in which the URL is not."""
        try:
            given = {key.lower() for key, _ in parse_qsl(urlsplit(url).query)}
            defaults: dict[str, Any] = {key: value for key, value in DEFAULTS.items() if key.lower() not in given}
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # a misspelt tls=true would be ignored
                client: AsyncMongoClient[Document] = AsyncMongoClient(url, server_api=API, **defaults)
            name = client.get_default_database(DEFAULT_NAME).name
            if "@" in name:  # a '/' in the password has ended the host
                raise ValueError(name)
            hosts = urlsplit(url).netloc.rpartition("@")[2]
        except (PyMongoError, ValueError, KeyError, UserWarning):
            # Not even the driver's reason is passed on: of a password with an '@' or a '/' it quotes a part.
            raise BadSetting(
                "The store's URL cannot be read by MongoDB's driver. Accepted: mongodb://USER:PASSWORD@HOST/DATABASE or"
                " mongodb+srv://…, in which the special characters of user and password are percent-encoded."
            ) from None
        return cls(client, name, f"{name} at {hosts}")

    async def connect(self) -> None:
        """Look up the hosts of mongodb+srv://, and begin to watch them."""
        async with self._translated():
            await self.client.aconnect()

    async def command(self, name: str) -> Document:
        """Return the answer to a command without arguments."""
        async with self._translated():
            with pymongo.timeout(REQUEST_SECONDS):
                return await self.handle.command(name)

    async def work_long(self, work: Callable[[AsyncDatabase[Document]], Awaitable[None]]) -> None:
        """Do what may take minutes, such as making an index."""
        async with self._translated():
            await work(self.handle)

    async def read(self, work: Callable[Concatenate[Scope, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what `work` does outside of a transaction: it reads, or makes single changes."""
        async with self._translated():
            with pymongo.timeout(REQUEST_SECONDS):
                return await work(Scope(self.handle), *args, **kwargs)

    async def size(self) -> int:
        """Return how many bytes documents and indexes take, uncompressed (the command dbStats)."""
        async with self._translated():
            with pymongo.timeout(REQUEST_SECONDS):
                told = await self.handle.command("dbStats")
        return int(told["dataSize"] + told["indexSize"])

    async def read_newest(
        self, work: Callable[Concatenate[Scope, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Do the same with one document as it is now, to the knowledge of a majority: no deposed primary answers."""
        # A node that is alone cannot be deposed, and would take 100 ms for this (the interval of its journal).
        level = "linearizable" if len(self.client.nodes) > 1 else "majority"
        async with self._translated():
            with pymongo.timeout(REQUEST_SECONDS):
                newest = self.handle.with_options(read_concern=ReadConcern(level))
                return await work(Scope(newest), *args, **kwargs)

    async def write(self, work: Callable[Concatenate[Scope, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what `work` does in one transaction, which is tried again when another writer was in its way."""
        async with self._translated():
            return await self._transactor.run(lambda scope: work(scope, *args, **kwargs), REQUEST_SECONDS)

    async def write_much(
        self, work: Callable[Concatenate[Scope, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Do the same with something that may take long."""
        async with self._translated():
            return await self._transactor.run(lambda scope: work(scope, *args, **kwargs), LONGEST_SECONDS)

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        task = asyncio.current_task()
        cancels = task.cancelling() if task else 0
        try:
            yield
        except TimeoutError as error:
            raise StoreUnavailable(f"The database {self.where} is busy: others are waiting to write.") from error
        except PyMongoError as error:
            if is_our_fault(error):
                raise
            raise unavailable(self.where, error) from error
        # The driver waits by asyncio.wait_for, which until Python 3.12 forgets a cancellation that comes together with
        # what it waits for (https://github.com/python/cpython/issues/86296): a wait would outlive its timeout for ever.
        if task and task.cancelling() > cancels:
            raise asyncio.CancelledError

    async def close(self) -> None:
        """Let go of all connections."""
        await self._transactor.close()
        await self.client.close()
