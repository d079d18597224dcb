"""`smscatch catch -- COMMAND` as a user types it, against a real server."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.surroundings import bare_environ


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server")).start()
    yield server
    server.kill()


def catching(server: Server, folder: Path, *command: str, key: str = ADMIN_KEY) -> subprocess.Popen[str]:
    """Start a command that is caught, with `folder` for temporary files."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "smscatch.cli", "catch", "--", *command],
        env=bare_environ(SMSCATCH_URL=server.url, SMSCATCH_KEY=key, TMPDIR=str(folder), SECRET="kept"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_program_is_caught_and_ends_as_it_would(shared_server: Server, tmp_path: Path) -> None:
    script = 'curl -s -o said -w "%{http_code}" -d To=1 https://api.twilio.com/x; echo " $SECRET $SMSCATCH_URL"; exit 7'
    with catching(shared_server, tmp_path, "sh", "-c", f"cd {tmp_path}; {script}") as process:
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 7
    assert out == f"404 kept {shared_server.url}\n"
    assert err == "smscatch: caught api.twilio.com, answered 404 once\n"
    assert [path.name for path in tmp_path.iterdir()] == ["said"]  # nothing of ours is left


def test_a_program_that_calls_no_provider_is_said_so(shared_server: Server, tmp_path: Path) -> None:
    with catching(shared_server, tmp_path, "true") as process:
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert err.startswith("smscatch: caught nothing: no call to an SMS provider came this way")


def test_where_no_server_is_named_one_runs_for_the_command_alone(tmp_path: Path) -> None:
    script = 'smscatch messages; echo $?; curl -s -o /dev/null https://api.twilio.com/x; echo "$SMSCATCH_URL"'
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "smscatch.cli", "catch", "--", "sh", "-c", script],
        env=bare_environ(TMPDIR=str(tmp_path), PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}"),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    status, url = done.stdout.splitlines()
    assert status == "1"  # it answers: no texts
    notice, caught = done.stderr.splitlines()
    assert notice.startswith(f"smscatch: no server is named, so one runs for this command: {url}/ with the key ")
    assert caught == "smscatch: caught api.twilio.com, answered 404 once"
    assert list(tmp_path.iterdir()) == []


def test_a_signal_is_handed_on(shared_server: Server, tmp_path: Path) -> None:
    script = "trap 'echo asked; exit 9' TERM; echo ready; while :; do sleep 0.1; done"
    with catching(shared_server, tmp_path, "sh", "-c", script) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out) == (9, "asked\n")
    assert list(tmp_path.iterdir()) == []


def test_a_program_is_not_run_for_a_key_that_the_server_does_not_know(shared_server: Server, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    with catching(shared_server, tmp_path, "touch", str(ran), key="a-key-that-nobody-knows") as process:
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 3
    assert "key" in err
    assert not ran.exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [([], "Say which program to run"), (["/no/such/program"], "/no/such/program cannot be run")],
)
def test_what_is_no_program_is_said(shared_server: Server, tmp_path: Path, command: list[str], said: str) -> None:
    with catching(shared_server, tmp_path, *command) as process:
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 2
    assert said in err
    assert list(tmp_path.iterdir()) == []
