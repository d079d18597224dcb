"""What was taken from an SMSC that may not know it: the answer to a deliver_sm may be lost with the connection.

SMPP 3.4 gives a text no identity, so what the SMSC delivers again after that is told by its octets. No network here.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from smscatch.files import append_records, read_records, replace, write_records

FOLDER = "smpp"
MAX_OPEN = 10_000  # of one SMSC; none lets more than some hundreds be unanswered
MAX_RECORDS = 20_000
MAX_BYTES = 10_000_000
KEPT_NS = 72 * 3600 * 10**9  # an SMSC gives a text up after that, usually much earlier


class Noted(NamedTuple):
    """A text that was taken: its digest, and which bind took it, "" for one before our start."""

    digest: str
    bind: str


class Taking(NamedTuple):
    """What a text is called in the spool, and what it may repeat is called there."""

    name: str
    repeat_of: str | None


class Ledger:
    """The texts of one SMSC whose answers are not known to have arrived, by their names in the spool."""

    def __init__(self, spool: Path, smsc: str) -> None:
        """Read the ledger that an SMSC has in `spool`. Raises OSError."""
        folder = spool / FOLDER
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / f"{smsc}.log"
        self._smsc = smsc
        self._open: dict[str, Noted] = {}
        self._last_ns = 0
        self._records = 0
        for record in read_records(self._path, MAX_BYTES):
            match record:
                case ["+", str(name), str(digest)] if name[:20].isdecimal():
                    self._open[name] = Noted(digest, "")
                    self._last_ns = int(name[:20])
                case ["-", *names]:
                    self._drop(names)
        self._rewrite()

    def take(self, digests: Sequence[str], bind: str, now_ns: int) -> list[Taking]:
        """Return names for texts of this moment, each behind all before it; they are noted durably.

        What another bind took, with the same digest, may be repeated by one text, and then is open no more. Raises
        OSError: then nothing is noted.
        """
        takings, new = [], {}
        repeated: set[str] = set()
        for digest in digests:
            self._last_ns = max(now_ns, self._last_ns + 1)
            name = f"{self._last_ns:020d}-{self._smsc}"
            repeat_of = self._find(digest, bind, now_ns, repeated)
            repeated |= {repeat_of} if repeat_of else set()
            takings.append(Taking(name, repeat_of))
            new[name] = Noted(digest, bind)
        records: list[list[str]] = [["+", name, noted.digest] for name, noted in new.items()]
        self._append([["-", *repeated], *records] if repeated else records, is_durable=True)
        self._drop(repeated)
        self._open |= new
        return takings

    def _find(self, digest: str, bind: str, now_ns: int, taken: set[str]) -> str | None:
        return next(
            (
                name
                for name, noted in self._open.items()
                if noted.digest == digest
                and noted.bind != bind
                and name not in taken
                and now_ns - int(name[:20]) < KEPT_NS
            ),
            None,
        )

    def forget(self, names: Sequence[str]) -> None:
        """Note that the SMSC knows that these were taken, or that they were not. Raises OSError: then they stay."""
        if not names:
            return
        self._append([["-", *names]], is_durable=False)
        self._drop(names)
        if self._records > MAX_RECORDS or len(self._open) > MAX_OPEN:
            self._rewrite()

    def _append(self, records: Sequence[Sequence[str]], *, is_durable: bool) -> None:
        append_records(self._path, records, is_durable=is_durable)
        self._records += len(records)

    def _drop(self, names: object) -> None:
        for name in names if isinstance(names, set | list | tuple) else ():
            self._open.pop(name, None)

    def _rewrite(self) -> None:
        self._open = dict(list(self._open.items())[-MAX_OPEN:])
        replace(self._path, write_records([["+", name, noted.digest] for name, noted in self._open.items()]))
        self._records = len(self._open)
