"""Looking for words in texts and in the names around them: senders, holders of leases, labels of lines.

No request here. A store answers for each kind of name by an index of its own; the answers are put together here.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial

import msgspec

from smscatch.messages import Message, Query, Stored
from smscatch.numbers import fold_sender
from smscatch.stores import Store

# So many senders are read from the index, each by itself; if more have the part in common, it is frequent.
MOST_SENDERS = 50
# The names of so many leases are looked at, the newest ones. Older texts are still found by text, sender and line.
MOST_LEASES = 2000
BATCH = 100
MOST_LOOKED_AT = 20_000  # messages, for a page of those that went one way
# How a text went: from an application that was caught, from the network or a gateway, from a handset of ours back.
WAYS = CAUGHT, RECEIVED, REPLIES = "caught", "received", "replies"
CAUGHT_KIND, REPLY_KIND = "caught", "reply"  # the sources of the first and the last
SOURCES = {CAUGHT: b'"source":"caught"', REPLIES: b'"source":"reply"'}


class Search:
    """What is looked for: `query`, whose `contains` may also stand in a name. `labels` are those of the lines.

    `way` is one of WAYS, to leave out texts that went another one.
    """

    def __init__(self, store: Store, query: Query, labels: Mapping[str, str], way: str | None = None) -> None:
        self._store = store
        self.way = way
        self.query = query
        self._part = (query.contains or "").casefold()
        self._sender_part = fold_sender(query.contains or "")
        self._lines = {line for line, label in labels.items() if self._has(label)}

    def _has(self, name: str) -> bool:
        return self._part in name.casefold()

    async def newest(self, limit: int, *, before: int | None = None) -> list[Stored]:
        """Return up to `limit` matches in front of a position, newest first, as Store.newest does."""
        queries, found, looked_at = await self._queries(), list[Stored](), 0
        while looked_at < MOST_LOOKED_AT:
            page = await newest_of_any(self._store, queries, limit, before=before)
            found += [stored for stored in page if went(stored.json, self.way)]
            if len(found) >= limit or len(page) < limit:
                break
            before, looked_at = page[-1].position, looked_at + len(page)
        return found[:limit]

    async def after(self, position: int, limit: int) -> list[Stored]:
        """Return up to `limit` matches behind a position, oldest first, as Store.after does."""
        queries, found, looked_at = await self._queries(), list[Stored](), 0
        while looked_at < MOST_LOOKED_AT:
            after = partial(self._store.after, position=position, limit=limit)
            page = _merge(await asyncio.gather(*(after(query) for query in queries)), newest_first=False)[:limit]
            found += [stored for stored in page if went(stored.json, self.way)]
            if len(found) >= limit or len(page) < limit:
                break
            position, looked_at = page[-1].position, looked_at + len(page)
        return found[:limit]

    async def up_to(self, position: int) -> AsyncGenerator[list[Stored], None]:
        """Yield all matches up to a position, newest first, in batches; those yielded may be deleted meanwhile."""
        before = position + 1
        while found := await self.newest(BATCH, before=before):
            yield found
            before = found[-1].position

    async def matches(self, message: Message) -> bool:
        """Return whether a message that came just now is meant; its lease may be newer than this search."""
        query = msgspec.structs.replace(self.query, contains=None)
        if not query.matches(message) or self.way not in (None, _way_of(message)):
            return False
        if message.line in self._lines or self._has(message.text):
            return True
        if self._sender_part and self._sender_part in fold_sender(message.sender):
            return True
        lease = None if message.lease is None else await self._store.lease(message.lease)
        return lease is not None and self._has(lease.holder)

    async def _queries(self) -> list[Query]:
        """Return the questions to ask the store, of which each has an index."""
        query = self.query
        if query.contains is None:
            return [query]
        wide = partial(msgspec.structs.replace, query, contains=None)
        lines = tuple(sorted(self._lines if query.lines is None else self._lines & {*query.lines}))
        senders, leases = await asyncio.gather(
            self._store.senders(self._sender_part, MOST_SENDERS + 1), self._store.recent_leases(MOST_LEASES)
        )
        named = tuple(lease.id for lease in leases if self._has(lease.holder))
        return [
            query,
            *([wide(lines=lines)] if lines else []),
            *([wide(leases=named)] if named else []),
            *self._by_sender(senders),
        ]

    def _by_sender(self, senders: Sequence[str]) -> list[Query]:
        if not senders or not self._sender_part:
            return []
        wide = partial(msgspec.structs.replace, self.query, contains=None)
        if self.query.sender is not None or len(senders) > MOST_SENDERS:
            return [wide(sender_part=self._sender_part)]
        return [wide(sender=sender, as_sent=True) for sender in senders]


def went(json: bytes, way: str | None) -> bool:
    """Return whether a message, in JSON, went a way; the quotes of a text are escaped in there."""
    sources = {way: source in json for way, source in SOURCES.items()}
    return way is None or (sources[way] if way in sources else not any(sources.values()))


def _way_of(message: Message) -> str:
    return {CAUGHT_KIND: CAUGHT, REPLY_KIND: REPLIES}.get(message.source, RECEIVED)


async def newest_of_any(
    store: Store, queries: Sequence[Query], limit: int, *, before: int | None = None
) -> list[Stored]:
    """Return up to `limit` messages that one of the queries asks for, in front of a position, newest first."""
    parts = await asyncio.gather(*(store.newest(query, limit, before=before) for query in queries))
    return _merge(parts, newest_first=True)[:limit]


def _merge(parts: list[list[Stored]], *, newest_first: bool) -> list[Stored]:
    """Return the messages of all parts, each once, in the order of their positions."""
    found = {stored.position: stored for part in parts for stored in part}
    return [found[position] for position in sorted(found, reverse=newest_first)]
