"""The examples, as a reader runs them: against the demo, with a text on its way through a simulated modem."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from smscatch.settings import load_settings
from tests.patience import PATIENCE_SECONDS
from tests.test_demo import places_in, running_demo

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment of somebody who has started the demo and set what the README says."""
    home, programs = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("bin")
    # What opens Chromium opens it without its windows, where there is such a one: that takes a third of the work.
    chromium = shutil.which("chromium-headless-shell")
    if chromium is not None:
        (programs / "chromium").symlink_to(chromium)
    with running_demo(home, SMSCATCH_LEASE_REST="0s"):
        demo = load_settings(environ={"SMSCATCH_CONFIG": str(places_in(home).config)})
        yield {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(home),
            "SMSCATCH_URL": demo.url,
            "SMSCATCH_KEY": str(demo.key),
        }


@pytest.fixture(scope="module")
def app_url(environ: Mapping[str, str]) -> Iterator[str]:
    """The app under test, served by Flask's own command."""
    command = [sys.executable, "-m", "flask", "--app", str(EXAMPLES / "signup" / "app.py"), "run", "--port", "0"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as app:
        assert app.stderr is not None
        yield next(line.split()[-1] for line in app.stderr if "Running on" in line)
        app.terminate()


def run(*command: str, **environ: str) -> str:
    """Return what a command prints; the test fails if it does."""
    done = subprocess.run(
        command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_pytest_and_playwright(environ: Mapping[str, str]) -> None:
    said = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "examples/signup", **environ)
    assert "3 passed" in said


def test_curl(environ: Mapping[str, str], app_url: str) -> None:
    assert "Welcome" in run("examples/curl/signup.sh", **environ, APP_URL=app_url)
    assert '"leases":[]' in run(
        *("curl", "-s", "-H", f"Authorization: Bearer {environ['SMSCATCH_KEY']}"),
        f"{environ['SMSCATCH_URL']}/api/v1/leases",
        **environ,
    )


def test_two_users_with_the_python_client(environ: Mapping[str, str], app_url: str) -> None:
    said = run(sys.executable, "examples/python/two_users.py", **environ, APP_URL=app_url)
    assert [line.split(" is in")[0] for line in said.splitlines()] == ["Alice", "Bob"]


def test_two_users_with_curl(environ: Mapping[str, str], app_url: str) -> None:
    assert run("examples/curl/two_users.sh", **environ, APP_URL=app_url).count("Welcome") == 2


def test_curl_says_why_it_cannot(environ: Mapping[str, str]) -> None:
    wrong = {**environ, "SMSCATCH_KEY": "a-key-that-is-none"}
    done = subprocess.run(["examples/curl/signup.sh"], env=wrong, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert '"error":"unauthorized"' in done.stderr


def test_node(environ: Mapping[str, str], app_url: str) -> None:
    assert "# pass 1" in run("node", "--test", "--test-reporter=tap", "examples/node", **environ, APP_URL=app_url)
