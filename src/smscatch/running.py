"""Work that has no end, done beside something else: each a Run with a name. Which there are, server.py lists."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from typing import Any, NamedTuple

log = logging.getLogger(__name__)


class Run(NamedTuple):
    """A background job: what to call it, in the log and as its task's name, and what does it until it is cancelled."""

    name: str
    work: Callable[[], Coroutine[Any, Any, None]]


async def run_all(runs: Iterable[Run]) -> None:
    """Do all runs until cancelled.

    If one breaks, its name is logged, the others are cancelled, and what broke it is raised in an ExceptionGroup.
    """
    async with asyncio.TaskGroup() as tasks:
        for run in runs:
            tasks.create_task(_told(run), name=run.name)


@contextlib.asynccontextmanager
async def background(runs: Iterable[Run]) -> AsyncGenerator[None, None]:
    """Do all runs for as long as the block runs, which is cancelled if one breaks, as the runs are at its end."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(run_all(runs))
        yield
        running.cancel()


async def _told(run: Run) -> None:
    try:
        await run.work()
    except Exception as error:  # the traceback comes with the end
        log.error("%s broke with %s, and all that runs beside it is ended", run.name, type(error).__name__)
        raise
