"""What AT+CMGL and AT+CMGR answer in PDU mode, to texts in slots (3GPP TS 27.005, 4.1 and 4.2).

Nothing is asked here, and no PDU is decoded but for its time.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from smscatch.errors import BadPdu
from smscatch.modem.said import is_whole_pdu
from smscatch.pdu import parse_pdu

_LISTED = re.compile(r"\+CMGL: ?(\d{1,5}), ?(\d)(?:,.*?)?(?:, ?(\d{1,4}))?")
_SHOWN = re.compile(r"\+CMGR: ?()(\d)(?:,.*?)?(?:, ?(\d{1,4}))?")
_UNASKED = re.compile(r"[+^*$#%&_]|RING$")
_UNREAD, _READ = 0, 1
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
            return _reading(found, between)._replace(place=place)
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
    length = int(header[3]) if header[3] else None
    whole = [line for line in between if is_whole_pdu(line, length)]
    candidates = whole or [line for line in between if not _UNASKED.match(line)]
    status = int(header[2])
    return ListedText(
        place=int(header[1] or 0),
        pdu=candidates[0] if candidates else "",
        is_received=status in (_UNREAD, _READ),
        is_new=status == _UNREAD,
        is_whole=bool(whole),
    )


def time_of(pdu: str) -> datetime:
    """Return the time at which the SMSC had a text, the earliest there is if its PDU does not tell."""
    try:
        return parse_pdu(pdu).sent_at or EARLIEST
    except BadPdu:
        return EARLIEST
