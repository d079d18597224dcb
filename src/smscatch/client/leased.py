"""A leased line: what is known of it without asking the server, and which of its messages were read. No I/O here."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypedDict, TypeVar, cast, overload

from smscatch.client.calls import MOST_SKIPPED, WaitFilters, wait
from smscatch.client.exchange import Conversation
from smscatch.client.leasing import path_of
from smscatch.client.matchers import Match, Unwanted, Want
from smscatch.messages import Lease, LeaseGroup, Message, Query


class LeaseFilters(TypedDict, total=False):
    """Which message of a lease is meant: from `sender`, whose text contains `contains`.

    `after` is a cursor, `mark()` say, a time or an age; `newest` and `quiet` are those of WaitFilters. What such a wait
    passed over because it came earlier than what it returned, no later wait is given.
    """

    sender: str | None
    contains: str | None
    after: str | None
    newest: bool
    quiet: float | None


class Leased:
    """A number that is ours alone until it is released, or its time is up."""

    def __init__(self, lease: Lease, after: str | None = None) -> None:
        self._lease = lease
        self._after = after or lease.cursor
        self._returned: dict[str, Message] = {}  # behind `_after`, by id; each is for one wait
        self._superseded: list[Callable[[Message], bool]] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.number} until {self.expires_at:%H:%M:%S} UTC>"

    def _waiting(self, want: Want, timeout: float, filters: LeaseFilters) -> Conversation[Match]:
        """Wait for a message that matches and that no wait has returned yet."""
        after = filters.get("after")
        given = cast("WaitFilters", {**filters, "after": self._after if after is None else after})
        path = f"{path_of(self._lease)}/next"
        return wait(path, self._unread(want, filters), timeout, given, returned=self._returned)

    def _unread(self, want: Want, filters: LeaseFilters) -> Want:
        """Want what `want` wants, but nothing that another wait, also one going on beside it, returned or outdated."""
        is_newest = filters.get("newest", False)
        is_alike = _likeness(want, filters)

        def take(message: Message) -> str:
            value = want(message)
            if any(is_older(message) for is_older in self._superseded):
                raise Unwanted(f"an earlier wait passed over the text from {message.sender!r} for a newer one")
            newer = [one for one in self._returned.values() if _arrival(one) > _arrival(message)]
            if is_newest and any(map(is_alike, newer)):
                raise Unwanted(f"an earlier wait returned a newer text than that from {message.sender!r}")
            if self._returned.setdefault(message.id, message) is not message:
                raise Unwanted(f"an earlier wait returned the text from {message.sender!r}")
            if is_newest or filters.get("after") is not None:
                self._superseded.append(lambda other: _arrival(other) < _arrival(message) and is_alike(other))
            self._forget_oldest()
            return value

        return take

    def _forget_oldest(self) -> None:
        while len(self._returned) > MOST_SKIPPED:
            oldest = min(self._returned.values(), key=lambda one: int(one.cursor))
            self._after = oldest.cursor
            del self._returned[oldest.id]

    @property
    def number(self) -> str:
        """The number, E.164."""
        return self._lease.line

    @property
    def label(self) -> str:
        """The label of the line."""
        return self._lease.label

    @property
    def id(self) -> str:
        """The lease's id; messages that belong to it carry it."""
        return self._lease.id

    @property
    def cursor(self) -> str:
        """Where the lease began."""
        return self._lease.cursor

    @property
    def expires_at(self) -> datetime:
        """When the lease ends by itself, UTC."""
        return self._lease.expires_at


P = TypeVar("P", bound=Leased)


class LeasedGroup(Sequence[P], Generic[P]):
    """Some numbers that are ours alone until they are released, or their time is up; they were leased at once."""

    def __init__(self, group: LeaseGroup, phones: Sequence[P]) -> None:
        self._group = group
        self._phones = tuple(phones)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {' '.join(self.numbers)} until {self.expires_at:%H:%M:%S} UTC>"

    def __len__(self) -> int:
        return len(self._phones)

    @overload
    def __getitem__(self, place: int) -> P: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[P, ...]: ...

    def __getitem__(self, place: int | slice) -> P | tuple[P, ...]:
        return self._phones[place]

    def _take(self, group: LeaseGroup) -> None:
        """Know that the leases of the group have changed."""
        self._group = group
        for phone, lease in zip(self._phones, group.leases, strict=True):
            phone._lease = lease

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers, E.164."""
        return tuple(phone.number for phone in self._phones)

    @property
    def id(self) -> str:
        """The id of the group."""
        return self._group.id

    @property
    def expires_at(self) -> datetime:
        """When the first lease ends by itself, UTC."""
        return self._group.expires_at


def _likeness(want: Want, filters: LeaseFilters) -> Callable[[Message], bool]:
    """Return what tells whether a wait might have returned a message, leaving aside when it came."""
    query = Query(sender=filters.get("sender") or None, contains=filters.get("contains") or None)

    def is_alike(message: Message) -> bool:
        try:
            want(message)
        except Unwanted:
            return False
        return query.matches(message)

    return is_alike


def _arrival(message: Message) -> int:
    """Return where a message first stood in the order of arrival."""
    return int(message.first_cursor or message.cursor)
