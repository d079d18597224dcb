"""Running somebody's command as if it were in our place: signals are handed on, and its status is ours."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from smscatch.errors import BadRequest

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@contextlib.contextmanager
def heeding(
    heed: Callable[[int, FrameType | None], None], numbers: Sequence[signal.Signals] = ENDING
) -> Iterator[None]:
    """Have `heed` called for signals that ask us to end, but for those that we were started to ignore."""
    wanted = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, heed) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Child:
    """A process to which signals are handed on, those too that come while it starts."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def start(self, command: list[str], environ: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start it. Raises BadRequest if it cannot be run."""
        try:
            self._process = subprocess.Popen(command, env=environ)
        except OSError as error:
            raise BadRequest(f"{command[0]} cannot be run: {error.strerror}.") from error
        for number in self._early:
            self._process.send_signal(number)
        return self._process

    def heed(self, number: int, _: FrameType | None) -> None:
        """Hand a signal on, unless it is a Ctrl-C, of which the terminal tells the command too."""
        if number == signal.SIGINT and _has_terminal():
            return
        if self._process is None:
            self._early.append(number)
        else:
            self._process.send_signal(number)  # no-op when it has ended


def shell_status(returned: int) -> int:
    """Return a process's status as a shell has it, which is negative after a signal for Python."""
    return 128 - returned if returned < 0 else returned


def command_of(words: list[str]) -> list[str]:
    """Return the command that stands behind `--`, or without it."""
    return words[1:] if words[:1] == ["--"] else words


def _has_terminal() -> bool:
    """Return whether we are in the foreground of a terminal."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError, AttributeError):  # no terminal, or no input at all
        return False
