"""`smscatch prune`, `export` and `import`: what works on the store itself, so that it needs no server and no key."""

import argparse
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from smscatch.cli.base import NOTHING, OK, Command
from smscatch.cli.meaning import a_store, find_store
from smscatch.cli.records import check_whole, load_all, refuse_used, write_all, written
from smscatch.errors import BadRequest, BadSetting
from smscatch.settings import load_settings
from smscatch.times import format_time, parse_age

if TYPE_CHECKING:
    from smscatch.stores import Store


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
        if options.keep is not None:
            trimmed = await store.trim(options.keep)
            print(f"{trimmed} messages were more than the newest {options.keep} and are deleted.")
            return OK
        count = await store.prune(FIRST_PLAUSIBLE, before, up_to=await store.position())
        if count is None:
            print("Another instance is deleting old messages just now; nothing was deleted here.", file=sys.stderr)
            return NOTHING
        print(f"{count} messages were received before {format_time(before)} and are deleted.")
        return OK

    return with_store(options, act)


def run_export(options: argparse.Namespace) -> int:
    """smscatch export."""

    async def act(store: "Store") -> int:
        with written(options.file, "export") as file:
            count = await write_all(store, file)
        print(f"{count} records exported.", file=sys.stderr)
        return OK

    return with_store(options, act)


def run_import(options: argparse.Namespace) -> int:
    """smscatch import."""

    async def act(store: "Store") -> int:
        await refuse_used(store, find_store(options.store).url)
        with _read(options.file) as file:
            check_whole(file)
            count = await load_all(store, file)
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


def _add_prune_arguments(prune: argparse.ArgumentParser) -> None:
    which = prune.add_mutually_exclusive_group()
    which.add_argument("--older-than", metavar="AGE", help="such as 12h or 30d; the retention by default")
    which.add_argument("--keep", metavar="NUMBER", type=_parse_number, help="all but so many, the newest")


def _parse_number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not accepted: give a number, 0 or more")
    return int(text)


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="- (the default) is standard input/output")


COMMANDS = (
    Command("prune", "delete old messages now", run_prune, _add_prune_arguments, means=a_store),
    Command("export", "write everything that is kept as JSON Lines", run_export, _add_file, means=a_store),
    Command("import", "read an export into an empty store", run_import, _add_file, means=a_store),
)
