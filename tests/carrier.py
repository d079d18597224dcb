"""gammu-smsd for a test, and a hook that notes what it saw.

For the tests of the modem and for those of the whole way. Every process started here is ended here.
"""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS


def recording_hook(folder: Path) -> list[str]:
    """Return a hook command that keeps the environment of each of its runs in `folder`, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    return [sys.executable, "-I", str(Path(__file__).with_name("noting_hook.py")), str(folder)]


def hook_runs(folder: Path) -> list[dict[str, str]]:
    """Return the environments that the runs of `recording_hook(folder)` saw, oldest first."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.iterdir()) if path.name[0] != "."]


async def eventually(is_so: Callable[[], bool], what: str = "") -> None:
    """Return as soon as `is_so()`; fail the test if that takes longer than the deadline.

    For conditions that nothing signals, as files that another process writes.
    """
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_so():
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"After {PATIENCE_SECONDS:g} s still not so: {what or is_so}")


@asynccontextmanager
async def running_gammu(rc: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run gammu-smsd with the configuration `rc`, its log beside it as `.log`; end it on leaving.

    Its first look at the SIM comes 5 to 6 s after the start. Fails the test if gammu-smsd is not installed.
    """
    program = shutil.which("gammu-smsd")
    if program is None:
        pytest.fail("gammu-smsd is not installed, and this test is about it: apt-get install gammu-smsd")
    with rc.with_suffix(".log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program, "-c", str(rc), "-f", "2", env={**os.environ, "LC_ALL": "C.UTF-8"}, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        await end(process)


async def end(process: asyncio.subprocess.Process, patience_seconds: float = PATIENCE_SECONDS) -> int:
    """End `process` with SIGTERM, with SIGKILL if it does not listen, and return its exit status."""
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(patience_seconds):
                return await process.wait()
        except TimeoutError:
            process.kill()
    return await process.wait()
