"""The AT conversation: one command at a time, its answer in time.

Which commands to give is elsewhere. Sources: ITU-T V.250; 3GPP TS 27.005 and 27.007.
"""

import logging
from collections.abc import Sequence

from smscatch.modem.exchange import Exchange
from smscatch.modem.pace import Throttle
from smscatch.modem.port import Port
from smscatch.modem.said import News
from smscatch.modem.synchrony import Synchroniser
from smscatch.modem.trouble import NoAnswer, Refused, Silent, name_of
from smscatch.modem.waiting import Sleep, is_set_within
from smscatch.modem.wire import Wire

ANSWER_SECONDS = 5.0
MAX_SECONDS = 120.0
# What reading texts does not need: some modems never answer these. The third has to be quicker than the first.
OPTIONAL_SECONDS = 2.0
LATER_OPTIONAL_SECONDS = 1.0
MAX_MUTES = 2

log = logging.getLogger(__name__)


class Conversation:
    """The conversation over one open port. `sleep` is asyncio.sleep, or a test's.

    `limits` are the seconds for commands that took longer than they may, by name; it grows, for the next conversation
    to know. `pace` is the rate limit. `speeds` are those to try if nothing answers at the speed that the port has.
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
        self.pace = pace or Throttle(sleep)
        self.mutes: dict[str, int] = {}
        self._sleep = sleep
        self._limits = limits
        self._news = news
        self._given_up: tuple[str, float] | None = None
        self._is_in_step = False
        self._body: str | None = None
        self._wire = Wire(port, news, sleep=sleep, pace=self.pace, on_late=self._on_late)
        self._synchroniser = Synchroniser(self._wire, sleep=sleep, speeds=speeds)

    @property
    def was_reset(self) -> bool:
        """Whether the modem echoes again: it has lost its settings."""
        return self._wire.was_reset

    @property
    def speed(self) -> int | None:
        """The one of the other speeds at which the modem answered, in baud; None at the speed that the port had."""
        return self._synchroniser.speed

    def close(self) -> None:
        """Close the port."""
        self._wire.close()

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
        await self._wire.give(exchange, limit)
        if not exchange.is_done:
            self._given_up = name_of(command), limit
            self._is_in_step = False
            if exchange.says_all:
                self._wire.without_final += 1
                return exchange.lines
            raise NoAnswer(f"The modem did not answer {name_of(command)} in {limit:g} s.", exchange.lines)
        if exchange.result != "OK":
            raise Refused(command, exchange.result, exchange.lines)
        if command.startswith("ATE0"):
            self._wire.expect_no_echo()
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
        is_there = self._wire.is_lost or self._news.announced or self._news.forwarded
        if not (is_there or await is_set_within(self._news.arrived, seconds, self._sleep)):
            self.pace.earn(seconds)
        if self._wire.is_lost:
            raise self._wire.missing()
        return bool(self._news.announced or self._news.forwarded)

    async def resynchronise(self) -> None:
        """Make sure that the next answer is that of the next command. Raises Silent, NotAt and PortMissing."""
        await self._synchroniser.run()
        self._is_in_step, self._given_up = True, None

    def _on_late(self) -> None:
        """Get in step anew, and give a command more time from now on: it was given up, and now its answer comes."""
        self._is_in_step = False
        if self._given_up:
            name, limit = self._given_up
            self._limits[name] = min(MAX_SECONDS, 2 * limit)
            self._given_up = None
