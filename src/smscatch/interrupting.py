"""Ends what a task waits for, from outside and with a reason. What reasons there are is said where it is used."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def interruptible() -> Iterator[Callable[[Exception], None]]:
    """Give the block a function that ends it: the block is cancelled where it waits, and raises the error given.

    Cheaper than a task for the block and asyncio.wait beside it: nothing is made, and woken, that may never be needed.
    The function is for others than the block's own task; once the block is over it does nothing. As asyncio.timeout it
    leaves alone what others cancel (https://docs.python.org/3/library/asyncio-task.html#asyncio.Task.uncancel).
    """
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("only what runs in a task can be interrupted")
    before, reasons, is_over = task.cancelling(), list[Exception](), False

    def interrupt(reason: Exception) -> None:
        if not reasons and not is_over:
            reasons.append(reason)
            task.cancel()

    try:
        yield interrupt
    except asyncio.CancelledError:
        if reasons and task.uncancel() <= before:
            raise reasons[0] from None
        raise
    except BaseException:
        _forget(task, reasons)
        raise
    else:
        _forget(task, reasons)
    finally:
        is_over = True


def _forget(task: asyncio.Task[object], reasons: list[Exception]) -> None:
    """Take back the cancellation of a block that ended in its own way first."""
    if reasons:
        task.uncancel()
