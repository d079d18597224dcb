"""What a line that a modem says is: a result code, news of a text, a boot line, a value. No conversation here.

Sources: ITU-T V.250, 5.7.1; 3GPP TS 27.005 and TS 27.007; the boot lines from the makers' manuals.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import NamedTuple

# Control characters around a line, among them the NUL that some modems send before OK, and a CR with a parity bit.
_AROUND = "".join(map(chr, (*range(0x21), *range(0x7F, 0xA0), 0xFF)))
# Some say "CME Error: unknown", or "ERROR: 3".
_FINAL = re.compile(r"OK|ERROR(?:: ?\d+)?|COMMAND NOT SUPPORT|TOO MANY PARAMETERS|\+?CM[ES] E(?:RROR|rror):.*")
# Result codes of ATV0 (V.250, 5.7.1); 2 is RING.
_NUMERIC = {"0": "OK", "3": "NO CARRIER", "4": "ERROR"}
# Some add fields; some name no storage, or the index -1, for a text that they could not store.
_STORED = re.compile(r'\+C(?:MT|DS)I: ?"?(\w*)"?\s*,\s*(-?\d{0,5})(?:\s*,.*)?')
_FORWARDED = re.compile(r"\+(CMT|CDS|CBM):.*?(\d{0,4})\s*")
_NAMED = re.compile(r"[+^*$#%&_][A-Z0-9_ ]{2,20}:")
# SIMCom, Quectel, u-blox and Huawei say these at their start, without a name in front.
_BOOT = re.compile(
    r"RDY|APP RDY|(?:.* )?(?:READY|DONE)|RING|NO CARRIER|(?:NORMAL|UNDER|OVER)[-_ ].*|\^\w+|SIM .*|BOOT.*|DST: ?\d",
    re.IGNORECASE,
)
_COMMA = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')
_UCS2 = re.compile(r"(?:[0-9A-Fa-f]{4})+")
_HEX = re.compile(r"[0-9A-Fa-f]{8,}")
_SERIAL = re.compile(r"(?<![0-9A-Fa-f])\d{14,16}(?![0-9A-Fa-f])")


class Announced(NamedTuple):
    """Where the modem says it stored a new text (+CMTI, +CDSI; TS 27.005, 3.4.1); `place` is its <index>."""

    storage: str
    place: int


class News:
    """What a modem said of new texts, oldest first; `arrived` is set with each, and when the port is lost.

    `forwarded` are PDUs that it handed over without storing them (+CMT, +CDS; TS 27.005, 3.4.1). `lost` counts the
    texts that it announced but could not store.
    """

    def __init__(self) -> None:
        self.announced: list[Announced] = []
        self.forwarded: list[str] = []
        self.lost = 0
        self.arrived = asyncio.Event()

    def note(self, news: Announced) -> None:
        """Remember an announcement."""
        if news.place < 0:
            self.lost += 1
        else:
            self.announced.append(news)
        self.arrived.set()


class Forward(NamedTuple):
    """A header behind which a PDU comes: `kind` is CMT, CDS or CBM, `length` its octets without the SMSC's address."""

    kind: str
    length: int | None

    def announces(self, line: str) -> bool:
        """Whether a line is the PDU that the header announces."""
        return is_whole_pdu(line, self.length)


def is_whole_pdu(line: str, length: int | None) -> bool:
    """Whether a line is a PDU of as many octets as announced, which do not count the SMSC's address; None are any."""
    try:
        octets = bytes.fromhex(line)
    except ValueError:
        return False
    return len(octets) > 1 and length in (None, len(octets) - 1 - octets[0])


def may_be_pdu(line: str) -> bool:
    """Whether a line may be a PDU or a piece of one."""
    return bool(_HEX.fullmatch(line))


def clean(line: bytes) -> str:
    """Return a line without what is no character of it: control characters, and a parity bit if it has that."""
    if len(line) > 1 and not line.isascii() and len({octet.bit_count() % 2 for octet in line}) == 1:
        line = bytes(octet & 0x7F for octet in line)
    return line.decode("latin-1").strip(_AROUND)


def find_result(line: str, *, is_verbose: bool) -> str | None:
    """Return the final result code that a line is, in the words of ATV1; numbers count unless `is_verbose`."""
    if _FINAL.fullmatch(line):
        return line
    return None if is_verbose else _NUMERIC.get(line)


def find_news(line: str) -> Announced | None:
    """Return what +CMTI or +CDSI announces; no storage if it does not tell the place."""
    found = _STORED.fullmatch(line)
    if found is None:
        return None
    return Announced(readable(found[1]), int(found[2])) if found[2].strip("-") else Announced("", 0)


def find_forward(line: str) -> Forward | None:
    """Return the header that +CMT, +CDS or +CBM is."""
    found = _FORWARDED.fullmatch(line)
    return Forward(found[1], int(found[2]) if found[2] else None) if found else None


def find_name(line: str) -> str | None:
    """Return the name of a line that has one, with its colon."""
    found = _NAMED.match(line)
    return found[0] if found else None


def find_value(lines: Sequence[str] | None, name: str) -> str | None:
    """Return what stands behind `name:` in the first line that begins so."""
    return next((line[len(name) + 1 :].strip() for line in lines or () if line.startswith(f"{name}:")), None)


def is_plain(line: str) -> bool:
    """Whether a line may be the answer of +CGMM and the like: it has no name, and no modem says it at its start."""
    return bool(line.strip()) and not _NAMED.match(line) and not _BOOT.fullmatch(line.strip())


def find_plain(lines: Sequence[str] | None) -> str | None:
    """Return the first line that is no named one: the answer of +CGMM or +CGMR (TS 27.007, 5.2)."""
    return next((line.strip() for line in lines or () if is_plain(line)), None)


def find_serial(lines: Sequence[str] | None) -> str | None:
    """Return the 14 to 16 digits that are an IMSI or IMEI (TS 23.003, 2.2 and 6.2), wherever they stand."""
    found = (_SERIAL.search(form) for line in lines or () for form in (line, readable(line)))
    return next((match[0] for match in found if match), None)


def split_values(value: str | None) -> list[str]:
    """Return the values between the commas outside quotation marks, without those; none of None."""
    return [] if value is None else [found.strip().strip('"') for found in _COMMA.split(value)]


def readable(value: str) -> str:
    """Return a value in plain characters, also of a modem that writes it as UCS-2 (TS 27.007, 5.5)."""
    if not _UCS2.fullmatch(value):
        return value
    text = bytes.fromhex(value).decode("utf-16-be", "replace")
    return text if text.isprintable() and all(digit == "0" for digit in value[::4]) else value
