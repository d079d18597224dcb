"""A link as a process of its own, for tests that kill it; the fork server imports this in advance."""

import asyncio
from pathlib import Path

from smscatch.modem.link import run_link
from tests.modem.links import LINE, hurried


def run(device: str, spool: str) -> None:
    """Read `device` until killed."""
    asyncio.run(run_link(LINE, Path(device), Path(spool), sleep=hurried))
