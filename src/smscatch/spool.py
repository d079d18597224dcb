"""The spool: a folder of deliveries that are on disk but not yet in the store, and the socket that says so.

An entry is a file NAME.sms: a first line `smscatch/1 KIND LENGTH`, then LENGTH bytes that only the source KIND reads.
What hook.py writes by itself, without this module, has the same form.
"""

import contextlib
import fcntl
import logging
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from smscatch.errors import BadDelivery, CannotStart, StoreUnavailable
from smscatch.files import (
    NotPlainFile,
    check_room,
    describe_unwritable,
    open_plain,
    read_plain,
    replace_all,
)

SUFFIX = ".sms"
MAX_BYTES = 1_000_000
REJECTED = "rejected"
REASON = ".reason.txt"
MAX_KEPT_NAME = 200  # a file name has 255 bytes at most, and ".reason.txt" is to follow
_HEAD = re.compile(rb"smscatch/1 ([a-z][a-z0-9_]{0,30}) (\d{1,9})\n")
_STALE_SECONDS = 3600

log = logging.getLogger(__name__)


class Entry(NamedTuple):
    """One delivery: the file's name without its ending, which source reads it, and the bytes for that source."""

    name: str
    kind: str
    body: bytes


def new_name() -> str:
    """Return a name for an entry, which comes behind those that were made before."""
    return f"{time.time_ns():020d}-{secrets.token_hex(8)}"


def write_entry(folder: Path, entry: Entry) -> None:
    """Put an entry into a spool so that a power cut cannot take it away; one with the same name is replaced.

    Then pokes the server, if one listens. Raises OSError: nothing is in the spool then.
    """
    write_entries(folder, [entry])


def write_entries(folder: Path, entries: Sequence[Entry]) -> None:
    """Do the same with several, all or none of them."""
    replace_all(folder, {entry.name + SUFFIX: _form(entry) for entry in entries}, 0o660)
    poke(folder)


def _form(entry: Entry) -> bytes:
    return b"smscatch/1 %s %d\n" % (entry.kind.encode(), len(entry.body)) + entry.body


def poke(folder: Path) -> None:
    """Tell the server that there is something new; with none, or a frozen one, go on at once."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        with _short_name(folder) as short:
            sender.sendto(b"1", f"{short}/poke")


class Writer:
    """Puts entries into a spool for whoever asks over HTTP. What keeps it from that is logged once, and its end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._trouble: str | None = None
        self._lock = threading.Lock()  # a check's file has one name

    def write(self, *entries: Entry) -> None:
        """Keep entries, as `write_entries` does. Raises StoreUnavailable: then none is in the spool."""
        self._attempt(lambda: write_entries(self._folder, entries), "Nothing was kept.")

    def check(self) -> None:
        """Write a file and remove it. Raises StoreUnavailable if a text could not be kept now."""
        with self._lock:
            self._attempt(
                lambda: check_room(self._folder), "What comes by HTTP is refused, what comes by modem waits on the SIM."
            )

    def _attempt(self, work: Callable[[], None], outcome: str) -> None:
        try:
            work()
        except OSError as error:
            trouble = describe_unwritable("spool", self._folder, error)
            if trouble != self._trouble:  # a disk may be full for days
                log.warning("%s", trouble)
            self._trouble = trouble
            raise StoreUnavailable(f"{trouble} {outcome}") from error
        if self._trouble is not None:
            log.info("the spool %s can be written again", self._folder)
        self._trouble = None


class Spool:
    """A spool folder, for the one server that drains it."""

    def __init__(self, folder: Path) -> None:
        """Make the folder, claim it, and clear what dead writers left.

        Raises CannotStart if it cannot be written, or if another server drains it.
        """
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (folder / REJECTED).mkdir(exist_ok=True)
            self._lock = open_plain(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o660)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._clear_unfinished()
        except BlockingIOError as error:
            raise CannotStart(
                f"Another smscatch drains the spool {folder}. Stop it, or name another folder with SMSCATCH_SPOOL."
            ) from error
        except NotPlainFile as error:
            raise CannotStart(f"The spool {folder} cannot be used: {error.strerror}. Remove it.") from error
        except OSError as error:
            what = f" ({error.filename})" if error.filename and error.filename != str(folder) else ""
            raise CannotStart(
                f"The spool {folder} cannot be used: {error.strerror}{what}. Make it a folder that this user may"
                " write, or name another with SMSCATCH_SPOOL."
            ) from error

    def close(self) -> None:
        """Let another server have the folder."""
        os.close(self._lock)

    def _clear_unfinished(self) -> None:
        """Remove temporary files of writers that died: such a delivery was never acknowledged."""
        for unfinished in self.folder.glob(".tmp-*"):
            # Its writer lives, and has just finished it; or it is a folder, which no writer made.
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                if time.time() - unfinished.lstat().st_mtime > _STALE_SECONDS:
                    unfinished.unlink()

    def names(self) -> list[str]:
        """Return the names of all entries in the order in which they were written."""
        with os.scandir(self.folder) as files:
            return sorted(file.name.removesuffix(SUFFIX) for file in files if file.name.endswith(SUFFIX))

    def read(self, name: str) -> Entry:
        """Return an entry. Raises BadDelivery, saying what is wrong with the file, or OSError if it cannot be read."""
        try:
            content = read_plain(self.folder / (name + SUFFIX), MAX_BYTES + 1)
        except NotPlainFile as error:
            raise BadDelivery(f"It is {error.kind}; an entry is a plain file.") from error
        head = _HEAD.match(content)
        if not content:
            raise BadDelivery("The file is empty.")
        if head is None:
            raise BadDelivery("The file does not begin with 'smscatch/1 KIND LENGTH': smscatch did not write it.")
        body = content[head.end() :]
        if len(content) > MAX_BYTES or len(body) != int(head[2]):
            raise BadDelivery(f"The file has {len(body)} bytes after its first line, which announces {int(head[2])}.")
        return Entry(name, head[1].decode(), body)

    def finish(self, name: str) -> None:
        """Remove an entry whose message is in the store."""
        (self.folder / (name + SUFFIX)).unlink(missing_ok=True)

    def reject(self, name: str, reason: str) -> None:
        """Put an entry aside, with the reason beside it. It is never deleted and never tried again. Raises OSError."""
        aside = self.folder / REJECTED
        kept = name[:MAX_KEPT_NAME]
        if any(os.path.lexists(aside / (kept + ending)) for ending in (SUFFIX, REASON)):
            kept = f"{kept}-{secrets.token_hex(4)}"
        (self.folder / (name + SUFFIX)).rename(aside / (kept + SUFFIX))
        log.warning("spool entry %s put aside in %s: %s", name, aside, reason)
        with contextlib.suppress(OSError):  # on a full disk the log has it
            (aside / f"{kept}{REASON}").write_text(f"{reason}\n", encoding="utf-8")


class Pokes:
    """The datagram socket in the spool on which writers say that there is something new."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "poke"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        try:
            self._path.unlink(missing_ok=True)  # a killed server leaves its socket behind
        except OSError as error:
            self.socket.close()
            raise CannotStart(f"{self._path} cannot be replaced by a socket: {error.strerror}. Remove it.") from error
        with _short_name(folder) as short:
            self.socket.bind(f"{short}/poke")
        self._path.chmod(0o660)

    def drain(self) -> None:
        """Forget the pokes that have come."""
        with contextlib.suppress(BlockingIOError):
            while self.socket.recv(16):
                pass

    def close(self) -> None:
        """Close the socket and remove its file."""
        self.socket.close()
        self._path.unlink(missing_ok=True)


@contextlib.contextmanager
def _short_name(folder: Path) -> Iterator[str]:
    """A name of `folder` short enough for a unix socket's path (unix(7): 107 bytes)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
