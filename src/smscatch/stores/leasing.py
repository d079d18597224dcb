"""What every store decides alike about leases: whose a message is, and which line a wish may have. Pure functions."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from smscatch.messages import LATE, Lease, Message
from smscatch.stores.base import Wish

# Clocks of servers that agree are this close. Shorter than a rest, within which texts of the test before still come.
SKEW = timedelta(seconds=2)


def attribute(message: Message, newest: Lease | None, began_at: datetime) -> Message:
    """Return `message` with the lease it belongs to, given the newest lease of its line, or marked as late.

    `began_at` is when its first part was received.
    """
    if newest is None or message.received_at >= newest.rests_until:
        return message
    # What waited in another server's spool when the lease began came before it, whenever it is stored.
    was_waiting = began_at < newest.started_at - SKEW
    is_early = was_waiting or (message.sent_at is not None and message.sent_at < newest.late_before)
    if is_early or message.received_at >= newest.expires_at:
        return msgspec.structs.replace(message, marks=(*message.marks, LATE))
    return msgspec.structs.replace(message, lease=newest.id)


def choose(wish: Wish, ahead: Sequence[Wish], newest: Mapping[str, Lease], now: datetime) -> str | None:
    """Return the line that `wish` may have now, if any; `ahead` stand in front of it, the first first.

    What one of them could take is kept for them. Of several lines the one that has rested longest is taken.
    """
    taken = {line for line, lease in newest.items() if lease.rests_until > now}
    for other in (*ahead, wish):
        free = [line for line in other.lines if line not in taken]
        line = min(free, key=lambda line: newest[line].rests_until.timestamp() if line in newest else 0, default=None)
        if other is wish:
            return line
        if line is not None:
            taken.add(line)
    return None


def make_lease(wish: Wish, line: str, position: int, now: datetime) -> Lease:
    """Return a lease that begins now."""
    return Lease(
        id=secrets.token_hex(8),
        line=line,
        holder=wish.holder,
        key=wish.key,
        cursor=str(position),
        started_at=now,
        expires_at=now + wish.ttl,
        rests_until=now + wish.ttl + wish.rest,
        late_before=now - wish.tolerance,
    )
