"""What smstools3 received: its files are taken from the folder `incoming` into the spool, by their PDU lines.

How a PDU is read is in sources/pdu.py. Source: smstools3's documentation, "Fileformat" and "Configure", and what smsd
3.1.21 writes.
"""

import asyncio
import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from smscatch.files import describe_unwritable
from smscatch.messages import SMSD
from smscatch.sources.pdu import KIND
from smscatch.spool import Entry, write_entries

POLL_SECONDS = 1.0
MAX_FILE_BYTES = 1_000_000  # 255 PDUs and their text are a tenth of that
HINT = "set store_received_pdu = 3 in smsd.conf"

log = logging.getLogger(__name__)


class Received(NamedTuple):
    """What a file of smsd says: which of its modems received it, and the PDUs, of a long text several."""

    modem: str
    pdus: Sequence[str]


def parse_received(content: bytes) -> Received | None:
    """Return what stands in the header of a file; None if it is not whole: smsd is still writing it.

    The text below the header is in one of four charsets, and its time lacks the zone: both are better in the PDU.
    """
    header, is_whole, _ = content.partition(b"\n\n")
    if not is_whole:
        return None
    fields = [line.partition(": ") for line in header.decode("utf-8", "replace").splitlines()]
    modem = next((value.strip() for name, _, value in fields if name == "Modem"), "")
    return Received(modem, [value.strip() for name, _, value in fields if name == "PDU"])


class Folder:
    """The folder in which smsd puts what it receives, and the spool that takes it from there."""

    def __init__(self, incoming: Path, spool: Path) -> None:
        self._incoming, self._spool = incoming, spool
        self._seen: dict[str, tuple[int, int]] = {}  # time and size of the files, as they were at the look before
        self._taken: set[tuple[str, int]] = set()  # which could not be removed
        self._told: set[str] = set()

    async def keep_taking(self, poll_seconds: float = POLL_SECONDS) -> None:
        """Take what comes, until cancelled. What keeps it from that is logged once, and tried again."""
        while True:
            await asyncio.to_thread(self.take)
            await asyncio.sleep(poll_seconds)

    def take(self) -> int:
        """Take the files that have not changed since the last look, oldest first; return how many there were.

        Each is removed once its PDUs are durable in the spool. One that is found again after a crash in between is a
        repeat: a delivery has the file's name and time in its own.
        """
        try:
            files = sorted(self._find(), key=lambda entry: entry.stat().st_mtime_ns)
            now = {entry.name: (entry.stat().st_mtime_ns, entry.stat().st_size) for entry in files}
        except OSError as error:
            self._tell(f"The folder {self._incoming} of smstools cannot be read: {error.strerror}.")
            return 0
        ready = [entry for entry in files if self._seen.get(entry.name) == now[entry.name]]
        self._seen = now
        self._taken &= {(name, time_ns) for name, (time_ns, _) in now.items()}
        return sum(self._take(Path(entry.path), now[entry.name][0]) for entry in ready)

    def _find(self) -> Iterator[os.DirEntry[str]]:
        with os.scandir(self._incoming) as entries:
            yield from (entry for entry in entries if entry.name[0] != "." and entry.is_file(follow_symlinks=False))

    def _take(self, path: Path, time_ns: int) -> bool:
        if (path.name, time_ns) in self._taken:
            return False
        received = self._read(path)
        if received is None:
            return False
        try:
            write_entries(self._spool, list(_entries(path.name, time_ns, received)))
        except OSError as error:
            self._tell(f"The file {path} is not taken: {describe_unwritable('spool', self._spool, error)}")
            return False
        try:
            path.unlink()
        except OSError as error:
            self._taken.add((path.name, time_ns))
            self._tell(
                f"The file {path} was taken but cannot be removed: {error.strerror}. The folder has to be ours:"
                " docs/modems.md says how. Until it is, each start reads it again."
            )
        return True

    def _read(self, path: Path) -> Received | None:
        """Return what a file holds; None for what is no text of smsd, and stays where it is."""
        try:
            with path.open("rb") as file:
                received = parse_received(file.read(MAX_FILE_BYTES))
        except OSError as error:
            self._tell(f"The file {path} cannot be read: {error.strerror}.")
            return None
        if received is None:
            return None
        if not received.pdus:
            self._tell(f"The file {path} has no PDU, so it is left there: {HINT}.")
            return None
        return received

    def _tell(self, said: str) -> None:
        if said not in self._told:
            self._told.add(said)
            log.warning("%s", said)


def _entries(name: str, time_ns: int, received: Received) -> Iterator[Entry]:
    for number, pdu in enumerate(received.pdus, start=1):
        digest = hashlib.sha256(f"{name}\0{number}\0{pdu}".encode()).hexdigest()[:16]
        records = {"time_ns": str(time_ns), "line": received.modem, "reader": SMSD, "pdu": pdu}
        # NUL ends a record, so it can stand in none.
        body = b"".join(f"{key}={value}".replace("\0", "").encode() + b"\0" for key, value in records.items())
        yield Entry(f"{time_ns:020d}-{digest}", KIND, body)
