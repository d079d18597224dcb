"""What can go wrong between us and a modem; each error knows which health state it is.

No handling here: the link decides what to do about it.
"""

import re
from collections.abc import Sequence

from smscatch.errors import ReceptionTrouble

_COMMAND = re.compile(r"AT[+^*$#%&]?[A-Z]*")
# <err> of +CME ERROR in words, as modems write it that do not heed AT+CMEE=1 (3GPP TS 27.007, 9.2.1).
_WORDS = {
    "sim not inserted": 10,
    "sim pin required": 11,
    "sim puk required": 12,
    "sim failure": 13,
    "sim busy": 14,
    "sim wrong": 15,
    "incorrect password": 16,
}


class ModemTrouble(ReceptionTrouble):
    """The modem cannot be read at present."""

    code = "modem_trouble"


class PortMissing(ModemTrouble):
    """The device is not there, or was pulled out."""

    state = "port_missing"


class PortBusy(ModemTrouble):
    """Another program has the port."""

    state = "port_busy"


class PortShared(PortBusy):
    """This very process has the port, for another line."""


class OtherModems(PortMissing):
    """Modems answer, but none of them is the one that is meant."""


class NoAccess(ModemTrouble):
    """This user may not open the port, or it is no serial port."""

    state = "no_access"


class NoAnswer(ModemTrouble):
    """A command stayed without its answer; `lines` are what came of it."""

    state = "silent"

    def __init__(self, message: str, lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.lines = list(lines)


class Silent(NoAnswer):
    """Not even AT was answered."""


class NotAt(Silent):
    """Something speaks at the port, but not AT."""

    state = "not_at"


class TextModeOnly(ModemTrouble):
    """The modem shows texts in text mode alone, not as the PDUs that came."""

    state = "text_mode"


class SpoolTrouble(ModemTrouble):
    """The spool cannot be written; the texts stay on the SIM."""

    state = "spool_full"


class SimTrouble(ModemTrouble):
    """The SIM does not let us read: `state` of this one says why."""

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state  # type: ignore[misc]  # each of ours is one kind, this one is several


class Refused(ModemTrouble):
    """The modem answered with an error. `kind` is CME, CMS or empty, `number` the <err> or None.

    `result` is what it said, `lines` are what came before that.
    """

    def __init__(self, command: str, result: str, lines: Sequence[str] = ()) -> None:
        super().__init__(f"The modem answers {name_of(command)} with {result}.")
        self.result, self.lines = result, list(lines)
        kind, _, value = result.lstrip("+").partition(" ERROR:")
        self.kind = kind if kind in ("CME", "CMS") else ""
        value = value.strip().lower()
        self.number = int(value) if value.isascii() and value.isdecimal() else _WORDS.get(value)


def name_of(command: str) -> str:
    """Return a command without its arguments: one of them may be a PIN."""
    found = _COMMAND.match(command)
    return found[0] if found else "a command"
