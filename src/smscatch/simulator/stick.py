"""A simulated stick in motion: its wire, its dialogue at the pace it is told, and the network behind it.

What each command answers is in dialogue; how it is told to misbehave, in actions.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smscatch.simulator import dialogue, manners, sms, wire
from smscatch.simulator.card import Storage, StoredText
from smscatch.simulator.port import PtyPort
from smscatch.simulator.session import Session
from smscatch.simulator.state import StickSettings, StickState

ESCAPE, END_OF_TEXT = b"\x1b", b"\x1a"
MAX_LINE_BYTES = 4096
LOGGED_COMMANDS = 500
# How long a rebooting stick waits for the reader to fetch the OK before it vanishes.
GRACE_SECONDS = 2.0


class Stick:
    """A USB stick that can be plugged and unplugged, with a network that keeps what the SIM has no room for."""

    def __init__(self, device: Path, settings: StickSettings) -> None:
        self.state = StickState(settings)
        self.device = device
        self.port = PtyPort(device, self._on_bytes)
        self.queue: deque[StoredText] = deque()
        self.commands_seen = 0
        self.log: deque[tuple[int, str]] = deque(maxlen=LOGGED_COMMANDS)
        self._session = Session(self.state)
        self._reference = 0
        self._partial = bytearray()
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._answered_at = self._heard_at = 0.0

    def start(self) -> None:
        """Plug the stick in and answer from now on. Raises CannotStart if the device cannot be made."""
        self.plug()
        self._spawn(self._converse())

    async def stop(self) -> None:
        """Unplug the stick and end its tasks."""
        self.unplug()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def plug(self) -> None:
        """Give the stick power: a new pty, nothing remembered but the SIM, and its PIN asked again."""
        if not self.port.is_plugged:
            self._session = Session(self.state)
            self.state.lock.lock()
            self._forget_input()
            self.port.plug()
            self.settle()

    def unplug(self) -> None:
        """Pull the stick: the device vanishes, its readers get EIO or end of file."""
        self.port.unplug()
        self._forget_input()
        self._ring()

    def receive(self, texts: Iterable[StoredText]) -> None:
        """Let the network hold `texts` for this stick; it hands them on in this order as slots get free."""
        self.queue.extend(texts)
        self.settle()

    def settle(self) -> None:
        """Let the network deliver what it can; to be called after whatever changed the state."""
        session = self._session
        wanted, told = self.state.condition.deaf_until_cnmi, ",".join(map(str, session.cnmi))
        if wanted and told.startswith(wanted):
            self.state.condition.deaf_until_cnmi = wanted = ""
        while self.queue and self.port.is_plugged and self.state.is_attached and not wanted:
            text, index = self.queue[0], None
            if manners.hands_over(session) and not self._hands_over(text):
                break
            if not sms.forwards(session, text):
                index = self._storage().put(text)
                if index is None:
                    break
            self.queue.popleft()
            self.port.write(wire.announced(session, sms.announcement(session, text, index)))
        self._ring()

    def _storage(self) -> Storage:
        """Return where a new text goes."""
        if self._session.has("last_storage"):
            return list(self.state.storages.values())[-1]
        return self._session.storage(2)

    def _hands_over(self, text: StoredText) -> bool:
        """Whether a modem without storage can hand a text over: it is told to, and the one before is acknowledged."""
        session = self._session
        is_told = bool(session.cnmi[3] if text.is_report else session.cnmi[1])
        if not is_told or session.awaits_acknowledgement:
            return False
        session.awaits_acknowledgement = True
        return True

    async def wait_until(self, is_so: Callable[[], bool], timeout_seconds: float) -> bool:
        """Return True as soon as `is_so()`, False if it still is not after `timeout_seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while not is_so():
                    await self._changed.wait()
                return True
        return is_so()

    def next_reference(self) -> int:
        """Return a number that no other long text had lately, for its parts to have in common."""
        self._reference = (self._reference + 1) % 256
        return self._reference

    def find_command(self, prefix: str, since: int) -> int | None:
        """Return the number of the first command after number `since` that begins with `prefix`."""
        return next((number for number, line in self.log if number > since and line.startswith(prefix)), None)

    def _ring(self) -> None:
        # Who waits holds the old event, so none of them misses this change.
        rung, self._changed = self._changed, asyncio.Event()
        rung.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _forget_input(self) -> None:
        self._partial.clear()
        while not self._lines.empty():  # the same queue: the conversation is waiting at it
            self._lines.get_nowait()

    def _on_bytes(self, data: bytes) -> None:
        if self.state.settings.baud not in (None, self.port.speed):
            self.port.write(bytes(octet | 0x80 for octet in data))
            return
        self._partial += data
        lines = self._take_lines()
        for line in lines:
            # ESC throws away what was typed before it; gammu begins with one.
            self._lines.put_nowait(line.rpartition(ESCAPE)[2].decode("latin-1"))

    def _take_lines(self) -> list[bytes]:
        """Return the commands that have come whole."""
        if self._session.awaits_text:
            return self._take_text()
        if self._session.has("aborts_at_lf"):
            self._partial[:] = self._partial.rpartition(b"\n")[2]
        end = b"\r\n" if self._session.has("wants_lf") else b"\r"
        *lines, rest = bytes(self._partial).split(end)
        self._partial[:] = rest[-MAX_LINE_BYTES:]
        return [line.replace(b"\n", b"").replace(b"\r", b"") for line in lines]

    def _take_text(self) -> list[bytes]:
        """Return the PDU of a text to send once it is there whole, with its end; ESC gives it up."""
        if ESCAPE in self._partial:
            self._session.awaits_text = False
            del self._partial[: self._partial.index(ESCAPE)]
            return self._take_lines()
        pdu, end, rest = bytes(self._partial).partition(END_OF_TEXT)
        if not end:
            return []
        self._session.awaits_text = False
        self._partial[:] = rest
        return [pdu.strip() + END_OF_TEXT]

    async def _converse(self) -> None:
        while True:
            line = await self._lines.get()
            session = self._session
            self._note(line)
            if self._is_missed():
                continue
            await self._dawdle()
            if session is self._session:  # else unplugged meanwhile
                await self._answer(line)
            if session.wants_reboot:
                session.wants_reboot = False
                self._spawn(self._reboot(self.state.condition.reboot))

    def _is_missed(self) -> bool:
        """Whether the modem does not hear a command: it came too soon after an answer, or woke it."""
        now, condition = asyncio.get_running_loop().time(), self.state.condition
        is_early = now - self._answered_at < condition.pause_seconds
        is_asleep = 0 < condition.sleep_seconds < now - self._heard_at
        self._heard_at = now
        return is_early or is_asleep

    async def _dawdle(self) -> None:
        delay = self.state.condition.delay_seconds
        if delay:
            # A new delay ends this one, so that a test need not sit it out.
            await self.wait_until(lambda: self.state.condition.delay_seconds != delay, delay)

    def _note(self, line: str) -> None:
        if line:
            self.commands_seen += 1
            self.log.append((self.commands_seen, line))
            self._ring()

    async def _answer(self, line: str) -> None:
        condition = self.state.condition
        is_silent = bool(condition.silent) and line.startswith(condition.silent)
        if not (condition.hang or is_silent):
            answer = self._send(line) if line.endswith("\x1a") else dialogue.answer(self._session, line)
            if condition.breaks_list and line.startswith("AT+CMGL") and b"+CMGL" in answer[len(line) :]:
                self._break_off(answer)
                return
            for number, piece in enumerate(wire.pieces(self._session, answer)):
                await asyncio.sleep(0.0005 if number else 0)
                self.port.write(piece)
        self._answered_at = asyncio.get_running_loop().time()
        self.settle()

    def _send(self, line: str) -> bytes:
        """Send a text, which comes back by the network if it is to the own number; return what is said of it."""
        if not self.state.is_registered:
            return wire.render(self._session, line, [], "+CMS ERROR: 331")  # no network service
        text = sms.returned(self._session, line.rstrip("\x1a"), datetime.now(UTC))
        self.queue.extend([text] if text else [])
        return wire.render(self._session, line, ["+CMGS: 1"], "OK")

    def _break_off(self, answer: bytes) -> None:
        """Send half of an answer, and then restart or vanish."""
        way, self.state.condition.breaks_list = self.state.condition.breaks_list, ""
        self.port.write(answer[: len(answer) // 2])
        if way == "unplug":
            self.unplug()
        else:
            self._session = Session(self.state)
            self.port.write(wire.framed(self._session, ["RDY", "+CPIN: READY", "Call Ready"]))

    async def _reboot(self, way: str) -> None:
        if way == "stay":
            return
        await self.port.drain(GRACE_SECONDS)
        self.unplug()
        if way != "vanish":
            await asyncio.sleep(float(way))
            self.plug()
