"""`python -m tests OPTIONS…` runs pytest and, however that ends, whatever it has left running.

An interrupted run cannot tidy up everywhere: servers of tests then become children of this process, which kills them.
"""

import signal
import subprocess
import sys

from tests.surroundings import adopt_orphans, end_children


def main() -> int:
    adopt_orphans()
    run = subprocess.Popen([sys.executable, "-m", "pytest", *sys.argv[1:]])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to pytest too, which says how far it came
    signal.signal(signal.SIGTERM, lambda number, _: run.send_signal(number))
    status = run.wait()
    while end_children():  # whose children become ours
        pass
    return status


if __name__ == "__main__":
    sys.exit(main())
