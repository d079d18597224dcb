"""Exports: everything that a store keeps, as JSON Lines, the last of which is their number."""

import contextlib
import itertools
import os
import sys
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

import msgspec

from smscatch.errors import BadRequest, SmscatchError
from smscatch.settings import hide_password

if TYPE_CHECKING:
    from smscatch.stores import Store
    from smscatch.stores.records import EndRecord, Record

BATCH = 500


@contextlib.contextmanager
def written(path: str, what: str) -> Iterator[IO[bytes]]:
    """Open a new file that only this user may read, since it holds texts, or standard output; write all of a `what`.

    Raises BadRequest if the file cannot be made, SmscatchError if it cannot be written to the end.
    """
    try:
        with os.fdopen(_open_new(path), "wb") as file:
            yield file
            file.flush()
            if path != "-":
                os.fsync(file.fileno())
    except BrokenPipeError:  # whoever reads has had enough
        raise
    except OSError as error:
        name = "standard output" if path == "-" else path
        raise SmscatchError(f"{name} cannot be written: {error.strerror}. The {what} there is not whole.") from error


def _open_new(path: str) -> int:
    if path == "-":
        # A descriptor of our own: what cannot be written fails here, and not again when Python ends.
        return os.dup(sys.stdout.fileno())
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BadRequest(f"{path} cannot be written: {error.strerror}. Name a file that is not there yet.") from error


async def write_all(store: "Store", file: IO[bytes]) -> int:
    """Write everything that a store keeps, as of one moment; return how many records that are."""
    from smscatch.stores.records import EndRecord  # noqa: PLC0415 - needs the extra

    count = 0
    async with contextlib.aclosing(store.dump()) as records:
        async for record in records:
            file.write(msgspec.json.encode(record) + b"\n")
            count += 1
    file.write(msgspec.json.encode(EndRecord(records=count)) + b"\n")
    return count


async def refuse_used(store: "Store", url: str) -> None:
    """Raise BadRequest if a store, whose URL is `url`, holds something."""
    if await store.position() or await store.keys():
        raise BadRequest(
            f"The store {hide_password(url)} holds something already"
            " (half of an import, or the key of a server that was started on it). Name an empty one, which no server"
            " has used yet."
        )


def check_whole(file: IO[bytes]) -> None:
    """Read a file that can be read twice to its end: better to know what is wrong before a record is loaded."""
    if file.seekable():
        start = file.tell()
        for _ in _batches(file):
            pass
        file.seek(start)


async def load_all(store: "Store", file: IO[bytes]) -> int:
    """Load all records in a file; return how many. Raises BadRequest, which says if some are in the store already."""
    count = 0
    try:
        for batch in _batches(file):
            await store.load(batch)
            count += len(batch)
    except BadRequest as error:
        if not count:
            raise
        raise BadRequest(f"{error} {count} records are in the store: empty it before the next import.") from error
    return count


def _batches(file: IO[bytes]) -> Iterator[list["Record"]]:
    """Yield the records in a file. Raises BadRequest before the last of them if the file is not whole."""
    records = _records(file)
    while batch := list(itertools.islice(records, BATCH)):
        yield batch


def _records(file: IO[bytes]) -> Iterator["Record"]:
    """Yield the records in a file. Raises BadRequest, in the end, unless the last line is their number."""
    from smscatch.stores.records import EndRecord  # noqa: PLC0415 - needs the extra

    count, last = 0, None
    for last in _lines(file):
        if not isinstance(last, EndRecord):
            count += 1
            yield last
    if not isinstance(last, EndRecord) or last.records != count:
        raise BadRequest(
            f"{file.name} is not whole: it has {count} records, and does not end with the line that says so."
            " Export anew, and import all of it."
        )


def _lines(file: IO[bytes]) -> Iterator["Record | EndRecord"]:
    """Yield what the lines of a file stand for. Raises BadRequest, naming the line that stands for nothing."""
    from smscatch.stores.records import EndRecord, Record  # noqa: PLC0415 - needs the extra

    decoder: msgspec.json.Decoder[Record | EndRecord] = msgspec.json.Decoder(Record | EndRecord)
    for number, line in enumerate(file, start=1):
        if line.isspace():  # left at the end by an editor
            continue
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadRequest(f"{file.name}, line {number}, is no record of `smscatch export`: {error}.") from error
