"""Texts that the weather held back, and that arrive later: by way of the durable queue, each once."""

from datetime import timedelta

import msgspec

from smscatch.inbox import Inbox
from smscatch.intake import parse_entry, store_parsed
from smscatch.messages import DELAYED, NOBODY, Query, Stored
from smscatch.settings import Settings
from smscatch.sinks.base import GONE, TAKEN, Result
from smscatch.sinks.own_queue import OwnQueue
from smscatch.sinks.runner import DEFAULT_PACE, Pace
from smscatch.sources.caught import KIND, CaughtText, parse_caught, write_caught
from smscatch.spool import Entry, new_name

NAME = "late arrivals"
MOST_LOOKED_AT = 5  # of what was held back for a line, for the last one


class LateArrivals:
    """The queue of what is to arrive later."""

    def __init__(self, inbox: Inbox, settings: Settings, pace: Pace = DEFAULT_PACE) -> None:
        self._inbox = inbox
        self._settings = settings
        self._own = OwnQueue(inbox, NAME, self._send, pace)
        self.keep_sending = self._own.keep_sending

    async def queue(self, text: CaughtText, delay: timedelta) -> None:
        """Have a text that is stored, marked DELAYED, arrive after a while. Raises StoreUnavailable."""
        await self._own.queue(text.id, await self._inbox.time() + delay)

    async def arrive(self, text: CaughtText) -> None:
        """Have a text that was held back arrive now, as a text of its own; a repeat is a no-op (idempotent)."""
        marks = tuple(mark for mark in text.marks if mark != DELAYED)
        arrived = msgspec.structs.replace(
            text, name=_name_of(text), marks=marks, callbacks=(), received_at=self._inbox.now()
        )
        entry = Entry(new_name(), KIND, write_caught(arrived))
        await store_parsed(self._inbox, [parse_entry(entry, self._settings.line_of).with_codes()])

    async def held_for(self, line: str) -> CaughtText | None:
        """Return the last text to a line if that was held back, and has not arrived yet."""
        for stored in await self._inbox.store.newest(Query(lines=(line,)), MOST_LOOKED_AT):
            if stored.message.lease == NOBODY and DELAYED in stored.message.marks:
                raw = await self._inbox.store.raw(stored.id)
                held = None if raw is None else parse_caught(raw)
                is_there = held is not None and await self._inbox.store.get(_arrived(held).id)
                return None if is_there else held
            if stored.message.lease != NOBODY:
                return None
        return None

    async def _send(self, stored: Stored) -> Result:
        raw = await self._inbox.store.raw(stored.id)
        if raw is None:
            return Result(GONE, "the text was deleted")
        await self.arrive(parse_caught(raw))
        return Result(TAKEN)


def _name_of(text: CaughtText) -> str:
    return f"{text.name} arrived"


def _arrived(text: CaughtText) -> CaughtText:
    return msgspec.structs.replace(text, name=_name_of(text))
