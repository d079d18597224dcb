"""The desk behind every send API: a text is kept for the line it was sent to, and found again by who sent it.

What a provider calls things is not known here, and no request.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from smscatch.access import Access
from smscatch.arriving import LateArrivals
from smscatch.committing import Committer
from smscatch.errors import BadDelivery, NotFound, OptedOut, SmscatchError, StoreUnavailable, TooManyTries
from smscatch.inbox import MAX_HELD_BYTES
from smscatch.intake import parse_entry
from smscatch.keys import ADMIN, READ
from smscatch.messages import ASIDE, DELAYED, DOUBLED, DROPPED, REPEAT, UNDELIVERED, Message, Query, Stored
from smscatch.optouts import is_opted_out
from smscatch.sinks.callbacks import Callbacks
from smscatch.sources.base import name_delivery
from smscatch.sources.caught import KIND, CaughtPart, CaughtText, parse_caught, write_caught
from smscatch.spool import Entry, new_name
from smscatch.verifying import Verifications
from smscatch.weather import WeatherRule, find_rule
from smscatch.webhooks import Keywords, find_form

PAGE = 200
PATIENCE_SECONDS = 1.0  # for the store to say whether a text is wanted
REORDER_SECONDS = 10.0  # a text that is to arrive behind the next one waits so long for that
MOST_LOOKED_AT = 2000  # messages, for a list of what was sent


# Gives, while a text is being kept, whether it is a repeat (repeats.py).
Noting = Callable[[CaughtText], AbstractContextManager[bool]]


def note_nothing(_: CaughtText) -> AbstractContextManager[bool]:
    """Give that a text is no repeat."""
    return contextlib.nullcontext(False)


class Outgoing(NamedTuple):
    """A text that an application sends: the number it is for, in E.164, who it is from, and what it says.

    `given` is the application's own id for it, which makes a repeat known as one. `facts` and `part` as CaughtText has
    them.
    """

    to: str
    sender: str
    text: str
    marks: Sequence[str] = ()
    given: str | None = None
    facts: Mapping[str, Any] = {}
    part: CaughtPart | None = None


class SentText(NamedTuple):
    """A text that was caught: as it was sent, and as the store has it."""

    sent: CaughtText
    stored: Stored

    @property
    def message(self) -> Message:
        """The message."""
        return self.stored.message


class KeptText(NamedTuple):
    """A text as the store has it, and as it was sent, if that was through the API that asks."""

    sent: CaughtText | None
    stored: Stored
    is_own: bool

    @property
    def message(self) -> Message:
        """The message."""
        return self.stored.message


class Sent(NamedTuple):
    """A text of several that are sent at once, with what kept it from being kept; `is_plain`: no weather met it.

    `is_lost`: it never arrives, and nobody is told.
    """

    text: CaughtText
    trouble: SmscatchError | None = None
    is_plain: bool = False
    is_lost: bool = False


class Desk:
    """Keeps what one key sends through one provider's API, and finds it again. `secret` is that of the key."""

    def __init__(  # noqa: PLR0913 - what a server runs beside it
        self,
        provider: str,
        access: Access,
        secret: str,
        *,
        committer: Committer,
        callbacks: Callbacks,
        noting: Noting = note_nothing,
        late: LateArrivals | None = None,
    ) -> None:
        """`late` brings what the weather holds back; without it there is no weather."""
        self._late = late
        self._rules: list[WeatherRule] | None = None
        self._provider = provider
        self._access = access
        self._committer = committer
        self._callbacks = callbacks
        self._noting = noting
        self.secret = secret

    @property
    def verifications(self) -> Verifications:
        """What the key verifies through this provider."""
        house = self._access.house
        return Verifications(house.inbox, house.settings, self._access.owner, self._provider)

    def now(self) -> datetime:
        """Return the time."""
        return self._access.house.inbox.now()

    def line_of(self, to: str) -> str:
        """Return the line of a number that a text is for. Raises Forbidden for a line of others."""
        line = self._access.house.settings.line_named(to)
        self._access.check_line(line, doing="send to")
        return line

    def prepare(self, outgoing: Outgoing) -> CaughtText:
        """Return a text that is not kept yet, but has its id already. Raises Forbidden for a line of others."""
        settings = self._access.house.settings
        line = self.line_of(outgoing.to)
        name = new_name()
        if outgoing.given is not None:
            name = name_delivery(f"key {self._access.owner}", line, outgoing.given)
        is_aside = line in settings.lines and not settings.virtual_real
        return CaughtText(
            name=name,
            provider=self._provider,
            owner=self._access.owner,
            line=line,
            sender=outgoing.sender,
            text=outgoing.text,
            received_at=self.now(),
            marks=(*outgoing.marks, *((ASIDE,) if is_aside else ())),
            facts=dict(outgoing.facts),
            part=outgoing.part,
        )

    async def clear(self, text: CaughtText) -> CaughtText:
        """Return a text that may be sent, with the code of the provider if it is not delivered.

        Raises OptedOut if the handset wants no texts from this sender; TooManyTries if the weather refuses it. A store
        that is away tells nothing: then the text is taken.
        """
        foreseen, form = await self.foresee(text), find_form(self._provider)
        if form is not None and await self._is_unwanted(text, form.keywords):
            raise OptedOut(f"{text.line} replied that it wants no texts from {text.sender}.")
        return foreseen

    async def foresee(self, text: CaughtText) -> CaughtText:
        """Return a text with the code of the provider if the weather will keep it from arriving.

        Raises TooManyTries if the weather refuses it.
        """
        rule = await self._rule_for(text)
        return text if rule is None else msgspec.structs.replace(text, undelivered=rule.undelivered)

    async def _is_unwanted(self, text: CaughtText, keywords: Keywords) -> bool:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await is_opted_out(self._access.house.inbox.store, text.line, text.sender, keywords)
        except (StoreUnavailable, TimeoutError):
            return False

    async def _rule_for(self, text: CaughtText) -> WeatherRule | None:
        """Return the weather for a text. Raises TooManyTries if that refuses it."""
        if self._late is None:
            return None
        if self._rules is None:
            self._rules = await self._access.house.weather.rules_now()
        rule = find_rule(self._rules, line=text.line, sender=text.sender, provider=self._provider)
        if rule is not None and rule.throttle:
            raise TooManyTries(f"The weather ({rule.id}) refuses texts to {text.line} at present.")
        return rule

    async def keep(self, text: CaughtText) -> None:
        """Return when a text is durable, and what follows it is queued; a repeat is a no-op (idempotent).

        What the weather does to it is done here. Raises StoreUnavailable, and TooManyTries.
        """
        rule = await self._rule_for(text)
        with self._noting(text) as is_repeat:
            noted = msgspec.structs.replace(text, marks=(*text.marks, REPEAT)) if is_repeat else text
            if rule is None or self._late is None:
                await self._keep(noted)
            else:
                await self._keep_in(rule, noted, self._late)

    async def _keep_in(self, rule: WeatherRule, text: CaughtText, late: LateArrivals) -> None:
        """Keep a text in some weather."""
        held = await late.held_for(text.line) if rule.reorder and not rule.delay_seconds else None
        mark = None if held else _mark_of(rule)
        undelivered = rule.undelivered or text.undelivered
        marked = msgspec.structs.replace(text, marks=(*text.marks, *filter(None, [mark])), undelivered=undelivered)
        await self._keep(marked)
        if mark == DELAYED:
            await late.queue(marked, timedelta(seconds=rule.delay_seconds or REORDER_SECONDS))
        if held is not None:
            await late.arrive(held)
        if rule.double and mark is None:
            marks = (*text.marks, DOUBLED)
            await self._keep(msgspec.structs.replace(text, name=f"{text.name} doubled", marks=marks, callbacks=()))
        await asyncio.sleep(rule.slow_seconds)

    async def _keep(self, text: CaughtText) -> None:
        (trouble,) = await self.keep_all([text])
        if trouble is not None:
            raise trouble
        if text.callbacks:
            await self._callbacks.queue(text.id)

    async def send_all(self, texts: Sequence[CaughtText]) -> list[Sent]:
        """Return when those texts are durable that can be; those that no weather meets are kept together.

        Parts of texts meet the weather that refuses them, and no other.
        """
        met = [await self._meet(text) for text in texts]
        plain = [one.text for one in met if one.is_plain]
        troubles = dict(zip([text.id for text in plain], await self.keep_all(plain), strict=True))
        return [one._replace(trouble=troubles[one.text.id]) if one.is_plain else one for one in met]

    async def _meet(self, text: CaughtText) -> Sent:
        """Keep a text if there is weather for it, and say whether there is."""
        try:
            rule = await self._rule_for(text)
            if rule is None or text.part is not None:
                return Sent(text, is_plain=True)
            await self.keep(text)
        except (StoreUnavailable, TooManyTries) as error:
            return Sent(text, error)
        return Sent(msgspec.structs.replace(text, undelivered=rule.undelivered), is_lost=rule.drop)

    async def keep_all(self, texts: Sequence[CaughtText]) -> list[StoreUnavailable | None]:
        """Return when those texts are durable that can be, with what keeps each of the others from it."""
        line_of = self._access.house.settings.line_of
        entries = [Entry(new_name(), KIND, write_caught(text)) for text in texts]
        return await self._committer.keep_all([parse_entry(entry, line_of) for entry in entries])

    async def find(self, message_id: str) -> SentText:
        """Return a text that the key sent. Raises NotFound, also for one that another key sent, or that came in."""
        stored = await self._access.house.inbox.store.get(message_id)
        found = None if stored is None else await self._as_sent(stored)
        if found is None:
            raise NotFound(f"No text with the id {message_id[:40]!r} was sent with this key, or it was deleted.")
        return found

    async def query(self, to: str, sender: str) -> Query:
        """Return what asks for texts to a number and from a sender, "" for any, on the lines of the key.

        Raises Forbidden for a line that the key must not see.
        """
        query = await self._access.query((), sender or None)
        if not to:
            return query
        line = self._access.house.settings.line_named(to)
        self._access.check_line(line)
        return msgspec.structs.replace(query, lines=(line,))

    async def page(self, query: Query, limit: int, *, before: int | None) -> tuple[list[KeptText], int | None]:
        """Return the newest texts in front of a position, up to `limit`, and in front of which there may be more.

        All that match for a key that may read, for another what it sent itself. They are fewer if they are long, or if
        a key that may not read would have to be looked for among many of others.
        """
        inbox, found, looked_at = self._access.house.inbox, list[KeptText](), 0
        high = await inbox.position() + 1 if before is None else before
        while True:
            some, has_more = await inbox.newest(query, min(PAGE, limit - len(found)), before=high, after=0)
            kept = await asyncio.gather(*(self._kept(stored) for stored in some))
            found += [each for each in kept if each is not None]
            if not has_more:
                return found, None
            high, looked_at = some[-1].position, looked_at + len(some)
            held_bytes = sum(len(each.stored.json) for each in found)
            if len(found) == limit or held_bytes >= MAX_HELD_BYTES or looked_at >= MOST_LOOKED_AT:
                return found, high

    async def read(self, message_id: str) -> KeptText:
        """Return a text that the key sees. Raises NotFound, also for one that it must not see."""
        inbox = self._access.house.inbox
        stored = await inbox.store.get(message_id)
        if stored is None:
            await inbox.catch_up()  # it may be in the spool still
            stored = await inbox.store.get(message_id)
        found = None if stored is None else await self._kept(stored)
        if found is None:
            raise NotFound(f"There is no text {message_id[:40]!r} that this key may see, or it was deleted.")
        return found

    async def delete_kept(self, found: KeptText) -> None:
        """Delete a text that the key sent, or any for an administrator's. Raises Forbidden."""
        if not found.is_own:
            self._access.check_scopes((ADMIN,))
        await self._access.delete(found.stored)

    async def delete(self, found: SentText) -> None:
        """Delete a text, also from the pages that show it."""
        await self._access.delete(found.stored)

    async def _as_sent(self, stored: Stored) -> SentText | None:
        """Return a message with what was sent; None if it was not caught, or not from this key by this provider."""
        sent = await self._sent(stored)
        return SentText(sent, stored) if sent is not None and sent.owner == self._access.owner else None

    async def _kept(self, stored: Stored) -> KeptText | None:
        """Return a text for who asks for it; None if the key must not see it."""
        sent = await self._sent(stored)
        is_own = sent is not None and sent.owner == self._access.owner
        if not is_own and not (self._access.may((READ,)) and self._access.sees(stored.message.line)):
            return None
        self._access.note([stored])
        return KeptText(sent, stored, is_own)

    async def _sent(self, stored: Stored) -> CaughtText | None:
        """Return what was sent through this provider's API; None if the message is another."""
        message = stored.message
        if message.source != KIND or message.provider != self._provider:
            return None
        raw = await self._access.house.inbox.store.raw(stored.id)
        try:
            sent = None if raw is None else parse_caught(raw)
        except BadDelivery:
            return None
        if sent is not None and sent.part is not None:  # one of those that the text was joined from
            sent = msgspec.structs.replace(sent, text=message.text)
        return sent


def _mark_of(rule: WeatherRule) -> str | None:
    """Return how a text is marked that the weather keeps from arriving, at first or for good."""
    if rule.undelivered:
        return UNDELIVERED
    if rule.drop:
        return DROPPED
    return DELAYED if rule.delay_seconds or rule.reorder else None
