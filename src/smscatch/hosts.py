"""Where texts went that were not caught: hosts that programs called under `smscatch catch`, and calls refused here.

In memory, of one server, for a while. What was said to a host is not known here.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec

from smscatch.times import Time

KEPT = timedelta(minutes=10)
MOST = 200  # in one report, and remembered


class CalledHost(msgspec.Struct, frozen=True, kw_only=True):
    """A host that a program called, or a send API of ours, and what became of it.

    `outcome` is passed (it was let through), refused (nothing reached it) or answered (by us, with an error); `reason`
    says why it was refused, or the HTTP status. `called_at` is when it was last, set by the server.
    """

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    outcome: Literal["passed", "refused", "answered"]
    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    called_at: Time | None = None


class HostList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hosts, the one that was called last first."""

    hosts: Annotated[list[CalledHost], msgspec.Meta(max_length=MOST)]


class CalledHosts:
    """What was called within KEPT."""

    def __init__(self) -> None:
        self._called: dict[tuple[str, str, str], CalledHost] = {}  # the one that was called last is the last

    def note(self, called: Iterable[CalledHost], now: datetime) -> None:
        """Remember that these were called just now, `count` times more."""
        for one in called:
            place = (one.host, one.outcome, one.reason)
            before = self._called.pop(place, None)
            count = one.count + (before.count if before is not None else 0)
            self._called[place] = msgspec.structs.replace(one, count=count, called_at=now)
            if len(self._called) > MOST:
                del self._called[next(iter(self._called))]

    def newest(self, now: datetime) -> list[CalledHost]:
        """Return what was called of late, the last one first."""
        return [one for one in reversed(self._called.values()) if one.called_at and now - one.called_at <= KEPT]
