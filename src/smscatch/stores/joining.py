"""What every store decides alike about long messages (joined parts, concatenated SMS): to which a part belongs.

Pure functions.
"""

from collections.abc import Sequence
from typing import NamedTuple

from smscatch.messages import Part
from smscatch.stores.base import belongs_to, is_repeat
from smscatch.stores.leasing import Arrival

# Of the messages with one reference number, how many are looked at for where a part belongs.
RECENT_GROUPS = 4


class Group(NamedTuple):
    """The parts of one message that have come, under a number that grows; `message_id` is None until they are shown."""

    number: int
    total: int
    message_id: str | None
    parts: tuple[Part, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether no part is missing."""
        return len(self.parts) == self.total

    @property
    def in_order(self) -> list[Part]:
        """The parts by their numbers."""
        return sorted(self.parts, key=lambda part: part.number)

    @property
    def arrival(self) -> Arrival:
        """When the first and the last of them arrived."""
        times = [part.arrived_at or part.received_at for part in self.parts]
        return Arrival(min(times), max(times))

    @property
    def newest(self) -> Part:
        """The part that was received last."""
        return max(self.parts, key=lambda part: part.received_at)

    def with_part(self, part: Part) -> "Group":
        """Return the group with one more part."""
        return self._replace(parts=(*self.parts, part))


def is_sent_again(part: Part, groups: Sequence[Group]) -> bool:
    """Return whether the network has sent this very part before."""
    return any(is_repeat(part, group.parts) for group in groups)


def find_group(part: Part, groups: Sequence[Group]) -> Group | None:
    """Return the message that lacks `part`, if any, of those with its reference number, given newest first."""
    fitting = (group for group in groups if not group.is_complete and belongs_to(part, group.parts))
    return next(fitting, None)
