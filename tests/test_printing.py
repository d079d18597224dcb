"""Nothing that others chose reaches a terminal or a log as a control character, and no key the list of processes."""

import io
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from smscatch.cli import main
from smscatch.errors import NotFound
from smscatch.logs import FORM, LogFormatter
from smscatch.modem.health import Health, write_health
from tests import plain
from tests.command_line import against
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.samples import NOON
from tests.surroundings import bare_environ

EVIL = "\x1b]0;evil\x07\x9b31m\u202e\r\nforged"
LINE = "+447700900001"
CONFIG = f'[lines."{LINE}"]\nlabel = "\\u001b]0;evil\\u0007\\u009b31m\\u202e"\n'


def is_plain(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n")) and "\nforged" not in text


def test_a_sentence_of_an_error_is_one_printable_line() -> None:
    assert str(NotFound(f"There is no {EVIL}.")).isprintable()


@pytest.fixture
def logged() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(logged: io.StringIO) -> logging.Logger:
    handler = logging.StreamHandler(logged)
    handler.setFormatter(LogFormatter(FORM))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    return logger


def test_a_name_in_the_log_stays_in_its_line(log: logging.Logger, logged: io.StringIO) -> None:
    log.warning("the modem of %s is away", EVIL)
    assert logged.getvalue().count("\n") == 1
    assert is_plain(logged.getvalue())


def test_no_line_of_a_traceback_can_pass_for_a_record(log: logging.Logger, logged: io.StringIO) -> None:
    try:
        raise ValueError(EVIL)
    except ValueError:
        log.exception("it failed")
    first, *rest = logged.getvalue().splitlines()
    assert first.endswith("it failed")
    assert all(line.startswith("  ") for line in rest)
    assert is_plain(logged.getvalue())


def smscatch(server: Server, *arguments: str, given: str) -> subprocess.CompletedProcess[str]:
    environ = bare_environ(SMSCATCH_URL=server.url)
    command = [sys.executable, "-W", "error", "-m", "smscatch.cli", *arguments]
    return subprocess.run(
        command, env=environ, input=given, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


def test_no_name_from_outside_drives_the_terminal(server: Server, tmp_path: Path) -> None:
    server.stop()
    (tmp_path / "evil.toml").write_text(CONFIG)
    server.start(SMSCATCH_CONFIG=str(tmp_path / "evil.toml"))
    write_health(server.spool, Health(line=LINE, device="/dev/x", state="port_missing", error=EVIL, updated_at=NOON))
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    lease = {"line": LINE, "holder": EVIL}
    assert plain.post(f"{server.url}/api/v1/leases", json=lease, headers=headers).status_code == 201
    server.send(f"see https://example.com/a{EVIL} {EVIL}", sender=EVIL)
    for arguments in (
        ("messages",),
        ("messages", "--json"),
        ("lines",),
        ("leases",),
        ("wait", "--after", "0", "--timeout", "0"),
        ("wait", "--after", "0", "--timeout", "0", "--from", EVIL),
        ("lease", "--line", LINE, "--wait", "0"),
        ("explain", EVIL),
    ):
        done = against(server, *arguments)
        assert done.stdout + done.stderr, arguments
        assert is_plain(done.stdout + done.stderr), (arguments, done)
    assert is_plain(server.log())


def test_a_key_comes_from_a_file_or_standard_input_but_not_from_the_command_line(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "key"
    key.write_text(f"{ADMIN_KEY}\n")
    assert smscatch(server, "leases", "--key-file", str(key), given="unused").returncode == 1
    assert smscatch(server, "leases", "--key-file", "-", given=f"{ADMIN_KEY}\n").returncode == 1
    missing = smscatch(server, "leases", "--key-file", str(tmp_path / "none"), given="unused")
    assert (missing.returncode, "cannot be read" in missing.stderr) == (2, True)
    with pytest.raises(SystemExit):
        main(["leases", "--key", ADMIN_KEY])
    said = capsys.readouterr().err
    assert "--key-file FILE" in said
    assert ADMIN_KEY not in said
