"""Commands of ours as processes that start in a fifth of the time: copies of one that has loaded what a server needs.

What only an interpreter of its own shows, as what it loads when and its memory, is for those that are started fresh.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from ctypes import CDLL
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Self

from smscatch.cli import main

PR_SET_PDEATHSIG = 1  # prctl(2)

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["smscatch.cli.server", "smscatch.server", "smscatch.stores.sqlite"])


def start(work: Callable[..., None], *arguments: object) -> ForkServerProcess:
    """Start a copy that does `work`, a function of a module that takes little to load."""
    process = _context.Process(target=_work, args=(work, arguments))
    process.start()
    return process


def _work(work: Callable[..., None], arguments: tuple[object, ...]) -> None:
    _end_with_us()
    warnings.simplefilter("error")
    work(*arguments)


def pipe() -> tuple[Connection, Connection]:
    """Return where a copy is heard, and what to hand it to be heard there."""
    return _context.Pipe(duplex=False)


class WarmProcess:
    """A command of ours as a process: what tests use of `subprocess.Popen`. A `with` block kills it in the end."""

    def __init__(self, arguments: Sequence[str], environ: dict[str, str], log: Path, out: Path | None = None) -> None:
        """Start it; what it says goes to `stdout`, or into the file `out`, and its errors into `log`."""
        reader, writer = pipe()
        with reader, writer:
            self._process = _context.Process(target=_run, args=(tuple(arguments), environ, out or writer, log))
            self._process.start()
            self.stdout = os.fdopen(os.dup(reader.fileno()), encoding="utf-8")
        assert self._process.pid is not None
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._process.join()
        self.stdout.close()

    def poll(self) -> int | None:
        """Return the exit status; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """Return the exit status once it ended. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired("smscatch", timeout)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.send_signal(signal.SIGKILL)


def _run(arguments: tuple[str, ...], environ: dict[str, str], out: Connection | Path, log: Path) -> None:
    """Be a process that was started with this environment and these outputs."""
    _end_with_us()
    os.environ.clear()
    os.environ.update(environ)
    tempfile.tempdir = None  # where it is was asked before, perhaps
    with out.open("a") if isinstance(out, Path) else out as file:
        os.dup2(file.fileno(), 1)
    with log.open("a") as file:
        os.dup2(file.fileno(), 2)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))
    warnings.simplefilter("error")
    sys.exit(main(arguments))


def _end_with_us() -> None:
    CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # the process that this is a copy of ends when we do
