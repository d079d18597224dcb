"""The command line as a user types it, against a real server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ADMIN_KEY, Server

LINE = "+447700900001"


def smscatch(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "smscatch.cli", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": "/nowhere", **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def against(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    return smscatch(*arguments, SMSCATCH_URL=server.url, SMSCATCH_KEY=ADMIN_KEY)


def test_wait_prints_the_next_message_or_its_code(server: Server) -> None:
    server.send("Your Authy code is 482913")
    done = against(server, "wait", "--line", LINE, "--from", "authy", "--after", "0", "--code")
    assert (done.returncode, done.stdout, done.stderr) == (0, "482913\n", "")
    done = against(server, "wait", "--contains", "CODE", "--after", "0")
    assert json.loads(done.stdout)["text"] == "Your Authy code is 482913"


def test_wait_in_vain_exits_with_1_and_the_explanation(server: Server) -> None:
    server.send("hello", sender="Google")
    done = against(server, "wait", "--from", "Authy", "--after", "0", "--timeout", "0.2")
    assert (done.returncode, done.stdout) == (1, "")
    assert "No message matched" in done.stderr


def test_simulate_puts_a_text_into_a_spool_as_gammu_would(server: Server) -> None:
    done = smscatch("simulate", "--spool", str(server.spool), "--line", LINE, "--from", "Müller", "Grüße 😀")
    assert done.returncode == 0, done.stderr
    done = against(server, "wait", "--line", LINE, "--after", "0")
    message = json.loads(done.stdout)
    assert (message["line"], message["sender"], message["text"]) == (LINE, "Müller", "Grüße 😀")


def test_simulate_without_a_demo_or_a_spool_says_what_to_do(tmp_path: Path) -> None:
    done = smscatch("simulate", "x", HOME=str(tmp_path))
    assert done.returncode == 3
    assert "smscatch demo" in done.stderr
    done = smscatch("simulate", "--spool", str(tmp_path / "missing"), "x")
    assert "is no folder" in done.stderr


def test_messages_and_lines_list_what_there_is_and_a_text_cannot_drive_the_terminal(server: Server) -> None:
    assert against(server, "messages").returncode == 1
    server.send("one\x1b[2J\ntwo", sender="Authy")
    against(server, "wait", "--after", "0")
    done = against(server, "messages")
    assert "Authy: one [2J two" in done.stdout
    assert "\x1b" not in done.stdout
    assert json.loads(against(server, "messages", "--json").stdout)["text"] == "one\x1b[2J\ntwo"
    assert f"{LINE}  -  1 messages" in against(server, "lines").stdout


def test_keys_are_made_listed_and_revoked_on_the_store_itself(server: Server) -> None:
    store = f"sqlite:///{server.folder}/smscatch.db"
    done = smscatch("keys", "--store", store, "add", "ci", "--scope", "read", "--line", LINE)
    secret = done.stdout.split()[0]
    listed = smscatch("keys", "--store", store, "list").stdout
    (row,) = [line for line in listed.splitlines() if "ci" in line.split()]
    assert secret not in listed
    assert LINE in row
    assert smscatch("messages", SMSCATCH_URL=server.url, SMSCATCH_KEY=secret).returncode == 1
    assert smscatch("keys", "--store", store, "revoke", row.split()[0]).returncode == 0
    done = smscatch("messages", SMSCATCH_URL=server.url, SMSCATCH_KEY=secret)
    assert (done.returncode, "revoked" in done.stderr) == (3, True)
    assert smscatch("keys", "--store", store, "revoke", "nothing").returncode == 1
    assert "'write'" in smscatch("keys", "--store", store, "add", "x", "--scope", "write").stderr


def test_config_shows_every_setting_and_where_it_came_from_and_no_secret() -> None:
    done = smscatch("config", SMSCATCH_PORT="8080", SMSCATCH_KEY="a-very-secret-key-indeed")
    assert "port = 8080" in done.stdout
    assert "from: SMSCATCH_PORT" in done.stdout
    assert "key = (set)" in done.stdout
    assert "secret" not in done.stdout


def test_explain_shows_the_code_and_why() -> None:
    done = smscatch("explain", "Your Authy code is 482913")
    assert done.returncode == 0
    assert "482913" in done.stdout
    assert smscatch("explain", "hello").returncode == 1


@pytest.mark.parametrize(
    ("environ", "status", "said"),
    [
        ({}, 2, "No key is set"),
        ({"SMSCATCH_KEY": "x" * 20, "SMSCATCH_URL": "http://127.0.0.1:1"}, 3, "does not answer"),
        ({"SMSCATCH_URL": "nowhere"}, 2, "url = 'nowhere'"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(environ: dict[str, str], status: int, said: str) -> None:
    done = smscatch("messages", **environ)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_key_is_said_so(server: Server) -> None:
    done = smscatch("lines", SMSCATCH_URL=server.url, SMSCATCH_KEY="not-the-right-key-at-all")
    assert (done.returncode, "unknown, revoked or expired" in done.stderr) == (3, True)


def test_help_lists_the_commands() -> None:
    done = smscatch("--help")
    for name in ("demo", "serve", "simulate", "wait", "messages", "lines", "keys", "config", "explain"):
        assert f"  {name} " in done.stdout
