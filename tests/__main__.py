"""`python -m tests OPTIONS…` runs pytest and, however that ends, whatever it has left running.

An interrupted run cannot tidy up everywhere: servers of tests then become children of this process, which kills them.
All workers share one PostgreSQL and one MongoDB, in which each has databases of its own.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.servers import mongo, postgres
from tests.surroundings import adopt_orphans, end_children, hide_user, share_folder


def main() -> int:
    adopt_orphans()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # while the servers start
    with shared_servers():
        run = subprocess.Popen([sys.executable, "-m", "pytest", *sys.argv[1:]])
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to pytest too, which says how far it came
        signal.signal(signal.SIGTERM, lambda number, _: run.send_signal(number))
        status = run.wait()
    while end_children():  # whose children become ours
        pass
    return status


@contextlib.contextmanager
def shared_servers() -> Iterator[None]:
    """Name servers of this run's own in the environment, where it names none."""
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smscatch-tests-")))
        hide_user(home)
        share_folder(home)
        with contextlib.suppress(RuntimeError):  # there is none: the tests say so, and what to install
            if postgres.VARIABLE not in os.environ:
                os.environ[postgres.VARIABLE] = stack.enter_context(postgres.a_server()).url("postgres")
            if mongo.VARIABLE not in os.environ:
                os.environ[mongo.VARIABLE] = stack.enter_context(mongo.a_server())
        yield


if __name__ == "__main__":
    sys.exit(main())
