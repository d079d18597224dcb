"""A link for a test: on a hurried clock, with what it spooled to look at. The simulated modem is in conftest."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from smscatch.messages import Message, Part
from smscatch.modem.health import Health, read_health
from smscatch.modem.link import run_link
from smscatch.modem.ports import PortSettings
from smscatch.simulator import SimulatedModem
from smscatch.sources import read_delivery
from smscatch.spool import SUFFIX
from tests.carrier import eventually

LINE = "+447700900123"
# Every limit, pause and interval of the link is this much shorter. Too short ones cost a retry, never a text.
HURRY = 20.0
STEPS = 25


async def hurried(seconds: float) -> None:
    """Sleep as the link asks, but on a clock that runs faster, and that waits for a busy machine.

    In steps: when others have the processor, each of them takes longer, and the modem, which runs in the same loop, has
    its turn between them. One long sleep would be over before the modem could answer.
    """
    for _ in range(STEPS):
        await asyncio.sleep(seconds / HURRY / STEPS)


class CountedClock:
    """A hurried clock that counts what was slept: `slept` all of it, `now` what went on side by side once."""

    def __init__(self) -> None:
        self.slept = self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        ends = self.now + seconds
        await hurried(seconds)
        self.slept += seconds
        self.now = max(self.now, ends)


class Link:
    """A running link, its spool and its health."""

    def __init__(self, spool: Path, line: str = LINE) -> None:
        self.spool = spool
        self.line = line

    def names(self) -> list[str]:
        """The names of the entries in the spool, in order."""
        return sorted(path.stem for path in self.spool.glob(f"*{SUFFIX}"))

    def records(self) -> list[dict[str, str]]:
        """What each entry says, in order."""
        entries = [(self.spool / (name + SUFFIX)).read_bytes() for name in self.names()]
        bodies = [entry.partition(b"\n")[2].decode() for entry in entries]
        return [dict(record.partition("=")[::2] for record in body.split("\0")[:-1]) for body in bodies]

    def pdus(self) -> list[str]:
        return [record["pdu"] for record in self.records()]

    def deliveries(self) -> list[Message | Part]:
        """What the source makes of the entries, in order."""
        found = []
        for name in self.names():
            head, _, body = (self.spool / (name + SUFFIX)).read_bytes().partition(b"\n")
            assert head.split()[1] == b"pdu"
            found += read_delivery("pdu", body, name, lambda line: line)
        return found

    def texts(self) -> list[str]:
        return [delivery.text for delivery in self.deliveries() if isinstance(delivery, Message)]

    @property
    def health(self) -> Health | None:
        return read_health(self.spool).get(self.line)

    async def until(self, state: str) -> Health:
        """Return the health once its state is `state`."""
        await eventually(lambda: (health := self.health) is not None and health.state == state, f"{state}")
        health = self.health
        assert health is not None
        return health


@asynccontextmanager
async def running_link(
    modem: SimulatedModem | Path | str | PortSettings, spool: Path, **options: Any
) -> AsyncGenerator[Link]:
    """Run a link on `modem` while the block runs."""
    device = modem.device if isinstance(modem, SimulatedModem) else modem
    line = options.pop("line", LINE)
    task = asyncio.create_task(run_link(line, device, spool, **{"sleep": hurried, **options}))
    await asyncio.sleep(0)  # it starts: whatever health an earlier one left is replaced
    try:
        yield Link(spool, line)
    finally:
        if task.done():
            pytest.fail(f"The link ended by itself: {task.exception()!r}")
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def texts_around(modem: SimulatedModem, spool: Path, **options: Any) -> AsyncGenerator[Link]:
    """Run a link; one text arrives before the block and one after it, and both must have been taken, once."""
    async with running_link(modem, spool, **options) as link:
        await modem.do("deliver", sender="Authy", text="before")
        await modem.do("wait", until="empty")
        await link.until("ready")
        yield link
        await modem.do("deliver", sender="Authy", text="after")
        await modem.do("wait", until="empty")
        await link.until("ready")
        texts = link.texts()
        assert (texts[0], texts[-1], len(texts)) == ("before", "after", len(set(texts)))
        assert not await commands(modem, "AT+CFUN=1")  # never a reset


async def commands(modem: SimulatedModem, prefix: str) -> list[str]:
    """Return those of the last commands that begin so."""
    return [line for _, line in (await modem.do("status"))["log"] if line.startswith(prefix)]


def raise_once(error: BaseException, wanted: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that raises `error` at its first call and is `wanted` from then on."""
    raised = False

    def function(*arguments: Any, **named: Any) -> Any:
        nonlocal raised
        if not raised:
            raised = True
            raise error
        return wanted(*arguments, **named)

    return function
