"""The contract of a store. Every backend passes tests/stores/test_contract.py.

No SQL here, and no knowledge of which backends there are.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import msgspec

from smscatch.messages import Message, Part, Query, Stored

# Makes one message of those parts of a long one that have come, given in the order of their numbers.
Join = Callable[[Sequence[Part]], Message]
# Parts whose SMSC times lie further apart are of two messages: senders use their reference numbers again.
MAX_PART_SPREAD = timedelta(minutes=15)


class Delivery(NamedTuple):
    """A message, or a part of one, together with the bytes it was read from, which are kept to be read anew."""

    message: Message | Part
    raw: bytes


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key, or the session of a browser that signed in with one.

    `scopes` are of read, lease, ingest, admin. `lines` is None for every line. `parent` is the id of the key that a
    session was made from. The secret is not here: the store keeps its SHA-256 only.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    lines: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    parent: str | None = None


class LineUse(NamedTuple):
    """What a store knows of a line: its number, how many messages it keeps, when the newest was received."""

    number: str
    messages: int
    last_received_at: datetime


class Store(Protocol):
    """Where messages live.

    Each stored message has a position: an integer that grows in the order of commits, so a reader that asks for
    what is after a position misses nothing. Every method raises StoreUnavailable if the database does not answer.
    """

    async def add(self, deliveries: Sequence[Delivery]) -> int:
        """Keep the messages durably, all or none; return how many were new.

        One whose id is kept already, or was kept and deleted, is passed over. Positions follow the order given. A part
        is kept until it can be joined with its others: in the transaction that brings the last of them.
        """

    async def show_incomplete(self, before: datetime) -> int:
        """Make messages of those long ones that still lack parts and whose newest came before a time; return how many.

        A part that comes later completes the message in place: the same id, a new position, `revision` one higher.
        """

    async def position(self) -> int:
        """Return the newest position that was ever given; 0 before the first."""

    async def after(self, query: Query, position: int, limit: int) -> list[Stored]:
        """Return up to `limit` matches behind `position`, oldest first."""

    async def newest(self, query: Query, limit: int, *, before: int | None = None, after: int = 0) -> list[Stored]:
        """Return up to `limit` matches between two positions, both excluded, newest first."""

    async def get(self, message_id: str) -> Stored | None:
        """Return one message."""

    async def raw(self, message_id: str) -> bytes | None:
        """Return the bytes that a message was read from."""

    async def delete(self, message_id: str) -> bool:
        """Delete a message; return False if there was none. Its delivery stays known: a repeat does not revive it."""

    async def delete_lines(self, lines: Sequence[str]) -> int:
        """Delete all messages of these lines; return how many."""

    async def prune(self, since: datetime, before: datetime, *, up_to: int) -> int:
        """Delete what was received between two times, at positions up to one, and forget it; return how many."""

    async def lines(self) -> list[LineUse]:
        """Return every line that has messages, ordered by number."""

    async def add_key(self, key: Key, secret_hash: bytes) -> None:
        """Keep a key; one with the same id is replaced."""

    async def find_key(self, secret_hash: bytes) -> Key | None:
        """Return the key with this hash, expired or not."""

    async def keys(self) -> list[Key]:
        """Return the keys, without sessions, oldest first."""

    async def revoke_key(self, key_id: str) -> bool:
        """Remove a key and the sessions made from it; return False if there was none."""

    async def close(self) -> None:
        """Let go of the database. Nothing may be called afterwards."""


def group_of(part: Part) -> str:
    """Return what parts of one message have in common, as a text (3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8)."""
    return msgspec.json.encode([part.line, part.sender, part.reference, part.wide, part.total]).decode()


def is_repeat(part: Part, parts: Sequence[Part]) -> bool:
    """Return whether the network has sent this very PDU before."""
    return any(other.pdu == part.pdu for other in parts)


def belongs_to(part: Part, parts: Sequence[Part]) -> bool:
    """Return whether `part` fills a gap among `parts`, which share its group and may be of an earlier message."""
    times = [other.sent_at or other.received_at for other in parts]
    time = part.sent_at or part.received_at
    is_near = all(abs(time - other) <= MAX_PART_SPREAD for other in times)
    return is_near and all(other.number != part.number for other in parts)
