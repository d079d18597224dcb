"""What a check looks at, and what it says."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from smscatch.messages import Diagnosis
from smscatch.modem.finding import UsbTree
from smscatch.modem.gammucheck import HookUser
from smscatch.settings import Settings

PROGRAM_SECONDS = 10.0


def run_program(command: Sequence[str]) -> str | None:
    """Return what a program prints on standard output, stripped; None if there is none, it fails or takes too long."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=PROGRAM_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip()


def read_text(path: Path) -> str:
    """Return what a small file of the kernel says, stripped; empty if it is gone, or not for us to read."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


class Machine(NamedTuple):
    """Where the machine shows what is looked at; elsewhere in a test.

    `run` runs a program as `run_program` does.
    """

    usb: UsbTree = UsbTree()
    proc: Path = Path("/proc")
    etc: Path = Path("/etc")
    run: Callable[[Sequence[str]], str | None] = run_program


class Patient(NamedTuple):
    """An installation: its settings, the user who serves it, its machine, and what time it is."""

    settings: Settings
    user: HookUser
    machine: Machine
    now: datetime


Check = Callable[[Patient], Iterator[Diagnosis]]
