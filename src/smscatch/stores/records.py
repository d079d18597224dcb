"""What a store keeps beside messages, and the records in which everything moves from one store to another.

Each record is one line of JSON Lines (`smscatch export`); `kind` says which.
"""

from datetime import datetime
from typing import Annotated, NamedTuple

import msgspec

from smscatch.errors import BadRequest
from smscatch.messages import Lease, Message, Part
from smscatch.stores.jobs import Job
from smscatch.times import Time

MAX_POSITION = 10**18 - 1  # a cursor has up to 18 digits, and all databases hold it
Position = Annotated[int, msgspec.Meta(ge=0, le=MAX_POSITION)]


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key, or the session of a browser that signed in with one.

    `scopes` are of read, lease, ingest, send, admin. `lines` is None for every line. `parent` is the id of the key that
    a session was made from. The secret is not here: the store keeps its SHA-256 only.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    lines: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    parent: str | None = None


class Read(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="read"):
    """That a message was given to someone: the id and the name of the key they came with, and when it was first."""

    message: str
    key: str
    name: str
    at: Time


class AddedSource(msgspec.Struct, frozen=True, kw_only=True):
    """Who delivers texts to `POST /api/v1/inbound/NAME`, as a table `[sources.NAME]` says it, added while we ran.

    `secrets` are as they are: to check a signature takes the secret itself, no hash of it.
    """

    name: str
    created_at: datetime
    kind: str
    secrets: tuple[str, ...]
    public_url: str | None = None
    lines: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    signature: dict[str, str | dict[str, str]] = {}


class Memo(NamedTuple):
    """Something small that is kept under a name for a while: what it says, and until when it is there."""

    content: bytes
    until: datetime


class PositionRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="position"):
    """The newest position that was given."""

    position: Position


class MessageRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="message"):
    """A message, and the delivery it was read from, in base64."""

    message: Message
    raw: bytes

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec makes its own error, if the cursor is no position of a message."""
        cursor = self.message.cursor
        if not (cursor.isascii() and cursor.isdecimal() and 0 < int(cursor[:19]) <= MAX_POSITION):
            raise ValueError(f"{cursor[:40]!r} is no cursor of a message")


class PartRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="part"):
    """A part of a long message.

    Parts of one message agree in `group`, a number that grows in the order in which messages began; `message` is the id
    of what was made of them, once it is shown; `newest_at` is when the newest of them was received.
    """

    group: Position
    part: Part
    raw: bytes
    newest_at: datetime
    message: str | None = None


class DeletedRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="deleted"):
    """The id of a message that was deleted: its delivery does not revive it."""

    id: str
    received_at: datetime


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="key"):
    """A key, and the SHA-256 of its secret."""

    key: Key
    secret_hash: bytes


class LeaseRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="lease"):
    """A lease, present or past, and the ticket that it was asked for with."""

    lease: Lease
    ticket: str


class SinkRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="sink"):
    """How far a sink has read."""

    name: str
    cursor: Position


class JobRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="job"):
    """A message to be sent to a sink, or that was, with the attempts. Whoever had claimed it is not in here."""

    job: Job


class SourceRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="source"):
    """A source that was added, with its secrets."""

    source: AddedSource


class EndRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="end"):
    """The last line of an export: how many records stand before it. No store has it; it tells that none is lacking."""

    records: int


Record = (
    PositionRecord
    | MessageRecord
    | PartRecord
    | DeletedRecord
    | KeyRecord
    | LeaseRecord
    | Read
    | SinkRecord
    | JobRecord
    | SourceRecord
)
ORDER = (
    PositionRecord,
    MessageRecord,
    PartRecord,
    DeletedRecord,
    KeyRecord,
    LeaseRecord,
    Read,
    SinkRecord,
    JobRecord,
    SourceRecord,
)


def cannot_load(reason: str) -> BadRequest:
    """Return the error for records that a database refuses, given what its driver says."""
    return BadRequest(f"A record is there twice, or is none that a store could have written: {reason.rstrip('.')}.")
