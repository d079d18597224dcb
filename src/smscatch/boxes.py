"""What a name stands for where an API of others has one name for all: a label, a line, or a lease. No request here.

Mailosaur's clients call it a server, and take a name of exactly eight characters.
"""

from typing import NamedTuple

from smscatch.access import Access
from smscatch.errors import BadRequest, UnknownLine
from smscatch.messages import Query

NAME_LENGTH = 8  # characters of a line's or a lease's short name


class Box(NamedTuple):
    """Which messages a name stands for: those of a lease, or those of lines, None for all that there are."""

    lines: tuple[str, ...] | None
    lease: str | None = None

    @property
    def query(self) -> Query:
        """What asks for these messages."""
        return Query(lines=self.lines, lease=self.lease)

    def has(self, line: str) -> bool:
        """Return whether messages of a line may be among them."""
        return self.lines is None or line in self.lines


def short_name(line: str, label: str) -> str:
    """Return what a line's box is called: its label, or without one the last eight digits of its number."""
    return label or line[-NAME_LENGTH:]


async def find_box(access: Access, name: str) -> Box:
    """Return what a name stands for, of what the key may see.

    Tried in this order: a label of configured lines; a line's number, or its last eight digits; a lease's id, or the
    first eight characters of it; a label of virtual lines. Raises UnknownLine for none, also if the key must not see
    it, Forbidden for the number of a line that the key must not see, BadRequest for the end of several numbers.
    """
    if not name.strip():
        raise BadRequest("Say which server is meant: a line's label or number, or a lease's id.", parameter="server")
    settings = access.house.settings
    labelled = tuple(number for number, line in settings.lines.items() if line.label == name and access.sees(number))
    box = Box(labelled) if labelled else await _line(access, name) or await _short(access, name)
    if box is None and settings.is_virtual_label(name):
        box = await _virtual(access)
    if box is None:
        raise UnknownLine(
            f"There is no server {name[:40]!r} that this key may see. It may be a line's label or number, the last"
            f" {NAME_LENGTH} digits of that, a lease's id, or the first {NAME_LENGTH} characters of that.",
            parameter="server",
        )
    return box


async def _line(access: Access, name: str) -> Box | None:
    settings = access.house.settings
    number = settings.line_named(name)
    if number in settings.lines or settings.is_virtual(number) or await access.house.inbox.has_received(number):
        access.check_line(number)
        return Box((number,))
    return None


async def _short(access: Access, name: str) -> Box | None:
    """Return the box of the end of a number, of the beginning of a lease's id, or of a whole id."""
    house, is_short = access.house, len(name) == NAME_LENGTH
    held = await house.leases.held()
    if is_short and name.isdecimal():
        numbers = {*house.settings.lines, *(lease.line for lease in held), *await house.lines.used()}
        ending = tuple(each for each in sorted(numbers) if each.endswith(name) and access.sees(each))
        if len(ending) > 1:
            raise BadRequest(f"The numbers of several lines end in {name}: {', '.join(ending)}.", parameter="server")
        if ending:
            return Box(ending)
    leases = held if is_short else (await house.leases.by_id([name])).values()
    named = (lease for lease in leases if lease.id.startswith(name) and access.sees(lease.line))
    return next((Box((lease.line,), lease.id) for lease in named), None)


async def _virtual(access: Access) -> Box:
    """Return the box of all virtual lines; while no line is configured, of all lines."""
    if not access.house.settings.lines:
        return Box(access.key.lines)
    used = await access.house.lines.used()
    return Box(tuple(line for line in used if access.house.settings.is_virtual(line) and access.sees(line)))
