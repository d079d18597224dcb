"""An SMSC in this process, which does what a test has it do, on cue; and a clock for what waits to bind anew."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from smscatch.settings import SmppSettings
from smscatch.smpp.binds import Binder
from smscatch.smpp.keeper import Keeper, Smsc
from smscatch.smpp.pdu import CommandId, Frame, ShortMessage, SmppAddress, write_short_message
from smscatch.smpp.session import Patience
from smscatch.smpp.states import BindState, BindStates
from tests.patience import PATIENCE_SECONDS
from tests.samples import NOON
from tests.smpp.stream import PduStream

NAME = "carrier"
SLOW = Patience(answer=PATIENCE_SECONDS, idle=PATIENCE_SECONDS, link=PATIENCE_SECONDS, goodbye=0.01)


class Peer(PduStream):
    """A connection that an ESME has made, from the SMSC's side."""

    async def deliver(self, text: str, sender: str = "Authy") -> Frame:
        return await self.ask(CommandId.DELIVER_SM, body_of(text, sender))

    async def has_ended(self) -> bool:
        """Return whether nothing more comes."""
        try:
            await self.read()
        except (EOFError, OSError):
            return True
        return False


class FakeSmsc:
    """Listens on a port of its own; each connection is handed to the test."""

    def __init__(self) -> None:
        self._peers: asyncio.Queue[Peer] = asyncio.Queue()
        self._all: list[Peer] = []
        self.port = 0

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._all.append(Peer(reader, writer, first=100))
            self._peers.put_nowait(self._all[-1])

        self._server = await asyncio.start_server(connected, "127.0.0.1", self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for peer in self._all:
            peer.writer.close()
        await self._server.wait_closed()

    async def peer(self) -> Peer:
        return await self._peers.get()

    async def bound(self) -> Peer:
        """Return the next connection, whose bind is granted."""
        peer = await self.peer()
        await peer.send((await peer.read()).response(body=b"smsc\0"))
        return peer

    async def refuse(self, status: int) -> None:
        peer = await self.peer()
        await peer.send((await peer.read()).response(status))
        assert await peer.has_ended()


class Sleeps:
    """Sleeps that take no time: each lasts until the test has seen how long it would be."""

    def __init__(self) -> None:
        self._asked: asyncio.Queue[tuple[float, asyncio.Event]] = asyncio.Queue()

    async def __call__(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._asked.put_nowait((seconds, woken))
        await woken.wait()

    async def next(self) -> float:
        """Return how long the next sleep is, and end it."""
        seconds, woken = await self._asked.get()
        woken.set()
        return seconds


class Bound:
    """What keeps the binds to a fake SMSC: its states, its sleeps, and what is in its spool."""

    def __init__(self, smsc: FakeSmsc, spool: Path, **settings: Any) -> None:
        given: dict[str, Any] = {"host": "127.0.0.1", "port": smsc.port, "system_id": "us", "password": "secret"}
        self.settings = SmppSettings(**given | settings)
        self.spool, self.states, self.sleeps = spool, BindStates(), Sleeps()
        self.keeper = Keeper(Smsc(NAME, self.settings), spool)

    @contextlib.asynccontextmanager
    async def running(self, patience: Patience = SLOW) -> AsyncIterator["Bound"]:
        of_one = (Smsc(NAME, self.settings), self.keeper, self.states)
        binders = [Binder(number, *of_one) for number in range(1, self.settings.binds + 1)]
        tasks = [asyncio.create_task(one.keep_bound(patience=patience, sleep=self.sleeps)) for one in binders]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def state(self) -> BindState:
        return next(self.states.of(NAME), BindState("", NOON))

    def entries(self) -> list[str]:
        return sorted(path.name for path in self.spool.glob("*.sms"))


def body_of(text: str, sender: str = "Authy") -> bytes:
    source, ours = SmppAddress(5, 0, sender), SmppAddress(1, 1, "447700900001")
    return write_short_message(CommandId.DELIVER_SM, ShortMessage(source, ours, octets=text.encode("ascii")))
