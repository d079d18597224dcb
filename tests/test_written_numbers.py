"""The ways to write a number that docs/testing.md shows, as a reader runs them: pytest, the Python client and curl."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.surroundings import LEAN_PYTEST, bare_environ
from tests.test_numbers import WAYS

LINE = "+4915112345678"
DOCUMENT = (Path(__file__).parent.parent / "docs" / "testing.md").read_text("utf-8")
SECTION = DOCUMENT.partition("## A number, however it is written")[2]


def example(language: str) -> str:
    """Return the example in a language."""
    found = re.search(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def server(make_server: Callable[[], Server]) -> Server:
    server = make_server()
    config = server.folder / "smscatch.toml"
    config.write_text('country = "DE"\n[lines."0151 12345678"]\n[lines."+447700900001"]\n')
    return server.start(SMSCATCH_CONFIG=str(config), SMSCATCH_LEASE_REST="0s")


def test_each_way_to_write_a_number_finds_its_line(server: Server, tmp_path: Path) -> None:
    with server.client() as client:
        for written in WAYS:  # the Python client, and what a gateway may deliver
            text = {"line": written, "sender": "Authy", "text": f"to {written!r}"}
            answer = client._http.post("/api/v1/inbound/generic", json=text).json()
            assert (answer["line"], answer["unconfigured"]) == (LINE, False)
            assert client.messages(line=written)[0].line == LINE
            client.lease(line=written).release()
        assert [line.number for line in client.lines()] == ["+447700900001", LINE]

    environ = bare_environ(SMSCATCH_URL=server.url, SMSCATCH_KEY=ADMIN_KEY)
    for written in WAYS:
        found = run("sh", "-c", example("sh"), **environ, WRITTEN=written)
        assert f'"line":"{LINE}"' in found

    (tmp_path / "test_example.py").write_text(example("python"), "utf-8")
    said = run(sys.executable, "-m", "pytest", "-q", str(tmp_path), **environ, PYTEST_ADDOPTS=LEAN_PYTEST)
    assert f"{len(WAYS)} passed" in said

    assert f'"line":"{LINE}"' in run(
        sys.executable, "-m", "smscatch.cli", "messages", "--json", "--line", "0151 12345678", **environ
    )


def run(*command: str, **environ: str) -> str:
    """Return what a command prints; the test fails if it does."""
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
