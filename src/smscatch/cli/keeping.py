"""Running a command while a line is leased for it: what it is told, the lease's length, signals, its status."""

import os
import signal
import subprocess
import sys
from types import FrameType
from typing import TYPE_CHECKING

from smscatch.cli.child import ENDING, Child, heeding, shell_status
from smscatch.errors import LeaseEnded, SmscatchError, UnknownLease

if TYPE_CHECKING:
    from smscatch.client.sync import LeasedLine, LeasedLines


def leave(number: int, _: FrameType | None) -> None:
    """End, as a signal asks us to, but not before everything is given back."""
    raise SystemExit(128 + number)


def environ_of(leased: "LeasedLine | LeasedLines") -> dict[str, str]:
    """Return the variables that tell a command of its line, or, numbered from 1 on, of those of its group."""
    from smscatch.client.sync import LeasedLine  # noqa: PLC0415 - what needs HTTP, other commands do without

    if isinstance(leased, LeasedLine):
        return {"SMSCATCH_LINE": leased.number, "SMSCATCH_LEASE": leased.id}
    told = {"SMSCATCH_LINES": " ".join(leased.numbers), "SMSCATCH_LEASES": " ".join(phone.id for phone in leased)}
    for number, phone in enumerate(leased, 1):
        told |= {f"SMSCATCH_LINE_{number}": phone.number, f"SMSCATCH_LEASE_{number}": phone.id}
    return told


def run_with(phone: "LeasedLine | LeasedLines", command: list[str], ttl: float) -> int:
    """Run a command while a line is leased, release the line, and return the command's status as a shell has it.

    What asks us to end is handed on to the command: as long as that runs, it needs its line.
    """
    environ = os.environ | environ_of(phone)
    running = Child()
    with heeding(running.heed, (*ENDING, signal.SIGINT)):
        try:
            with running.start(command, environ) as process:
                status = _keep(phone, process, ttl)
        finally:
            _release(phone)
    return shell_status(status)


def _keep(phone: "LeasedLine | LeasedLines", process: subprocess.Popen[bytes], ttl: float) -> int:
    """Extend a lease until a process ends; return its status, which is negative after a signal."""
    seconds: float | None = ttl / 3
    while True:
        status = _wait(process, seconds)
        if status is not None:
            return status
        if not _extend(phone, ttl):
            seconds = None


def _wait(process: subprocess.Popen[bytes], seconds: float | None) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def _extend(phone: "LeasedLine | LeasedLines", ttl: float) -> bool:
    """Extend a lease; return False if it is over. The command goes on in any case."""
    try:
        phone.extend(ttl)
    except SmscatchError as error:  # a server that is back in time extends it the next time
        print(f"smscatch: the lease of {_numbers(phone)} is not extended: {error}", file=sys.stderr)
        return not isinstance(error, LeaseEnded | UnknownLease)
    return True


def _release(phone: "LeasedLine | LeasedLines") -> None:
    try:
        phone.release()
    except SmscatchError as error:  # what came of the command matters more; the lease ends by itself
        print(f"smscatch: the lease of {_numbers(phone)} is not released: {error}", file=sys.stderr)


def _numbers(phone: "LeasedLine | LeasedLines") -> str:
    from smscatch.client.sync import LeasedLine  # noqa: PLC0415

    return phone.number if isinstance(phone, LeasedLine) else " and ".join(phone.numbers)
