"""Whether there are settings, a spool that can be written and is drained, and a store."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from smscatch.doctor.finding import Patient
from smscatch.messages import Diagnosis
from smscatch.spool import REJECTED, SUFFIX

LOW_BYTES = 200_000_000
# A server takes a text from the spool at once; this long it may be stopped for an upgrade.
WAITING_SECONDS = 60.0
# Three slashes and a relative path, or four and an absolute one.
_SQLITE = "sqlite:///"


def check_settings(patient: Patient) -> Iterator[Diagnosis]:
    """Look for a configuration file, and for lines in it."""
    settings = patient.settings
    if settings.config is None:
        yield Diagnosis(
            check="settings",
            verdict="note",
            sentence="There is no smscatch.toml here, nor in /etc/smscatch: all settings are defaults or variables.",
            remedy="smscatch config",
        )
    elif not settings.lines:
        yield Diagnosis(
            check="settings",
            verdict="note",
            sentence=f"{settings.config} has no lines: every number that receives something is taken for ours.",
            remedy=f'Add [lines."+49…"] to {settings.config}: docs/settings.md.',
        )
    else:
        count = len(settings.lines)
        lines = "one line" if count == 1 else f"{count} lines"
        yield Diagnosis(check="settings", verdict="ok", sentence=f"{settings.config} has {lines}.")


def check_spool(patient: Patient) -> Iterator[Diagnosis]:
    """Look whether texts can be put into the spool, whether they leave it, and what was put aside."""
    spool = patient.settings.spool
    if not spool.is_dir():
        yield Diagnosis(
            check="spool",
            verdict="note",
            sentence=f"There is no spool {spool} yet: `smscatch serve` makes it.",
            remedy="smscatch serve",
        )
        return
    may = patient.user.may(spool, os.W_OK) and patient.user.may(spool, os.X_OK) and patient.user.may_reach(spool)
    yield from _check_rights(spool, may=may)
    yield from _check_waiting(spool, patient.now.timestamp())
    if rejected := _count(spool / REJECTED):
        yield Diagnosis(
            check="spool",
            verdict="note",
            sentence=f"{rejected} deliveries could not be read and were put aside; nothing of them is lost.",
            remedy=f"ls {spool / REJECTED}",
        )


def _check_rights(spool: Path, *, may: bool) -> Iterator[Diagnosis]:
    free = shutil.disk_usage(spool).free
    if not may:
        yield Diagnosis(
            check="spool",
            verdict="wrong",
            sentence=f"The spool {spool} cannot be written by the user who is to serve.",
            remedy=f"ls -ld {spool}",
        )
    elif free < LOW_BYTES:
        yield Diagnosis(
            check="spool",
            verdict="wrong",
            sentence=f"The disk of the spool {spool} is nearly full: {free // 1_000_000} MB are free.",
            remedy=f"df -h {spool}",
        )
    else:
        yield Diagnosis(
            check="spool", verdict="ok", sentence=f"{spool} can be written; {free // 1_000_000} MB are free there."
        )


def _check_waiting(spool: Path, now: float) -> Iterator[Diagnosis]:
    ages = [now - path.stat().st_mtime for path in spool.glob(f"*{SUFFIX}")]
    if ages and max(ages) > WAITING_SECONDS:
        yield Diagnosis(
            check="spool",
            verdict="wrong",
            sentence=f"{len(ages)} texts wait in {spool}, the oldest for {round(max(ages))} s: nobody takes them.",
            remedy="smscatch serve",
        )


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.glob(f"*{SUFFIX}"))


def check_sqlite(patient: Patient) -> Iterator[Diagnosis]:
    """Look at the store if it is a file here; another one is seen through the server alone."""
    if not patient.settings.store.startswith(_SQLITE):
        return
    path = Path(patient.settings.store.removeprefix(_SQLITE))
    if not path.exists():
        yield Diagnosis(
            check="store", verdict="note", sentence=f"There is no store {path} yet: `smscatch serve` makes it."
        )
        return
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        yield Diagnosis(
            check="store",
            verdict="wrong",
            sentence=f"The store {path} cannot be read: {error}.",
            remedy=f"ls -l {path}",
        )
    else:
        size = path.stat().st_size // 1_000_000
        yield Diagnosis(check="store", verdict="ok", sentence=f"{path} can be read; it has {size} MB.")
