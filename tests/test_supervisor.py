"""The server under a service manager: what it is given, and what it tells."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smscatch import Client
from smscatch.errors import CannotStart
from smscatch.settings.supervision import find_supervisor
from smscatch.supervisor import Supervisor
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.surroundings import bare_environ


@pytest.fixture
def is_fresh() -> bool:
    return True


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """Where a service manager hears."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(PATIENCE_SECONDS)
        yield heard


def test_a_server_tells_when_it_is_ready_that_it_lives_and_when_it_stops(
    make_server: Callable[[], Server], manager: socket.socket
) -> None:
    server = make_server().start(NOTIFY_SOCKET=manager.getsockname(), WATCHDOG_USEC="200000")
    heard = [manager.recv(4096).decode() for _ in range(4)]
    assert f"READY=1\nSTATUS=listens on {server.url}" in heard
    assert heard.count("WATCHDOG=1") == 3
    server.stop()
    while (last := manager.recv(4096).decode()) == "WATCHDOG=1":
        pass
    assert last == "STOPPING=1"


def test_a_server_takes_the_socket_that_systemd_opened(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = bare_environ(
        SMSCATCH_STORE=f"sqlite:///{tmp_path}/smscatch.db",
        SMSCATCH_SPOOL=str(tmp_path / "spool"),
        SMSCATCH_PORT="1",
        SMSCATCH_ADMIN_KEY=ADMIN_KEY,
    )
    passed = [f"--setenv={name}" for name in given]
    command = ["systemd-socket-activate", f"--listen=127.0.0.1:{port}", *passed]
    command += [sys.executable, "-m", "smscatch.cli", "serve"]
    with subprocess.Popen(command, env=given, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as activated:
        assert activated.stderr is not None
        assert "Listening on" in activated.stderr.readline()
        # The first connection starts it, and is answered when it is there.
        with Client(f"http://127.0.0.1:{port}", ADMIN_KEY) as client:
            assert client.lines() == []
        activated.terminate()


def test_what_is_meant_for_another_process_or_is_no_number_is_passed_over() -> None:
    given = {"NOTIFY_SOCKET": "@manager", "WATCHDOG_USEC": "2000000", "LISTEN_FDS": "1", "LISTEN_PID": "7"}
    assert find_supervisor(given, 7) == Supervisor("@manager", 2.0, 1)
    assert find_supervisor(given | {"WATCHDOG_PID": "8", "LISTEN_PID": "8"}, 7) == Supervisor("@manager")
    assert find_supervisor({"WATCHDOG_USEC": "soon", "LISTEN_FDS": "²", "LISTEN_PID": "7"}, 7) == Supervisor()
    assert find_supervisor({}) == Supervisor()


def test_a_manager_that_does_not_hear_stops_nobody(tmp_path: Path) -> None:
    Supervisor(str(tmp_path / "nobody")).tell("READY=1")
    Supervisor().tell("READY=1")


def test_sockets_that_are_not_one_for_tcp_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "other"))
        monkeypatch.setattr("smscatch.supervisor.FIRST_DESCRIPTOR", os.dup(other.fileno()))
        with pytest.raises(CannotStart, match="ListenStream"):
            Supervisor(sockets=1).listener()
    assert Supervisor().listener() is None
