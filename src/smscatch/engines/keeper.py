"""From a list of texts that something else keeps into the spool, each text once: remember, spool, delete, confirmed.

The steps and what a crash between two of them does are those of modem/taking.py. What differs: a text has no slot that
lasts. ModemManager numbers its texts anew when it starts or the stick is plugged in. So a text whose place is not known
is held against those that were taken, whose deletion was not confirmed, and whose places are no longer listed: if all
that is told of it is equal to one of them, it is that one under another name.

What stays undecidable: a text was deleted, but we never saw that confirmed, and before the next list the network
delivers one that is equal in all that is told of it, its second too. It is taken for the first one.
"""

import fcntl
import os
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from smscatch.modem.journal import FOLDER, Journal, Slot, TakenText, digest_of, file_name
from smscatch.modem.taking import spool_trouble, write_durably
from smscatch.modem.trouble import PortBusy
from smscatch.spool import Entry, write_entry


class ForeignText(NamedTuple):
    """A text that something else keeps: its place there, and all that is told of it, always written the same."""

    slot: Slot
    content: str


MakeBody = Callable[[ForeignText, TakenText], bytes]
Delete = Callable[[ForeignText], Awaitable[bool]]


class ForeignTaker:
    """Takes the texts of one line. Its methods raise SpoolTrouble; a text that was not spooled is not deleted."""

    def __init__(self, spool: Path, line: str, kind: str, now_ns: Callable[[], int]) -> None:
        """Open the journal. Raises SpoolTrouble."""
        self._spool, self._kind, self._now_ns = spool, kind, now_ns
        self._spooled: set[str] = set()
        # What a place held when its deletion was confirmed, until it is listed without it.
        self._deleted: dict[Slot, TakenText] = {}
        # Places whose deletion was confirmed, and yet they held their text.
        self._stubborn: set[Slot] = set()
        try:
            spool.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._journal = Journal(spool, line)
        except OSError as error:
            raise spool_trouble(spool, error) from error

    async def take(
        self,
        card: str,
        texts: Sequence[ForeignText],
        make_body: MakeBody,
        delete: Delete,
        *,
        waiting: Collection[Slot] = (),
    ) -> bool:
        """Take the texts of a whole list, in their order; return False if one could not be deleted.

        The list must be whole: what was taken from `card` and is not in it is gone from there. `waiting` are the places
        of those in it that are not to be taken yet.
        """
        named = await self._name_all(card, texts, waiting)
        is_done = True
        for text, taken in named:
            if taken.name not in self._spooled:
                entry = Entry(taken.name, self._kind, make_body(text, taken))
                await write_durably(self._spool, write_entry, self._spool, entry)
                self._spooled.add(taken.name)
            is_done &= await delete(text) and await self._confirm(text.slot, taken)
        return is_done

    async def _confirm(self, slot: Slot, taken: TakenText) -> bool:
        """Note that a deletion is confirmed; return False if that was false before: the next list tells."""
        if slot in self._stubborn:
            return False
        await write_durably(self._spool, self._journal.close, [slot])
        self._deleted[slot] = taken
        return True

    async def _name_all(
        self, card: str, texts: Sequence[ForeignText], waiting: Collection[Slot]
    ) -> list[tuple[ForeignText, TakenText]]:
        """Return each text with its name, all of them durable in the journal, and close what is gone."""
        listed = {*(text.slot for text in texts), *waiting}
        gone = {slot: taken for slot, taken in self._journal.of_card(card).items() if slot not in listed}
        named, fresh = [], []
        for text in texts:
            known = self._journal.find(text.slot)
            if known is None or known.digest != digest_of(text.content):
                known = self._find_undeleted(text) or _pop_equal(gone, text) or self._name(text)
                fresh.append((text.slot, known))
            named.append((text, known))
        # Opened in its new place first: of a text that a crash leaves in both, the name is the same.
        await write_durably(self._spool, self._journal.open, fresh)
        absent = [slot for slot in self._journal.of_card(card) if slot not in listed]
        await write_durably(self._spool, self._journal.close, absent)
        self._stubborn &= listed
        self._deleted = {slot: taken for slot, taken in self._deleted.items() if slot in listed}
        self._spooled &= {taken.name for taken in self._journal.of_card(card).values()}
        return named

    def _find_undeleted(self, text: ForeignText) -> TakenText | None:
        """Return what was said to be deleted but is shown again in the same place: no new text is that."""
        found = self._deleted.pop(text.slot, None)
        if found is None or found.digest != digest_of(text.content):
            return None
        self._stubborn.add(text.slot)
        self._spooled.add(found.name)
        return found

    def _name(self, text: ForeignText) -> TakenText:
        return self._journal.name(text.content, text.slot, self._now_ns())


def _pop_equal(gone: dict[Slot, TakenText], text: ForeignText) -> TakenText | None:
    """Take out what is this very text, from a place where it is no longer; of several equal ones the last.

    They are spooled and deleted from the first on: what is not spooled yet is among the last.
    """
    digest = digest_of(text.content)
    slot = next((slot for slot, taken in reversed(gone.items()) if taken.digest == digest), None)
    return None if slot is None else gone.pop(slot)


class ModemClaim:
    """The right to read one modem, which of all lines and programs with one spool only one has (a lock on a file)."""

    def __init__(self, spool: Path) -> None:
        self._folder = spool / FOLDER
        self._held: tuple[str, int] | None = None

    def hold(self, modem: str) -> None:
        """Get the right to a modem, by what identifies it, instead of the one had before.

        Raises PortBusy if another has it, SpoolTrouble if that cannot be told.
        """
        if self._held and self._held[0] == modem:
            return
        self.release()
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(self._folder / f"{file_name(modem)}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise spool_trouble(self._folder.parent, error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(file)
            raise PortBusy(
                f"The modem {modem} is read already, for another line or by another smscatch with this spool:"
                " one modem has one line."
            ) from error
        self._held = (modem, file)

    def release(self) -> None:
        """Give the right back, if there is one."""
        if self._held:
            os.close(self._held[1])
            self._held = None
