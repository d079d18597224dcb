"""Tests that run at once and share numbers: with leases each gets its own code, without them they take each other's.

Three workers of pytest-xdist run forty tests on three lines while a carrier (tests/sign_up.py) delays texts, repeats
some, and brings some of tests that are over: while the line rests, or just when a later test waits for its own. The
SMSC's clock, which may be wrong by a minute, must be known from earlier texts: each line received some. Some forty more
have the default rest and more lines, most of which rest; then nothing that a test caused is too young to be told apart.
The last test is the test of the first: the same app and carrier, but read as one reads a number without leases, where
the newest text wins.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.carrier import eventually
from tests.conftest import ADMIN_KEY, Server
from tests.sign_up import SENDER, App, Habits
from tests.surroundings import LEAN_PYTEST, bare_environ

DELAY_SECONDS = 1
WORKERS = 3
UNLEASED_TESTS = 28  # enough to see it


class Pool(NamedTuple):
    """Some lines, how long each rests, and how many tests share them."""

    lines: tuple[str, ...]
    rest_seconds: float
    tests: int


NUMBERS = tuple(f"+447700900{n:03d}" for n in range(16))
THREE = Pool(NUMBERS[:3], 0.75, 42)
USUAL = Pool(NUMBERS, 5, 40)

COMMON = f"""
import os
import urllib.parse
import urllib.request
import pytest

LINES, SENDER = {THREE.lines}, {SENDER!r}

def app(path, **params):
    with urllib.request.urlopen(f"{{os.environ['APP_URL']}}{{path}}?{{urllib.parse.urlencode(params)}}") as answer:
        return answer.read().decode()
"""
LEASED = """
@pytest.mark.parametrize("n", range(TESTS))
def test_sign_up(sms_line, n):
    token = app("/sign-up", number=sms_line.number)
    code = sms_line.wait_for_code(sender=SENDER, timeout=300)
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
        time.sleep(0.1)
    assert app("/verify", token=token, code=newest[0].code) == "right"
"""


@pytest.fixture(params=[THREE], ids=["three lines"])
def pool(request: pytest.FixtureRequest) -> Pool:
    pool: Pool = request.param
    return pool


@pytest.fixture
def server(pool: Pool, make_server: Callable[[], Server]) -> Server:
    """A server with these lines."""
    server = make_server()
    lines = "".join(f'[lines."{line}"]\nlabel = "pool"\nphone_id = "{line}"\n' for line in pool.lines)
    config = server.folder / "smscatch.toml"
    config.write_text(f'lease_rest = "{pool.rest_seconds * 1000:.0f}ms"\n{lines}')
    return server.start(SMSCATCH_CONFIG=str(config))


@pytest.fixture
def app(pool: Pool, server: Server) -> Iterator[App]:
    with App(server.spool, Habits(DELAY_SECONDS, pool.rest_seconds)) as app:
        app.text_earlier(pool.lines)
        yield app


def run_tests(project: Path, tests: str, server: Server, app: App) -> subprocess.CompletedProcess[str]:
    """Run a project of these tests at once, as CI would."""
    project.mkdir()
    (project / "pytest.ini").write_text("[pytest]\nsms_label = pool\n")
    (project / "test_sign_up.py").write_text(COMMON + tests)
    given = {"SMSCATCH_URL": server.url, "SMSCATCH_KEY": ADMIN_KEY, "APP_URL": app.url, "PYTEST_ADDOPTS": LEAN_PYTEST}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=short", "-n", str(WORKERS)],
        cwd=project,
        env=bare_environ() | given,
        capture_output=True,
        text=True,
        check=False,
    )


def count_messages(server: Server) -> int:
    with server.client() as client:
        return sum(line.messages for line in client.lines())


@pytest.mark.parametrize("pool", [THREE, USUAL], indirect=True, ids=["three lines", "the default rest"])
async def test_with_leases_each_of_many_tests_at_once_gets_its_own_code(
    pool: Pool, server: Server, app: App, tmp_path: Path
) -> None:
    done = run_tests(tmp_path / "project", LEASED.replace("TESTS", str(pool.tests)), server, app)
    print(app)
    assert f"{pool.tests} passed" in done.stdout, done.stdout + done.stderr
    assert (app.right, app.wrong) == (pool.tests, 0)
    await eventually(lambda: not app.is_bringing(), "what comes while lines rest has come")
    assert min(app.brought[kind] for kind in ("foreign", "twice", "too late")) > pool.tests / 20, app.brought
    app.go_home()
    await eventually(lambda: count_messages(server) == app.brought.total(), "every text is kept")
    with server.client() as client:
        messages = client.messages(sender=SENDER, limit=500)
    assert sum("late" in message.marks for message in messages) > pool.tests / 20
    given = {(message.lease, app.sent_for[message.code or ""]) for message in messages if message.lease is not None}
    assert len(given) == pool.tests, "a lease was given a text of another test"


def test_without_leases_the_same_tests_take_each_others_codes(server: Server, app: App, tmp_path: Path) -> None:
    done = run_tests(tmp_path / "project", NEWEST_WINS, server, app)
    print(app)
    assert app.right + app.wrong == UNLEASED_TESTS, done.stdout + done.stderr
    assert app.wrong > UNLEASED_TESTS / 20
    assert f"{app.wrong} failed, {app.right} passed" in done.stdout
