"""One command on its way: what has come of its answer, and whether that is all. Nothing is sent or waited for here."""

import asyncio
import re

from smscatch.modem.said import find_name, is_plain, may_be_pdu

# Commands whose answer has one line, which begins with their name; but not of _NAMELESS, and +CMGR has a PDU behind it.
_TELLING = re.compile(r"AT([+^][A-Z]+)(?:\??$|=\?$)|AT(\+CPMS|\+CMGR|\+CRSM)=")
_NAMELESS = ("+CGMI", "+CGMM", "+CGMR", "+CGSN", "+GSN", "+CIMI")


class Exchange:
    """A command and what has come of its answer. `moved` is set with each line of it, and at its end.

    `result` is its final result code, empty until that comes; `says_all` tells that the answer is whole but for that,
    `was_echoed` that the modem sent the command back, `is_refused` that an error came where only an OK would do. With
    `named`, only an OK behind a line that begins so ends it. Without `is_patient` no line gives it more time.
    """

    def __init__(self, command: str, named: str | None = None, *, is_patient: bool = True) -> None:
        self.command = command
        self.lines: list[str] = []
        self.result = ""
        self.moved = asyncio.Event()
        self.is_refused = False
        self.was_echoed = False
        self.says_all = False
        # What is to be typed when the modem asks for it with "> " (TS 27.005, 3.5.1); None once it is typed.
        self.body: str | None = None
        self._named = named
        self._is_patient = is_patient and named is None
        found = _TELLING.match(command)
        self._tells = (found[1] or found[2]) if found else ""

    @property
    def is_done(self) -> bool:
        """Whether its final result code has come."""
        return bool(self.result)

    def add(self, line: str) -> None:
        """Take a line that may be part of the answer."""
        self.lines.append(line)
        name = find_name(line)
        is_ours = name is None or name.rstrip(":") in self.command
        self.says_all = self.says_all or self._is_all(line)
        if self.says_all or (is_ours and self._is_patient):
            self.moved.set()

    def _is_all(self, line: str) -> bool:
        """Whether the answer is whole with this line, but for its OK."""
        if self._named:
            return line.startswith(self._named)
        if self._tells in _NAMELESS:
            return is_plain(line)
        if self._tells == "+CMGR":
            return may_be_pdu(line) and any(each.startswith("+CMGR:") for each in self.lines)
        return bool(self._tells) and line.startswith(f"{self._tells}:")

    def is_answered_by(self, result: str) -> bool:
        """Return whether a final result code is ours and not a late one."""
        if self._named is None:
            return True
        self.is_refused |= result != "OK"
        return result == "OK" and self.says_all

    def end(self, result: str) -> None:
        """Take the final result code."""
        self.result = result
        self.moved.set()
