"""A simulated SIM: its slots for texts, and the PIN that guards them.

Nothing here speaks AT or knows of a wire.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class StoredText:
    """One SMS as a modem stores it: a PDU in hexadecimal, decodable or not.

    `length` is the number of octets without the SMSC address, as +CMGL names it (3GPP TS 27.005, 4.1).
    `stat` overrides <stat>: 2 and 3 are our own texts, unsent and sent. `is_bad`: the record cannot be read.
    """

    pdu: str
    length: int
    is_read: bool = False
    is_bad: bool = False
    stat: int | None = None

    @classmethod
    def of(cls, pdu: str, length: int | None = None) -> "StoredText":
        """Return an unread text; without `length` the one that the PDU's own SMSC octet leads to."""
        return cls(pdu, length_without_smsc(pdu) if length is None else length)

    @property
    def status(self) -> int:
        """<stat> of +CMGL: 0 received and unread, 1 read, 2 unsent, 3 sent (TS 27.005, 3.1)."""
        return int(self.is_read) if self.stat is None else self.stat

    @property
    def is_report(self) -> bool:
        """Whether the PDU is an SMS-STATUS-REPORT (TP-MTI 10; 3GPP TS 23.040, 9.2.3.1)."""
        first = self.pdu[-2 * self.length :][:2]
        try:
            return int(first, 16) & 0b11 == 0b10
        except ValueError:
            return False


def length_without_smsc(pdu: str) -> int:
    """Return the octets of `pdu` after the SMSC address; of text that is no PDU, all of them."""
    octets = len(pdu) // 2
    try:
        return max(0, octets - 1 - int(pdu[:2], 16))
    except ValueError:
        return octets


class Storage:
    """A memory with a fixed number of slots; its length is how many are used.

    They are counted from `first`, 0 as a Huawei stick does it. With `is_compact` those behind a deleted one move up.
    """

    def __init__(self, size: int, *, first: int = 0, is_compact: bool = False) -> None:
        self._slots: list[StoredText | None] = [None] * size
        self._first = first
        self._is_compact = is_compact

    def __iter__(self) -> Iterator[tuple[int, StoredText]]:
        return ((index, text) for index, text in enumerate(self._slots, self._first) if text is not None)

    @property
    def size(self) -> int:
        """How many texts fit."""
        return len(self._slots)

    def __len__(self) -> int:
        return sum(text is not None for text in self._slots)

    @property
    def received(self) -> int:
        """How many readable texts of others are there."""
        return sum(not text.is_bad and text.status < 2 for _, text in self)

    def put(self, text: StoredText) -> int | None:
        """Store `text` in the first free slot and return its index, or None if there is no free slot."""
        for index, taken in enumerate(self._slots, self._first):
            if taken is None:
                self.place(index, text)
                return index
        return None

    def place(self, index: int, text: StoredText) -> None:
        """Put `text` into slot `index`, whatever is there."""
        self._slots[index - self._first] = text

    def find(self, index: int) -> StoredText | None:
        """Return the text in slot `index`, or None if the slot is empty or does not exist."""
        place = index - self._first
        return self._slots[place] if 0 <= place < self.size else None

    def delete(self, index: int) -> bool:
        """Free slot `index`; return False if nothing was there."""
        if self.find(index) is None:
            return False
        self._slots[index - self._first] = None
        if self._is_compact:
            kept = [text for text in self._slots if text is not None]
            self._slots = [*kept, *[None] * (self.size - len(kept))]
        return True


class PinLock:
    """The PIN of a SIM: three tries, then the PUK with ten (3GPP TS 31.101 and TS 11.11, 11.2.1)."""

    def __init__(self, pin: str | None, puk: str) -> None:
        self._pin = pin
        self._puk = puk
        self._is_open = pin is None
        self.pin_tries = 3
        self.puk_tries = 10

    @property
    def state(self) -> str:
        """`READY`, `SIM PIN` or `SIM PUK`, as +CPIN? says it (3GPP TS 27.007, 8.3)."""
        if self.pin_tries == 0:
            return "SIM PUK"
        return "READY" if self._is_open else "SIM PIN"

    def lock(self) -> None:
        """Ask for the PIN again, as after loss of power. Tries that were used up stay so."""
        self._is_open = self._pin is None

    def enter(self, pin: str) -> bool:
        """Try `pin`; return whether it was right. A wrong one costs a try."""
        self._is_open = pin == self._pin
        self.pin_tries = 3 if self._is_open else max(0, self.pin_tries - 1)
        return self._is_open

    def unblock(self, puk: str, new_pin: str) -> bool:
        """Try `puk` and set `new_pin`; return whether the PUK was right and not used up."""
        if self.puk_tries == 0 or puk != self._puk:
            self.puk_tries = max(0, self.puk_tries - 1)
            return False
        self._pin, self._is_open = new_pin, True
        self.pin_tries, self.puk_tries = 3, 10
        return True
