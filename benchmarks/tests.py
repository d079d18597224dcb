"""2,000 tests of pytest-xdist side by side, each with a virtual line and its own code, beside as many that do nothing.

scripts/benchmark tests [--short]. The server is the one that the plugin starts. A test that reads another's code, or
two that have one number, break the benchmark.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.beside import Row, options, report
from tests.side_by_side import SideBySide
from tests.surroundings import LEAN_PYTEST

WORKERS = 4
EMPTY = "import pytest\n\n@pytest.mark.parametrize('n', range({tests}))\ndef test_nothing(n): pass\n"


def run(folder: Path, tests: int) -> float:
    """Run the tests in a folder, all of which have to pass; return how many a second did."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=short", "-n", str(WORKERS)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTEST_ADDOPTS": LEAN_PYTEST},
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.monotonic() - began
    assert f"{tests} passed" in done.stdout, done.stdout + done.stderr
    return tests / took


def sign_ups(tests: int) -> float:
    """Return how many tests a second had a line and a code of their own."""
    with tempfile.TemporaryDirectory(prefix="smscatch-tests-") as name:
        project = SideBySide(Path(name), tests)
        project.write()
        rate = run(project.folder, tests)
        assert len({*project.numbers()}) == tests, "two tests had one number"
    return rate


def empty(tests: int) -> float:
    """Return how many tests a second that do nothing are run so."""
    with tempfile.TemporaryDirectory(prefix="smscatch-tests-") as name:
        (Path(name) / "test_nothing.py").write_text(EMPTY.format(tests=tests))
        return run(Path(name), tests)


def measure(tests: int, rounds: int) -> Row:
    """Return how the two compare."""
    ours, bare = list[float](), list[float]()
    for _ in range(rounds):
        ours.append(sign_ups(tests))
        bare.append(empty(tests))
    return Row(f"{tests:,} tests by {WORKERS} workers, each its own code, beside empty ones", "a second", ours, bare)


def main() -> None:
    """Measure and print."""
    given = options(__doc__)
    tests, rounds = (200, 1) if given.is_short else (2_000, 1)
    report("tests", [measure(tests, rounds)], writes=given.writes)


if __name__ == "__main__":
    main()
