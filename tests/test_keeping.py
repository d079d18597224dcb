"""`smscatch lease -- command`: signals, statuses, and what may happen to the lease meanwhile."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from smscatch import Client, NoFreeLine
from smscatch.cli.keeping import run_with
from tests.command_line import against
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.samples import LINE
from tests.surroundings import bare_environ


@contextlib.contextmanager
def leasing(server: Server, *command: str, ttl: str = "60") -> Iterator[subprocess.Popen[str]]:
    """Run `smscatch lease -- command` from when the command has said something; kill both in the end if need be."""
    server.send("hello")
    against(server, "wait", "--after", "0")
    process = subprocess.Popen(
        [sys.executable, "-m", "smscatch.cli", "lease", "--ttl", ttl, "--", *command],
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
    resting_server: Server, number: signal.Signals
) -> None:
    script = f"trap 'echo asked; exit 9' {number.name[3:]}; echo ready; while :; do sleep 0.1; done"
    with leasing(resting_server, "sh", "-c", script) as process:
        process.send_signal(number)
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, said) == (9, "asked\n")
    assert "rests after" in against(resting_server, "leases").stdout


def test_a_command_that_a_signal_ended_ends_with_the_status_that_a_shell_gives_it(server: Server) -> None:
    with leasing(server, "sh", "-c", "echo ready; kill -9 $$") as process:
        process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 128 + signal.SIGKILL


def test_who_is_to_end_while_it_waits_for_a_line_leaves_the_queue(server: Server) -> None:
    with leasing(server, "sh", "-c", "echo ready; read line") as holding:
        waiting = subprocess.Popen(
            [sys.executable, "-m", "smscatch.cli", "lease", "--holder", "late"],
            env=bare_environ(SMSCATCH_URL=server.url, SMSCATCH_KEY=ADMIN_KEY),
        )
        with waiting, server.client() as client:
            while _ahead(client) == 0:
                pass
            waiting.send_signal(signal.SIGTERM)
            assert waiting.wait(60) == 128 + signal.SIGTERM
            assert _ahead(client) == 0
        holding.terminate()


def _ahead(client: Client) -> int:
    with pytest.raises(NoFreeLine) as caught:
        client.lease(LINE, wait=0)
    ahead: int = caught.value.details["ahead"]
    return ahead


def test_a_command_keeps_its_status_when_its_lease_ended_and_its_server_is_away(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smscatch.client.leasing.FAREWELL_SECONDS", 0)
    server.send("hello")
    against(server, "wait", "--after", "0")
    assert server.process is not None
    with server.client() as client:
        phone = client.lease(LINE)
        phone.release()
        # It is asked to be extended after a third of a second, and not again.
        assert run_with(phone, ["sh", "-c", f"sleep 1; kill -9 {server.process.pid}; exit 7"], ttl=1) == 7
    said = capsys.readouterr().err
    assert (said.count("is not extended"), said.count("is not released")) == (1, 1)


def test_a_lease_that_cannot_be_told_is_released(resting_server: Server) -> None:
    resting_server.send("hello")
    against(resting_server, "wait", "--after", "0")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "smscatch.cli", "lease"],
            env=bare_environ(SMSCATCH_URL=resting_server.url, SMSCATCH_KEY=ADMIN_KEY),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (3, "smscatch: [Errno 28] No space left on device\n")
    assert "rests after" in against(resting_server, "leases").stdout
