"""The hook as gammu-smsd runs it: a process of its own, with an environment that it must not leak."""

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smscatch import hook
from smscatch.sources.gammu import read_gammu
from smscatch.spool import Spool
from tests.carrier import eventually
from tests.patience import PATIENCE_SECONDS

COMMAND = [sys.executable, "-I", "-S", "-E", str(Path(hook.__file__))]
VARIABLES = {
    "SMS_MESSAGES": "1",
    "SMS_1_NUMBER": "Authy",
    "SMS_1_TEXT": "Your code is 482913",
    "DECODED_PARTS": "0",
    "PHONE_ID": "stick",
}


@contextmanager
def running_hook(spool: Path, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [*COMMAND, "--spool", str(spool)]
    process = subprocess.Popen(command, env=VARIABLES | environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def run_hook(spool: Path, *arguments: str, **environ: str) -> None:
    command = [*COMMAND, "--spool", str(spool), *arguments]
    done = subprocess.run(command, env=VARIABLES | environ, capture_output=True, timeout=PATIENCE_SECONDS, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def entries(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.sms"))]


def test_the_variables_of_gammu_reach_the_spool_byte_for_byte_and_nothing_else_does(tmp_path: Path) -> None:
    text = os.fsdecode("Grüße\n\x01 ".encode() + b"\xff\xfe" + "😀".encode())
    run_hook(tmp_path, "argument of gammu", SMS_1_TEXT=text, AWS_SECRET="hush", SMSCATCH_KEY="hush", HOME="/root")
    (entry,) = entries(tmp_path)
    assert b"SMS_1_TEXT=" + os.fsencode(text) + b"\0" in entry
    assert b"PHONE_ID=stick\0" in entry
    assert b"argument=argument of gammu\0" in entry
    assert b"hush" not in entry
    assert b"HOME" not in entry


def test_what_the_hook_wrote_the_source_reads(tmp_path: Path) -> None:
    run_hook(tmp_path)
    spool = Spool(tmp_path)
    (name,) = spool.names()
    entry = spool.read(name)
    assert entry.kind == "gammu"
    (message,) = read_gammu(entry.body, entry.name, lambda phone_id: phone_id)
    assert (message.sender, message.text, message.line) == ("Authy", "Your code is 482913", "stick")
    assert message.reader is not None
    assert message.reader.startswith(f"{os.getpid()}:")
    spool.close()


def test_hooks_one_after_another_keep_their_order(tmp_path: Path) -> None:
    for n in range(5):
        run_hook(tmp_path, SMS_1_TEXT=f"text {n}")
    assert [entry.partition(b"SMS_1_TEXT=")[2][:6] for entry in entries(tmp_path)] == [b"text %d" % n for n in range(5)]


def test_the_spool_may_be_named_by_the_environment(tmp_path: Path) -> None:
    subprocess.run(COMMAND, env=VARIABLES | {"SMSCATCH_SPOOL": str(tmp_path)}, timeout=PATIENCE_SECONDS, check=True)
    assert len(entries(tmp_path)) == 1


async def test_it_waits_for_a_missing_spool_and_does_not_end_at_sigterm(tmp_path: Path) -> None:
    with running_hook(tmp_path / "later") as process:
        await eventually(lambda: _ignores_sigterm(process.pid), "the hook ignores SIGTERM")
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGHUP)
        assert process.poll() is None
        (tmp_path / "later").mkdir()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert len(entries(tmp_path / "later")) == 1


def _ignores_sigterm(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    ignored = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn")), 16)
    return bool(ignored >> (signal.SIGTERM - 1) & 1)


def test_it_pokes_the_server(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "poke"))
        server.settimeout(60)
        run_hook(tmp_path)
        assert server.recv(16) == b"1"


def test_a_frozen_server_does_not_hold_it_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "poke"))  # and never reads: its queue is full after some ten datagrams
        for _ in range(30):
            run_hook(tmp_path)
    assert len(entries(tmp_path)) == 30


@pytest.mark.parametrize("left", ["socket", "file"])
def test_what_a_dead_server_left_does_not_matter(tmp_path: Path, left: str) -> None:
    if left == "socket":
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
            server.bind(str(tmp_path / "poke"))
    else:
        (tmp_path / "poke").touch()
    run_hook(tmp_path)
    assert len(entries(tmp_path)) == 1


def test_a_folder_deeper_than_a_socket_s_name_is_poked_too(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        folder = os.open(deep, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{folder}/poke")
        os.close(folder)
        server.settimeout(60)
        run_hook(deep)
        assert server.recv(16) == b"1"


async def test_it_waits_while_the_disk_is_full(tmp_path: Path) -> None:
    # A limit on the size of files stands for the full disk: write(2) fails in the same place, with another errno.
    command = ["prlimit", "--fsize=10:unlimited", *COMMAND, "--spool", str(tmp_path)]
    with subprocess.Popen(command, env={**VARIABLES, "PATH": os.environ["PATH"]}) as process:
        try:
            await eventually(lambda: bool(list(tmp_path.glob(".tmp-*"))), "the hook tried")
            assert process.poll() is None
            assert entries(tmp_path) == []
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            assert process.wait(PATIENCE_SECONDS) == 0
        finally:
            process.kill()
    assert len(entries(tmp_path)) == 1
    assert list(tmp_path.glob(".tmp-*")) == []
