"""Files of ours in folders that others can write: opened without waiting, only plain ones, and put in place whole.

A pipe of the right name would block whoever opens it; a link would lead elsewhere.
"""

import contextlib
import errno
import json
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a folder",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
# What open(2) says of a link with O_NOFOLLOW, of a socket or a pipe that nobody reads, and of a folder.
_ODD = (errno.ELOOP, errno.ENXIO, errno.EISDIR)
_TRIED_BYTES = 64 * 1024  # that a folder must have room for, or its disk is full


class NotPlainFile(OSError):
    """Something else has the name of a file of ours."""

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(errno.EINVAL, f"{path.name} is {kind}, no plain file", str(path))
        self.kind = kind


def open_plain(path: Path, flags: int, mode: int = 0o600) -> int:
    """Return a descriptor of a plain file, opened as os.open does, but never waiting and never through a link.

    Raises NotPlainFile, or OSError.
    """
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except OSError as error:
        if error.errno in _ODD:
            raise NotPlainFile(path, _kind(path.lstat())) from error
        raise
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise NotPlainFile(path, _kind(found))
    return descriptor


def create_plain(path: Path, mode: int = 0o600) -> int:
    """Return a descriptor to write a new file with; what had its name is removed. Raises OSError, as for a folder."""
    path.unlink(missing_ok=True)
    return open_plain(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)


def replace(path: Path, content: bytes, mode: int = 0o600, *, is_durable: bool = True) -> None:
    """Put a file in the place of what has its name (atomic): a reader finds the old or the new, never half of one.

    So does who looks after a power cut, unless it is not `is_durable`. Raises OSError: then nothing was replaced. A
    writer that dies may leave a file .tmp-NAME.PID.
    """
    replace_all(path.parent, {path.name: content}, mode, is_durable=is_durable)


def replace_all(folder: Path, contents: Mapping[str, bytes], mode: int = 0o600, *, is_durable: bool = True) -> None:
    """Do the same with several files of a folder, by their names; one that cannot be written keeps all from there."""
    fresh = {name: folder / f".tmp-{name}.{os.getpid()}" for name in contents}
    try:
        for name, content in contents.items():
            with open(create_plain(fresh[name], mode), "wb") as file:
                file.write(content)
                file.flush()
                if is_durable:
                    os.fsync(file.fileno())
        for name, path in fresh.items():
            path.replace(folder / name)
    except BaseException:
        for path in fresh.values():
            with contextlib.suppress(OSError):
                path.unlink()
        raise
    if is_durable:
        fsync_folder(folder)


def check_room(folder: Path) -> None:
    """Write a file into a folder and remove it. Raises OSError if there is no room for one, or no right to."""
    path = folder / ".check"
    replace(path, bytes(_TRIED_BYTES), is_durable=False)
    path.unlink(missing_ok=True)


def describe_unwritable(what: str, folder: Path, error: OSError) -> str:
    """Return what to say of a folder, the "spool", that cannot be written: what is wrong; if it is full, what to do."""
    said = f"The {what} {folder} cannot be written: {error.strerror or error}."
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return f"{said} Free some space there: `df -h {folder}` shows the disk, `df -i` its files." if is_full else said


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable, as fsync(2) of a file does not."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_plain(path: Path, max_bytes: int) -> bytes:
    """Return what a plain file holds, of more than `max_bytes` only these. Raises NotPlainFile, or OSError."""
    with open(open_plain(path, os.O_RDONLY), "rb") as file:
        return file.read(max_bytes)


def append_records(path: Path, records: Sequence[Sequence[object]], *, is_durable: bool) -> None:
    """Add JSON arrays to a file, one per line. Raises OSError: what was cut short there, `read_records` passes over."""
    data = write_records(records)
    descriptor = open_plain(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        # A record that a full disk cut short is made whole again by the newline in front of the next.
        if os.write(descriptor, b"\n" + data) != len(data) + 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if is_durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_records(records: Sequence[Sequence[object]]) -> bytes:
    """Return JSON arrays, one per line."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def read_records(path: Path, max_bytes: int) -> list[list[object]]:
    """Return the JSON arrays of a file, one per line; what a power cut left unfinished is passed over.

    Raises OSError if it cannot be read, as if it is no plain file; that there is none is no error.
    """
    try:
        lines = read_plain(path, max_bytes).split(b"\n")
    except FileNotFoundError:
        return []
    records = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, list):
            records.append(record)
    return records


def _kind(found: os.stat_result) -> str:
    return _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
