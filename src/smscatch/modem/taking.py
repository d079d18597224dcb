"""From the slots of a modem into the spool, each text once: read, remember, spool durably, delete, confirmed.

The way of a text, and what a crash between two steps does:

1. It is listed. Nothing has happened; it is listed again.
2. The journal gets slot, digest and name of it, durably. It is listed again, found in the journal, keeps its name.
3. It is spooled under that name, durably. It is spooled again under the same name: the file is replaced, or, if the
   server drained it meanwhile, the store knows the delivery.
4. AT+CMGD. The modem may have deleted it or not: the next listing shows. If the slot is empty or holds another text,
   the deletion is confirmed by that; if not, see 3.
5. OK comes: the journal closes the slot. An equal PDU in the same slot is from now on another message.

What stays undecidable: the modem deleted the text, but we never saw its OK (we were killed, it fell silent), and before
our next listing the network delivers a PDU of the very same bytes (same sender, text and SMSC's second) into the very
same slot. It is taken for the first one and not delivered. Forwarded texts (+CMT), which we ask no modem for but some
send of class 0, are in no slot: they are lost if we are killed before they are spooled.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from smscatch.modem.at import Announced, Conversation
from smscatch.modem.journal import Delivery, Journal, Slot, digest_of
from smscatch.modem.listing import Listing, Reading, find_shown, parse_listing, time_of
from smscatch.modem.trouble import Refused, SpoolTrouble
from smscatch.spool import Entry, write_entry

LIST_SECONDS = 8.0
KIND = "pdu"
# Beyond this many announced texts one listing is quicker than reading each.
READ_SINGLY = 3

log = logging.getLogger(__name__)


class Origin(NamedTuple):
    """Where texts come from, for their spool entries."""

    line: str
    device: Path
    imei: str
    cards: dict[str, str]

    def slot(self, storage: str, index: int) -> Slot:
        """Return a slot of one of the storages."""
        return Slot(self.cards.get(storage, ""), storage, index)


class _Text(NamedTuple):
    slot: Slot
    reading: Reading


class Taker:
    """Takes the texts of one line; lives as long as its link, over all conversations with the modem.

    Raises SpoolTrouble from all that takes: nothing was deleted that is not in the spool.
    """

    def __init__(self, spool: Path, line: str, now_ns: Callable[[], int]) -> None:
        """Open the journal. Raises SpoolTrouble."""
        self._spool = spool
        self._now_ns = now_ns
        self._reader = f"{os.getpid()}:{now_ns()}"
        self._spooled: set[str] = set()
        # What a slot held when the modem confirmed its deletion, until it is listed again.
        self._deleted: dict[Slot, Delivery] = {}
        # What looked damaged; it is taken as it is if it looks the same a second time.
        self._damaged: dict[Slot, str] = {}
        self._storage = ""
        self.announced: list[Announced] = []
        try:
            spool.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._journal = Journal(spool, line)
        except OSError as error:
            raise _spool_trouble(spool, error) from error

    def begin(self, storage: str) -> None:
        """Take note that a new conversation began, in which AT+CPMS chose `storage`."""
        self._storage = storage

    async def sweep(self, talk: Conversation, origin: Origin) -> bool:
        """Take all that the storages hold; return False if some of it could not be deleted.

        Raises what Conversation.ask raises.
        """
        is_all_deleted = True
        for storage in origin.cards:
            listing = await self._list(talk, storage)
            while texts := self._find_texts(listing, origin, storage):
                await self._remember_absent(listing, origin, storage)
                is_all_deleted = await self._take(talk, origin, texts)
                if not is_all_deleted:
                    break
                listing = await self._list(talk, storage)
            else:
                await self._remember_absent(listing, origin, storage)
        return is_all_deleted

    async def fetch(self, talk: Conversation, origin: Origin) -> bool:
        """Take the texts that were announced, in that order; return False if a sweep is due.

        Raises what Conversation.ask raises.
        """
        if len(self.announced) > READ_SINGLY:
            return False
        while self.announced:
            storage, index = self.announced[0]
            slot = origin.slot(storage, index)
            reading = await self._read(talk, storage, index) if storage in origin.cards else None
            del self.announced[:1]
            if reading is None:  # gone already, or told in another way
                continue
            self._deleted.pop(slot, None)
            if not (reading.is_whole and await self._take(talk, origin, [_Text(slot, reading)])):
                return False
        return True

    async def take_forwarded(self, origin: Origin, pdu: str) -> None:
        """Spool a text that the modem did not store."""
        slot = Slot("", "", -1)
        await self._write(origin, slot, pdu, self._journal.name(pdu, slot, self._now_ns()))

    async def _list(self, talk: Conversation, storage: str) -> Listing:
        await self._choose(talk, storage)
        return parse_listing(await talk.ask("AT+CMGL=4", LIST_SECONDS))

    async def _read(self, talk: Conversation, storage: str, index: int) -> Reading | None:
        await self._choose(talk, storage)
        try:
            return find_shown(await talk.ask(f"AT+CMGR={index}"), index)
        except Refused:  # "invalid memory index": the slot is empty (TS 27.005, 3.2.5)
            return None

    async def _choose(self, talk: Conversation, storage: str) -> None:
        if storage != self._storage:
            self._storage = ""
            await talk.ask(f'AT+CPMS="{storage}"')
            self._storage = storage

    def _find_texts(self, listing: Listing, origin: Origin, storage: str) -> list[_Text]:
        """Return the texts to take, in the order in which they arrived as far as one can know."""
        ranks = {news.index: rank for rank, news in enumerate(self.announced, start=1) if news.storage == storage}
        texts, damaged = [], {}
        for reading in listing.readings:
            slot = origin.slot(storage, reading.index)
            if reading.is_whole or self._damaged.get(slot) == reading.pdu:
                texts.append(_Text(slot, reading))
            else:
                damaged[slot] = reading.pdu
        return texts


def _spool_trouble(spool: Path, error: OSError) -> SpoolTrouble:
    return SpoolTrouble(f"The spool {spool} cannot be written: {error.strerror or error}. The texts wait on the SIM.")
