"""What our bind notes of a text in the spool: written by keeper.py, read by sources/smpp.py."""

from typing import Literal

import msgspec


class Delivered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A deliver_sm or data_sm as it came: `body`, in hexadecimal, is what followed the header of the PDU `command`.

    `smsc` is the table's name, `time_ns` our clock when it came, `line` whom it is for if the settings say so, and
    `alphabet` what this SMSC means by the codings 0 and 1. `repeat_of` is the spool's name of what it may repeat: the
    same was taken by a bind that ended before the SMSC could know.
    """

    smsc: str
    command: int
    body: str
    time_ns: int
    alphabet: Literal["gsm7", "latin1", "ascii"] = "gsm7"
    line: str | None = None
    repeat_of: str | None = None
