"""Ends what a task waits for, from outside and with a reason. What reasons there are is said where it is used."""

import asyncio
from types import TracebackType


class Interruptible:
    """A block of a task that can be ended from outside: it is cancelled where it waits, and raises the reason.

    Cheaper than a task for the block and asyncio.wait beside it. As asyncio.timeout it leaves alone what others cancel
    (https://docs.python.org/3/library/asyncio-task.html#asyncio.Task.uncancel).
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[object] | None = None  # while the block runs
        self._before = 0
        self._reason: Exception | None = None

    def __enter__(self) -> "Interruptible":
        self._task = asyncio.current_task()
        if self._task is None:
            raise RuntimeError("only what runs in a task can be interrupted")
        self._before = self._task.cancelling()
        return self

    def interrupt(self, reason: Exception) -> None:
        """End the block; for others than its own task. The first reason counts; a block that is over stays so."""
        if self._reason is None and self._task is not None:
            self._reason = reason
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if self._reason is None or task is None:
            return
        is_ours = task.uncancel() <= self._before  # also where the block ended in its own way first
        if is_ours and isinstance(error, asyncio.CancelledError):
            raise self._reason from None
