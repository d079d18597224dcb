"""From the spool into the inbox: what stands in its entries becomes messages in the store.

No format is read here, which is the sources' work, and no folder, which is draining.py's.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from smscatch.draining import Drain
from smscatch.errors import BadDelivery, StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.messages import Message, Part
from smscatch.numbers import fold_sender, sender_forms
from smscatch.sources import LineOf, find_former_id, parse_delivery, read_codes, read_delivery
from smscatch.spool import Entry, Spool
from smscatch.stores import Delivery, Store

log = logging.getLogger(__name__)


class Parsed(NamedTuple):
    """An entry that can be read: its messages, and which id a version before gave to the one in it."""

    entry: Entry
    messages: Sequence[Message | Part]
    former_id: str | None

    def with_codes(self) -> "Parsed":
        """Return it with what is found in its texts, which takes time if they are long."""
        return self._replace(messages=[read_codes(one) if isinstance(one, Message) else one for one in self.messages])


def parse_entry(entry: Entry, line_of: LineOf) -> Parsed:
    """Return what is in an entry, the texts still unread. Raises BadDelivery."""
    messages = parse_delivery(entry.kind, entry.body, entry.name, line_of)
    return Parsed(entry, messages, find_former_id(entry.kind, entry.body))


async def store_parsed(inbox: Inbox, parsed: Sequence[Parsed]) -> None:
    """Store what is in some entries, in their order, all or nothing. Raises StoreUnavailable."""
    known = await _as_known_before(inbox.store, list(parsed))
    await inbox.receive([Delivery(message, one.entry.body) for one in known for message in one.messages])


def drain_into(spool: Spool, inbox: Inbox, line_of: LineOf) -> Drain:
    """Return what drains a spool into an inbox, and tells that one what is in the way."""

    def tell(trouble: str | None) -> None:
        inbox.trouble = trouble

    return Drain(spool, Intake(inbox, line_of).take, tell)


class Intake:
    """Takes the entries of a spool into an inbox."""

    def __init__(self, inbox: Inbox, line_of: LineOf) -> None:
        self._inbox = inbox
        self._line_of = line_of

    async def take(self, entries: Sequence[Entry]) -> dict[str, str]:
        """Store what the entries hold; return why some never can be stored, by name. As draining.Take has it."""
        refused: dict[str, str] = {}
        # In a thread: the codes of long texts take time.
        await self._store(await asyncio.to_thread(self._read_all, entries, refused), refused)
        return refused

    def _read_all(self, entries: Sequence[Entry], refused: dict[str, str]) -> list[Parsed]:
        readable = []
        for entry in entries:
            try:
                readable.append(self._read(entry))
            except BadDelivery as error:
                refused[entry.name] = str(error)
            except Exception as error:  # a bug of ours in a source must neither lose a message nor stop the next
                log.exception("spool entry %s broke its source", entry.name)
                refused[entry.name] = f"Reading it failed with {error!r}: a bug of smscatch, please report it."
        return readable

    def _read(self, entry: Entry) -> Parsed:
        messages = read_delivery(entry.kind, entry.body, entry.name, self._line_of)
        return Parsed(entry, messages, find_former_id(entry.kind, entry.body))

    async def _store(self, parsed: list[Parsed], refused: dict[str, str]) -> None:
        """Store a batch in one transaction, or, if something in it cannot be stored, one by one to find out what."""
        try:
            await store_parsed(self._inbox, parsed)
        except StoreUnavailable:
            raise
        except Exception as error:
            if len(parsed) == 1:
                name = parsed[0].entry.name
                log.exception("spool entry %s cannot be stored", name)
                refused[name] = f"Storing it failed with {error!r}: a bug of smscatch, please report it."
                return
            for one in parsed:
                await self._store([one], refused)


async def _as_known_before(store: Store, parsed: list[Parsed]) -> list[Parsed]:
    """Give what a version before took in already the id that it had then: so it is a repeat (idempotency).

    By that id alone it may be another sender's text, and is not lost: only the same text to the same line is a repeat.
    """
    kept = await store.messages_by_id({one.former_id for one in parsed if one.former_id is not None})
    known: dict[str | None, Message | Part] = {id_: stored.message for id_, stored in kept.items()}
    for place, one in enumerate(parsed):
        former = known.get(one.former_id)
        if former is not None:
            parsed[place] = one._replace(messages=[_renamed(message, former) for message in one.messages])
        for message in parsed[place].messages:
            known.setdefault(message.id, message)
    return parsed


def _renamed(message: Message | Part, former: Message | Part) -> Message | Part:
    if isinstance(message, Part) or not isinstance(former, Message):
        return message
    # The version before wrote a sender's number in its canonical form.
    is_same = (message.line, message.text) == (former.line, former.text)
    is_same = is_same and fold_sender(former.sender) in sender_forms(message.sender)
    return msgspec.structs.replace(message, id=former.id) if is_same else message
