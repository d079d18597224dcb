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
same slot. It is taken for the first one and not delivered. Texts that are handed over (+CMT) are in no slot: a
modem without storage is asked for that, others do it with class 0. If we are killed before one is spooled it is lost,
unless the modem wants an acknowledgement (+CNMA): that is given afterwards, so the network sends the text again.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from smscatch.files import describe_unwritable
from smscatch.modem.at import Conversation
from smscatch.modem.journal import Journal, Slot, TakenText, digest_of
from smscatch.modem.listing import EARLIEST, ListedText, Listing, time_of
from smscatch.modem.said import News
from smscatch.modem.storages import StorageReader, Storages
from smscatch.modem.trouble import Refused, SpoolTrouble
from smscatch.spool import Entry, write_entry

KIND = "pdu"
# Beyond this many announced texts one listing is quicker than reading each.
READ_SINGLY = 3
# A storage is listed until it is empty, but under constant noise or traffic other things get their turn.
MAX_LISTINGS = 50
# +CMGD=<index>[,<delflag>]: some modems want the flag (TS 27.005, 3.5.4).
DELETIONS = ("AT+CMGD={}", "AT+CMGD={},0")

log = logging.getLogger(__name__)


class Origin(NamedTuple):
    """Where texts come from, for their spool entries."""

    line: str
    device: str
    imei: str
    cards: dict[str, str]

    def slot(self, storage: str, place: int) -> Slot:
        """Return a slot of one of the storages."""
        return Slot(self.cards.get(storage, ""), storage, place)


class _Text(NamedTuple):
    slot: Slot
    reading: ListedText

    @property
    def digest(self) -> str:
        return digest_of(self.reading.pdu)


class Taker:
    """Takes the texts of one line; lives as long as its link, over all conversations with the modem.

    What takes raises SpoolTrouble, and whatever Conversation.ask raises; a text that was not spooled is not deleted.
    """

    def __init__(
        self,
        spool: Path,
        line: str,
        news: News,
        now_ns: Callable[[], int],
        *,
        is_own: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Open the journal. Raises OSError. What `is_own` of a PDU is not spooled, as nobody waits for it."""
        self._is_own = is_own
        self._news = news
        self._spool = spool
        self._now_ns = now_ns
        self._reader = f"{os.getpid()}:{now_ns()}"
        self.reader = StorageReader()
        # How many texts came since the start, and whether one came unannounced, by the last sweep.
        self.count = 0
        self.is_unannounced = False
        # How many that were handed over are spooled, and not acknowledged in this conversation.
        self.unacknowledged = 0
        self._deletion = DELETIONS[0]
        self._handed_over: TakenText | None = None
        self._spooled: set[str] = set()
        # What a slot held when the modem confirmed its deletion, until the slot is listed again.
        self._deleted: dict[Slot, TakenText] = {}
        # Slots whose deletion was confirmed, and yet they held their text.
        self._stubborn: set[Slot] = set()
        # What looked damaged; it is taken as it is if it looks the same a second time.
        self._damaged: dict[Slot, str] = {}
        spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._journal = Journal(spool, line)

    def begin(self, storages: Storages) -> None:
        """Take note that a conversation began in which +CPMS chose one of `storages`."""
        self.reader.begin(storages)

    async def sweep(self, talk: Conversation, origin: Origin) -> bool:
        """Take all that the storages hold; return False if some of it could not be read or deleted."""
        is_done, self.is_unannounced = True, False
        # The receiving one last: it stays chosen, and what is announced can be read at once.
        for storage in reversed(self.reader.names):
            try:
                is_done &= await self._empty(talk, origin, storage)
            except Refused as refusal:
                if storage == self.reader.names[0]:
                    raise
                # Offered, but not to be had.
                self.reader.complaints[storage] = f"The texts in {storage} cannot be read: {refusal}"
        return is_done

    async def fetch(self, talk: Conversation, origin: Origin) -> bool:
        """Take the texts that were announced, in that order; return False if that takes a sweep."""
        announced = self._news.announced
        if len(announced) > READ_SINGLY:
            return False
        while announced:
            storage, place = announced[0]
            reading = await self.reader.read(talk, storage, place) if storage in origin.cards else None
            del announced[0]
            if storage not in origin.cards or reading is None:
                return False  # some announce another place than they store in
            if not reading.is_received:
                continue
            text = _Text(origin.slot(storage, place), reading)
            self._deleted.pop(text.slot, None)
            if not (reading.is_whole and await self._take(talk, origin, [text])):
                return False
        return True

    async def take_forwarded(self, origin: Origin) -> None:
        """Spool the texts that the modem handed over without storing them, and count those to acknowledge."""
        slot = Slot("", "", -1)
        while self._news.forwarded:
            pdu = self._news.forwarded[0]
            # The same name if we are stopped while it is written, and it is written once more.
            self._handed_over = self._handed_over or self._journal.name(pdu, slot, self._now_ns())
            await self._write(origin, slot, pdu, self._handed_over)
            del self._news.forwarded[0]
            self._handed_over = None
            self.count += 1
            self.unacknowledged += 1

    async def _empty(self, talk: Conversation, origin: Origin, storage: str) -> bool:
        """Take what one storage holds until nothing is left; return False if some of it stays."""
        for _ in range(MAX_LISTINGS):
            listing = await self.reader.list_texts(talk, storage)
            texts, is_doubtful = self._sort_out(listing, origin, storage)
            self._confirm_absent(listing, origin, storage)
            if texts and not await self._take(talk, origin, texts):
                return False
            if not texts and not is_doubtful:
                return True
        return False

    def _sort_out(self, listing: Listing, origin: Origin, storage: str) -> tuple[list[_Text], bool]:
        """Return the texts to take, in their order of arrival as far as one can know, and whether others are doubtful.

        Announced texts came after those that are here unannounced, in the order of announcement; of the others the
        SMSC's time tells.
        """
        announced = self._news.announced
        ranks = {news.place: rank for rank, news in enumerate(announced, start=1) if news.storage == storage}
        received = [_Text(origin.slot(storage, each.place), each) for each in listing.readings if each.is_received]
        texts = [each for each in received if self._is_certain(each)]
        doubtful = [each for each in received if not self._is_certain(each)]
        self._damaged |= {each.slot: each.reading.pdu for each in doubtful}
        listed = {each.place for each in listing.readings}
        announced[:] = [news for news in announced if news.storage != storage or news.place not in listed]

        self.is_unannounced |= any(each.reading.is_new and each.reading.place not in ranks for each in received)

        def order(text: _Text) -> tuple[int, datetime, int]:
            place = text.reading.place
            rank = ranks.get(place, 0)
            return rank, EARLIEST if rank else time_of(text.reading.pdu), place

        return sorted(texts, key=order), bool(doubtful)

    def _is_certain(self, text: _Text) -> bool:
        return text.reading.is_whole or self._damaged.get(text.slot) == text.reading.pdu

    def _confirm_absent(self, listing: Listing, origin: Origin, storage: str) -> None:
        """Close what was taken from slots that are empty now: its deletion succeeded though no OK was seen."""
        listed = {origin.slot(storage, each.place) for each in listing.readings}
        absent = [
            slot
            for slot in self._journal.slots(origin.cards[storage], storage)
            if slot not in listed and (listing.is_clean or slot.place in listing.empty)
        ]
        self._close(absent)
        self._stubborn.difference_update(absent)
        for slot in [slot for slot in self._deleted if slot.storage == storage and slot not in listed]:
            del self._deleted[slot]

    async def _take(self, talk: Conversation, origin: Origin, texts: Sequence[_Text]) -> bool:
        """Spool texts of one storage and delete them; return False if a deletion failed, now or before."""
        known = [(text, found) for text in texts if (found := self._find_known(text))]
        fresh = [(text, self._find_undeleted(text)) for text in texts if not self._find_known(text)]
        named = [(text, undeleted or self._name(text)) for text, undeleted in fresh]
        await write_durably(self._spool, self._journal.open, [(text.slot, delivery) for text, delivery in named])
        # A modem that does not delete what it says it deleted is asked again, but not without a pause.
        is_done = not any(undeleted for _, undeleted in fresh)
        self.count += len(fresh)
        for text, delivery in known + named:  # those of an earlier try first: they came first
            if delivery.name not in self._spooled:
                await self._write(origin, text.slot, text.reading.pdu, delivery)
                self._spooled.add(delivery.name)
        # From behind, as some modems move the texts up that follow a deleted one.
        for text, delivery in sorted(known + named, key=lambda taken: -taken[0].slot.place):
            is_done &= await self._delete(talk, text.slot, delivery)
        return is_done

    def _find_known(self, text: _Text) -> TakenText | None:
        """Return what the journal has of this very text."""
        found = self._journal.find(text.slot)
        return found if found and found.digest == text.digest else None

    def _find_undeleted(self, text: _Text) -> TakenText | None:
        """Return what the modem said it had deleted but shows again, as read before: no new text is that."""
        found = self._deleted.pop(text.slot, None)
        if found is None or found.digest != text.digest or text.reading.is_new:
            return None
        _, storage, place = text.slot
        log.warning("the modem confirmed the deletion of slot %d of %s, but did not delete it", place, storage)
        self._spooled.add(found.name)
        self._stubborn.add(text.slot)
        return found

    def _name(self, text: _Text) -> TakenText:
        return self._journal.name(text.reading.pdu, text.slot, self._now_ns())

    async def _write(self, origin: Origin, slot: Slot, pdu: str, delivery: TakenText) -> None:
        if self._is_own(pdu):
            return
        records = {
            "time_ns": str(delivery.time_ns),
            "line": origin.line,
            "device": origin.device,
            "storage": slot.storage,
            "index": str(slot.place),
            "imei": origin.imei,
            "reader": self._reader,
            "pdu": pdu,
        }
        body = b"".join(_record(name, value) for name, value in records.items())
        await write_durably(self._spool, write_entry, self._spool, Entry(delivery.name, KIND, body))
        log.debug("spooled %s from slot %d of %r", delivery.name, slot.place, slot.storage)

    async def _delete(self, talk: Conversation, slot: Slot, delivery: TakenText) -> bool:
        for form in dict.fromkeys((self._deletion, *DELETIONS)):
            try:
                await talk.ask(form.format(slot.place))
            except Refused as refusal:
                log.info("slot %d of %s is not deleted, trying again: %s", slot.place, slot.storage, refusal)
            else:
                self._deletion = form
                break
        else:
            return False
        if slot in self._stubborn:  # its word was false before: the next listing will tell
            return True
        talk.pace.reward()
        self._close([slot])
        self._deleted[slot] = delivery
        self._spooled.discard(delivery.name)
        return True

    def _close(self, slots: Sequence[Slot]) -> None:
        try:
            self._journal.close(slots)
        except OSError as error:
            raise spool_trouble(self._spool, error) from error


def _record(name: str, value: str) -> bytes:
    return f"{name}={value}".encode("utf-8", "backslashreplace").replace(b"\0", b"\\x00") + b"\0"


def spool_trouble(spool: Path, error: OSError) -> SpoolTrouble:
    """Return what to say of a spool that cannot be written."""
    return SpoolTrouble(f"{describe_unwritable('spool', spool, error)} The texts wait on the SIM.")


async def write_durably(spool: Path, write: Callable[..., None], *arguments: object) -> None:
    """Write in a thread: an fsync on a slow card must not hold up the other lines. Raises SpoolTrouble.

    When cancelled it ends after the write all the same: who writes the same next would meet it.
    """
    writing = asyncio.ensure_future(asyncio.to_thread(write, *arguments))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait((writing,))
        raise
    except OSError as error:
        raise spool_trouble(spool, error) from error
