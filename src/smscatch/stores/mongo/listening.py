"""How the MongoDB store hears of what other instances commit: a change stream on the messages."""

import asyncio
import contextlib
import random
from collections.abc import Callable

from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.errors import PyMongoError

from smscatch.stores.hearing import Hearing
from smscatch.stores.mongo.database import Database
from smscatch.stores.mongo.failing import reason
from smscatch.stores.mongo.scope import Document

# The server answers so late when nothing happens; who has heard nothing for longer has lost it.
AWAIT_SECONDS = 30.0
LOST_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
# A text that is completed is deleted and inserted, so inserts are all there is to hear.
INSERTS: list[Document] = [
    {"$changeStream": {}},
    {"$match": {"operationType": "insert"}},
    {"$project": {"_id": True}},
]


class Listener:
    """One endless change stream, put together of as many as it takes.

    None is resumed where the last one broke off: whoever is told that there may be something reads on from the position
    that he has, so there is no history that could be missed, or be gone.
    """

    def __init__(self, database: Database, heard: Callable[[], None], hearing: Hearing) -> None:
        self._database = database
        self._heard = heard
        self._hearing = hearing
        self._pause = FIRST_PAUSE_SECONDS

    async def run(self) -> None:
        """Call `heard` for every insert, and once after each time that the stream was lost, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hearing.keep_polling(self._heard))
            tasks.create_task(self._keep_following())

    async def _keep_following(self) -> None:
        while True:
            said = "it ended, as it does when the collection is dropped or renamed"
            try:
                await self._follow()
            except PyMongoError as error:
                said = reason(error)
            except (TimeoutError, OSError):
                said = "it was silent for too long"
            self._hearing.end(f"The change stream of the database {self._database.where} failed: {said}.")
            # All who lost their primary at once shall not come back at once.
            await asyncio.sleep(random.uniform(self._pause / 2, self._pause))  # noqa: S311 - no secret
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)

    async def _follow(self) -> None:
        """Listen to one stream until it ends, which it does with an error or with the collection."""
        messages = self._database.handle["messages"]
        async with self._database.client.start_session() as session:
            async with asyncio.timeout(LOST_SECONDS):
                stream = await messages.aggregate(INSERTS, session, maxAwaitTimeMS=int(AWAIT_SECONDS * 1000))
                # In the session of the stream this waits until all that came before its beginning can be read.
                await messages.find_one({}, {"_id": True}, session=session)
            self._hearing.begin(self._heard)
            try:
                while stream.alive:
                    await self._next(stream)
            finally:
                await _close(stream)

    async def _next(self, stream: AsyncCommandCursor[Document]) -> None:
        async with asyncio.timeout(AWAIT_SECONDS + LOST_SECONDS):
            change = await stream.try_next()
        self._pause = FIRST_PAUSE_SECONDS
        if change is not None:
            self._heard()


async def _close(stream: AsyncCommandCursor[Document]) -> None:
    """Let go of a stream; one that cannot be reached any more is forgotten by the server."""
    with contextlib.suppress(PyMongoError, TimeoutError):
        async with asyncio.timeout(1):
            await stream.close()
