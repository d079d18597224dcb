"""At which speed a modem speaks: the one that is set, or else the one that worked last; others are tried in turn."""

import json
from pathlib import Path

from smscatch.devices import SPEEDS
from smscatch.files import read_plain, replace
from smscatch.modem.journal import FOLDER, file_name

_MAX_BYTES = 1000
# After so many attempts in vain a modem at the speed that worked may have got another.
_MANY_ATTEMPTS = 8


class Speeds:
    """The speeds for the port of one line, kept over restarts in the spool's folder; with `fixed` only that one."""

    def __init__(self, spool: Path, line: str, fixed: int | None) -> None:
        self._path = spool / FOLDER / f"{file_name(line)}.speed"
        self._fixed = fixed
        self._known = _read(self._path) if fixed is None else None
        self._attempts = 0

    @property
    def first(self) -> int:
        """The speed to begin with."""
        return self._fixed or self._known or SPEEDS[0]

    def others(self) -> tuple[int, ...]:
        """Return what to try if the first is not answered: none where the speed is set.

        Trying takes some seconds, so it is done at the first attempt to talk, the second, the fourth, the eighth...
        Where a speed worked before, it is done from the eighth attempt on.
        """
        self._attempts += 1
        is_due = self._attempts & (self._attempts - 1) == 0
        is_open = self._known is None or self._attempts >= _MANY_ATTEMPTS
        if self._fixed is not None or not (is_due and is_open):
            return ()
        return tuple(speed for speed in SPEEDS if speed != self.first)

    def note(self, speed: int) -> None:
        """Remember that the modem answered at `speed`. Raises OSError."""
        self._attempts = 0
        if self._fixed is None and self._known != speed:
            self._known = speed
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace(self._path, json.dumps(speed).encode(), is_durable=False)


def _read(path: Path) -> int | None:
    try:
        speed = json.loads(read_plain(path, _MAX_BYTES))
    except (OSError, ValueError):
        return None
    return speed if speed in SPEEDS else None
