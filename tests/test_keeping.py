"""`smscatch lease -- command`: signals, statuses, and what may happen to the lease meanwhile."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from smscatch import Client, NoFreeLine
from smscatch.cli.keeping import run_with
from tests.command_line import against
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.samples import LINE
from tests.surroundings import bare_environ

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for the tests that leave it running: each has a line of its own, which rests for long, to be looked at."""
    server = Server(tmp_path_factory.mktemp("server")).start(SMSCATCH_LEASE_REST="1h")
    yield server
    server.kill()


@pytest.fixture
def line(shared_server: Server) -> str:
    line = f"+4477009{next(_numbers):05d}"
    known(shared_server, line)
    return line


def known(server: Server, line: str) -> None:
    """Have a text come to a line, so that the server knows it."""
    server.send("hello", line=line)
    against(server, "wait", "--line", line, "--after", "0")


def held(server: Server, line: str) -> str:
    """Return what `smscatch leases` says of a line."""
    (said,) = [row for row in against(server, "leases").stdout.splitlines() if row.startswith(line)]
    return said


@contextlib.contextmanager
def leasing(server: Server, line: str, *command: str) -> Iterator[subprocess.Popen[str]]:
    """Run `smscatch lease -- command` from when the command has said something; kill both in the end if need be."""
    process = subprocess.Popen(
        [sys.executable, "-m", "smscatch.cli", "lease", "--line", line, "--ttl", "60", "--", *command],
        env=bare_environ(SMSCATCH_URL=server.url, SMSCATCH_KEY=ADMIN_KEY),
        stdin=subprocess.PIPE,  # no terminal, which would tell the command by itself
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_who_is_to_end_ends_the_command_first_and_then_the_lease(
    shared_server: Server, line: str, number: signal.Signals
) -> None:
    script = f"trap 'echo asked; exit 9' {number.name[3:]}; echo ready; while :; do sleep 0.1; done"
    with leasing(shared_server, line, "sh", "-c", script) as process:
        process.send_signal(number)
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, said) == (9, "asked\n")
    assert "rests after" in held(shared_server, line)


def test_a_command_that_a_signal_ended_ends_with_the_status_that_a_shell_gives_it(
    shared_server: Server, line: str
) -> None:
    with leasing(shared_server, line, "sh", "-c", "echo ready; kill -9 $$") as process:
        process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 128 + signal.SIGKILL


def test_who_is_to_end_while_it_waits_for_a_line_leaves_the_queue(shared_server: Server, line: str) -> None:
    with leasing(shared_server, line, "sh", "-c", "echo ready; read line") as holding:
        waiting = subprocess.Popen(
            [sys.executable, "-m", "smscatch.cli", "lease", "--line", line, "--holder", "late"],
            env=bare_environ(SMSCATCH_URL=shared_server.url, SMSCATCH_KEY=ADMIN_KEY),
        )
        with waiting, shared_server.client() as client:
            while _ahead(client, line) == 0:
                time.sleep(0.05)
            waiting.send_signal(signal.SIGTERM)
            assert waiting.wait(PATIENCE_SECONDS) == 128 + signal.SIGTERM
            assert _ahead(client, line) == 0
        holding.terminate()


def _ahead(client: Client, line: str) -> int:
    with pytest.raises(NoFreeLine) as caught:
        client.lease(line, wait=0)
    ahead: int = caught.value.details["ahead"]
    return ahead


def test_a_command_keeps_its_status_when_its_lease_ended_and_its_server_is_away(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smscatch.client.leasing.FAREWELL_SECONDS", 0)
    known(server, LINE)
    assert server.process is not None
    with server.client() as client:
        phone = client.lease(LINE)
        phone.release()
        # It is asked to be extended after a third of a second, and not again.
        assert run_with(phone, ["sh", "-c", f"sleep 1; kill -9 {server.process.pid}; exit 7"], ttl=1) == 7
    said = capsys.readouterr().err
    assert (said.count("is not extended"), said.count("is not released")) == (1, 1)


def test_a_lease_that_cannot_be_told_is_released(shared_server: Server, line: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "smscatch.cli", "lease", "--line", line],
            env=bare_environ(SMSCATCH_URL=shared_server.url, SMSCATCH_KEY=ADMIN_KEY),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (3, "smscatch: [Errno 28] No space left on device\n")
    assert "rests after" in held(shared_server, line)
