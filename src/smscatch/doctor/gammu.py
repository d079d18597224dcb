"""Whether gammu-smsd, where it reads modems for us, is set up and runs so that nothing is lost."""

import re
from collections.abc import Iterator
from pathlib import Path

from smscatch.doctor.finding import Patient, read_text
from smscatch.errors import BadSetting
from smscatch.messages import Diagnosis
from smscatch.modem.gammucheck import check_gammurc

# Debian's service reads this one.
GAMMURC = "gammu-smsdrc"
# Before it one text that it cannot read ends reception for good, and a stray line stalls it (docs/gammu.md).
GOOD_VERSION = (1, 43, 3)
_VERSION = re.compile(r"[Gg]ammu[^0-9]*(\d+)\.(\d+)\.(\d+)")
_UTF8 = re.compile(r"\.utf-?8", re.IGNORECASE)


def check_gammu(patient: Patient) -> Iterator[Diagnosis]:
    """Look at its configuration, its version and its process. Says nothing where it reads none of our lines."""
    has_smstools = patient.settings.smstools is not None
    lines = [number for number, line in patient.settings.lines.items() if line.is_gammus(has_smstools=has_smstools)]
    if not lines:
        return
    path = patient.machine.etc / GAMMURC
    if path.exists():
        yield from _check_file(path, patient)
    else:
        yield Diagnosis(
            check="gammu",
            verdict="wrong",
            sentence=f"gammu-smsd is to read {lines[0]}, but there is no {path}.",
            remedy=f"smscatch gammurc --line {lines[0]} | sudo tee {path}",
        )
    yield from _check_version(patient)
    yield from _check_process(patient.machine.proc)


def _check_file(path: Path, patient: Patient) -> Iterator[Diagnosis]:
    settings = patient.settings

    def line_of(phone_id: str) -> str | None:
        return next((number for number, line in settings.lines.items() if line.phone_id == phone_id), None)

    try:
        found = check_gammurc(path, spool=settings.spool, reader=patient.user, line_of=line_of)
    except BadSetting as error:
        yield Diagnosis(check="gammu", verdict="wrong", sentence=str(error), remedy=f"ls -l {path}")
        return
    for finding in found:
        yield Diagnosis(
            check="gammu",
            verdict="wrong" if finding.loses else "note",
            sentence=f"{path}: {finding.sentence}",
            remedy=f"smscatch gammurc --check {path}",
        )
    if not found:
        yield Diagnosis(check="gammu", verdict="ok", sentence=f"{path} is right.")


def _check_version(patient: Patient) -> Iterator[Diagnosis]:
    told = _VERSION.search(patient.machine.run(["gammu-smsd", "--version"]) or "")
    if told is None:
        yield Diagnosis(
            check="gammu",
            verdict="wrong",
            sentence="gammu-smsd is to read a line, but is not installed.",
            remedy="sudo apt-get install gammu-smsd",
        )
        return
    version = tuple(map(int, told.groups()))
    if version < GOOD_VERSION:
        yield Diagnosis(
            check="gammu",
            verdict="note",
            sentence=f"gammu-smsd {'.'.join(told.groups())} stops for good at a text that it cannot read, and stalls"
            " for minutes at a stray line of the modem.",
            remedy="Let smscatch read the modem: a `device` instead of the `phone_id`, docs/modems.md.",
        )


def _check_process(proc: Path) -> Iterator[Diagnosis]:
    running = [path.parent for path in proc.glob("[0-9]*/comm") if read_text(path) == "gammu-smsd"]
    if not running:
        yield Diagnosis(
            check="gammu",
            verdict="wrong",
            sentence="gammu-smsd is to read a line, but does not run.",
            remedy="sudo systemctl start gammu-smsd",
        )
    for process in running:
        if not _UTF8.search(_locale_of(process)):
            yield Diagnosis(
                check="gammu",
                verdict="wrong",
                sentence=f"gammu-smsd (process {process.name}) runs without a UTF-8 locale: every character beyond"
                " ASCII arrives as `?`.",
                remedy="Set Environment=LC_ALL=C.UTF-8 in its service: docs/gammu.md.",
            )


def _locale_of(process: Path) -> str:
    """Return the name of the locale of a process for characters: the first of the three that is set (locale(7))."""
    pairs = (variable.partition("=") for variable in read_text(process / "environ").split("\0"))
    values = {name: value for name, _, value in pairs}
    return values.get("LC_ALL") or values.get("LC_CTYPE") or values.get("LANG") or ""
