"""All that read a modem, each on its own kind of one, for the tests of what all of them promise."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from smscatch.engines.hilink import HilinkSettings, run_hilink
from smscatch.engines.modemmanager import ManagerSettings, run_manager
from smscatch.messages import Message
from smscatch.modem.health import read_health
from smscatch.modem.link import run_link
from smscatch.settings.lines import HILINK, LINK, MODEMMANAGER
from smscatch.simulator import SimulatedModem
from smscatch.sources import read_delivery
from tests.carrier import eventually
from tests.modem.links import HURRY, LINE, hurried
from tests.modem.manager import running_manager
from tests.modem.stick import Stick


class Bench(NamedTuple):
    """One modem, and what reads it: `read` puts its texts into `spool` for ever; `emptied` waits till it has none."""

    spool: Path
    read: Callable[[], Coroutine[Any, Any, object]]
    deliver: Callable[[str], Awaitable[object]]
    emptied: Callable[[], Awaitable[object]]

    def texts(self) -> list[str]:
        return [message.text for message in messages_in(self.spool)]

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[None]:
        """Read while the block runs."""
        task = asyncio.create_task(self.read())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def messages_in(spool: Path) -> list[Message]:
    """What the sources make of the entries of a spool, in order."""
    found: list[Message] = []
    for path in sorted(spool.glob("*.sms")):
        head, _, body = path.read_bytes().partition(b"\n")
        deliveries = read_delivery(head.split()[1].decode(), body, path.stem, str)
        found += [each for each in deliveries if isinstance(each, Message)]
    return found


def hurried_now() -> float:
    """A clock of intervals that goes on as fast as `hurried` sleeps."""
    return time.monotonic() * HURRY


async def _deliver(modem: SimulatedModem, text: str) -> None:
    await modem.do("deliver", sender="Authy", text=text)


@asynccontextmanager
async def _link(folder: Path) -> AsyncGenerator[Bench]:
    spool = folder / "spool"
    async with SimulatedModem(folder / "tty") as modem:
        yield Bench(
            spool,
            lambda: run_link(LINE, modem.device, spool, sleep=hurried),
            lambda text: _deliver(modem, text),
            lambda: modem.do("wait", until="empty"),
        )


@asynccontextmanager
async def _manager(folder: Path) -> AsyncGenerator[Bench]:
    spool = folder / "spool"
    settings = ManagerSettings("auto", 600.0, f"unix:path={folder}/bus")
    async with SimulatedModem(folder / "tty") as modem, running_manager(folder) as manager:
        await manager.attach(modem.device)
        bench = Bench(
            spool,
            # On the world's clock the SIM is looked through only for a text that was passed over.
            lambda: run_manager(LINE, settings, spool, sleep=hurried),
            lambda text: _deliver(modem, text),
            lambda: modem.do("wait", until="empty"),
        )
        async with bench.reading():  # what comes while nobody reads is listed only once it was enabled
            await eventually(lambda: LINE in (all_ := read_health(spool)) and all_[LINE].state == "ready", "ready")
        yield bench


@asynccontextmanager
async def _stick(folder: Path) -> AsyncGenerator[Bench]:
    spool = folder / "spool"
    with Stick() as stick:

        async def deliver(text: str) -> None:
            stick.deliver(text)

        yield Bench(
            spool,
            lambda: run_hilink(LINE, HilinkSettings(stick.url), spool, now=hurried_now, sleep=hurried),
            deliver,
            lambda: eventually(lambda: not stick.texts, "the stick is empty"),
        )


READERS: dict[str, Callable[[Path], AbstractAsyncContextManager[Bench]]] = {
    LINK: _link,
    MODEMMANAGER: _manager,
    HILINK: _stick,
}
