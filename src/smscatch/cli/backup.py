"""`smscatch backup` and `restore`: what an installation keeps in one file, whole also beside a running server.

A zip file. It has the spool's files in front of the store's export: a text that the server moves meanwhile from the one
to the other is in one of them, or in both, where it is the same delivery. Cut off anywhere, it cannot be opened.
"""

import argparse
import contextlib
import json
import sys
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from smscatch import __version__
from smscatch.cli.base import OK, Command
from smscatch.cli.meaning import a_store, find_store
from smscatch.cli.records import check_whole, load_all, refuse_used, write_all, written
from smscatch.cli.store import with_store
from smscatch.errors import BadRequest
from smscatch.files import NotPlainFile, read_plain, replace
from smscatch.settings import Settings
from smscatch.times import format_time

if TYPE_CHECKING:
    from smscatch.stores import Store

MANIFEST, SPOOL, CONFIG, STORE = "smscatch-backup.json", "spool/", "smscatch.toml", "store.jsonl"
FORM = 1
MAX_FILE_BYTES = 64 * 1024 * 1024  # far more than any file of a spool has


def run_backup(options: argparse.Namespace) -> int:
    """smscatch backup."""
    meant = find_store(options.store).settings

    async def act(store: "Store") -> int:
        with written(options.file, "backup") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as backup:
            files = _add_files(backup, meant)
            with backup.open(STORE, "w", force_zip64=True) as export:
                records = await write_all(store, export)
        print(f"{_counted(records, files)} {meant.spool} are in {options.file}.", file=sys.stderr)
        return OK

    return with_store(options, act)


def _add_files(backup: zipfile.ZipFile, settings: Settings) -> int:
    """Put the spool's files into a backup, behind what made it and the configuration; return how many they are."""
    manifest = {"form": FORM, "smscatch": __version__, "made_at": format_time(datetime.now(UTC))}
    backup.writestr(MANIFEST, json.dumps(manifest))
    if settings.config is not None:
        backup.writestr(CONFIG, settings.config.read_bytes())
    count = 0
    for name, content in _files_of(settings.spool):
        backup.writestr(SPOOL + name, content)
        count += 1
    return count


def _counted(records: int, files: int) -> str:
    return f"{records} records and {files} file{'' if files == 1 else 's'} of the spool"


def _files_of(spool: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the names, from the spool on, and contents of its files, without what is only of the moment."""
    from smscatch.modem.health import FOLDER as HEALTH  # noqa: PLC0415 - needs the extra

    for path in sorted(spool.rglob("[!.]*")):
        name = path.relative_to(spool)
        if name.parts[0] == HEALTH:
            continue
        # What has gone meanwhile is in the store, which is read later; a socket, or what another program put here, is
        # nothing of ours.
        with contextlib.suppress(FileNotFoundError, NotPlainFile):
            yield name.as_posix(), read_plain(path, MAX_FILE_BYTES)


def run_restore(options: argparse.Namespace) -> int:
    """smscatch restore."""
    _check(options.file)
    with zipfile.ZipFile(options.file) as backup:
        if options.config:
            _restore_config(backup, options.config)
        meant = find_store(options.store)

        async def act(store: "Store") -> int:
            await refuse_used(store, meant.url)
            files = _restore_spool(backup, meant.settings.spool)
            with backup.open(STORE) as export:
                records = await load_all(store, export)
            print(f"{_counted(records, files)} {meant.settings.spool} are restored.", file=sys.stderr)
            return OK

        return with_store(options, act, is_new=True)


def _check(path: str) -> None:
    """Read all of a backup: better to know what is wrong before anything is restored. Raises BadRequest."""
    try:
        with zipfile.ZipFile(path) as backup:
            damaged = backup.testzip()
            if damaged is not None:
                raise BadRequest(f"{path} is damaged: {damaged} in it has changed. Take another backup.")
            _check_form(path, backup)
            with backup.open(STORE) as export:
                check_whole(export)
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, zlib.error) as error:
        raise BadRequest(
            f"{path} is no backup, or not a whole one ({error}). Take one that `smscatch backup` wrote to its end."
        ) from error


def _check_form(path: str, backup: zipfile.ZipFile) -> None:
    if not {MANIFEST, STORE} <= set(backup.namelist()):
        raise BadRequest(f"{path} is no backup of smscatch. Is it an export? Then use `smscatch import`.")
    manifest = json.loads(backup.read(MANIFEST))
    if manifest["form"] != FORM:
        raise BadRequest(f"{path} was made by smscatch {manifest['smscatch']}: restore it with that version or later.")


def _restore_spool(backup: zipfile.ZipFile, folder: Path) -> int:
    """Write the spool's files, durably; return how many. Run again after a crash it writes the same.

    Raises CannotStart while a server uses the spool, BadRequest if something else is in it.
    """
    from smscatch.spool import Spool  # noqa: PLC0415 - other commands do without

    places = {name: folder / _place(name) for name in backup.namelist() if name.startswith(SPOOL)}
    spool = Spool(folder)
    try:
        for name, path in places.items():
            _refuse_other(path, backup.read(name))
        for name, path in places.items():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace(path, backup.read(name), 0o660)
    finally:
        spool.close()
    return len(places)


def _refuse_other(path: Path, content: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        if read_plain(path, MAX_FILE_BYTES) != content:
            raise BadRequest(f"{path} is there already, and is another than in the backup: move it away.")


def _place(name: str) -> PurePosixPath:
    """Return where in the spool a member of a backup belongs. Raises BadRequest if that is not in it."""
    place = PurePosixPath(name.removeprefix(SPOOL))
    if place.is_absolute() or ".." in place.parts or not place.parts:
        raise BadRequest(f"The backup has a file {name!r}, which belongs into no spool: smscatch did not write it.")
    return place


def _restore_config(backup: zipfile.ZipFile, path: str) -> None:
    if CONFIG not in backup.namelist():
        raise BadRequest("The backup has no smscatch.toml, since there was none. Leave out --config.")
    with written(path, "configuration") as file:
        file.write(backup.read(CONFIG))


def _add_backup_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a new file; it holds texts and secrets, so only you may read it")


def _add_restore_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="what `smscatch backup` wrote")
    parser.add_argument("--config", metavar="TOML", help="a new file, for the smscatch.toml that is in the backup")


COMMANDS = (
    Command("backup", "write all that an installation keeps into one file", run_backup, _add_backup_arguments, a_store),
    Command("restore", "read a backup into an empty installation", run_restore, _add_restore_arguments, a_store),
)
