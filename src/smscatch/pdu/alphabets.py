"""How an SMS carries text (3GPP TS 23.038): the coding scheme, septets, shift tables, UTF-16.

The tables themselves are in tables.py; where a PDU keeps all this is in user_data.py.
"""

import codecs
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from smscatch.pdu.tables import LOCKING, SINGLE

ESCAPE = 0x1B
"""The septet that takes the next one from the single shift table (TS 23.038, 6.2.1)."""


class Alphabet(StrEnum):
    """What one unit of user data is: a septet, an octet, or half of a UTF-16 code unit."""

    GSM7 = "gsm7"
    EIGHT_BIT = "8bit"
    UCS2 = "ucs2"


class Coding(NamedTuple):
    """What TP-DCS says; `message_class` 0 is a flash message, None means that no class is given."""

    alphabet: Alphabet
    message_class: int | None = None
    is_compressed: bool = False


class Shift(NamedTuple):
    """The national languages of the locking and the single shift table; 0 is the default (TS 23.038, annex A)."""

    locking: int = 0
    single: int = 0


DEFAULT_SHIFT = Shift()

_BY_BITS = (Alphabet.GSM7, Alphabet.EIGHT_BIT, Alphabet.UCS2, Alphabet.GSM7)


def read_coding(dcs: int) -> Coding:
    """Return what a TP-DCS octet means (TS 23.038, section 4).

    Reserved codings are GSM 7-bit, as the section demands of a receiver.
    """
    group = dcs >> 4
    if group < 0b1000:  # general data coding; 01xx marks for automatic deletion and is coded alike
        message_class = dcs & 3 if dcs & 0x10 else None
        return Coding(_BY_BITS[dcs >> 2 & 3], message_class, bool(dcs & 0x20))
    if group == 0b1110:  # message waiting indication, UCS-2; 1100 and 1101 are GSM 7-bit
        return Coding(Alphabet.UCS2)
    if group == 0b1111:  # data coding and message class
        return Coding(Alphabet.EIGHT_BIT if dcs & 4 else Alphabet.GSM7, dcs & 3)
    return Coding(Alphabet.GSM7)


def write_coding(alphabet: Alphabet, message_class: int | None = None) -> int:
    """Return the TP-DCS of the general group (TS 23.038, section 4: 00xx)."""
    dcs = _BY_BITS.index(alphabet) << 2
    return dcs if message_class is None else dcs | 0x10 | message_class


def unpack_septets(octets: bytes, count: int, fill_bits: int = 0) -> bytes:
    """Return `count` septets, one to an octet, that start after `fill_bits` (TS 23.038, 6.1.2.1)."""
    bits = int.from_bytes(octets, "little") >> fill_bits
    return bytes(bits >> 7 * i & 0x7F for i in range(count))


def pack_septets(septets: bytes, fill_bits: int = 0) -> bytes:
    """Return septets, given one to an octet, as octets after `fill_bits` zero bits (TS 23.038, 6.1.2.1)."""
    bits = sum(septet << 7 * i for i, septet in enumerate(septets)) << fill_bits
    return bits.to_bytes((fill_bits + 7 * len(septets) + 7) // 8, "little")


def decode_septets(septets: Iterable[int], shift: Shift = DEFAULT_SHIFT) -> str:
    """Return the text of septets, one to an octet.

    After an escape, an unassigned septet is the one of the main table; a second escape and one at the very end are
    a space (TS 23.038, 6.2.1 and 6.2.1.1). A language we do not know is the default (TS 23.040, 9.2.3.24.15).
    """
    locking = LOCKING.get(shift.locking, LOCKING[0])
    single = SINGLE.get(shift.single, SINGLE[0])
    octets = bytes(septets)
    if ESCAPE not in octets:  # in most texts: then a table does it at once
        return codecs.charmap_decode(octets, "strict", _characters(shift.locking))[0]
    characters = []
    remaining = iter(octets)
    for septet in remaining:
        if septet != ESCAPE:
            characters.append(locking.get(septet, " "))
            continue
        shifted = next(remaining, ESCAPE)
        characters.append(single.get(shifted) or locking.get(shifted, " "))
    return "".join(characters)


@cache
def _characters(locking: int) -> str:
    """Return the characters of a locking shift table by their septets, as many as an octet has values."""
    table = LOCKING.get(locking, LOCKING[0])
    return "".join(table.get(octet, " ") for octet in range(0x100))


@cache
def _septets_by_character(shift: Shift) -> dict[str, bytes]:
    """Map each character to its shortest septets; of two equal ones the lowest."""
    single = {c: bytes((ESCAPE, septet)) for septet, c in sorted(SINGLE[shift.single].items(), reverse=True)}
    return single | {c: bytes((septet,)) for septet, c in sorted(LOCKING[shift.locking].items(), reverse=True)}


def find_septets(text: str, shift: Shift = DEFAULT_SHIFT) -> bytes | None:
    """Return the septets of a text, one to an octet, or None if a character has none.

    `shift` names tables that exist: Spanish (2) has no locking shift table.
    """
    by_character = _septets_by_character(shift)
    septets = [by_character.get(character) for character in text]
    return None if None in septets else b"".join(filter(None, septets))


def decode(data: bytes, alphabet: Alphabet, shift: Shift = DEFAULT_SHIFT) -> str:
    """Return the text of user data; half a character is U+FFFD. Of 8-bit data there is no text: empty."""
    if alphabet is Alphabet.GSM7:
        return decode_septets(data, shift)
    # UCS-2 in the standard; phones send UTF-16, and it is the same where UCS-2 is defined.
    return data.decode("utf-16-be", "replace") if alphabet is Alphabet.UCS2 else ""


def count_open(data: bytes, alphabet: Alphabet) -> int:
    """Return how many octets at the end of `data` begin a character that the next part ends.

    That is an escape septet, the first half of a surrogate pair, an odd octet of UTF-16, or the last two together.
    """
    if alphabet is Alphabet.GSM7:
        escapes = len(data) - len(data.rstrip(bytes((ESCAPE,))))
        return escapes % 2  # two escapes are a character of their own
    if alphabet is Alphabet.EIGHT_BIT:
        return 0
    odd = len(data) % 2
    last_unit = len(data) - odd - 2
    return odd + 2 if last_unit >= 0 and 0xD8 <= data[last_unit] <= 0xDB else odd
