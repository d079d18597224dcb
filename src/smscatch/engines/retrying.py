"""What every engine does when it cannot go on: say why, wait, longer each time (retry with backoff), and begin anew."""

import logging
from collections.abc import Awaitable, Callable
from typing import Never

from smscatch.modem.publishing import HealthPublisher
from smscatch.modem.trouble import ModemTrouble, SimTrouble
from smscatch.modem.waiting import Sleep

MAX_BACKOFF_SECONDS = 10.0
PUBLISH_SECONDS = 30.0

log = logging.getLogger(__name__)


class EngineTrouble(SimTrouble):
    """What an engine reads through does not let us read: `state` says why.

    `pause_seconds` is how long it is to be left alone, None for as long as all others.
    """

    def __init__(self, state: str, message: str, pause_seconds: float | None = None) -> None:
        super().__init__(state, message)
        self.pause_seconds = pause_seconds


class RetryPause:
    """How long to wait after one more failure: 1, 2, 4, … seconds."""

    def __init__(self) -> None:
        self._failures = 0

    def succeeded(self) -> None:
        """All is well: the next failure is the first one."""
        self._failures = 0

    def failed(self, trouble: ModemTrouble) -> float:
        """Count a failure; return after how many seconds to try again."""
        self._failures += 1
        pause = trouble.pause_seconds if isinstance(trouble, EngineTrouble) else None
        return pause or min(2.0 ** (min(self._failures, 5) - 1), MAX_BACKOFF_SECONDS)


async def keep_reading(
    read: Callable[[], Awaitable[Never]], board: HealthPublisher, backoff: RetryPause, sleep: Sleep
) -> Never:
    """Run `read` again and again, with a pause after each trouble, which is published as the line's health."""
    board.publish()
    while True:
        try:
            await read()
        except ModemTrouble as caught:
            trouble = caught
        except Exception as error:  # a bug of ours must not end reception
            log.exception("the engine of %s failed", board.health.line)
            trouble = ModemTrouble(f"The engine failed with {type(error).__name__}: please report it.")
        board.become(trouble.state, str(trouble))
        await _rest(backoff.failed(trouble), board, sleep)


async def _rest(seconds: float, board: HealthPublisher, sleep: Sleep) -> None:
    """Wait, and publish from time to time that we are still here."""
    while seconds > 0:
        await sleep(min(seconds, PUBLISH_SECONDS))
        seconds -= PUBLISH_SECONDS
        board.publish()
