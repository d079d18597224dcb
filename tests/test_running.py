"""Background jobs: they run together, have names, and one that breaks is told by its name."""

import asyncio
import signal
from functools import partial
from pathlib import Path
from typing import Never

import pytest

from smscatch.running import Run, background, run_all
from smscatch.server import Started, serve
from tests.patience import PATIENCE_SECONDS
from tests.surroundings import settings_in


async def break_down() -> Never:
    raise ValueError("+447700900001")


async def wait_until_cancelled(cancelled: asyncio.Event) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        cancelled.set()


async def test_a_run_that_breaks_is_told_by_its_name_and_ends_the_others(caplog: pytest.LogCaptureFixture) -> None:
    cancelled = asyncio.Event()
    runs = [Run("counting sheep", partial(wait_until_cancelled, cancelled)), Run("the wolf", break_down)]
    with pytest.raises(ExceptionGroup) as caught:
        await run_all(runs)
    assert isinstance(caught.value.exceptions[0], ValueError)
    assert cancelled.is_set()
    assert [record.message for record in caplog.records] == [
        "the wolf broke with ValueError, and all that runs beside it is ended"
    ]


async def test_what_runs_in_the_background_ends_with_what_it_stands_beside_and_the_other_way_round() -> None:
    cancelled = asyncio.Event()
    async with background([Run("counting sheep", partial(wait_until_cancelled, cancelled))]):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert cancelled.is_set()
    with pytest.raises(ExceptionGroup):
        async with background([Run("the wolf", break_down)]):
            await asyncio.Event().wait()


CONFIG = """
[lines."+447700900001"]
device = "/nowhere/stick"
[sinks.ci]
kind = "json"
url = "http://127.0.0.1:9/"
"""
NAMES = [
    "the store",
    "the spool",
    "keeping memory small",
    "the modem of +447700900001",
    "passing on new messages",
    "deleting old messages",
    "showing incomplete messages",
    "writing who read what",
    "ending what keys forfeit",
    "sending to the sinks",
]


async def test_each_background_job_of_the_server_is_a_task_that_has_its_name(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, CONFIG, store=f"sqlite:///{tmp_path}/smscatch.db", port="0")
    started: asyncio.Future[Started] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(serve(settings, started.set_result, print))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not set(NAMES) <= {task.get_name() for task in asyncio.all_tasks()}:
            assert not running.done()
            await asyncio.sleep(0)
        signal.raise_signal(signal.SIGTERM)
        await running
