"""The front desk: what a key is given, for every way in (HTTP, and whatever comes beside it). No request here.

Whoever asks names lines, filters and cursors as a client does; what the key may see and do is decided here and in
rights.py, and each message that is given goes on the record of reads. Leases are in letting.py.
"""

from collections.abc import AsyncGenerator, Coroutine, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from smscatch.cursors import check_cursor, parse_after, parse_range
from smscatch.deletions import Deletions
from smscatch.errors import BadRequest, Forbidden, LeaseEnded, NoMessage, NoModem, NotFound, SmscatchError
from smscatch.inbox import PAGE, Inbox
from smscatch.keycache import KeyCache
from smscatch.leases import Leases
from smscatch.lines import OwnLines, describe
from smscatch.messages import NOBODY, Diagnosis, Line, Query, Stored, plain
from smscatch.modem.health import WORKING
from smscatch.numbers import sender_forms
from smscatch.reads import Reads
from smscatch.rights import ORIGINS, Rights
from smscatch.search import Search, newest_of_any
from smscatch.settings import Settings
from smscatch.sinks.calls import CallList, list_calls
from smscatch.sinks.report import SinkList, report_sinks
from smscatch.stores import Key
from smscatch.stores.records import Read
from smscatch.waits import OLDEST, Choice, any_came, next_message
from smscatch.weather import NewWeather, Weather, WeatherRule

MAX_CONTAINS = 500


class House(NamedTuple):
    """What all who are let in share: one of each, for all ways in."""

    settings: Settings
    inbox: Inbox
    leases: Leases
    lines: OwnLines
    reads: Reads
    deletions: Deletions
    remembered: KeyCache
    weather: Weather


class Wait(NamedTuple):
    """What is waited for: a match behind `after`, what a client gives as a cursor; which of several; for how long."""

    query: Query
    after: str | None
    timeout_seconds: float
    choice: Choice = OLDEST


class Listed(NamedTuple):
    """Messages, newest first; the position up to which was looked; where the next page begins, None on the last."""

    messages: list[Stored]
    position: int
    next: int | None = None


class Access(Rights):
    """What one key is given in a house, for one thing that needs one of the scopes `needed`."""

    def __init__(self, key: Key, secret_hash: bytes, needed: tuple[str, ...], house: House) -> None:
        super().__init__(key, secret_hash, needed, house.inbox)
        self.house = house

    async def query(self, lines: Iterable[str] = (), sender: str | None = None, contains: str | None = None) -> Query:
        """Return the filters that a client names, limited to the lines of the key.

        Raises UnknownLine, Forbidden for a line that the key must not see, and BadRequest.
        """
        if contains and len(contains) > MAX_CONTAINS:
            raise BadRequest(f"'contains' has {len(contains)} characters; at most {MAX_CONTAINS} are taken.")
        named = tuple(dict.fromkeys(self.house.settings.line_named(line) for line in lines if line))
        for line in named:
            await self.check_known(line)
        query = Query(lines=named or self.key.lines, sender=sender or None, contains=contains or None)
        if query.sender is None or len(sender_forms(query.sender)) == 1:
            return query
        # The sender who is written just as it was typed, if there is one, and no other.
        literal = Query(lines=query.lines, sender=query.sender, as_sent=True)
        return msgspec.structs.replace(query, as_sent=bool(await self.house.inbox.store.newest(literal, 1)))

    async def check_known(self, line: str) -> None:
        """Raise Forbidden if the key must not see a line, UnknownLine if there is none."""
        self.check_line(line)
        await self.house.lines.check_known(line)

    async def start(self, query: Query, after: str | None) -> tuple[Query, int]:
        """Return from where a wait reads: the query, perhaps limited to a time, and a position. None means now.

        Raises BadCursor, and LostCursor.
        """
        inbox = self.house.inbox
        if not after:
            return query, await inbox.position()
        start = parse_after(after, inbox.now())
        if isinstance(start, datetime):
            return msgspec.structs.replace(query, since=start), 0
        check_cursor(start, await inbox.newest_position(), after)
        return query, start

    def note(self, messages: Iterable[Stored]) -> None:
        """Put on the record of reads that the key is given these messages."""
        self.house.reads.note(self.key, messages)

    async def page(self, query: Query, limit: int, after: str | None = None, before: str | None = None) -> Listed:
        """Return the newest matches between two cursors, up to `limit`, or fewer if they are long: Inbox.newest."""
        inbox = self.house.inbox
        position = await inbox.position()  # first: what is committed after it is for the answer after this one
        query, bounds = parse_range(query, after, before, position=position, now=inbox.now())
        high = position + 1 if bounds.before is None else min(bounds.before, position + 1)
        shown, has_more = await inbox.newest(query, limit, before=high, after=bounds.after)
        self.note(shown)
        return Listed(shown, position, shown[-1].position if has_more else None)

    async def newest(self, query: Query, limit: int) -> list[Stored]:
        """Return the newest matches, up to `limit`, or fewer if they are long: MAX_HELD_BYTES, or the one with more."""
        newest = await self.house.inbox.latest(query, limit)
        self.note(newest)
        return newest

    async def any_of(self, queries: Sequence[Query], skip: int, limit: int) -> AsyncGenerator[Stored, None]:
        """Yield what one of the queries asks for, newest first: `limit` messages at most, behind the first `skip`.

        What came to nobody's phone is none of them: replies, and what the weather keeps from arriving.
        """
        inbox = self.house.inbox
        before, left = await inbox.position() + 1, skip + limit
        while left:
            size = min(PAGE, left)
            page = await newest_of_any(inbox.store, queries, size, before=before)
            for stored in page:
                if stored.message.lease == NOBODY:
                    continue
                left -= 1
                if left < limit:
                    self.note([stored])
                    yield stored
            if len(page) < size:
                return
            before = page[-1].position

    async def wait_for_any(self, queries: Sequence[Query], after: int, seconds: float) -> None:
        """Return when a message behind a position is there that one of the queries asks for, or the time is up.

        Raises as `check_still` does: the lines of the queries are those that the key may see.
        """
        await self.guard(any_came(self.house.inbox, queries, after, seconds), self.key.lines)

    async def find(self, name: str, query: Query) -> Stored:
        """Return the message with an id, or the newest match for `latest`.

        Raises NotFound, also for one that is no match, so for one that the key must not see.
        """
        store = self.house.inbox.store
        found = next(iter(await store.newest(query, 1)), None) if name == "latest" else await store.get(name)
        if found is None or not query.matches(found.message):
            raise NotFound(
                f"There is no message {name!r}: no such id, deleted, older than the retention, or not for this key."
            )
        return found

    def search(self, query: Query, way: str | None = None) -> Search:
        """Return a search for texts, and for names around them, among the messages that `query` lets through.

        `way` as Search has it.
        """
        labels = {number: line.label for number, line in self.house.settings.lines.items()}
        return Search(self.house.inbox.store, query, labels, way)

    def check_all_lines(self, what: str) -> None:
        """Raise Forbidden for a key that does not see all lines; `what` it may not see then."""
        if self.key.lines is not None:
            raise Forbidden(f"This key is limited to some lines, so it may not see the {what}.")

    async def sinks(self) -> SinkList:
        """Return how far each sink is. Raises Forbidden for a key that does not see all lines."""
        self.check_all_lines("sinks")
        return await report_sinks(self.house.inbox.store, self.house.settings.sinks)

    async def reads(self, message_id: str) -> list[Read] | None:
        """Return who was given a message; None if the key may not see that."""
        return await self.house.inbox.store.reads(message_id) if self.may(ORIGINS) else None

    async def calls(self, stored: Stored) -> CallList:
        """Return what an application was told of a message and of the replies to it, and what became of that."""
        return await list_calls(self.house.inbox.store, stored)

    async def weather(self) -> list[WeatherRule]:
        """Return the rules of the weather; a key that is limited to lines is told those for one of them alone."""
        rules = await self.house.weather.rules()
        return [rule for rule in rules if self.key.lines is None or rule.line in self.key.lines]

    async def add_weather(self, new: NewWeather) -> WeatherRule:
        """Make a rule. Raises Forbidden if the key is limited to lines, and the rule is for others too."""
        if self.key.lines is not None:
            line = self.house.settings.line_named(new.line)
            self.check_line(line, doing="make weather for")
            new = msgspec.structs.replace(new, line=line)
        return await self.house.weather.add(new)

    async def remove_weather(self, rule_id: str) -> None:
        """Remove a rule that was made. Raises NotFound, also for one that the key is not told."""
        known = {rule.id for rule in await self.weather()}
        await self.house.weather.remove(rule_id if rule_id in known else "")

    async def raw(self, message_id: str) -> bytes | None:
        """Return the delivery that a message came in; None if the key may not see that, or if it was deleted."""
        return await self.house.inbox.store.raw(message_id) if self.may(ORIGINS) else None

    async def delete(self, stored: Stored) -> None:
        """Delete a message, also from the pages that show it."""
        await self.house.inbox.store.delete(stored.message.id)
        self.house.deletions.tell(stored.message.id, stored.message.line)

    async def delete_lines(self, lines: Sequence[str]) -> None:
        """Delete all messages of these lines."""
        await self.house.inbox.store.delete_lines(lines)
        self.house.deletions.tell_many()

    async def delete_found(self, query: Query, up_to: int, way: str | None = None) -> int:
        """Delete what a search finds up to a position, for as long as the key may; return how many."""
        deleted = 0
        try:
            async for batch in self.search(query, way).up_to(up_to):
                await self.check_still(query.lines)
                for stored in batch:
                    deleted += await self.house.inbox.store.delete(stored.message.id)
        finally:
            if deleted:
                self.house.deletions.tell_many()
        return deleted

    async def wait(self, asked: Wait) -> Stored:
        """Return a match that belongs to no lease, waiting for it: see waits.next_message."""
        query, position = await self.start(msgspec.structs.replace(asked.query, lease=""), asked.after)
        wait = next_message(self.house.inbox, query, position, asked.timeout_seconds, choice=asked.choice)
        return await self.given(wait, query.lines)

    async def given(self, wait: Coroutine[Any, Any, Stored], lines: Sequence[str] | None) -> Stored:
        """Return what a wait brings, for as long as the key may have it: a message on these lines, None for all.

        What it raises says how their modems are, if nothing came.
        """
        try:
            stored = await self.guard(wait, lines)
        except (NoMessage, LeaseEnded) as error:
            raise self._with_modems(error, lines) from None
        self.note([stored])
        return stored

    def _with_modems(self, error: SmscatchError, lines: Sequence[str] | None) -> SmscatchError:
        """Return the error with how the modems of these lines are, and the carriers'."""
        modems, now = self.house.lines.modems(lines), self.house.inbox.now()
        told = [describe(health, now) for health in modems.values()]
        states = "; ".join([*told, *self.house.lines.carriers(lines)])
        reason = "; ".join(filter(None, (error.details.get("reason"), states)))
        details = error.details | {"reason": reason, "modems": plain(list(modems.values()))}
        return type(error)(f"{str(error).removesuffix('.')}; {states}." if states else str(error), **details)

    async def lines(self) -> list[Line]:
        """Return the lines that the key may see, ordered by number."""
        return [line for line in await self.house.lines.all() if self.sees(line.number)]

    async def complaints(self) -> list[Diagnosis] | None:
        """Return what is wrong with the lines that the key may see; None if none is configured."""
        if not self.house.settings.lines:
            return None
        return [each for line in await self.lines() for each in line.checks if each.verdict == "wrong"]

    async def modem_states(self) -> dict[str, str] | None:
        """Return the states of the modems by line, of those lines that the key may see; None if there is no modem.

        Raises NoModem if none works and every line has one. A line whose modem is not known is read by gammu-smsd or
        another machine, or gets its texts over HTTP: it may well work. So may a source, a carrier, smstools3.
        """
        modems = self.house.lines.modems()
        seen = [health for line, health in modems.items() if self.sees(line)]
        states = {health.line: health.state for health in seen}
        if not modems:
            return None
        settings = self.house.settings
        lines = {*settings.lines, *await self.house.lines.used()}
        has_others = bool(settings.sources or settings.smpp or settings.smstools)
        may_work = has_others or any(health.state in WORKING for health in modems.values())
        if not may_work and lines <= {*modems} and not await self.house.inbox.store.added_sources():
            now = self.house.inbox.now()
            how = "; ".join(describe(health, now) for health in seen) or "none of this key's lines has one"
            raise NoModem(f"No modem works: {how}. `smscatch lines` shows them.", modems=states)
        return states
