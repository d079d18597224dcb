"""Which message may be one that came before, read or delivered a second time: it is kept, and marked.

What is certainly a repeat has the same id, and the store passes over it. No store is written here.
"""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from smscatch.messages import POSSIBLE_DUPLICATE, SMSD, Message, Query
from smscatch.stores import Store

# How far apart gammu-smsd may read one SMS twice when it is killed and started again between reading and deleting.
READ_AGAIN_AGE = timedelta(minutes=15)
# The same of smsd: the SMSC's time has to be equal too, so it may have been off for days in between.
READ_AGAIN_BY_SMSD_AGE = timedelta(days=7)
# Within which some modems store one SMS in two slots. It has the same SMSC's time then, which has no fractions.
STORED_TWICE_AGE = timedelta(seconds=1)
PAGE = 200
_KEPT = 1000

_Key = tuple[str, str, str, datetime]


class Twins:
    """Marks what may be a repeat of what `store` has; remembers the last messages that came in here."""

    def __init__(self) -> None:
        self._last: OrderedDict[_Key, tuple[datetime, str]] = OrderedDict()
        self._lines: set[str] = set()

    async def mark(self, message: Message, earlier: Iterable[Message], store: Store) -> Message:
        """Return a message, marked if it may be one SMS with another in the store or among `earlier`.

        gammu-smsd 1.42 says nothing that would tell two texts from one read twice, so both are kept; what smsd reads
        again has other files; and a modem that stores a text twice gives two with all their bytes the same. Raises
        StoreUnavailable.
        """
        if message.reader == SMSD:
            is_twin = message.sent_at is not None and await self._was_in_a_file_before(message, earlier, store)
        elif message.reader is not None:
            is_twin = await self._was_read_before(message, earlier, store)
        elif message.source == "pdu" and message.text and message.sent_at is not None:
            is_twin = await self._was_stored_before(message, store)
        else:
            return message
        if not is_twin:
            return message
        return msgspec.structs.replace(message, marks=(*message.marks, POSSIBLE_DUPLICATE))

    async def _was_read_before(self, message: Message, earlier: Iterable[Message], store: Store) -> bool:
        """Return whether another run of the same modem's reader gave the same text."""
        others = await _equals(message, earlier, store, READ_AGAIN_AGE)
        return any(other.reader not in (None, message.reader) for other in others)

    async def _was_in_a_file_before(self, message: Message, earlier: Iterable[Message], store: Store) -> bool:
        """Return whether smsd gave the same text of the same second before: it had not emptied the slot, and died."""
        others = await _equals(message, earlier, store, READ_AGAIN_BY_SMSD_AGE)
        return any(other.reader == SMSD and other.sent_at == message.sent_at for other in others)

    async def _was_stored_before(self, message: Message, store: Store) -> bool:
        """Return whether the same text, of the same second by the SMSC, came from another slot just before."""
        if message.line not in self._lines:  # the first since the start: what came before it is in the store alone
            self._lines.add(message.line)
            for stored in await store.newest(_query(message, STORED_TWICE_AGE), PAGE):
                self._note(stored.message)
        last = self._last.get(_key(message))
        self._note(message)
        return last is not None and last[1] != message.id and abs(message.received_at - last[0]) <= STORED_TWICE_AGE

    def _note(self, message: Message) -> None:
        if message.sent_at is None:
            return
        self._last.setdefault(_key(message), (message.received_at, message.id))
        self._last.move_to_end(_key(message))
        if len(self._last) > _KEPT:
            self._last.popitem(last=False)


async def _equals(message: Message, earlier: Iterable[Message], store: Store, age: timedelta) -> list[Message]:
    """Return what has the same text from the same sender, of the newest that are so old at most."""
    query = _query(message, age)
    others = [stored.message for stored in await store.newest(query, PAGE)]
    others += [other for other in earlier if query.matches(other)]
    return [other for other in others if other.text == message.text and other.id != message.id]


def _query(message: Message, age: timedelta) -> Query:
    return Query(lines=(message.line,), sender=message.sender, as_sent=True, since=message.received_at - age)


def _key(message: Message) -> _Key:
    return message.line, message.sender, message.text, message.sent_at or message.received_at
