"""What the API answers, where it is no value of ours: the forms that the OpenAPI description shows."""

import msgspec

from smscatch.messages import Lease, Line, Message
from smscatch.stores.records import Read
from smscatch.times import Time


class MessagePage(msgspec.Struct):
    """Messages, newest first, with the cursors that lead on."""

    messages: list[Message]
    cursor: str
    next: str | None


class LineList(msgspec.Struct):
    """Our numbers."""

    lines: list[Line]


class LeaseList(msgspec.Struct):
    """Who has which line."""

    leases: list[Lease]


class ReadList(msgspec.Struct):
    """Who was given a message."""

    reads: list[Read]


class Taken(msgspec.Struct):
    """A delivery that is on disk: its message's id and line; `unconfigured` if that line is none of ours."""

    id: str
    line: str
    unconfigured: bool


class NotTaken(msgspec.Struct):
    """A delivery among several that is refused: why, as `Error` has it."""

    error: str
    message: str


class Alive(msgspec.Struct):
    """That the server answers, and what its clock shows."""

    status: str
    time: Time


class Readiness(msgspec.Struct):
    """That texts come in, how many clients wait for one, what makes texts late, and the states of the modems."""

    status: str
    waiting: int
    warnings: list[str]
    modems: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class Timestamp(msgspec.Struct, rename={"date": "$date"}):
    """A time as MongoDB extended JSON."""

    date: str


class DocumentOf2018(msgspec.Struct):
    """A message as the system of 2018 had it; `number` is the sender."""

    number: str
    text: str
    timestamp: Timestamp


class Error(msgspec.Struct):
    """What every refusal looks like; some carry further members."""

    error: str
    message: str
