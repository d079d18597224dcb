"""What the link has to remember over a crash: which texts it took from the SIM without knowing that they are deleted.

And which PIN was refused. Nothing here reads a modem or writes the spool.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from smscatch.files import append_records, read_records, replace, write_records

FOLDER = "journal"
MAX_RECORDS = 2000
MAX_BYTES = 10_000_000  # many times what MAX_RECORDS take
MAX_MARKS = 50
# A clock that was set back by more than this was wrong before: the order of names begins anew.
_MAX_LEAD_NS = 60 * 10**9


class Slot(NamedTuple):
    """A place for one text, the <index> of a storage (TS 27.005, 3.1).

    `card` is the SIM (its IMSI) or, for its own memory, the modem (its IMEI).
    """

    card: str
    storage: str
    place: int


class TakenText(NamedTuple):
    """A text that was taken from a slot: the digest of its PDU, and the name it has in the spool, for ever."""

    digest: str
    name: str

    @property
    def time_ns(self) -> int:
        """When it was read first, by our clock."""
        return int(self.name[:20])


class Journal:
    """The deliveries of one line whose deletion is not confirmed, each in its slot.

    A file of records, appended; written anew when it has grown, and at each start.
    """

    def __init__(self, spool: Path, line: str) -> None:
        """Read the journal that the line has in `spool`. Raises OSError if it cannot be written."""
        self._folder = spool / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = self._folder / f"{file_name(line)}.log"
        self._line = line
        self._open: dict[Slot, TakenText] = {}
        self._last_ns = 0
        self._records = 0
        for record in read_records(self._path, MAX_BYTES):
            self._apply(record)
        self._rewrite()

    def find(self, slot: Slot) -> TakenText | None:
        """Return what was taken from `slot` and may still be in it."""
        return self._open.get(slot)

    def slots(self, card: str, storage: str) -> list[Slot]:
        """Return the slots of a storage from which something was taken that may still be in it."""
        return [slot for slot in self._open if (slot.card, slot.storage) == (card, storage)]

    def of_card(self, card: str) -> dict[Slot, TakenText]:
        """Return all that was taken from a card and may still be on it, by slot, what was taken first in front."""
        found = {slot: taken for slot, taken in self._open.items() if slot.card == card}
        return dict(sorted(found.items(), key=lambda item: item[1].name))

    def name(self, pdu: str, slot: Slot, now_ns: int) -> TakenText:
        """Return a delivery of this moment, whose name sorts behind all earlier ones of this line."""
        is_order_kept = self._last_ns - now_ns < _MAX_LEAD_NS
        self._last_ns = max(now_ns, self._last_ns + 1) if is_order_kept else now_ns
        token = _digest(self._line, *map(str, slot), pdu, str(self._last_ns))
        return TakenText(digest_of(pdu), f"{self._last_ns:020d}-{token}")

    def open(self, taken: Iterable[tuple[Slot, TakenText]]) -> None:
        """Remember what is about to be spooled; when this returns, a power cut cannot make it forgotten.

        Raises OSError: then nothing may be spooled.
        """
        records = [["+", *slot, *delivery] for slot, delivery in taken]
        if self._records + len(records) > MAX_RECORDS:
            self._rewrite()
        self._append(records, is_durable=True)

    def close(self, slots: Iterable[Slot]) -> None:
        """Forget what was taken from `slots`: it is gone from there. Survives a kill at once, a power cut soon.

        Raises OSError.
        """
        self._append([["-", *slot] for slot in slots], is_durable=False)

    def _apply(self, record: list[object]) -> None:
        match record:
            case ["+", str(card), str(storage), int(place), str(digest), str(name)] if name[:20].isdecimal():
                delivery = TakenText(digest, name)
                self._open[Slot(card, storage, place)] = delivery
                self._last_ns = max(self._last_ns, delivery.time_ns)
            case ["-", str(card), str(storage), int(place)]:
                self._open.pop(Slot(card, storage, place), None)

    def _append(self, records: list[list[object]], *, is_durable: bool) -> None:
        if not records:
            return
        append_records(self._path, records, is_durable=is_durable)
        for record in records:
            self._apply(record)
        self._records += len(records)

    def _rewrite(self) -> None:
        records = [["+", *slot, *delivery] for slot, delivery in self._open.items()]
        replace(self._path, write_records(records))
        self._records = len(records)


class PinMarks:
    """Which PIN was tried on which SIM and how that ended, so that a wrong one costs a single try for ever."""

    def __init__(self, spool: Path, line: str) -> None:
        """Read the marks that the line has in `spool`."""
        self._path = spool / FOLDER / f"{file_name(line)}.pin"
        self._marks: dict[str, str] = {}
        for record in read_records(self._path, MAX_BYTES):
            match record:
                case [str(key), str(outcome)]:
                    self._marks[key] = outcome

    def outcome(self, card: str, pin: str) -> str | None:
        """Return "right", "wrong", or "tried" if its answer never came; None if this PIN was not tried."""
        return self._marks.get(_digest("pin", card, pin))

    def note(self, card: str, pin: str, outcome: str) -> None:
        """Remember an outcome durably; the PIN itself is not kept. Raises OSError."""
        key = _digest("pin", card, pin)
        self._marks.pop(key, None)
        self._marks[key] = outcome
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = list(self._marks.items())[-MAX_MARKS:]
        replace(self._path, write_records(kept))


def digest_of(pdu: str) -> str:
    """Return what stands for a PDU in the journal."""
    return _digest(pdu)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def file_name(line: str) -> str:
    """Return a file name for a line's number or name, whatever characters it has."""
    return quote(line, safe="+")[:200] or "_"
