"""One answer for all who ask the same at the same time (request coalescing, single flight). No store here."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class _Question(NamedTuple):
    """What finds an answer, and who waits for it: a future each, since who leaves does not end it for the others."""

    find: Callable[[], Awaitable[Any]]
    askers: list[asyncio.Future[Any]]


class Sharing:
    """Looks up what is asked, each question once at a time.

    Whoever asks while an answer is on its way shares the next one: an answer is never older than its question.
    """

    def __init__(self) -> None:
        self._next: dict[Hashable, _Question] = {}
        self._running: dict[Hashable, asyncio.Task[None]] = {}

    async def ask(self, question: Hashable, find: Callable[[], Awaitable[T]]) -> T:
        """Return what `find` returns, or raise what it raises, of all who asked the same before it was begun."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if question not in self._next:
            self._next[question] = _Question(find, [])
        self._next[question].askers.append(answer)
        if question not in self._running:
            self._running[question] = asyncio.create_task(self._keep_finding(question))
        return await answer

    async def _keep_finding(self, question: Hashable) -> None:
        """Answer those who ask, until nobody does."""
        try:
            while question in self._next:
                await _answer(self._next.pop(question))
        finally:
            del self._running[question]


async def _answer(question: _Question) -> None:
    try:
        found = await question.find()
    except asyncio.CancelledError:
        for asker in question.askers:
            asker.cancel()
        raise
    except Exception as error:
        for asker in question.askers:
            if not asker.done():
                asker.set_exception(error)
    else:
        for asker in question.askers:
            if not asker.done():
                asker.set_result(found)
