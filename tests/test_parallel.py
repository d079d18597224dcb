"""Tests that run at once and share numbers: with leases each gets its own code, without them they take each other's.

Four workers of pytest-xdist run 200 tests on three lines while a carrier (tests/sign_up.py) delays texts, repeats them,
and brings some of tests that are over. The second test is the test of the first: the same app, carrier and lines, but
read as one reads a number without leases, where the newest text wins.

What this does not show, because nothing could: a text that comes after its line has rested, but whose SMSC time lies
less than SMSCATCH_LEASE_TOLERANCE before the next lease, looks like that one's. The carrier sends none of these.

Texts take up to two seconds, as from a carrier; SMSCATCH_PARALLEL_DELAY=0.2 is for the impatient.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.carrier import eventually
from tests.conftest import ADMIN_KEY, Server
from tests.sign_up import SENDER, App, Habits

DELAY_SECONDS = float(os.environ.get("SMSCATCH_PARALLEL_DELAY", "2"))
REST_SECONDS = max(0.1, DELAY_SECONDS / 4)
TOLERANCE_SECONDS = 1.0  # an SMSC tells whole seconds, so no less would do
WORKERS = 4
TESTS = 200
UNLEASED_TESTS = 60  # enough to see it
LINES = ("+447700900001", "+447700900002", "+447700900003")
CONFIG = "".join(f'[lines."{line}"]\nlabel = "pool"\nphone_id = "{line}"\n' for line in LINES)

COMMON = f"""
import os
import urllib.parse
import urllib.request
import pytest

LINES, SENDER = {LINES}, {SENDER!r}

def app(path, **params):
    with urllib.request.urlopen(f"{{os.environ['APP_URL']}}{{path}}?{{urllib.parse.urlencode(params)}}") as answer:
        return answer.read().decode()
"""
LEASED = f"""
@pytest.mark.parametrize("n", range({TESTS}))
def test_sign_up(sms_line, n):
    token = app("/sign-up", number=sms_line.number)
    code = sms_line.wait_for_code(sender=SENDER, timeout=60)
    assert app("/verify", token=token, code=code) == "right"
"""
# As test suites read a shared Twilio number: the newest text that came since I began (mozilla/fxa#20948).
NEWEST_WINS = f"""
import time

@pytest.mark.parametrize("n", range({UNLEASED_TESTS}))
def test_sign_up(sms, n):
    line, begin = LINES[n % len(LINES)], sms.cursor()
    token = app("/sign-up", number=line)
    while not (newest := sms.messages(line=line, sender=SENDER, after=begin, limit=1)):
        time.sleep(0.02)
    assert app("/verify", token=token, code=newest[0].code) == "right"
"""


@pytest.fixture
def pool(make_server: Callable[[], Server]) -> Server:
    """A server with three lines that rest shortly."""
    server = make_server()
    config = server.folder / "smscatch.toml"
    config.write_text(CONFIG)
    return server.start(
        SMSCATCH_CONFIG=str(config),
        SMSCATCH_LEASE_REST=f"{REST_SECONDS * 1000:.0f}ms",
        SMSCATCH_LEASE_TOLERANCE=f"{TOLERANCE_SECONDS * 1000:.0f}ms",
    )


@pytest.fixture
def app(pool: Server) -> Iterator[App]:
    with App(pool.spool, Habits(DELAY_SECONDS, REST_SECONDS, TOLERANCE_SECONDS)) as app:
        yield app


def run_tests(project: Path, tests: str, server: Server, app: App) -> subprocess.CompletedProcess[str]:
    """Run a project of these tests at once, as CI would."""
    project.mkdir()
    (project / "pytest.ini").write_text("[pytest]\nsms_label = pool\n")
    (project / "test_sign_up.py").write_text(COMMON + tests)
    given = {"SMSCATCH_URL": server.url, "SMSCATCH_KEY": ADMIN_KEY, "APP_URL": app.url}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=short", "-n", str(WORKERS), "-p", "no:cacheprovider"],
        cwd=project,
        env={"PATH": os.environ["PATH"]} | given,
        capture_output=True,
        text=True,
        check=False,
    )


def count_messages(server: Server) -> int:
    with server.client() as client:
        return sum(line.messages for line in client.lines())


async def test_with_leases_each_of_many_tests_at_once_gets_its_own_code(pool: Server, app: App, tmp_path: Path) -> None:
    done = run_tests(tmp_path / "project", LEASED, pool, app)
    print(app)
    assert f"{TESTS} passed" in done.stdout, done.stdout + done.stderr
    assert (app.right, app.wrong) == (TESTS, 0)
    assert min(app.brought[kind] for kind in ("foreign", "twice", "too late")) > TESTS / 20, app.brought
    app.go_home()
    await eventually(lambda: count_messages(pool) == app.brought.total(), "every text is kept")
    with pool.client() as client:
        assert sum("late" in message.marks for message in client.messages(limit=500)) > TESTS / 20


def test_without_leases_the_same_tests_take_each_others_codes(pool: Server, app: App, tmp_path: Path) -> None:
    done = run_tests(tmp_path / "project", NEWEST_WINS, pool, app)
    print(app)
    assert app.right + app.wrong == UNLEASED_TESTS, done.stdout + done.stderr
    assert app.wrong > UNLEASED_TESTS / 20
    assert f"{app.wrong} failed, {app.right} passed" in done.stdout
