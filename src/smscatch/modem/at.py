"""The AT conversation: one command at a time, its answer in time, and what the modem says unasked.

Which commands to give is elsewhere. Sources: ITU-T V.250; 3GPP TS 27.005 and 27.007.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple

from smscatch.modem.port import SerialPort
from smscatch.modem.trouble import NoAnswer, PortMissing, Refused, name_of

ANSWER_SECONDS = 5.0
FENCE_SECONDS = 2.0
MAX_SECONDS = 120.0
MAX_LINE_BYTES = 4096
# A command whose answer names itself, so that no late answer can pass for it; none of them needs a SIM.
FENCES = ("+CMEE", "+CFUN")

_ESCAPE = b"\x1b"
_LINE_END = re.compile(rb"[\r\n]")
_FINAL = re.compile(r"OK|ERROR|COMMAND NOT SUPPORT|TOO MANY PARAMETERS|\+CM[ES] ERROR:.*")
_STORED = re.compile(r'\+C(?:MT|DS)I: ?"?(\w+)"?, ?(\d{1,5})')
_FORWARDED = re.compile(r"\+(CMT|CDS|CBM):")
_NAMED = re.compile(r"[+^*$#%&_][A-Z0-9_ ]{2,20}:")
_COMMA = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')
# How often a long answer may take the whole limit again, as long as something of it comes.
_EXTENSIONS = 20

Sleep = Callable[[float], Coroutine[Any, Any, None]]
log = logging.getLogger(__name__)


class Announced(NamedTuple):
    """Where the modem says it stored a new text (+CMTI, +CDSI; TS 27.005, 3.4.1); `place` is its <index>."""

    storage: str
    place: int


class News:
    """What a modem said of new texts, oldest first; `arrived` is set with each, and when the port is lost.

    `forwarded` are PDUs that it handed over without storing them (+CMT, +CDS; TS 27.005, 3.4.1).
    """

    def __init__(self) -> None:
        self.announced: list[Announced] = []
        self.forwarded: list[str] = []
        self.arrived = asyncio.Event()


class Conversation:
    """The conversation over one open port. `sleep` is asyncio.sleep, or a test's.

    `was_reset` tells that the modem echoes again: it has lost its settings. `limits` are the seconds for commands that
    took longer than they may, by name; it grows, for the next conversation to know.
    """

    def __init__(self, device: Path, news: News, *, sleep: Sleep, limits: dict[str, float]) -> None:
        """Open the port. Raises as SerialPort does."""
        self.was_reset = False
        self._sleep = sleep
        self._limits = limits
        self._news = news
        self._partial = bytearray()
        self._forwards: str | None = None
        self._pending: _Exchange | None = None
        self._given_up: tuple[str, float] | None = None
        self._is_in_step = False
        self._expects_echo = True
        self._is_lost = False
        self._port = SerialPort(device, self._on_bytes, self._on_lost)

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    async def ask(self, command: str, seconds: float = ANSWER_SECONDS) -> list[str]:
        """Return the lines that answer `command`, without the OK; unsolicited ones may be among them.

        Raises Refused if the modem answers with an error, NoAnswer after `seconds`, PortMissing without a port. The
        next command after a NoAnswer is preceded by `resynchronise`.
        """
        if not self._is_in_step:
            await self.resynchronise()
        limit = self._limits.get(name_of(command), seconds)
        exchange = await self._give(_Exchange(command), limit)
        if not exchange.is_done:
            self._given_up = name_of(command), limit
            self._is_in_step = False
            raise NoAnswer(f"The modem did not answer {name_of(command)} in {limit:g} s.")
        if exchange.result != "OK":
            raise Refused(command, exchange.result)
        if command == "ATE0":
            self._expects_echo = self.was_reset = False
        return exchange.lines

    async def is_news_within(self, seconds: float) -> bool:
        """Return True as soon as there is news, False after `seconds`. Raises PortMissing when the port is lost."""
        self._news.arrived.clear()
        if not (self._is_lost or self._news.announced or self._news.forwarded):
            await is_set_within(self._news.arrived, seconds, self._sleep)
        if self._is_lost:
            raise self._lost()
        return bool(self._news.announced or self._news.forwarded)

    async def resynchronise(self) -> None:
        """Make sure that the next answer is that of the next command. Raises NoAnswer if the modem is silent."""
        self._port.write(_ESCAPE)  # throws away a half-typed line, and ends a prompt
        if not (await self._give(_Exchange("AT"), FENCE_SECONDS)).is_done:
            raise NoAnswer(f"The modem does not answer at all: not even AT in {FENCE_SECONDS:g} s.")
        for name in FENCES:
            exchange = await self._give(_Exchange(f"AT{name}?", named=f"{name}:"), FENCE_SECONDS)
            # A modem that does not know this command has said ERROR, and nothing more in all the time.
            if exchange.is_done or exchange.is_refused:
                self._is_in_step, self._given_up = True, None
                return
        raise NoAnswer("The modem answers, but not what it is asked.")

    async def _give(self, exchange: "_Exchange", seconds: float) -> "_Exchange":
        """Type a command and wait for its answer, longer if it comes in pieces."""
        if self._is_lost:
            raise self._lost()
        self._pending = exchange
        try:
            self._port.write(f"{exchange.command}\r".encode("latin-1"))
            for _ in range(_EXTENSIONS):
                length = len(exchange.lines)
                await is_set_within(exchange.ended, seconds, self._sleep)
                if exchange.is_done or self._is_lost or len(exchange.lines) == length:
                    break
        finally:
            self._pending = None
        if self._is_lost:
            raise self._lost()
        return exchange

    def _lost(self) -> PortMissing:
        return PortMissing(f"{self._port.device} went away: the modem was pulled out, or restarts.")

    def _on_lost(self) -> None:
        self._is_lost = True
        self._news.arrived.set()
        if self._pending is not None:
            self._pending.ended.set()

    def _on_bytes(self, data: bytes) -> None:
        self._partial += data
        *lines, rest = _LINE_END.split(self._partial)
        self._partial = bytearray(rest[-MAX_LINE_BYTES:])
        for line in lines:
            if line:
                self._on_line(line.decode("latin-1"))

    def _on_line(self, line: str) -> None:
        if self._forwards is not None:
            self._on_forwarded(line)
        elif stored := _STORED.fullmatch(line):
            self._news.announced.append(Announced(stored[1], int(stored[2])))
            self._news.arrived.set()
        elif forwarded := _FORWARDED.match(line):
            self._forwards = forwarded[1]
        elif self._pending is None or self._pending.is_done:
            self._on_unexpected(line)
        elif line == self._pending.command:
            self.was_reset |= not self._expects_echo
        elif _FINAL.fullmatch(line):
            self._on_final(self._pending, line)
        else:
            self._pending.lines.append(line)

    def _on_forwarded(self, pdu: str) -> None:
        kind, self._forwards = self._forwards, None
        if kind != "CBM":  # a cell broadcast is nobody's message
            self._news.forwarded.append(pdu)
            self._news.arrived.set()

    def _on_final(self, exchange: "_Exchange", line: str) -> None:
        if exchange.is_answered_by(line):
            exchange.end(line)
        else:
            self._on_late()

    def _on_late(self) -> None:
        """Give a command more time from now on: it was given up, and now its answer comes."""
        if self._given_up:
            name, limit = self._given_up
            self._limits[name] = min(MAX_SECONDS, 2 * limit)
            self._given_up = None

    def _on_unexpected(self, line: str) -> None:
        if _FINAL.fullmatch(line):
            self._is_in_step = False
            self._on_late()
        # Whatever has no name may be a text: it does not belong into a log.
        named = _NAMED.match(line)
        log.debug("skipped %s, %d characters", named[0] if named else "a line", len(line))


class _Exchange:
    """A command and what has come of its answer. With `named`, only an OK behind a line that begins so ends it."""

    def __init__(self, command: str, named: str | None = None) -> None:
        self.command = command
        self.lines: list[str] = []
        self.result = ""
        self.ended = asyncio.Event()
        self.is_refused = False
        self._named = named

    @property
    def is_done(self) -> bool:
        return bool(self.result)

    def is_answered_by(self, result: str) -> bool:
        """Return whether a final result code is ours and not a late one."""
        if self._named is None:
            return True
        self.is_refused |= result != "OK"
        return result == "OK" and any(line.startswith(self._named) for line in self.lines)

    def end(self, result: str) -> None:
        self.result = result
        self.ended.set()


async def is_set_within(event: asyncio.Event, seconds: float, sleep: Sleep) -> bool:
    """Return True as soon as `event` is set, False if it still is not when `sleep(seconds)` ends."""
    waits = {asyncio.ensure_future(event.wait()), asyncio.ensure_future(sleep(seconds))}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return event.is_set()


def find_value(lines: list[str], name: str) -> str | None:
    """Return what stands behind `name:` in the first line that begins so."""
    return next((line[len(name) + 1 :].strip() for line in lines if line.startswith(f"{name}:")), None)


def find_plain(lines: list[str]) -> str | None:
    """Return the first line that is no named one: the answer of +CGMM, +CGSN or +CIMI (TS 27.007, 5.2)."""
    return next((line.strip() for line in lines if not _NAMED.match(line)), None)


def split_values(value: str | None) -> list[str]:
    """Return the values between the commas outside quotation marks, without those; none of None."""
    return [] if value is None else [found.strip().strip('"') for found in _COMMA.split(value)]


async def try_asking(conversation: Conversation, command: str, **limits: Any) -> list[str]:
    """Return the lines of an answer, none if the modem refuses the command."""
    try:
        return await conversation.ask(command, **limits)
    except Refused as refusal:
        log.debug("%s", refusal)
        return []
