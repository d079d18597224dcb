"""How many commands a modem gets (a rate limit): the floor under every loop, whatever it is that makes one.

Counted by what is waited, not by a clock: each wait of the link earns commands, each text that is taken some more.
"""

from smscatch.modem.waiting import Sleep

# A set-up takes some 25. After them a modem that brings no texts gets 2 a second, so never 5 a second for 10 s.
BURST = 30.0
PER_SECOND = 2.0
# Reading and deleting a text takes two to four commands: traffic is never held up.
PER_TEXT = 10.0


class Throttle:
    """A token bucket; it lives as long as its link, over all conversations. `sleep` is asyncio.sleep, or a test's."""

    def __init__(self, sleep: Sleep) -> None:
        self._sleep = sleep
        self._left = BURST

    async def spend(self) -> None:
        """Return when one more command may be sent."""
        if self._left < 1:
            await self._sleep(1 / PER_SECOND)
            self._left += 1
        self._left -= 1

    def earn(self, seconds: float) -> None:
        """Note that the link waited."""
        self._left = min(BURST, self._left + seconds * PER_SECOND)

    def reward(self) -> None:
        """Note that a text was taken: the modem cooperates."""
        self._left = min(BURST, self._left + PER_TEXT)
