"""The demo as a stranger starts it: from the command to the code, through the real gammu-smsd."""

import contextlib
import os
import re
import select
import signal
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from smscatch.demo import GAMMU_LINE, LINK_LINE, DemoPlaces
from smscatch.simulator import tell
from tests import plain
from tests.command_line import as_process as smscatch
from tests.patience import PATIENCE_SECONDS
from tests.plain import NO_AUTHORITIES
from tests.warm import WarmProcess


def places_in(home: Path) -> DemoPlaces:
    return DemoPlaces(home / ".local/share/smscatch/demo")


@contextlib.contextmanager
def running_demo(home: Path, **environ: str) -> Iterator[tuple[WarmProcess, str]]:
    """A demo in a HOME, and what it printed; it is ended, and what it started, if it still runs at the end."""
    given = {"PATH": os.environ["PATH"], "HOME": str(home)} | environ
    with WarmProcess(["demo", "--port", "0"], given, home / "demo.log") as process:
        try:
            printed = ""
            for line in process.stdout:
                printed += line
                if "Ctrl-C" in line:
                    break
            yield process, printed
        finally:
            process.send_signal(signal.SIGINT)  # killed it would leave its gammu-smsd behind for a while
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE_SECONDS)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A HOME in which a demo runs."""
    with running_demo(tmp_path) as (process, printed):
        (tmp_path / "printed").write_text(printed)
        yield tmp_path
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0


def open_gammu(home: Path) -> int:
    """Return a descriptor of the gammu-smsd of a demo, readable once that has ended (pidfd_open(2))."""
    config = str(places_in(home).modem(GAMMU_LINE) / "gammu-smsdrc").encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                if config in (entry / "cmdline").read_bytes():
                    return os.pidfd_open(int(entry.name))
    pytest.fail("No gammu-smsd reads the demo's modem.")


def test_a_simulated_text_becomes_a_code_in_the_hands_of_those_who_wait(home: Path) -> None:
    printed = (home / "printed").read_text()
    found = re.search(r'curl -u (\S+): "(\S+)"', printed)
    assert found is not None
    url = found[2].replace("timeout=60", "timeout=60&after=0")
    sent = smscatch("simulate", "--from", "Authy", "Your Authy code is 482913", HOME=str(home))
    assert sent.returncode == 0, sent.stderr
    assert plain.get(url, auth=(found[1], "")).text == "482913"
    sent = smscatch("simulate", "--line", "+447700900001", "--from", "Google", "G-123456 is it", HOME=str(home))
    assert sent.returncode == 0, sent.stderr
    waited = smscatch("wait", "--line", "+447700900001", "--code", "--after", "0", HOME=str(home))
    assert waited.stdout == "123456\n", waited.stderr
    assert "the demo's server" in waited.stderr
    key = smscatch("keys", "add", "ci", HOME=str(home)).stdout.strip()
    assert plain.get(url, auth=(key, "")).text == "482913"
    lines = smscatch("lines", HOME=str(home)).stdout
    assert "+447700900001  Line one  1 message," in lines
    assert "+447700900002  Line two  1 message," in lines
    assert "modem ready" in lines
    assert "has no line" in smscatch("simulate", "--line", "+4917012345", "x", HOME=str(home)).stderr


def test_a_text_sent_from_the_page_of_the_lines_arrives_through_the_modem(home: Path) -> None:
    config = tomllib.loads(places_in(home).config.read_text())
    with httpx2.Client(
        base_url=config["url"], auth=(config["key"], ""), timeout=PATIENCE_SECONDS, verify=NO_AUTHORITIES
    ) as client:
        forms = re.findall(r'action="(/lines/[^"]+/send)"', client.get("/lines").text)
        assert forms == [f"/lines/{quote(line)}/send" for line in (GAMMU_LINE, LINK_LINE)]
        for form in forms:
            sent = client.post(form, data={"sender": "Authy", "text": "Your Authy code is 482913"})
            assert sent.status_code == 303, sent.text
        for line in (GAMMU_LINE, LINK_LINE):
            code = client.get("/api/v1/code", params={"line": line, "after": "0", "timeout": "60"})
            assert code.text == "482913"
        refused = client.post(forms[0], data={"sender": "much too long a name", "text": "x"})
        assert (refused.status_code, "is no sender" in refused.text) == (400, True)


def test_a_second_demo_is_refused_and_leaves_the_first_alone(home: Path) -> None:
    devices = [places_in(home).device(line) for line in (GAMMU_LINE, LINK_LINE)]
    links = [device.readlink() for device in devices]
    config = places_in(home).config.read_text()
    again = smscatch("demo", "--port", "0", HOME=str(home))
    assert again.returncode == 3
    assert "A demo already runs here" in again.stderr
    assert [device.readlink() for device in devices] == links
    assert places_in(home).config.read_text() == config


@pytest.mark.parametrize("signals", [("SIGKILL",), ("SIGHUP",), ("SIGINT", "SIGINT")], ids="-".join)
def test_gammu_smsd_ends_with_the_demo_however_that_ends(tmp_path: Path, signals: tuple[str, ...]) -> None:
    with running_demo(tmp_path) as (process, _):
        # It reads its modem, so it is gammu-smsd by now and no longer what starts it.
        tell(places_in(tmp_path).control(GAMMU_LINE), "wait", until="command", since=0)
        gammu = open_gammu(tmp_path)
        for name in signals:
            process.send_signal(signal.Signals[name])
        process.wait(PATIENCE_SECONDS)
        assert select.select([gammu], [], [], PATIENCE_SECONDS)[0], "gammu-smsd still runs"
        os.close(gammu)
    log = (places_in(tmp_path).modem(GAMMU_LINE) / "gammu-smsd.log").read_text()
    assert "maximum number of failures" not in log, "it was not ended, but gave up on a modem that had gone"


@pytest.mark.parametrize(
    ("key", "left_behind"), [('abc"def"\\ghijklmnopq', ""), ("", "key = not TOML"), ("", 'key = "short"')]
)
def test_a_demo_starts_whatever_its_key_and_what_an_earlier_one_left(
    tmp_path: Path, key: str, left_behind: str
) -> None:
    places_in(tmp_path).folder.mkdir(parents=True)
    places_in(tmp_path).config.write_text(left_behind)
    with running_demo(tmp_path, SMSCATCH_ADMIN_KEY=key) as (_, printed):
        assert f"key    {key}" in printed
        assert "Line one" in smscatch("lines", HOME=str(tmp_path)).stdout


def test_without_gammu_smsd_it_says_what_to_install(tmp_path: Path) -> None:
    done = smscatch("demo", "--port", "0", HOME=str(tmp_path), PATH=str(tmp_path))
    assert done.returncode == 3
    assert "apt-get install gammu-smsd" in done.stderr
