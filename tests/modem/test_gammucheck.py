"""What `smscatch gammurc --check` finds: each fault that loses texts, in a configuration that is right but for it."""

import os
import pty
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smscatch import hook
from smscatch.errors import BadSetting
from smscatch.modem.gammucheck import HookUser, check_gammurc, find_reader
from smscatch.modem.gammurc import hook_command, render_gammurc

LINE = "+447700900123"


@pytest.fixture
def device() -> Iterator[Path]:
    """A port that is there."""
    ours, theirs = pty.openpty()
    yield Path(os.ttyname(theirs))
    os.close(ours)
    os.close(theirs)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@pytest.fixture
def rc(tmp_path: Path, device: Path, spool: Path) -> Path:
    """A configuration as `smscatch gammurc` prints it."""
    path = tmp_path / "gammu-smsdrc"
    path.write_text(render_gammurc(device, LINE, hook_command(spool)))
    return path


def check(rc: Path, spool: Path, *, reader: HookUser | None = None) -> list[str]:
    """Return what is found, as it is printed."""
    findings = check_gammurc(
        rc, spool=spool, reader=reader or find_reader(None), line_of=lambda name: LINE if name == LINE else None
    )
    return [f"{'wrong' if finding.loses else 'better'}: {finding.sentence}" for finding in findings]


def test_what_we_print_is_right_and_leaves_no_message(rc: Path, spool: Path) -> None:
    assert check(rc, spool) == []
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (str(hook.__file__), "/opt/gone/smscatch/hook.py", "names /opt/gone/smscatch/hook.py, which does not exist"),
        (sys.executable, "/opt/gone/bin/python3", "names /opt/gone/bin/python3, which does not exist"),
        (f" {hook.__file__} --spool", " --spool", "is not smscatch's hook"),
        ("runonreceive =", "#", "has no runonreceive"),
        ("exec ", "exec '", "the shell cannot read it"),
        ("-I -S -E", "-I -S -E -c pass", "put nothing into a spool"),
        ("/spool\n", "/spoool\n", "is no folder"),
        ("/spool\n", "\n", "is not the spool of this server"),
        ("--spool", "--pool", "has no --spool"),
        ("service = null", "service = files", "service = files: it must be null"),
        ("service = null", "", "has no service: it must be null"),
        ("device = /dev", "device = /def", "there is no such port"),
        ("device = /dev", "# /dev", "has no device"),
        ("[smsd]", "[smsd]\npin = 1234", "until the SIM asks for its PUK"),
    ],
)
def test_what_loses_texts_is_wrong_and_comes_first(rc: Path, spool: Path, *, old: str, new: str, said: str) -> None:
    text = rc.read_text()
    assert old in text
    rc.write_text(text.replace(old, new))
    found = check(rc, spool)
    assert found[0].startswith("wrong: ")
    assert any(said in sentence for sentence in found), found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (LINE, "stick 9", "better: phoneid = stick 9 is no line's phone_id"),
        ("phoneid =", "#", "better: [smsd] has no phoneid"),
        ("exec ", "", "better: runonreceive does not begin with `exec`"),
        ("debuglevel = 0", "debuglevel = 255", "better: debuglevel = 255 writes texts"),
        ("receivefrequency = 1", "", "better: receivefrequency is 15 s"),
        ("multiparttimeout = 60", "", "better: multiparttimeout is 600 s"),
        ("checksecurity = 1", "CheckSecurity = 0", "better: checksecurity = 0"),
        ("synchronizetime = no", "synchronizetime = yes", "better: synchronizetime is on"),
    ],
)
def test_what_loses_nothing_is_advice(rc: Path, spool: Path, *, old: str, new: str, said: str) -> None:
    rc.write_text(rc.read_text().replace(old, new))
    (found,) = check(rc, spool)
    assert found.startswith(said)


def test_a_file_or_a_spool_that_the_user_of_gammu_smsd_may_not_use_is_wrong(rc: Path, spool: Path) -> None:
    nobody = HookUser(65534, frozenset((65534,)))
    spool.chmod(0o700)
    spool.parent.chmod(0o700)
    found = " ".join(check(rc, spool, reader=nobody))
    assert "this user may not open it" in found
    assert f"--spool {spool}: this user may not write it" in found or "which this user may not read" in found


def test_a_file_that_cannot_be_read_or_is_none_is_said(tmp_path: Path, spool: Path) -> None:
    with pytest.raises(BadSetting, match="cannot be read: No such file"):
        check(tmp_path / "gone", spool)
    (tmp_path / "rc").write_text("device = /dev/ttyUSB0\n")
    with pytest.raises(BadSetting, match="is no configuration of gammu-smsd"):
        check(tmp_path / "rc", spool)
    with pytest.raises(BadSetting, match="There is no user 'nobody-at-all'"):
        find_reader("nobody-at-all")
