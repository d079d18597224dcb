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
from smscatch.sources import LineOf, find_former_id, read_delivery
from smscatch.spool import Entry, Spool
from smscatch.stores import Delivery, Store

log = logging.getLogger(__name__)


class _Read(NamedTuple):
    """A readable entry: its name, its messages, and which id a version before gave to the one in it."""

    name: str
    deliveries: list[Delivery]
    former_id: str | None


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
        readable = await asyncio.to_thread(self._read_all, entries, refused)
        await self._receive(await _as_known_before(self._inbox.store, readable), refused)
        return refused

    def _read_all(self, entries: Sequence[Entry], refused: dict[str, str]) -> list[_Read]:
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

    def _read(self, entry: Entry) -> _Read:
        messages = read_delivery(entry.kind, entry.body, entry.name, self._line_of)
        deliveries = [Delivery(message, entry.body) for message in messages]
        return _Read(entry.name, deliveries, find_former_id(entry.kind, entry.body))

    async def _receive(self, entries: list[_Read], refused: dict[str, str]) -> None:
        """Store a batch in one transaction, or, if something in it cannot be stored, one by one to find out what."""
        try:
            await self._inbox.receive([delivery for entry in entries for delivery in entry.deliveries])
        except StoreUnavailable:
            raise
        except Exception as error:
            if len(entries) == 1:
                log.exception("spool entry %s cannot be stored", entries[0].name)
                refused[entries[0].name] = f"Storing it failed with {error!r}: a bug of smscatch, please report it."
                return
            for entry in entries:
                await self._receive([entry], refused)


async def _as_known_before(store: Store, entries: list[_Read]) -> list[_Read]:
    """Give what a version before took in already the id that it had then: so it is a repeat (idempotency).

    By that id alone it may be another sender's text, and is not lost: only the same text to the same line is a repeat.
    """
    batch: dict[str, Message | Part] = {}
    for place, entry in enumerate(entries):
        if entry.former_id is not None:
            kept = await store.get(entry.former_id)
            former = kept.message if kept else batch.get(entry.former_id)
            deliveries = [_renamed(delivery, former) for delivery in entry.deliveries]
            entries[place] = entry._replace(deliveries=deliveries)
        batch |= {delivery.message.id: delivery.message for delivery in entries[place].deliveries}
    return entries


def _renamed(delivery: Delivery, former: Message | Part | None) -> Delivery:
    message = delivery.message
    if isinstance(message, Part) or not isinstance(former, Message):
        return delivery
    # The version before wrote a sender's number in its canonical form.
    is_same = (message.line, message.text) == (former.line, former.text)
    is_same = is_same and fold_sender(former.sender) in sender_forms(message.sender)
    return Delivery(msgspec.structs.replace(message, id=former.id), delivery.raw) if is_same else delivery
