"""The AT conversation: one command at a time, its answer in time, and what the modem says unasked.

Which commands to give is elsewhere. Sources: ITU-T V.250; 3GPP TS 27.005 and 27.007.
"""

import asyncio
import logging
import re
from collections.abc import Sequence

from smscatch.modem import strangers
from smscatch.modem.exchange import Exchange
from smscatch.modem.pace import Throttle
from smscatch.modem.port import Port
from smscatch.modem.said import Forward, News, clean, find_forward, find_name, find_news, find_result, may_be_pdu
from smscatch.modem.trouble import NoAnswer, NotAt, PortMissing, Refused, Silent, name_of
from smscatch.modem.waiting import Sleep, is_set_within

ANSWER_SECONDS = 5.0
FENCE_SECONDS = 2.0
SPEED_SECONDS = 0.6
MAX_SECONDS = 120.0
MAX_LINE_BYTES = 4096
# No echo, result codes, in words (V.250, 6.2.4 to 6.2.6): another program may have left them otherwise.
BEGIN = "ATE0Q0V1"
# A command whose answer names itself, so that no late answer can pass for it; the first two need no SIM.
FENCES = ("+CMEE", "+CFUN", "+CMGF", "+CPMS")
# How long the OK may lag behind an answer that says it all; some modems never send it.
FINAL_SECONDS = 1.0
# The same for a modem that did not send it so often.
KNOWN_FINAL_SECONDS = 0.3
MANY_WITHOUT_FINAL = 2
# What reading texts does not need: some modems never answer these. The third has to be quicker than the first.
OPTIONAL_SECONDS = 2.0
LATER_OPTIONAL_SECONDS = 1.0
# The pause before each command to a modem that passes over what comes at once behind its answer.
GAP_SECONDS = 0.5
MAX_MUTES = 2

_ESCAPE = b"\x1b"
_END_OF_TEXT = "\x1a"
_LINE_END = re.compile(rb"[\r\n]")
# How often a long answer may take half the limit again, as long as something of it comes.
_EXTENSIONS = 600
_MAX_HEARD = 2048
# How many lines may come between +CMT and its PDU.
_MAX_BETWEEN = 8

log = logging.getLogger(__name__)


class Conversation:
    """The conversation over one open port. `sleep` is asyncio.sleep, or a test's.

    `was_reset` tells that the modem echoes again: it has lost its settings. `limits` are the seconds for commands that
    took longer than they may, by name; it grows, for the next conversation to know. `pace` is the rate limit. `speeds`
    are those to try if nothing answers at the speed that the port has; `speed` is the one of them that was answered.
    """

    def __init__(
        self,
        port: Port,
        news: News,
        *,
        sleep: Sleep,
        limits: dict[str, float],
        pace: Throttle | None = None,
        speeds: Sequence[int] = (),
    ) -> None:
        self.was_reset = False
        self.speed: int | None = None
        self._speeds = speeds
        self.pace = pace or Throttle(sleep)
        self.mutes: dict[str, int] = {}
        self._sleep = sleep
        self._limits = limits
        self._news = news
        self._partial = bytearray()
        self._heard = bytearray()
        self._typed: set[str] = set()
        self._forward: Forward | None = None
        self._between: list[str] = []
        self._pending: Exchange | None = None
        self._given_up: tuple[str, float] | None = None
        self._without_final = 0
        self._fences = list(FENCES)
        self._is_in_step = False
        self._is_verbose = False
        # None while it is to be seen whether the modem obeyed ATE0.
        self._expects_echo: bool | None = True
        self._is_lost = False
        self._end = "\r"
        self._gap = 0.0
        self._body: str | None = None
        self._port = port
        port.listen(self._on_bytes, self._on_lost)

    def close(self) -> None:
        """Close the port."""
        self._give_up_forward()
        self._port.close()

    async def ask(self, command: str, seconds: float = ANSWER_SECONDS) -> list[str]:
        """Return the lines that answer `command`, without the OK; unsolicited ones may be among them.

        Raises Refused if the modem answers with an error, NoAnswer after `seconds`, PortMissing without a port. An
        answer that says it all is returned also without its OK. The next command is then, and after a NoAnswer,
        preceded by `resynchronise`.
        """
        if not self._is_in_step:
            await self.resynchronise()
        limit = max(seconds, self._limits.get(name_of(command), 0.0))
        exchange = Exchange(command)
        exchange.body = self._body
        await self._give(exchange, limit)
        if not exchange.is_done:
            self._given_up = name_of(command), limit
            self._is_in_step = False
            if exchange.says_all:
                self._without_final += 1
                return exchange.lines
            raise NoAnswer(f"The modem did not answer {name_of(command)} in {limit:g} s.", exchange.lines)
        if exchange.result != "OK":
            raise Refused(command, exchange.result, exchange.lines)
        if command.startswith("ATE0"):
            self._expects_echo, self.was_reset = None, False
        return exchange.lines

    async def submit(self, command: str, body: str, seconds: float) -> list[str]:
        """Return the lines that answer `command`, which the modem first answers by asking for `body`.

        Raises as `ask` does.
        """
        self._body = body
        try:
            return await self.ask(command, seconds)
        finally:
            self._body = None

    async def try_asking(self, command: str, seconds: float | None = None) -> list[str] | None:
        """Return the lines of an answer, None if the modem refuses the command or does not answer it.

        It has `seconds`; OPTIONAL_SECONDS by default, less in a conversation that met several mute commands. A command
        that is not answered twice is not given again in this conversation. Raises Silent and PortMissing.
        """
        if self.mutes.get(command, 0) >= MAX_MUTES:
            return None
        if seconds is None:
            seconds = LATER_OPTIONAL_SECONDS if len(self.mutes) > 1 else OPTIONAL_SECONDS
        try:
            return await self.ask_known(command, seconds)
        except Silent:
            raise
        except NoAnswer as silence:
            log.debug("%s", silence)
        return None

    async def ask_known(self, command: str, seconds: float = ANSWER_SECONDS) -> list[str] | None:
        """Return the lines of an answer, None if the modem refuses the command, or has not answered it before.

        Raises as `ask` does, except Refused.
        """
        try:
            lines = await self.ask(command, seconds)
        except Refused as refusal:
            log.debug("%s", refusal)
            return None
        except Silent:
            raise
        except NoAnswer:
            if self.note_mute(command) < MAX_MUTES:
                raise
            return None
        self.mutes.pop(command, None)
        return lines

    def note_mute(self, command: str) -> int:
        """Note that a command stayed without its answer; return how often by now."""
        self.mutes[command] = self.mutes.get(command, 0) + 1
        return self.mutes[command]

    async def is_news_within(self, seconds: float) -> bool:
        """Return True as soon as there is news, False after `seconds`. Raises PortMissing when the port is lost."""
        self._news.arrived.clear()
        is_there = self._is_lost or self._news.announced or self._news.forwarded
        if not (is_there or await is_set_within(self._news.arrived, seconds, self._sleep)):
            self.pace.earn(seconds)
        if self._is_lost:
            raise self._lost()
        return bool(self._news.announced or self._news.forwarded)

    async def resynchronise(self) -> None:
        """Make sure that the next answer is that of the next command.

        Raises Silent if the modem does not answer AT, NotAt if something else speaks there.
        """
        self._port.write(_ESCAPE)  # throws away a half-typed line, and ends a prompt
        self._is_verbose = False
        # Some take no two commands in a line.
        is_there = await self._is_answered(("AT", BEGIN, "ATQ0"), FENCE_SECONDS)
        if not (is_there or await self._find_line_end() or await self._find_speed()):
            raise self._silence()
        self._heard.clear()
        self._speeds = ()
        await self._pass_fence()
        self._is_in_step, self._given_up = True, None

    async def _pass_fence(self) -> None:
        """Give a command whose answer cannot be mistaken; what comes behind that answer is nobody's but the next."""
        for name in self._fences:
            if await self._is_fence(name):
                if name != self._fences[0]:
                    await self._learn_gap(self._fences[0])
                self._fences = [name]
                return
        # It answered AT and then nothing for seconds, so nothing is late.
        self._fences = []
        await is_set_within(asyncio.Event(), FINAL_SECONDS, self._sleep)

    async def _is_fence(self, name: str) -> bool:
        exchange = await self._give(Exchange(f"AT{name}?", named=f"{name}:"), FENCE_SECONDS)
        # A modem that does not know this command has said ERROR, and nothing more in all the time.
        return exchange.is_done or exchange.is_refused or exchange.says_all

    async def _learn_gap(self, unanswered: str) -> None:
        """See whether the first command behind an answer stays unanswered only if it comes at once."""
        self._gap = GAP_SECONDS
        if not await self._is_fence(unanswered):
            self._gap = 0.0

    async def _find_line_end(self) -> bool:
        """Return whether the modem answers if CR LF ends a command; V.250 wants CR alone (5.2.1)."""
        self._end = "\r\n"
        if await self._is_answered(("AT", "AT"), SPEED_SECONDS):
            return True
        self._end = "\r"
        return False

    async def _is_answered(self, commands: Sequence[str], seconds: float) -> bool:
        """Return whether one of the commands is answered in time, as it may be in any way."""
        for command in commands:
            if (await self._give(Exchange(command, is_patient=False), seconds)).is_done:
                return True
        return False

    async def _find_speed(self) -> bool:
        """Try the other speeds, if that may help; return whether the modem answered at one of them."""
        for speed in self._speeds if strangers.may_be_speed(bytes(self._heard)) else ():
            self._port.set_speed(speed)
            self._partial.clear()
            # Twice: what the modem took for a command at another speed ends with the first.
            if await self._is_answered(("AT", "AT"), SPEED_SECONDS):
                self.speed = speed
                return True
        return False

    def _silence(self) -> Silent:
        what = strangers.describe(bytes(self._heard), self._typed)
        if what is None:
            return Silent(f"The modem does not answer at all: not even AT in {FENCE_SECONDS:g} s.")
        return NotAt(f"What is at {self._port.device} is no modem that listens. {what}")

    async def _give(self, exchange: Exchange, seconds: float) -> Exchange:
        """Type a command and wait for its answer, longer if it comes in pieces."""
        if self._gap:
            await self._sleep(self._gap)
        await self.pace.spend()
        if self._is_lost:
            raise self._lost()
        self._pending = exchange
        self._typed.add(exchange.command)
        try:
            self._port.write(f"{exchange.command}{self._end}".encode("latin-1"))
            await self._wait(exchange, seconds)
        finally:
            self._pending = None
        if self._is_lost:
            raise self._lost()
        self._learn_echo(exchange)
        return exchange

    async def _wait(self, exchange: Exchange, seconds: float) -> None:
        limit = seconds
        for _ in range(_EXTENSIONS):
            if not await is_set_within(exchange.moved, limit, self._sleep):
                self.pace.earn(limit)
                return
            if exchange.is_done or self._is_lost:
                return
            exchange.moved.clear()
            limit = min(limit, self._final_seconds()) if exchange.says_all else seconds / 2

    def _final_seconds(self) -> float:
        return KNOWN_FINAL_SECONDS if self._without_final >= MANY_WITHOUT_FINAL else FINAL_SECONDS

    def _learn_echo(self, exchange: Exchange) -> None:
        """See by the first command after ATE0 whether that was obeyed, and by an echo later that it is forgotten."""
        if self._expects_echo is None and exchange.is_done:
            self._expects_echo = exchange.was_echoed
        elif self._expects_echo is False and exchange.was_echoed:
            self.was_reset = True

    def _lost(self) -> PortMissing:
        return PortMissing(f"{self._port.device} went away: the modem was pulled out, or restarts.")

    def _on_lost(self) -> None:
        self._is_lost = True
        self._news.arrived.set()
        if self._pending is not None:
            self._pending.moved.set()

    def _on_bytes(self, data: bytes) -> None:
        self._heard += data[-_MAX_HEARD:]
        del self._heard[:-_MAX_HEARD]
        self._partial += data
        *lines, rest = _LINE_END.split(self._partial)
        self._partial = bytearray(rest[-MAX_LINE_BYTES:])
        for line in lines:
            if cleaned := clean(line):
                self._on_line(cleaned)
        if self._pending and self._pending.body and clean(bytes(self._partial)) == ">":
            self._type_body(self._pending)

    def _type_body(self, exchange: Exchange) -> None:
        self._partial.clear()
        self._typed.add(exchange.body or "")
        self._port.write(f"{exchange.body}{_END_OF_TEXT}".encode("latin-1"))
        exchange.body = None

    def _on_line(self, line: str) -> None:
        if line in self._typed:
            self._on_echo(line)
        elif self._forward and self._is_forwarded(self._forward, line):
            self._forward = None
        elif news := find_news(line):
            self._news.note(news)
        elif forward := find_forward(line):
            self._give_up_forward()
            self._forward, self._between = forward, []
        elif self._pending is None or self._pending.is_done:
            self._on_unexpected(line)
        elif result := find_result(line, is_verbose=self._is_verbose):
            self._is_verbose = self._is_verbose or line in ("OK", "ERROR")
            self._on_final(self._pending, result)
        else:
            self._pending.add(line)

    def _on_echo(self, line: str) -> None:
        """Pass over an echo, also a late one."""
        if self._pending and line == self._pending.command:
            self._pending.was_echoed = True

    def _is_forwarded(self, forward: Forward, line: str) -> bool:
        """Take a line behind +CMT if it is its PDU, or is none but the last that could be."""
        if not (forward.announces(line) or may_be_pdu(line)):
            if find_name(line) is None and find_result(line, is_verbose=True) is None:
                self._between.append(line)
            if len(self._between) >= _MAX_BETWEEN:
                self._give_up_forward()
            return False
        if forward.kind != "CBM":  # a cell broadcast is nobody's message
            self._news.forwarded.append(line)
            self._news.arrived.set()
        return True

    def _give_up_forward(self) -> None:
        """Take what came behind a header for its PDU though it is none; if nothing did, a text was lost."""
        if self._forward and self._forward.kind != "CBM":
            self._news.forwarded += self._between[:1]
            self._news.lost += not self._between
            self._news.arrived.set()
        self._forward = None

    def _on_final(self, exchange: Exchange, result: str) -> None:
        if exchange.is_answered_by(result):
            exchange.end(result)
        else:
            self._on_late()

    def _on_late(self) -> None:
        """Give a command more time from now on: it was given up, and now its answer comes."""
        if self._given_up:
            name, limit = self._given_up
            self._limits[name] = min(MAX_SECONDS, 2 * limit)
            self._given_up = None

    def _on_unexpected(self, line: str) -> None:
        if find_result(line, is_verbose=self._is_verbose):
            self._is_in_step = False
            self._on_late()
        # Whatever has no name may be a text: it does not belong into a log.
        log.debug("skipped %s, %d characters", find_name(line) or "a line", len(line))
