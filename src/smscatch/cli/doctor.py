"""`smscatch doctor`: what is wrong with this installation, and what mends it."""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from smscatch.cli.base import NOTHING, OK, Command, add_settings
from smscatch.errors import BadSetting, escape_controls
from smscatch.modem.gammucheck import find_reader
from smscatch.settings import load_settings

if TYPE_CHECKING:
    from smscatch.doctor import Diagnosis

MARKS = {"ok": "✓", "note": "!", "wrong": "✗"}


def run_doctor(options: argparse.Namespace) -> int:
    """smscatch doctor."""
    found = []
    for finding in _findings(options):
        found.append(finding)
        if not options.json:
            _print(finding)
    if options.json:
        import msgspec  # noqa: PLC0415 - only here

        print(msgspec.json.encode({"findings": found}).decode())
    return NOTHING if any(finding.verdict == "wrong" for finding in found) else OK


def _findings(options: argparse.Namespace) -> Iterator["Diagnosis"]:
    from smscatch.doctor import Diagnosis, Machine, Patient, examine  # noqa: PLC0415 - loads what few commands need

    try:
        settings = load_settings({"url": options.url, "spool": options.spool})
    except BadSetting as error:
        yield Diagnosis(check="settings", verdict="wrong", sentence=str(error), remedy="Correct it, and look again.")
        return
    yield from examine(Patient(settings, find_reader(options.user), Machine(), datetime.now(UTC)))


def _print(finding: "Diagnosis") -> None:
    is_plain = "✓".encode(sys.stdout.encoding or "ascii", "replace") == b"?"
    mark = {"ok": "ok", "note": "note", "wrong": "WRONG"}[finding.verdict] if is_plain else MARKS[finding.verdict]
    print(escape_controls(f"{mark} {finding.check}: {finding.sentence}"))
    if finding.remedy and finding.verdict != "ok":
        print(escape_controls(f"    {finding.remedy}"))


def _add_doctor_arguments(doctor: argparse.ArgumentParser) -> None:
    add_settings(doctor, "url", "spool")
    doctor.add_argument("--user", help="the user who is to serve; you by default")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")


COMMANDS = (
    Command("doctor", "say what is wrong with this installation, and what mends it", run_doctor, _add_doctor_arguments),
)
