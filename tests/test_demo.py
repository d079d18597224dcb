"""The demo as a stranger starts it: from the command to the code, through the real gammu-smsd."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.test_cli import smscatch


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A HOME in which a demo runs."""
    command = [sys.executable, "-W", "error", "-m", "smscatch.cli", "demo", "--port", "0"]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            printed = ""
            for line in process.stdout:
                printed += line
                if "Ctrl-C" in line:
                    break
            (tmp_path / "printed").write_text(printed)
            yield tmp_path
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0


def test_a_simulated_text_becomes_a_code_in_the_hands_of_those_who_wait(home: Path) -> None:
    printed = (home / "printed").read_text()
    found = re.search(r'curl -u (\S+): "(\S+)"', printed)
    assert found is not None
    url = found[2].replace("timeout=60", "timeout=60&after=0")
    sent = smscatch("simulate", "--from", "Authy", "Your Authy code is 482913", HOME=str(home))
    assert sent.returncode == 0, sent.stderr
    assert httpx2.get(url, auth=(found[1], ""), timeout=70).text == "482913"
    sent = smscatch("simulate", "--line", "+447700900001", "--from", "Google", "G-123456 is it", HOME=str(home))
    assert sent.returncode == 0, sent.stderr
    waited = smscatch("wait", "--line", "+447700900001", "--code", "--after", "0", HOME=str(home))
    assert waited.stdout == "123456\n", waited.stderr
    assert "the demo's server" in waited.stderr
    lines = smscatch("lines", HOME=str(home)).stdout
    assert "+447700900001  Line one  1 messages" in lines
    assert "+447700900002  Line two  1 messages" in lines
    assert "modem ready" in lines
    assert "has no line" in smscatch("simulate", "--line", "+4917012345", "x", HOME=str(home)).stderr
    again = smscatch("demo", "--port", "0", HOME=str(home))
    assert again.returncode == 3
    assert "Another simulated modem" in again.stderr


def test_without_gammu_smsd_it_says_what_to_install(tmp_path: Path) -> None:
    done = smscatch("demo", "--port", "0", HOME=str(tmp_path), PATH=str(tmp_path))
    assert done.returncode == 3
    assert "apt-get install gammu-smsd" in done.stderr
