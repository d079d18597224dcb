"""One answer for all who ask the same at the same time (request coalescing, single flight). No store here."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Sharing:
    """Looks up what is asked, each question once at a time.

    Whoever asks while an answer is on its way shares the next one: an answer is never older than its question.
    """

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[Any]] = {}
        self._next: dict[Hashable, asyncio.Task[Any]] = {}

    async def ask(self, question: Hashable, find: Callable[[], Awaitable[T]]) -> T:
        """Return what `find` returns, or raise what it raises, of all who asked the same before it was begun."""
        answer: asyncio.Task[T] | None = self._next.get(question)
        if answer is None:
            answer = self._next[question] = asyncio.create_task(self._find(question, find))
            answer.add_done_callback(lambda done: done.cancelled() or done.exception())  # or asyncio logs it
        return await asyncio.shield(answer)  # who leaves does not end it for the others

    async def _find(self, question: Hashable, find: Callable[[], Awaitable[T]]) -> T:
        if question in self._running:
            await asyncio.wait([self._running[question]])
        self._running[question] = self._next.pop(question)
        try:
            return await find()
        finally:
            del self._running[question]
