"""Putting the files of a plan in their places, once, with a backup of what was there; and taking them away again."""

import difflib
import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smscatch.errors import BadSetting
from smscatch.files import replace
from smscatch.setup.plan import ADMIN_KEY, PlannedFile

# What setup wrote, each path with the SHA-256 of its content, whether another file was there before, and which folders
# were made for it.
RECORD = Path("etc/smscatch/.setup.json")
BACKUP = ".before-smscatch"
_SECRET = re.compile(r"\+(pin|password) = .*")


class Change(NamedTuple):
    """A file that is not as it is to be, and what it holds now; None if it is not there."""

    file: PlannedFile
    before: str | None


def changes(root: Path, files: Sequence[PlannedFile]) -> list[Change]:
    """Return what is to be written so that all is as planned. Raises OSError."""
    found = [Change(file, read(root / file.path)) for file in files]
    return [change for change in found if change.before != change.file.content]


def read(path: Path) -> str | None:
    """Return what a file holds, None if there is none. Raises OSError."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None


def show(change: Change) -> Iterator[str]:
    """Yield a change as a diff, without secrets."""
    path = f"/{change.file.path}"
    if change.file.path == ADMIN_KEY:
        yield f"+++ {path} (the administrator's key)"
        return
    old, new = (change.before or "").splitlines(), change.file.content.splitlines()
    diff = difflib.unified_diff(old, new, path if change.before is not None else "/dev/null", path, lineterm="")
    yield from (_SECRET.sub(r"+\1 = (not shown)", line) for line in diff)


def write(root: Path, change: Change) -> None:
    """Write a file, after a backup of another that was there. Raises OSError: then nothing was written."""
    path = root / change.file.path
    record = _read_record(root)
    name = str(change.file.path)
    ours = record.get(name, {})
    made = ours.get("made", []) + [str(folder.relative_to(root)) for folder in _missing(path.parent)]
    path.parent.mkdir(parents=True, exist_ok=True)
    if change.before is not None and _hash(change.before) != ours.get("sha256"):
        replace(_free_backup(path), change.before.encode(), path.stat().st_mode & 0o777)
    had_other = ours.get("had_other", change.before is not None)
    record[name] = {"sha256": _hash(change.file.content), "had_other": had_other, "made": made}
    (root / RECORD).parent.mkdir(parents=True, exist_ok=True)
    # First: what is recorded and not there is nothing to remove; what is there and not recorded would stay for ever.
    replace(root / RECORD, json.dumps(record, indent=1).encode(), 0o600)
    replace(path, change.file.content.encode(), change.file.mode)


def _missing(folder: Path) -> list[Path]:
    """Return the folders that are to be made so that one is there, the outermost first."""
    return [each for each in (*reversed(folder.parents), folder) if not each.exists()]


def _free_backup(path: Path) -> Path:
    """Return a name for a backup that nothing has: the first is of what was there before setup."""
    names = (path.with_name(f"{path.name}{BACKUP}{number or ''}") for number in itertools.count())
    return next(name for name in names if not name.exists())


def remove(root: Path) -> Iterator[str]:
    """Take away what setup wrote, put back what was there before, and say it, a line each. Raises OSError.

    What was changed since is left, and so is all data.
    """
    record = _read_record(root)
    for name, entry in record.items():
        path = root / name
        content = read(path)
        backup = path.with_name(path.name + BACKUP)
        if content is not None and _hash(content) != entry["sha256"]:
            yield f"left /{name}: it was changed since setup wrote it"
            continue
        if entry["had_other"] and backup.exists():
            backup.replace(path)
            yield f"put back /{name} as it was before"
        elif content is not None:
            path.unlink()
            yield f"removed /{name}"
    (root / RECORD).unlink(missing_ok=True)
    made = {root / RECORD.parent, *(root / folder for entry in record.values() for folder in entry.get("made", ()))}
    for folder in sorted(made, reverse=True):  # the innermost first
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _read_record(root: Path) -> dict[str, dict[str, Any]]:
    content = read(root / RECORD)
    try:
        record = json.loads(content) if content else {}
    except ValueError as error:
        raise BadSetting(f"{root / RECORD} is no record of setup ({error}). Remove it, and run setup again.") from error
    return dict(record)


def _hash(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
