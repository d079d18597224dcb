"""The command line as a user types it, against a real server."""

import contextlib
import fcntl
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smscatch.cli.gammu import only_port
from smscatch.errors import BadSetting
from tests.command_line import against, as_process, process_against
from tests.command_line import in_process as smscatch
from tests.conftest import Server
from tests.patience import PATIENCE_SECONDS
from tests.samples import OTHER_LINE

LINE = "+447700900001"


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for the tests that leave nothing behind on it, or use a line of their own."""
    server = Server(tmp_path_factory.mktemp("server")).start()
    yield server
    server.kill()


def test_wait_prints_the_next_message_or_its_code(shared_server: Server) -> None:
    line = "+447700900902"
    shared_server.send("Your Authy code is 482913", line=line)
    done = process_against(shared_server, "wait", "--line", line, "--from", "authy", "--after", "0", "--code")
    assert (done.returncode, done.stdout, done.stderr) == (0, "482913\n", "")
    done = against(shared_server, "wait", "--line", line, "--contains", "CODE", "--after", "0")
    assert json.loads(done.stdout)["text"] == "Your Authy code is 482913"


def test_wait_in_vain_exits_with_1_and_the_explanation(shared_server: Server) -> None:
    line = "+447700900901"
    shared_server.send("hello", sender="Google", line=line)
    against(shared_server, "wait", "--line", line, "--after", "0")
    done = process_against(shared_server, "wait", "--line", line, "--from", "Authy", "--after", "0", "--timeout", "0.2")
    assert (done.returncode, done.stdout) == (1, "")
    assert "No message matched" in done.stderr


def test_simulate_puts_a_text_into_a_spool_as_gammu_would(shared_server: Server) -> None:
    line = "+447700900903"
    done = smscatch("simulate", "--spool", str(shared_server.spool), "--line", line, "--from", "Müller", "Grüße 😀")
    assert done.returncode == 0, done.stderr
    done = against(shared_server, "wait", "--line", line, "--after", "0")
    message = json.loads(done.stdout)
    assert (message["line"], message["sender"], message["text"]) == (line, "Müller", "Grüße 😀")


@pytest.mark.parametrize("sender", ["my_bank$x{}", "+4915112345678", "32665", "Привет", "Ünal Ω¡"])
def test_a_simulated_sender_arrives_as_it_was_given(shared_server: Server, sender: str) -> None:
    assert smscatch("simulate", "--spool", str(shared_server.spool), "--from", sender, f"from {sender}").returncode == 0
    found = json.loads(against(shared_server, "wait", "--after", "0", "--contains", f"from {sender}").stdout)
    assert found["sender"] == sender


def test_a_sender_that_gammu_could_not_hand_over_is_refused(tmp_path: Path) -> None:
    done = smscatch("simulate", "--spool", str(tmp_path), "--from", "my_bank@x{}", "x")
    assert (done.returncode, "'@' is 0 in the GSM alphabet" in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_simulate_without_a_demo_or_a_spool_says_what_to_do(tmp_path: Path) -> None:
    done = as_process("simulate", "x", HOME=str(tmp_path))
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
    server.send("a\x9b2Jb\x7f\x80")
    for command in (("wait", "--after", "0", "--contains", "2Jb"), ("messages", "--json", "--contains", "2Jb")):
        done = against(server, *command)
        assert r"a\u009b2Jb\u007f\u0080" in done.stdout
        assert json.loads(done.stdout)["text"] == "a\x9b2Jb\x7f\x80"
    assert f"{LINE}  virtual  2 messages" in against(server, "lines").stdout


def test_keys_are_made_listed_and_revoked_on_the_store_itself(server: Server) -> None:
    store = f"sqlite:///{server.folder}/smscatch.db"
    done = smscatch("keys", "add", "ci", "--scope", "read", "--line", LINE, SMSCATCH_STORE=store)
    secret = done.stdout.removesuffix("\n")
    assert re.fullmatch(r"smscatch_[\w-]{43}", secret), "the key alone is on standard output"
    assert f"store: {store} (from: SMSCATCH_STORE)\n" in done.stderr
    assert secret not in done.stderr
    listed = smscatch("keys", "--store", store, "list").stdout
    (row,) = [line for line in listed.splitlines() if "ci" in line.split()]
    assert secret not in listed
    assert LINE in row
    assert smscatch("messages", SMSCATCH_URL=server.url, SMSCATCH_KEY=secret).returncode == 1
    assert smscatch("keys", "--store", store, "revoke", row.split()[0]).returncode == 0
    done = smscatch("messages", SMSCATCH_URL=server.url, SMSCATCH_KEY=secret)
    assert (done.returncode, "revoked" in done.stderr) == (3, True)
    assert smscatch("keys", "--store", store, "revoke", "nothing").returncode == 1
    for arguments, said in ((("--scope", "write"), "'write'"), (("--line", "garbage"), "'garbage' is no number")):
        done = smscatch("keys", "--store", store, "add", "x", *arguments)
        assert (done.returncode, said in done.stderr) == (2, True)


def test_keys_of_a_store_that_does_not_exist_are_not_looked_for_in_a_new_one(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/typo.db"
    for action in (["list"], ["revoke", "some"]):
        done = smscatch("keys", "--store", store, *action)
        assert (done.returncode, "there is no database" in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []
    assert smscatch("keys", "--store", store, "add", "ci").returncode == 0


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """As a server that runs has its spool locked, and a demo its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_a_command_without_a_store_means_the_demo_while_that_runs_and_else_the_default(tmp_path: Path) -> None:
    data = tmp_path / ".local/share/smscatch"

    def store_of_keys() -> str:
        done = as_process("keys", "add", "ci", HOME=str(tmp_path))
        assert done.returncode == 0, done.stderr
        return done.stderr.splitlines()[0]

    default = f"store: sqlite:///{data}/smscatch.db (from: default)"
    demo = f"store: sqlite:///{data}/demo/x.db (the demo's"
    (data / "demo").mkdir(parents=True)
    (data / "demo/smscatch.toml").write_text(f'store = "sqlite:///{data}/demo/x.db"\nkey = "{"k" * 20}"\n')
    assert store_of_keys().startswith(demo)  # there is no other
    smscatch("keys", "--store", f"sqlite:///{data}/smscatch.db", "add", "ci")
    assert store_of_keys() == default
    with locked(data / "demo/lock"):
        assert store_of_keys().startswith(demo)
        with locked(data / "spool/.lock"):
            assert store_of_keys() == default


def test_config_shows_every_setting_and_where_it_came_from_and_no_secret() -> None:
    done = smscatch("config", SMSCATCH_PORT="8080", SMSCATCH_KEY="a-very-hidden-key-indeed")
    assert "port = 8080" in done.stdout
    assert "from: SMSCATCH_PORT" in done.stdout
    assert "key = (set)" in done.stdout
    assert "hidden" not in done.stdout
    assert "retention = 30d\n" in done.stdout
    assert "admin_key = (unset)\n" in done.stdout


def test_config_shows_the_sinks_and_nothing_secret(tmp_path: Path) -> None:
    path = tmp_path / "smscatch.toml"
    path.write_text(
        '[sinks.ci]\nkind = "json"\nurl = "https://u:hidden@ci.example/hidden?hidden"\nlines = ["+447700900001"]'
    )
    done = smscatch("config", SMSCATCH_CONFIG=str(path))
    for name, value in (("kind", "json"), ("url", "https://ci.example/…"), ("lines", "+447700900001")):
        assert f"sinks.ci.{name} = {value}\n" in done.stdout
    assert f"from: {path}\n" in done.stdout
    assert '[lines."+49…"]: none\n' in done.stdout
    assert "hidden" not in done.stdout


@pytest.mark.parametrize("command", [("serve",), ("keys", "list"), ("prune",), ("export",), ("import",)])
def test_a_store_with_its_password_is_refused_on_the_command_line(command: tuple[str, ...]) -> None:
    name, *action = command
    done = smscatch(name, "--store", "postgresql://ann:hidden@127.0.0.1/sms", *action)
    assert done.returncode == 2
    assert "lists the processes of this machine: give it by the variable SMSCATCH_STORE" in done.stderr
    assert "hidden" not in done.stderr


def test_explain_shows_the_code_and_why() -> None:
    done = smscatch("explain", "Your Authy code is 482913")
    assert done.returncode == 0
    assert "482913" in done.stdout
    assert done.stdout.splitlines()[-1] == "To send it takes 1 segment of GSM-7."
    assert smscatch("explain", "hello").returncode == 1


@pytest.mark.parametrize(
    ("environ", "status", "said"),
    [
        ({}, 2, "No key is set"),
        ({"SMSCATCH_KEY": "x" * 20, "SMSCATCH_URL": "http://127.0.0.1:1"}, 3, "does not answer"),
        ({"SMSCATCH_URL": "nowhere"}, 2, "url = 'nowhere'"),
        ({"SMSCATCH_KEY": "x" * 20, "SMSCATCH_URL": "http://[::1"}, 2, "url = 'http://[::1'"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(environ: dict[str, str], status: int, said: str) -> None:
    done = smscatch("messages", **environ)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("modem", "--device", "/dev/ttyUSB0", "--baud", "7"),
            "'7' is not accepted: give one of 1200, 2400, 4800, 9600",
        ),
        (("wait", "--timeout", "nan"), "'nan' is not accepted: give seconds"),
        (("wait", "--timeout", "-1"), "'-1' is not accepted: give seconds"),
        (("wait", "--timeout", "soon"), "'soon' is not accepted: give seconds"),
        (("wait", "--quiet", "1"), "quiet is for a wait with newest=True alone"),
        (("wait", "--newest", "--quiet", "61"), "quiet = 61.0 is not accepted"),
        (("wait", "--after", "foo"), "'foo' is no cursor"),
        (("wait", "--after", ""), "--after: it is empty"),
        (("wait", "--lease", "", "--code"), "--lease: it is empty"),
        (("wait", "--line", ""), "--line: it is empty"),
        (("lease", "--line", ""), "--line: it is empty"),
        (("lease", "--ttl", "inf"), "ttl = inf is not accepted"),
        (("release", ""), "ID: it is empty"),
        (("wait", "--line", "+4917000000"), "There is no line"),
        (("wait", "--line", "\udcff"), "UTF-8"),  # the octet 0xff
        (("messages", "--limit", "0"), "limit = '0'"),
    ],
)
def test_wrong_use_is_said_so_and_exits_with_2(shared_server: Server, arguments: tuple[str, ...], said: str) -> None:
    done = against(shared_server, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_test_project_imports_all_it_needs_from_smscatch_itself() -> None:
    program = """
import sys
import smscatch
assert "httpx2" not in sys.modules, "the client is not loaded before it is used"
from smscatch import *
assert issubclass(NoMessage, SmscatchError) and Client.__module__.startswith("smscatch.client") and Message and Line
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_wrong_key_is_said_so(shared_server: Server) -> None:
    done = smscatch("lines", SMSCATCH_URL=shared_server.url, SMSCATCH_KEY="not-the-right-key-at-all")
    assert (done.returncode, "unknown, revoked or expired" in done.stderr) == (3, True)


def test_help_lists_the_commands() -> None:
    done = smscatch("--help")
    for name in ("demo", "serve", "simulate", "wait", "messages", "lines", "keys", "config", "explain"):
        assert f"  {name} " in done.stdout


def test_a_line_is_leased_waited_for_and_released(resting_server: Server) -> None:
    resting_server.send("before")
    against(resting_server, "wait", "--after", "0")
    lease = json.loads(against(resting_server, "lease", "--line", LINE, "--holder", "me", "--ttl", "3600").stdout)
    assert lease["line"] == LINE
    listed = against(resting_server, "leases")
    assert f"{LINE}  virtual  leased to me, until " in listed.stdout
    resting_server.send("Your code is 123456, see https://example.com/x")
    assert against(resting_server, "wait", "--lease", lease["id"], "--code").stdout == "123456\n"
    assert against(resting_server, "wait", "--lease", lease["id"], "--link").stdout == "https://example.com/x\n"
    done = against(resting_server, "wait", "--line", LINE, "--after", "0", "--contains", "123456", "--timeout", "0")
    assert (done.returncode, f"belongs to the lease {lease['id']} of 'me'" in done.stderr) == (1, True)
    done = against(resting_server, "lease", "--line", LINE, "--wait", "0")
    assert (done.returncode, "is leased to 'me' until" in done.stderr) == (1, True)
    assert against(resting_server, "release", lease["id"]).returncode == 0
    assert f"{LINE}  virtual  rests after me" in against(resting_server, "leases").stdout
    assert against(resting_server, "wait", "--lease", lease["id"], "--line", LINE).returncode == 2


def test_of_two_codes_the_newer_is_waited_for(shared_server: Server) -> None:
    server, line = shared_server, "+447700900904"
    server.send("before", line=line)
    against(server, "wait", "--line", line, "--after", "0")
    lease = json.loads(against(server, "lease", "--line", line, "--ttl", "3600").stdout)["id"]
    server.send("Your code is 111111", line=line)
    against(server, "wait", "--lease", lease)
    mark = against(server, "cursor").stdout.strip()
    server.send("Your code is 222222", line=line)
    against(server, "wait", "--lease", lease, "--after", mark)
    server.send("Your code is 333333", line=line)
    against(server, "wait", "--lease", lease, "--contains", "333333")
    assert against(server, "wait", "--lease", lease, "--code").stdout == "111111\n"
    assert against(server, "wait", "--lease", lease, "--code", "--after", mark).stdout == "222222\n"
    newest = ("wait", "--code", "--newest", "--quiet", "0.1")
    assert against(server, *newest, "--lease", lease).stdout == "333333\n"


def test_a_lease_lasts_as_long_as_the_command_it_runs(resting_server: Server) -> None:
    resting_server.send("hello")
    against(resting_server, "wait", "--after", "0")
    script = f'{sys.executable} -m smscatch.cli leases; echo "$SMSCATCH_LINE $SMSCATCH_LEASE"; exit 7'
    done = process_against(
        resting_server, "lease", "--holder", "me", "--ttl", "6", "--", "sh", "-c", f"sleep 7; {script}"
    )
    assert done.returncode == 7, done.stderr
    assert f"{LINE}  virtual  leased to me" in done.stdout
    assert done.stdout.splitlines()[-1].startswith(f"{LINE} ")
    assert "rests after me" in against(resting_server, "leases").stdout


def test_a_command_that_cannot_be_run_has_its_line_released(resting_server: Server) -> None:
    resting_server.send("hello")
    against(resting_server, "wait", "--after", "0")
    done = process_against(resting_server, "lease", "--line", LINE, "--", "/no/such/program")
    assert (done.returncode, "cannot be run" in done.stderr) == (2, True)
    assert "rests after" in against(resting_server, "leases").stdout


def test_several_lines_are_leased_at_once_for_a_command_or_until_they_are_released(
    make_server: Callable[[], Server],
) -> None:
    server = make_server().start(SMSCATCH_LEASE_REST="0s")
    for line in (LINE, OTHER_LINE):
        server.send("hello", line=line)
        against(server, "wait", "--line", line, "--after", "0")
    group = json.loads(against(server, "lease", "--count", "2").stdout)
    assert sorted(lease["line"] for lease in group["leases"]) == [LINE, OTHER_LINE]
    done = against(server, "lease", "--count", "2", "--wait", "0")
    assert (done.returncode, "No 2 lines that would do are free" in done.stderr) == (1, True)
    assert against(server, "release", group["id"]).returncode == 0
    script = (
        'echo "$SMSCATCH_LINES,$SMSCATCH_LINE_1 $SMSCATCH_LINE_2,$SMSCATCH_LEASES,$SMSCATCH_LEASE_1 $SMSCATCH_LEASE_2"'
    )
    done = process_against(server, "lease", "--count", "2", "--", "sh", "-c", f"{script}; exit 7")
    assert done.returncode == 7, done.stderr
    numbers, one_by_one, leases, each = done.stdout.strip().split(",")
    assert (numbers, leases, sorted(numbers.split())) == (one_by_one, each, [LINE, OTHER_LINE])
    assert against(server, "leases").stderr == "No line is leased.\n"
    done = against(server, "lease", "--count", "21")
    assert (done.returncode, "count = 21 is not accepted" in done.stderr) == (2, True)


def test_a_lease_that_there_is_not_is_nothing_found(shared_server: Server) -> None:
    for arguments in (("release", "nope"), ("release", "../lines"), ("wait", "--lease", "nope")):
        done = against(shared_server, *arguments)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr


def test_everything_moves_into_another_store(server: Server, tmp_path: Path) -> None:
    for number in range(3):
        server.send(f"Your code is 00000{number}")
    json.loads(against(server, "wait", "--after", "0", "--contains", "000002").stdout)
    server.stop()
    old, new = f"sqlite:///{server.folder}/smscatch.db", f"sqlite:///{tmp_path}/new.db"
    file = tmp_path / "export.jsonl"
    assert smscatch("export", "--store", old, str(file)).returncode == 0
    assert file.stat().st_mode & 0o077 == 0
    done = smscatch("import", "--store", new, str(file))
    assert (done.returncode, done.stderr) == (0, f"{len(file.read_bytes().splitlines()) - 1} records imported.\n")
    assert smscatch("export", "--store", new).stdout == file.read_text()
    server.start(SMSCATCH_STORE=new)
    assert against(server, "wait", "--after", "0", "--code").stdout == "000000\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "--store", "{old}", "{file}"), "holds something already"),
        (("import", "--store", "{new}", "{file}"), "line 1, is no record"),
        (("import", "--store", "{new}", "/no/such/file"), "No such file"),
        (("export", "--store", "{new}"), "there is no database"),
        (("export", "--store", "{old}", "{file}"), "not there yet"),
        (("prune", "--store", "{old}", "--older-than", "soon"), "an age such as"),
        (("prune", "--store", "{old}", "--older-than", "900000d"), "an age such as"),
        (("prune", "--store", "{old}", "--older-than", "0s"), "zero would delete everything"),
    ],
)
def test_what_cannot_be_moved_is_said(tmp_path: Path, a_move: Path, arguments: tuple[str, ...], said: str) -> None:
    places = {"old": f"sqlite:///{a_move}/old.db", "new": f"sqlite:///{tmp_path}/new.db", "file": f"{tmp_path}/file"}
    Path(places["file"]).write_text('{"kind": "nothing"}\n')
    done = smscatch(*(argument.format(**places) for argument in arguments))
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def in_shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in which `smscatch` is ours; a store is named by its file in `folder`."""
    ours = f'smscatch() {{ {sys.executable} -W error -m smscatch.cli "$1" --store "sqlite:///$PWD/$2" "${{@:3}}"; }}'
    return subprocess.run(
        ["bash", "-c", f"{ours}\n{script}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def a_move(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that has one key, and its export."""
    folder = tmp_path_factory.mktemp("move")
    store = f"sqlite:///{folder}/old.db"
    for command in (("keys", "--store", store, "add", "ci"), ("export", "--store", store, f"{folder}/export.jsonl")):
        done = smscatch(*command)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def an_export(tmp_path: Path, a_move: Path) -> Path:
    """The export of a store with one key, and that store beside it."""
    for name in ("old.db", "export.jsonl"):
        shutil.copy(a_move / name, tmp_path)
    return tmp_path / "export.jsonl"


@pytest.mark.parametrize("lost", ["head -n -1", "tail -n +2", "sed 2d", "head -c -9", "head -c 0"])
def test_an_export_that_is_not_whole_is_not_imported(an_export: Path, lost: str) -> None:
    folder = an_export.parent
    (folder / "part.jsonl").write_bytes(
        subprocess.run([*lost.split(), an_export], capture_output=True, check=True).stdout
    )
    done = smscatch("import", "--store", f"sqlite:///{folder}/new.db", f"{folder}/part.jsonl")
    assert done.returncode == 2
    assert "is not whole" in done.stderr or "is no record" in done.stderr
    done = smscatch("import", "--store", f"sqlite:///{folder}/new.db", str(an_export))
    assert (done.returncode, done.stderr) == (0, "2 records imported.\n")


@pytest.mark.parametrize("source", ["- < part.jsonl", "- < <(cat part.jsonl)"])
def test_a_part_of_an_export_on_standard_input_is_not_imported(an_export: Path, source: str) -> None:
    done = in_shell(f"head -n -1 export.jsonl > part.jsonl; smscatch import new.db {source}", an_export.parent)
    assert (done.returncode, "is not whole" in done.stderr) == (2, True), done.stderr


def test_an_import_that_ends_in_the_middle_says_what_to_do(tmp_path: Path) -> None:
    deleted = '{"kind": "deleted", "id": "%d", "received_at": "2026-11-22T12:00:00Z"}\n'
    lines = ['{"kind": "position", "position": 700}\n', *(deleted % number for number in range(600))]
    (tmp_path / "export.jsonl").write_text("".join(lines))
    done = in_shell("cat export.jsonl | smscatch import new.db", tmp_path)
    assert (done.returncode, "500 records are in the store: empty it" in done.stderr) == (2, True), done.stderr
    done = smscatch("import", "--store", f"sqlite:///{tmp_path}/new.db", f"{tmp_path}/export.jsonl")
    assert "holds something already" in done.stderr


def test_a_record_that_is_there_twice_is_refused_in_a_sentence(tmp_path: Path) -> None:
    deleted = '{"kind": "deleted", "id": "1", "received_at": "2026-11-22T12:00:00Z"}\n'
    (tmp_path / "export.jsonl").write_text(2 * deleted + '{"kind": "end", "records": 2}\n')
    done = smscatch("import", "--store", f"sqlite:///{tmp_path}/new.db", f"{tmp_path}/export.jsonl")
    assert (done.returncode, done.stderr.startswith("smscatch: A record is there twice")) == (2, True), done.stderr


def test_an_empty_line_behind_an_export_does_no_harm(an_export: Path) -> None:
    with an_export.open("a") as file:
        file.write("\n")
    done = smscatch("import", "--store", f"sqlite:///{an_export.parent}/new.db", str(an_export))
    assert (done.returncode, done.stderr) == (0, "2 records imported.\n")


def test_an_export_that_cannot_be_written_ends_with_a_sentence(an_export: Path) -> None:
    done = in_shell("smscatch export old.db > /dev/full", an_export.parent)
    said = "smscatch: standard output cannot be written: No space left on device. The export there is not whole.\n"
    assert (done.returncode, done.stderr) == (3, said)


def test_old_messages_are_deleted_by_hand(server: Server) -> None:
    server.send("hello")
    against(server, "wait", "--after", "0")
    store = f"sqlite:///{server.folder}/smscatch.db"
    assert smscatch("prune", "--store", store).stdout.startswith("0 messages")
    assert smscatch("prune", "--store", store, "--keep", "1").stdout.startswith("0 messages")
    assert "'-1' is not accepted" in smscatch("prune", "--store", store, "--keep=-1").stderr
    assert smscatch("prune", "--store", store, "--older-than", "1ms").stdout.startswith("1 messages")
    assert against(server, "messages").returncode == 1
    server.send("hello again")
    against(server, "wait", "--after", "0")
    assert smscatch("prune", "--store", store, "--keep", "0").stdout.startswith("1 messages")


def test_gammurc_prints_a_configuration_that_its_check_finds_right(tmp_path: Path) -> None:
    config = tmp_path / "smscatch.toml"
    config.write_text(f'spool = "{tmp_path}/spool"\n[lines."{LINE}"]\nphone_id = "stick1"\n')
    environ = {"SMSCATCH_CONFIG": str(config)}
    (tmp_path / "spool").mkdir()
    ours, theirs = pty.openpty()
    printed = smscatch("gammurc", "--device", os.ttyname(theirs), **environ)
    assert (printed.returncode, printed.stderr) == (0, "")
    rc = tmp_path / "gammu-smsdrc"
    rc.write_text(printed.stdout)
    checked = smscatch("gammurc", "--check", str(rc), **environ)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout == f"{rc} is right: what gammu-smsd reads will be in the spool {tmp_path}/spool.\n"
    rc.write_text(printed.stdout.replace("hook.py", "hoook.py"))
    checked = smscatch("gammurc", "--check", str(rc), **environ)
    assert checked.returncode == 1
    assert "hoook.py, which does not exist" in checked.stdout
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Say which line it is for: --line +49…. Lines that gammu-smsd can read: +447700900001, +447700900002."),
        (("--line", "+447700900003"), "+447700900003 has a device in smscatch.toml, so our own link reads it"),
        (("--line", "+447700900009"), "There is no line '+447700900009' in smscatch.toml."),
        (("--check", "/no/such/file"), "/no/such/file cannot be read: No such file or directory."),
    ],
)
def test_gammurc_says_what_it_needs_to_know(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    config = tmp_path / "smscatch.toml"
    lines = {LINE: 'phone_id = "a"', "+447700900002": "", "+447700900003": 'device = "/dev/x"'}
    config.write_text("".join(f'[lines."{number}"]\n{line}\n' for number, line in lines.items()))
    done = smscatch("gammurc", *options, SMSCATCH_CONFIG=str(config))
    assert done.returncode == 2
    assert said in done.stderr


def test_gammurc_takes_the_first_port_of_the_only_modem(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="is the modem plugged in"):
        only_port(tmp_path / "by-id")
    for port in ("usb-HUAWEI-if00-port0", "usb-HUAWEI-if01-port0"):
        (tmp_path / port).touch()
    assert only_port(tmp_path) == tmp_path / "usb-HUAWEI-if00-port0"
    (tmp_path / "usb-ZTE-if00-port0").touch()
    with pytest.raises(BadSetting, match="Say which port the modem is at: --device"):
        only_port(tmp_path)
