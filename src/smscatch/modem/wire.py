"""Commands over one open port, one at a time: what comes is sorted into its answer, echoes and news.

Sources: ITU-T V.250; 3GPP TS 27.005, 3.4.1 and 3.5.1.
"""

import logging
import re
from collections.abc import Callable

from smscatch.modem.exchange import Exchange
from smscatch.modem.forwards import Forwards
from smscatch.modem.pace import Throttle
from smscatch.modem.port import Port
from smscatch.modem.said import News, clean, find_name, find_news, find_result
from smscatch.modem.trouble import PortMissing
from smscatch.modem.waiting import Sleep, is_set_within

MAX_LINE_BYTES = 4096
# How long the OK may lag behind an answer that says it all; some modems never send it.
FINAL_SECONDS = 1.0
# The same for a modem that did not send it so often.
KNOWN_FINAL_SECONDS = 0.3
MANY_WITHOUT_FINAL = 2

_ESCAPE = b"\x1b"
_END_OF_TEXT = "\x1a"
_LINE_END = re.compile(rb"[\r\n]")
# How often a long answer may take half the limit again, as long as something of it comes.
_EXTENSIONS = 600
_MAX_HEARD = 2048

log = logging.getLogger(__name__)


class Wire:
    """One open port. `on_late` is called with each final result that answers nothing that is asked now.

    `line_end` ends a command; `gap` are the seconds of pause before each. `heard` is the end of all that came, `typed`
    all that was sent. `was_reset` tells that the modem echoes again; `is_lost` that the port went away.
    """

    def __init__(self, port: Port, news: News, *, sleep: Sleep, pace: Throttle, on_late: Callable[[], None]) -> None:
        self.line_end = "\r"
        self.gap = 0.0
        self.heard = bytearray()
        self.typed: set[str] = set()
        self.without_final = 0
        self.was_reset = False
        self.is_lost = False
        self.device = port.device
        self._partial = bytearray()
        self._pending: Exchange | None = None
        self._is_verbose = False
        # None while it is to be seen whether the modem obeyed ATE0.
        self._expects_echo: bool | None = True
        self._port = port
        self._news = news
        self._forwards = Forwards(news)
        self._sleep = sleep
        self._pace = pace
        self._on_late = on_late
        port.listen(self._on_bytes, self._on_lost)

    def close(self) -> None:
        """Close the port."""
        self._forwards.give_up()
        self._port.close()

    def interrupt(self) -> None:
        """Throw away a half-typed line, and end a prompt. Its result codes may come as numbers from now on."""
        self._port.write(_ESCAPE)
        self._is_verbose = False

    def set_speed(self, speed: int) -> None:
        """Go on at another speed, in baud."""
        self._port.set_speed(speed)
        self._partial.clear()

    def expect_no_echo(self) -> None:
        """See by the next command whether the modem obeyed ATE0."""
        self._expects_echo, self.was_reset = None, False

    def missing(self) -> PortMissing:
        """Return the error that says that the port went away."""
        return PortMissing(f"{self.device} went away: the modem was pulled out, or restarts.")

    async def give(self, exchange: Exchange, seconds: float) -> Exchange:
        """Type a command and wait for its answer, longer if it comes in pieces. Raises PortMissing."""
        if self.gap:
            await self._sleep(self.gap)
        await self._pace.spend()
        if self.is_lost:
            raise self.missing()
        self._pending = exchange
        self.typed.add(exchange.command)
        try:
            self._port.write(f"{exchange.command}{self.line_end}".encode("latin-1"))
            await self._wait(exchange, seconds)
        finally:
            self._pending = None
        if self.is_lost:
            raise self.missing()
        self._learn_echo(exchange)
        return exchange

    async def _wait(self, exchange: Exchange, seconds: float) -> None:
        limit = seconds
        for _ in range(_EXTENSIONS):
            if not await is_set_within(exchange.moved, limit, self._sleep):
                self._pace.earn(limit)
                return
            if exchange.is_done or self.is_lost:
                return
            exchange.moved.clear()
            limit = min(limit, self._final_seconds()) if exchange.says_all else seconds / 2

    def _final_seconds(self) -> float:
        return KNOWN_FINAL_SECONDS if self.without_final >= MANY_WITHOUT_FINAL else FINAL_SECONDS

    def _learn_echo(self, exchange: Exchange) -> None:
        """See by the first command after ATE0 whether that was obeyed, and by an echo later that it is forgotten."""
        if self._expects_echo is None and exchange.is_done:
            self._expects_echo = exchange.was_echoed
        elif self._expects_echo is False and exchange.was_echoed:
            self.was_reset = True

    def _on_lost(self) -> None:
        self.is_lost = True
        self._news.arrived.set()
        if self._pending is not None:
            self._pending.moved.set()

    def _on_bytes(self, data: bytes) -> None:
        self.heard += data[-_MAX_HEARD:]
        del self.heard[:-_MAX_HEARD]
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
        self.typed.add(exchange.body or "")
        self._port.write(f"{exchange.body}{_END_OF_TEXT}".encode("latin-1"))
        exchange.body = None

    def _on_line(self, line: str) -> None:
        if line in self.typed:
            self._on_echo(line)
        elif self._forwards.takes(line):
            pass
        elif news := find_news(line):
            self._news.note(news)
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

    def _on_final(self, exchange: Exchange, result: str) -> None:
        if exchange.is_answered_by(result):
            exchange.end(result)
        else:
            self._on_late()

    def _on_unexpected(self, line: str) -> None:
        if find_result(line, is_verbose=self._is_verbose):
            self._on_late()
        # Whatever has no name may be a text: it does not belong into a log.
        log.debug("skipped %s, %d characters", find_name(line) or "a line", len(line))
