"""What AT+CMGL and AT+CMGR answer in PDU mode, to texts in slots (3GPP TS 27.005, 4.1 and 4.2).

Nothing is asked here, and no PDU is decoded but for its time.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from smscatch.errors import BadPdu
from smscatch.modem.said import is_whole_pdu, may_be_pdu, split_values
from smscatch.pdu import parse_pdu

# <stat> is a number; some write it in words, as in text mode. Behind it come <alpha>, <length>, and what makers add.
_LISTED = re.compile(r'\+CMGL: *(\d{1,5}) *, *(\d|"[A-Z ]+")((?: *,.*)?)')
_SHOWN = re.compile(r'\+CMGR: *()(\d|"[A-Z ]+")((?: *,.*)?)')
_RECEIVED_WORDS = {'"REC UNREAD"': 0, '"REC READ"': 1}
_UNASKED = re.compile(r"[+^*$#%&_]|RING$")
_UNREAD, _READ = 0, 1
_LENGTH_DIGITS = 4
EARLIEST = datetime.min.replace(tzinfo=UTC)


class ListedText(NamedTuple):
    """What one slot holds; `place` is its <index>. `is_received` is False for drafts and sent texts.

    `is_new` is False for what was listed before (<stat> "received read"). `is_whole` is False if the PDU is not what
    the header announces: it was damaged on the wire, or is so on the SIM.
    """

    place: int
    pdu: str
    is_received: bool
    is_new: bool
    is_whole: bool


class Listing(NamedTuple):
    """What a storage holds. With `is_clean` False one may be missing; `empty` are slots that hold none for certain."""

    readings: list[ListedText]
    is_clean: bool
    empty: frozenset[int] = frozenset()


def parse_listing(lines: Sequence[str]) -> Listing:
    """Return what an answer to AT+CMGL=4 says, in its order."""
    readings, is_clean = [], True
    for header, between in _blocks(lines, "+CMGL:"):
        found = _LISTED.fullmatch(header) if header else None
        if found is None:
            is_clean &= not (header or [line for line in between if not _UNASKED.match(line)])
            continue
        readings.append(_reading(found, between))
        is_clean &= len([line for line in between if not _UNASKED.match(line)]) <= 1
    return Listing(readings, is_clean)


def find_shown(lines: Sequence[str], place: int) -> ListedText | None:
    """Return what an answer to AT+CMGR says of slot `place`; None if that is empty."""
    for header, between in _blocks(lines, "+CMGR:"):
        if found := _SHOWN.fullmatch(header):
            reading = _reading(found, between)._replace(place=place)
            return None if not reading.pdu and _lengths(found[3]) == [0] else reading
    return None


def _blocks(lines: Sequence[str], name: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each header with the lines up to the next one; an empty header with what stands before the first."""
    header, between = "", list[str]()
    for line in lines:
        if line.startswith(name):
            yield header, between
            header, between = line, []
        else:
            between.append(line)
    yield header, between


def _reading(header: re.Match[str], between: list[str]) -> ListedText:
    # A long PDU may come in several lines.
    candidates = [line for line in between if not _UNASKED.match(line)]
    joined = "".join(line for line in between if may_be_pdu(line))
    lengths = _lengths(header[3]) or [None]
    whole = next((pdu for line in (*candidates, joined) for each in lengths if (pdu := _find_whole(line, each))), None)
    status = _RECEIVED_WORDS.get(header[2], -1) if header[2].startswith('"') else int(header[2])
    return ListedText(
        place=int(header[1] or 0),
        pdu=whole or (candidates[0] if candidates else ""),
        is_received=status in (_UNREAD, _READ),
        is_new=status == _UNREAD,
        is_whole=whole is not None,
    )


def _lengths(values: str) -> list[int | None]:
    """Return what may be the <length> among the values behind <stat>."""
    return [int(value) for value in split_values(values) if value.isdecimal() and len(value) <= _LENGTH_DIGITS]


def _find_whole(line: str, length: int | None) -> str | None:
    """Return a line if it is a PDU as long as announced; with an SMSC's address in front where it lacks even that."""
    if is_whole_pdu(line, length):
        return line
    bare = f"00{line}"
    return bare if is_whole_pdu(bare, length) and not _is_pdu(line) and _is_pdu(bare) else None


def _is_pdu(line: str) -> bool:
    try:
        parse_pdu(line)
    except BadPdu:
        return False
    return True


def time_of(pdu: str) -> datetime:
    """Return the time at which the SMSC had a text, the earliest there is if its PDU does not tell."""
    try:
        return parse_pdu(pdu).sent_at or EARLIEST
    except BadPdu:
        return EARLIEST
