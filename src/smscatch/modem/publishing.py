"""Publishing how the modem of a line is, and logging what is new of it. What a state means is in health.py."""

import contextlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from smscatch.modem.health import Health, write_health

NOT_REGISTERED = "The modem has no network: check antenna, contract and coverage."
NOT_DELETED = "Texts are delivered, but not all can be deleted from the SIM: it may fill up, or be worn out."

log = logging.getLogger(__name__)


class HealthPublisher:
    """The health of one line, as whatever reads its modem knows it; `now_ns` is the clock of its times."""

    def __init__(self, spool: Path, line: str, device: str, now_ns: Callable[[], int]) -> None:
        """Begin with `starting`, which is not published yet."""
        self._spool, self._now_ns = spool, now_ns
        self.health = Health(line=line, device=device, state="starting", updated_at=self.now())

    def now(self) -> datetime:
        """Return the present time in UTC."""
        return datetime.fromtimestamp(self._now_ns() / 1e9, UTC)

    def change(self, **facts: object) -> None:
        """Note facts of the modem, to be published with the next state."""
        self.health = msgspec.structs.replace(self.health, **facts)

    def become(self, state: str, error: str | None) -> None:
        """Publish how the modem is now, and log it if that is news: someone may be watching it go and come back."""
        if (state, error) != (self.health.state, self.health.error):
            level = logging.WARNING if error else logging.INFO
            log.log(level, "%s: %s", self.health.line, error or f"the modem at {self.health.device} is {state}")
        self.change(state=state, error=error)
        self.publish()

    def publish(self) -> None:
        """Write the health down; that this fails is no reason to stop reading."""
        self.change(updated_at=self.now())
        with contextlib.suppress(OSError):
            write_health(self._spool, self.health)
