"""What every store decides alike about leases: whose a message is, and which line a wish may have. Pure functions."""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from smscatch.messages import ASIDE, LATE, MAX_LINES_LEASED, NOBODY, POSSIBLE_DUPLICATE, SMSD, Lease, Message, Query
from smscatch.stores.base import Claim, Delivery, Ticket, Wish

# Nodes of an SMSC, and servers of ours, that tell the same time are this close to each other.
SKEW = timedelta(seconds=2)
# An SMSC tells the time without fractions of a second (3GPP TS 23.040, 9.2.3.11).
CUT_OFF = timedelta(seconds=1)
# An SMSC's clock is known from the newest texts of a sender, up to so many, if there are so many at least.
CLOCK_TEXTS = 20
MIN_CLOCK_TEXTS = 3
# Among so many of the newest messages, or one that comes seldom would be sought through all that its line received.
CLOCK_REACH = 10_000


class Arrival(NamedTuple):
    """When the first and the last part of a message arrived, by the time that leases are kept by; often the same."""

    first: datetime
    last: datetime

    @classmethod
    def of(cls, delivery: Delivery) -> "Arrival":
        """Return when a message of one part arrived."""
        arrived_at = delivery.arrived_at or delivery.message.received_at
        return cls(arrived_at, arrived_at)


def attribute(message: Message, newest: Lease | None, arrival: Arrival, earlier: Sequence[Message] = ()) -> Message:
    """Return `message` with the lease it belongs to, given the newest lease of its line; a late text is marked.

    `earlier` are messages that tell the clock of its SMSC, those that `clock_query` asks for.

    What waited in another server's spool when the lease began is late, however short the line rested. Of a text that
    came before the lease was given, `arrival` is no later than it came (Inbox.receive): so it is before `started_at`,
    which is the time when the lease was given or later (Leases). No clock of a server plays a part in that but for how
    long ago a text came, and Clock.age knows of each time that it was set.
    """
    if message.lease == NOBODY:
        return message
    if newest is None or arrival.last >= newest.rests_until or _is_second_copy(message) or ASIDE in message.marks:
        return message
    was_waiting = arrival.first < newest.started_at
    if was_waiting or _was_sent_before(message, newest, earlier) or arrival.last >= newest.expires_at:
        return msgspec.structs.replace(message, marks=(*message.marks, LATE))
    return msgspec.structs.replace(message, lease=newest.id)


def _is_second_copy(message: Message) -> bool:
    """Return whether a modem stored one SMS twice, or smsd read it twice: no lease is given its code a second time.

    Not so for what gammu-smsd may have read twice, minutes apart: there a lost code is worse than a doubled one.
    """
    return POSSIBLE_DUPLICATE in message.marks and message.reader in (None, SMSD)


def clock_query(message: Message, newest: Lease | None, arrival: Arrival) -> Query | None:
    """Return the query whose newest CLOCK_TEXTS `attribute` needs as `earlier`; None if it needs none.

    Of those behind the last time that a clock of ours was set: before, it told another lag of the SMSC's.
    """
    if message.sent_at is None or attribute(message, newest, arrival).lease is None:
        return None
    return Query(lines=(message.line,), sender=message.sender, as_sent=True)


def _was_sent_before(message: Message, lease: Lease, earlier: Sequence[Message]) -> bool:
    """Return whether the SMSC accepted `message` before the lease began, although its clock may differ from ours.

    By more than the tolerance it does not. By how much, earlier texts tell: each came after it was accepted, so its
    lag, from `sent_at` to `received_at`, is at least what that clock is behind ours (a negative time if it is ahead).
    So whichever lag is taken, `message` was accepted before `sent_at` + CUT_OFF + lag by our clock. If the lease began
    later than that, by more than SKEW, for nodes of an SMSC and servers of ours that differ, `message` is late; what
    was accepted after the lease began never is. (The lag of a long text, from its first part to its last, is longer.)

    With a rest of 5 s nothing escapes that was accepted while the lease before lasted, provided that of the earlier
    texts two took less than 2 s, with the fraction that was cut off: CUT_OFF + SKEW + 2 s are the rest.
    """
    if message.sent_at is None:
        return False
    if message.sent_at < lease.late_before:
        return True
    lag = _lag(earlier, lease.started_at - lease.late_before)
    return lag is not None and lease.started_at - message.sent_at > CUT_OFF + lag + SKEW


def _lag(earlier: Sequence[Message], tolerance: timedelta) -> timedelta | None:
    """Return the second shortest lag of these messages; None if too few have one.

    The shortest may be of a text that came while one of the clocks was wrong. If two came then, texts may be taken for
    late that are not, until CLOCK_TEXTS - 1 others have come. A clock that is ahead by more than the tolerance is not
    believed, as one that is so much behind is not.
    """
    lags = [other.received_at - other.sent_at for other in earlier if other.sent_at is not None]
    lags = sorted(lag for lag in lags if lag >= -tolerance)
    return lags[1] if len(lags) >= MIN_CLOCK_TEXTS else None


def decide(
    asked: Collection[Ticket], queue: Mapping[int, Wish], newest: Mapping[str, Lease], now: datetime, *, position: int
) -> dict[Ticket, Claim]:
    """Return what becomes of those in a queue who ask now. It is in its order, up to the last of them at least.

    `newest` has the newest lease of each line that any of these wishes for; leases begin at `position`.
    """
    shares = dict(zip(queue, share_out(queue.values(), newest, now), strict=True))
    given = {
        number: make_leases(queue[number], lines, position, now)
        for number, lines in shares.items()
        if lines and queue[number].name in asked
    }
    leased = {**newest, **{lease.line: lease for leases in given.values() for lease in leases}}
    claims, ahead = dict[Ticket, Claim](), 0
    for number, wish in queue.items():
        if number in given:
            claims[wish.name] = Claim(given[number], number=number)
            continue
        if wish.name in asked:
            claims[wish.name] = Claim((), ahead, in_the_way(wish, leased, now), number)
        ahead += 1
    return claims


def share_out(queue: Iterable[Wish], newest: Mapping[str, Lease], now: datetime) -> list[tuple[str, ...]]:
    """Return for each in a queue the lines of its pool that it may have now, as many as it wants, or none.

    What those in front could take is kept for them, also as long as it is not enough for them: of free lines the first
    in the queue keeps whatever it can use, and nobody takes it away, so each lease that ends brings it nearer to what
    it wants, however many behind it want less. When it has its lines, the next one is the first. And nobody who waits
    keeps others from a line for ever: lines are taken all at once, and who holds some does not wait for more.

    Of several lines those that have rested longest are taken.
    """
    taken = {line for line, lease in newest.items() if lease.rests_until > now}
    shares: list[tuple[str, ...]] = []
    for wish in queue:
        free = [line for line in wish.lines if line not in taken and not (wish.fresh and line in newest)]
        free.sort(key=lambda line: newest[line].rests_until.timestamp() if line in newest else 0)
        lines = tuple(free[: wish.size])
        shares.append(lines if len(lines) == wish.size else ())
        taken.update(lines)
    return shares


def in_the_way(wish: Wish, newest: Mapping[str, Lease], now: datetime) -> tuple[Lease, ...]:
    """Return the leases of lines wished for that last, or after which the line rests."""
    return tuple(newest[line] for line in wish.lines if line in newest and newest[line].rests_until > now)


def make_leases(wish: Wish, lines: Sequence[str], position: int, now: datetime) -> tuple[Lease, ...]:
    """Return leases of these lines that begin now."""
    id_ = secrets.token_hex(8)
    if wish.count is None:
        return tuple(_make_lease(id_, line, wish, position, now=now) for line in lines)
    leases = [_make_lease(f"{id_}.{number}", line, wish, position, now=now) for number, line in enumerate(lines, 1)]
    return tuple(msgspec.structs.replace(lease, group=id_) for lease in leases)


def _make_lease(id_: str, line: str, wish: Wish, position: int, *, now: datetime) -> Lease:
    return Lease(
        id=id_,
        line=line,
        holder=wish.holder,
        key=wish.key,
        cursor=str(position),
        started_at=now,
        expires_at=now + wish.ttl,
        rests_until=now + wish.ttl + wish.rest,
        late_before=now - wish.tolerance,
    )


def moved(lease: Lease, step: timedelta, now: datetime) -> Lease:
    """Return a lease whose times moved with a clock that was set by `step`, and then back until it began by `now`."""
    began_at = (lease.released_at or lease.started_at) + step
    step -= max(began_at - now, timedelta(0))
    return msgspec.structs.replace(
        lease,
        started_at=lease.started_at + step,
        expires_at=lease.expires_at + step,
        rests_until=lease.rests_until + step,
        late_before=lease.late_before + step,
        released_at=lease.released_at and lease.released_at + step,
    )


def in_order(leases: Iterable[Lease]) -> list[Lease]:
    """Return the leases of a group in the order of their numbers."""
    return sorted(leases, key=lambda lease: int(lease.id.rpartition(".")[2] or 0) if lease.group else 0)


def ids_of_group(group_id: str) -> list[str]:
    """Return the ids that leases of a group may have."""
    return [f"{group_id}.{number}" for number in range(1, MAX_LINES_LEASED + 1)]
