"""Getting in step with a modem: it answers AT, at whatever speed, and the next answer is that of the next command.

Sources: ITU-T V.250; 3GPP TS 27.005 and 27.007.
"""

import asyncio
from collections.abc import Sequence

from smscatch.modem import strangers
from smscatch.modem.exchange import Exchange
from smscatch.modem.trouble import NotAt, Silent
from smscatch.modem.waiting import Sleep, is_set_within
from smscatch.modem.wire import FINAL_SECONDS, Wire

FENCE_SECONDS = 2.0
SPEED_SECONDS = 0.6
# No echo, result codes, in words (V.250, 6.2.4 to 6.2.6): another program may have left them otherwise.
BEGIN = "ATE0Q0V1"
# A command whose answer names itself, so that no late answer can pass for it; the first two need no SIM.
FENCES = ("+CMEE", "+CFUN", "+CMGF", "+CPMS")
# The pause before each command to a modem that passes over what comes at once behind its answer.
GAP_SECONDS = 0.5


class Synchroniser:
    """What gets a wire in step, and learns the modem's manners by it.

    `speeds` are those to try if nothing answers at the speed that the port has; `speed` is the one of them that was
    answered.
    """

    def __init__(self, wire: Wire, *, sleep: Sleep, speeds: Sequence[int] = ()) -> None:
        self.speed: int | None = None
        self._wire = wire
        self._sleep = sleep
        self._speeds = speeds
        self._fences = list(FENCES)

    async def run(self) -> None:
        """Make sure that the next answer is that of the next command.

        Raises Silent if the modem does not answer AT, NotAt if something else speaks there, PortMissing.
        """
        self._wire.interrupt()
        # Some take no two commands in a line.
        is_there = await self._is_answered(("AT", BEGIN, "ATQ0"), FENCE_SECONDS)
        if not (is_there or await self._find_line_end() or await self._find_speed()):
            raise self._silence()
        self._wire.heard.clear()
        self._speeds = ()
        await self._pass_fence()

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
        exchange = await self._wire.give(Exchange(f"AT{name}?", named=f"{name}:"), FENCE_SECONDS)
        # A modem that does not know this command has said ERROR, and nothing more in all the time.
        return exchange.is_done or exchange.is_refused or exchange.says_all

    async def _learn_gap(self, unanswered: str) -> None:
        """See whether the first command behind an answer stays unanswered only if it comes at once."""
        self._wire.gap = GAP_SECONDS
        if not await self._is_fence(unanswered):
            self._wire.gap = 0.0

    async def _find_line_end(self) -> bool:
        """Return whether the modem answers if CR LF ends a command; V.250 wants CR alone (5.2.1)."""
        self._wire.line_end = "\r\n"
        if await self._is_answered(("AT", "AT"), SPEED_SECONDS):
            return True
        self._wire.line_end = "\r"
        return False

    async def _is_answered(self, commands: Sequence[str], seconds: float) -> bool:
        """Return whether one of the commands is answered in time, as it may be in any way."""
        for command in commands:
            if (await self._wire.give(Exchange(command, is_patient=False), seconds)).is_done:
                return True
        return False

    async def _find_speed(self) -> bool:
        """Try the other speeds, if that may help; return whether the modem answered at one of them."""
        for speed in self._speeds if strangers.may_be_speed(bytes(self._wire.heard)) else ():
            self._wire.set_speed(speed)
            # Twice: what the modem took for a command at another speed ends with the first.
            if await self._is_answered(("AT", "AT"), SPEED_SECONDS):
                self.speed = speed
                return True
        return False

    def _silence(self) -> Silent:
        what = strangers.describe(bytes(self._wire.heard), self._wire.typed)
        if what is None:
            return Silent(f"The modem does not answer at all: not even AT in {FENCE_SECONDS:g} s.")
        return NotAt(f"What is at {self._wire.device} is no modem that listens. {what}")
