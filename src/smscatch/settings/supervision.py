"""What a service manager says of itself in the environment."""

import os
from collections.abc import Mapping

from smscatch.supervisor import Supervisor


def find_supervisor(environ: Mapping[str, str] = os.environ, process: int | None = None) -> Supervisor:
    """Return the service manager that started us, as its variables tell; `process` is our number, for tests.

    What is meant for another process, or is no number, is passed over: then there is none of it.
    """
    ours = str(os.getpid() if process is None else process)
    watchdog = _number(environ, "WATCHDOG_USEC") if environ.get("WATCHDOG_PID", ours) == ours else 0
    sockets = _number(environ, "LISTEN_FDS") if environ.get("LISTEN_PID") == ours else 0
    return Supervisor(environ.get("NOTIFY_SOCKET", ""), watchdog / 1_000_000 if watchdog else None, sockets)


def _number(environ: Mapping[str, str], name: str) -> int:
    value = environ.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() else 0
