"""Files of ours in folders that others can write: opened without waiting, and only if they are plain files.

A pipe of the right name would block whoever opens it; a link would lead elsewhere.
"""

import errno
import os
import stat
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


def read_plain(path: Path, max_bytes: int) -> bytes:
    """Return what a plain file holds, of more than `max_bytes` only these. Raises NotPlainFile, or OSError."""
    with open(open_plain(path, os.O_RDONLY), "rb") as file:
        return file.read(max_bytes)


def _kind(found: os.stat_result) -> str:
    return _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
