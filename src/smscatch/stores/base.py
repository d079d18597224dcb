"""The contract of a store. Every backend passes tests/stores/test_contract.py.

No SQL here, and no knowledge of which backends there are.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple, Protocol

import msgspec

from smscatch.messages import LATE, Lease, Message, Part, Query, Stored
from smscatch.stores.jobs import Job, SinkUse, State
from smscatch.stores.records import AddedSource, Key, Memo, Read, Record

# Makes one message of those parts of a long one that have come, given in the order of their numbers.
Join = Callable[[Sequence[Part]], Message]
# Parts whose SMSC times lie further apart are of two messages: senders use their reference numbers again.
MAX_PART_SPREAD = timedelta(minutes=15)


class Delivery(NamedTuple):
    """A message, or a part of one, together with the bytes it was read from, which are kept to be read anew.

    `arrived_at` is when it was received by the time that leases are kept by; None stands for `received_at`, by a clock
    that is not set meanwhile.
    """

    message: Message | Part
    raw: bytes
    arrived_at: datetime | None = None


class LineUse(NamedTuple):
    """What a store knows of a line: its number, how many messages it keeps, when the newest was received."""

    number: str
    messages: int
    last_received_at: datetime


class DayCount(NamedTuple):
    """How many messages a line received on a day (UTC)."""

    line: str
    day: date
    messages: int


Ticket = tuple[str, str]  # the key that asks for a line, and what it calls that


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Someone who wants a line for a while, or a group of `count` lines, all or none.

    `ticket` is a name chosen by whoever asks, unique for the `key`: asking again with it keeps the place in the queue.
    Any of `lines` will do. The lease lasts for `ttl`, after which the line rests for `rest`; `tolerance` is how far
    an SMSC's clock may lag behind ours. Leases sets `rest` and `tolerance`, and a ticket where none was chosen.
    `fresh`: only a line will do that was never leased, as far as the store remembers; it needs no rest.
    """

    ticket: str = ""
    key: str
    lines: tuple[str, ...]
    holder: str = ""
    ttl: timedelta
    rest: timedelta = timedelta(0)
    tolerance: timedelta = timedelta(0)
    count: int | None = None
    fresh: bool = False

    @property
    def size(self) -> int:
        """How many lines are wanted at once."""
        return self.count or 1

    @property
    def name(self) -> Ticket:
        """What tells it from all others."""
        return self.key, self.ticket


class Claim(NamedTuple):
    """What became of a wish: a lease of each line; or none, and how many stand in front, and what is in the way.

    `number` is its place in the queue: who asked first has the lower one.
    """

    leases: tuple[Lease, ...]
    ahead: int = 0
    held: tuple[Lease, ...] = ()
    number: int = 0


class Store(Protocol):
    """Where messages live. A time is kept, and compared, down to its millisecond.

    Each stored message has a position: an integer that grows in the order of commits, so a reader that asks for
    what is after a position misses nothing. Every method raises StoreUnavailable if the database does not answer.
    """

    async def add(self, deliveries: Sequence[Delivery]) -> int:
        """Keep the messages durably, all or none; return how many were new (idempotent).

        One whose id is kept already, or was kept and deleted, is passed over. Positions follow the order given. A part
        is kept until it can be joined with its others: in the transaction that brings the last of them. The same
        transaction decides to which lease a message belongs (leasing.attribute).
        """

    async def show_incomplete(self, before: datetime) -> int:
        """Make messages of those long ones that still lack parts and whose newest came before a time; return how many.

        A part that comes later completes the message in place: the same id, a new position, `revision` one higher.
        """

    async def incomplete(self) -> list[Part]:
        """Return the newest part of each long message that is not shown yet."""

    async def position(self) -> int:
        """Return the newest position that was ever given; 0 before the first."""

    async def check(self) -> None:
        """Return if messages can be written now: get what each `add` needs first, which no two have at once; let go.

        Raises StoreUnavailable with the reason if the database only answers questions, or someone is in the way.
        """

    async def after(self, query: Query, position: int, limit: int) -> list[Stored]:
        """Return up to `limit` matches behind `position`, oldest first."""

    async def newest(self, query: Query, limit: int, *, before: int | None = None, after: int = 0) -> list[Stored]:
        """Return up to `limit` matches between two positions, both excluded, newest first."""

    async def senders(self, part: str, limit: int) -> list[str]:
        """Return up to `limit` senders of messages that have `part` in them, in their order.

        All as `numbers.fold_sender` leaves them. Takes as long as there are senders, however many messages.
        """

    async def get(self, message_id: str) -> Stored | None:
        """Return one message."""

    async def messages_by_id(self, ids: Collection[str]) -> dict[str, Stored]:
        """Return those of these messages that there are, by id; all of them by one query."""

    async def raw(self, message_id: str) -> bytes | None:
        """Return the bytes that a message was read from."""

    async def delete(self, message_id: str) -> bool:
        """Delete a message; return False if there was none. Its delivery stays known: a repeat does not revive it."""

    async def delete_lines(self, lines: Sequence[str]) -> int:
        """Delete all messages of these lines that are there at the call; return how many."""

    async def prune(self, since: datetime, before: datetime, *, up_to: int) -> int | None:
        """Delete what was received between two times, at positions up to one, and forget it; return how many.

        Forgets leases that ended, keys and memos that expired, and jobs that were over, before the later time too.
        Returns None, and has done nothing, while another instance is at it.
        """

    async def trim(self, keep: int) -> int:
        """Delete all messages but the newest `keep`, as `delete` does; return how many."""

    async def size(self) -> int:
        """Return how many bytes all that is kept takes in the database, with its indexes.

        An estimate, which becomes smaller when messages are deleted: files do not, where their room is used again.
        """

    async def lines(self) -> list[LineUse]:
        """Return every line that has messages, ordered by number."""

    async def days(self, since: datetime) -> list[DayCount]:
        """Return how many messages each line received on each UTC day from that of `since` on, where there were any.

        Ordered by line and day.
        """

    async def add_key(self, key: Key, secret_hash: bytes) -> None:
        """Keep a key; one with the same id is replaced."""

    async def find_key(self, secret_hash: bytes) -> Key | None:
        """Return the key with this hash, expired or not."""

    async def keys(self) -> list[Key]:
        """Return the keys, without sessions, oldest first."""

    async def change_key(self, key: Key) -> bool:
        """Put `key` in the place of the one with its id, whose secret stays; return False if there is none.

        Ends the sessions made from it, which have its former rights.
        """

    async def revoke_key(self, key_id: str) -> bool:
        """Remove a key and the sessions made from it; return False if there was none."""

    async def time(self, now: datetime) -> datetime:
        """Return the time that leases and jobs are kept by, one for all instances: the database's; `now` if none.

        It is no later than that of a call that begins when this one has ended.
        """

    async def clock_set(self, step: timedelta, now: datetime) -> None:
        """Heed that the clock of this machine was set forward by `step`, and shows `now`; back if that is negative.

        What earlier texts tell of the clocks of SMSCs is forgotten. If leases are kept by this clock they move with it,
        and the rests, the queues and the memos: what is left of each stays as it is. With no step at all, at a start,
        what seems to have begun in the future began now at the latest.
        """

    async def claim(self, wishes: Sequence[Wish], now: datetime, keep_until: datetime) -> list[Claim]:
        """Lease for each wish as many of its lines as are wanted, if so many are free for it; else none.

        Atomic among all instances, and one transaction for all that are asked for together. Free is a line whose newest
        lease has rested, and that nobody in front in the queue could take (leasing.share_out). A wish that is not
        granted stands in the queue until `keep_until`, in the order of the first asking, and of `wishes`; not at all if
        that is not after `now`. A ticket that has unexpired leases gets those again: its answer was lost.
        """

    async def withdraw(self, key: str, ticket: str) -> None:
        """Leave the queue."""

    async def lease(self, lease_id: str) -> Lease | None:
        """Return a lease, also one that has ended."""

    async def leases_by_id(self, ids: Collection[str]) -> dict[str, Lease]:
        """Return those of these leases that there are, by id, also those that have ended; all of them by one query."""

    async def recent_leases(self, limit: int) -> list[Lease]:
        """Return the leases that were given last, the newest first, whether they have ended or not."""

    async def leases(self, now: datetime) -> list[Lease]:
        """Return the leases of the lines that are leased or rest, ordered by line."""

    async def leases_of(self, key: str, ticket: str, now: datetime) -> list[Lease]:
        """Return the leases that a ticket got and that have not ended by `now`, in the order of their numbers."""

    async def change_lease(self, before: Lease, after: Lease, now: datetime) -> bool:
        """Put `after` in the place of `before`, which has its id.

        Returns False if the lease has ended by `now`, or ends at another time than `before`: it was changed meanwhile.
        """

    async def add_reads(self, reads: Sequence[Read]) -> None:
        """Keep who was given which message, of those that are there; of one key's reads of a message the first stays.

        A read may be put down after its message was deleted: it is passed over, or nothing would ever delete it.
        """

    async def reads(self, message_id: str) -> list[Read]:
        """Return who was given a message, the first first. Deleting the message deletes them."""

    async def open_sink(self, sink: str) -> int:
        """Return the cursor of a sink, a position up to which its messages are jobs; a new one begins at the newest."""

    async def advance(self, sink: str, before: int, after: int, jobs: Sequence[Job]) -> bool:
        """Move a sink's cursor from one position to another and keep the jobs of the messages in between, all or none.

        Returns False, and has done nothing, if the cursor is not at `before`: another instance was first.
        """

    async def take_jobs(self, sink: str, owner: str, limit: int, *, now: datetime, until: datetime) -> list[Job]:
        """Claim up to `limit` open jobs that are due by `now`, those first that have been due for longest.

        Atomic among all instances. Nobody else can take them until the claim expires at `until`: so those of a worker
        that died are found. Returned by position.
        """

    async def settle(self, job: Job, owner: str) -> bool:
        """Put `job`, after an attempt (jobs.settled), in the place of the one that `owner` has claimed.

        Returns False if that is not the case any more: it was settled, or its claim expired and another one took it.
        """

    async def jobs(self, sink: str, state: State, limit: int) -> list[Job]:
        """Return up to `limit` jobs of a sink in one state, the newest position first: DEAD ones are dead letters."""

    async def job(self, sink: str, position: int) -> Job | None:
        """Return one job, whatever its state."""

    async def sinks(self) -> list[SinkUse]:
        """Return every sink that was ever opened, by name."""

    async def add_source(self, source: AddedSource) -> bool:
        """Keep a source; return False, and do nothing, if there is one of its name."""

    async def change_source(self, before: AddedSource, after: AddedSource) -> bool:
        """Put `after` in the place of `before`, which has its name; return False if that is not there any more."""

    async def remove_source(self, name: str) -> bool:
        """Remove a source; return False if there was none."""

    async def added_sources(self) -> list[AddedSource]:
        """Return the sources that were added, by name."""

    async def memo(self, name: str, now: datetime) -> Memo | None:
        """Return what is kept under a name; None if nothing is, or not any more by `now`."""

    async def change_memo(self, name: str, before: Memo | None, after: Memo, now: datetime) -> bool:
        """Put `after` in the place of `before`, None for nothing that is there by `now` (compare and set).

        Atomic among all instances. Returns False, and has done nothing, if something else is there. If `after` is there
        already it is a repeat, and True (idempotent): so let no two changes have the same content.
        Memos are in no export: they are over in minutes, or say what can be asked for anew.
        """

    async def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` whenever another instance may have committed messages, until cancelled.

        Calls it once after each time that the connection was lost, and never raises over one.
        """

    @property
    def hears_late(self) -> str | None:
        """Why `listen` only looks on a timer for what other instances commit, as a sentence; None if it is told."""

    def dump(self) -> AsyncGenerator[Record, None]:
        """Yield everything that is kept: first the position, then records by kind, in an order that all stores share.

        All is of one moment, that of the first record, whatever is added or deleted meanwhile. Costs the database the
        history since then: for as long as it takes to read to the end, or until the generator is closed.
        In the order of records.ORDER: messages by position, parts by group and id, everything else by its id (a read
        by message and key, a job by sink and position; leases in the order in which they were given, since a line's
        last one counts). The same content gives the same records. A claim is none: a job that is under way is open, and
        may be done here and where it is loaded.
        """

    async def load(self, records: Sequence[Record]) -> None:
        """Keep records that `dump` yielded, in its order, in batches as large as they come. For an empty store.

        Raises BadRequest if one is there already, or cannot be kept: then nothing of its batch is kept.
        """

    async def close(self) -> None:
        """Let go of the database. Nothing may be called afterwards."""


def group_of(part: Part) -> str:
    """Return what parts of one message have in common, as a text (3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8)."""
    # Of PDUs as before other sources had parts: some may wait in the store for others.
    source = () if part.source == "pdu" else (part.source,)
    return msgspec.json.encode([part.line, part.sender, part.reference, part.wide, part.total, *source]).decode()


def is_repeat(part: Part, parts: Sequence[Part]) -> bool:
    """Return whether the network has sent this very part before."""
    return any(other.content == part.content for other in parts)


def belongs_to(part: Part, parts: Sequence[Part]) -> bool:
    """Return whether `part` fills a gap among `parts`, which share its group and may be of an earlier message."""
    times = [other.sent_at or other.received_at for other in parts]
    time = part.sent_at or part.received_at
    types = {other.sender_type for other in parts if other.sender_type is not None}
    is_of_another = part.sender_type is not None and bool(types - {part.sender_type})
    is_near = all(abs(time - other) <= MAX_PART_SPREAD for other in times)
    return is_near and not is_of_another and all(other.number != part.number for other in parts)


def revise(message: Message, old: Message) -> Message:
    """Return `message`, in which parts have come that `old` lacked, with what stays as it was when first shown."""
    late = (LATE,) if LATE in old.marks else ()
    return msgspec.structs.replace(
        message,
        id=old.id,
        lease=old.lease,
        marks=message.marks + late,
        revision=old.revision + 1,
        first_cursor=old.first_cursor or old.cursor,
    )
