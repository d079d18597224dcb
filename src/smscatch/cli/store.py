"""`smscatch prune`, `export` and `import`: what works on the store itself, so that it needs no server and no key."""

import argparse
import contextlib
import itertools
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from smscatch.cli.base import NOTHING, OK, Command
from smscatch.cli.meaning import a_store, find_store
from smscatch.errors import BadRequest, BadSetting, SmscatchError
from smscatch.messages import format_time, parse_age
from smscatch.settings import hide_password, load_settings

if TYPE_CHECKING:
    from smscatch.stores import Store
    from smscatch.stores.records import EndRecord, Record

BATCH = 500


def with_store(options: argparse.Namespace, act: Callable[["Store"], Awaitable[int]], *, is_new: bool = False) -> int:
    """Open the store that is meant for `act`, and say which if nobody named it; make it only if it may be a new one."""
    import asyncio  # noqa: PLC0415 - most commands do without

    from smscatch.sources import join_parts  # noqa: PLC0415 - needs the extra
    from smscatch.stores import open_store  # noqa: PLC0415

    meant = find_store(options.store)
    if not is_new:
        _check_exists(meant.url)
    if meant.notice:
        print(meant.notice, file=sys.stderr)

    async def run() -> int:
        store = await open_store(meant.url, join_parts)
        try:
            return await act(store)
        finally:
            await store.close()

    return asyncio.run(run())


def _check_exists(url: str) -> None:
    """Raise BadSetting if there is no such database: opening it would make it, and hide a misspelt name."""
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and not Path(path).exists():
        raise BadSetting(f"store = {url!r}: there is no database {path}, so there is nothing in it.")


def run_prune(options: argparse.Namespace) -> int:
    """smscatch prune."""
    from smscatch.inbox import FIRST_PLAUSIBLE  # noqa: PLC0415 - needs the extra

    age = load_settings().retention if options.older_than is None else parse_age(options.older_than)
    try:
        before = datetime.now(UTC) - age if age else None
    except OverflowError:  # before the year 1
        before = None
    if before is None:
        why = "zero would delete everything; " if age is not None and not age else ""
        raise BadRequest(f"--older-than {options.older_than!r} is not accepted: {why}give an age such as 12h or 30d.")

    async def act(store: "Store") -> int:
        count = await store.prune(FIRST_PLAUSIBLE, before, up_to=await store.position())
        if count is None:
            print("Another instance is deleting old messages just now; nothing was deleted here.", file=sys.stderr)
            return NOTHING
        print(f"{count} messages were received before {format_time(before)} and are deleted.")
        return OK

    return with_store(options, act)


def run_export(options: argparse.Namespace) -> int:
    """smscatch export."""
    from smscatch.stores.records import EndRecord  # noqa: PLC0415 - needs the extra

    async def act(store: "Store") -> int:
        count = 0
        with _written(options.file) as file:
            async with contextlib.aclosing(store.dump()) as records:
                async for record in records:
                    file.write(msgspec.json.encode(record) + b"\n")
                    count += 1
            file.write(msgspec.json.encode(EndRecord(records=count)) + b"\n")
        print(f"{count} records exported.", file=sys.stderr)
        return OK

    return with_store(options, act)


@contextlib.contextmanager
def _written(path: str) -> Iterator[BinaryIO]:
    """Open a new file that only this user may read, since it holds texts, or standard output; write all of it.

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
        raise SmscatchError(f"{name} cannot be written: {error.strerror}. The export there is not whole.") from error


def _open_new(path: str) -> int:
    if path == "-":
        # A descriptor of our own: what cannot be written fails here, and not again when Python ends.
        return os.dup(sys.stdout.fileno())
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BadRequest(f"{path} cannot be written: {error.strerror}. Name a file that is not there yet.") from error


def run_import(options: argparse.Namespace) -> int:
    """smscatch import."""

    async def act(store: "Store") -> int:
        if await store.position() or await store.keys():
            raise BadRequest(
                f"The store {hide_password(find_store(options.store).url)} holds something already"
                " (half of an import, or the key of a server that was started on it). Import into an empty one,"
                " before a server uses it."
            )
        with _read(options.file) as file:
            _check_whole(file)
            count = await _load(store, file)
        print(f"{count} records imported.", file=sys.stderr)
        return OK

    return with_store(options, act, is_new=True)


@contextlib.contextmanager
def _read(path: str) -> Iterator[BinaryIO]:
    try:
        with contextlib.nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb") as file:
            yield file
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}.") from error


def _check_whole(file: BinaryIO) -> None:
    """Read a file that can be read twice to its end: better to know what is wrong before a record is loaded."""
    if file.seekable():
        start = file.tell()
        for _ in _batches(file):
            pass
        file.seek(start)


async def _load(store: "Store", file: BinaryIO) -> int:
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


def _batches(file: BinaryIO) -> Iterator[list["Record"]]:
    """Yield the records in a file. Raises BadRequest before the last of them if the file is not whole."""
    records = _records(file)
    while batch := list(itertools.islice(records, BATCH)):
        yield batch


def _records(file: BinaryIO) -> Iterator["Record"]:
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


def _lines(file: BinaryIO) -> Iterator["Record | EndRecord"]:
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


def _add_prune_arguments(prune: argparse.ArgumentParser) -> None:
    prune.add_argument("--older-than", metavar="AGE", help="such as 12h or 30d; the retention by default")


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="- (the default) is standard input/output")


COMMANDS = (
    Command("prune", "delete old messages now", run_prune, _add_prune_arguments, means=a_store),
    Command("export", "write everything that is kept as JSON Lines", run_export, _add_file, means=a_store),
    Command("import", "read an export into an empty store", run_import, _add_file, means=a_store),
)
