"""One file of tests, as a project has it, run twice: caught, and over the air by the demo's simulated modem.

What the README begins with is run too, as one types it.
"""

import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from smscatch.simulator import tell
from tests.patience import PATIENCE_SECONDS
from tests.surroundings import LEAN_PYTEST, bare_environ
from tests.test_demo import places_in, running_demo

README = Path(__file__).parent.parent.parent / "README.md"
SIGN_UP = """
import os
import secrets

import pytest
import twilio.rest


class App:
    \"\"\"A toy application, which texts a code to whoever signs up.\"\"\"

    def __init__(self, provider, key):
        self._client = twilio.rest.Client("AC" + "0" * 32, key)
        self._client.api.base_url = provider
        self._codes = {}

    def sign_up(self, number):
        code = self._codes[number] = str(secrets.randbelow(900_000) + 100_000)
        self._client.messages.create(from_="Acme", to=number, body=f"Your Acme code is {code}")

    def confirm(self, number, code):
        return self._codes[number] == code


@pytest.mark.sms(label="Line two")
def test_sign_up(sms, sms_line):
    app = App(os.environ.get("PROVIDER") or sms.send_url("twilio"), sms.key)
    app.sign_up(sms_line.number)
    assert app.confirm(sms_line.number, sms_line.wait_for_code(sender="Acme"))
"""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Path]:
    """The HOME of a demo, whose modem our own link reads."""
    with running_demo(tmp_path) as (process, _):
        yield tmp_path
        process.send_signal(signal.SIGINT)  # it ends its gammu-smsd too
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.fixture
def provider(demo: Path) -> Iterator[str]:
    """A provider, which sends a text over the air to the demo's modem; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            tell(places_in(demo).control(form["To"][0]), "deliver", sender=form["From"][0], text=form["Body"][0])
            self.send_response(201)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base has it
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def run(folder: Path, *files: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", *files],
        env=bare_environ(PYTEST_ADDOPTS=LEAN_PYTEST, **variables),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return done.stdout


def test_the_same_file_passes_caught_and_over_the_air_and_so_does_the_readme_caught(
    tmp_path: Path, demo: Path, provider: str
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "test_sign_up.py").write_text(SIGN_UP)
    (project / "test_readme.py").write_text(README.read_text().split("```python\n")[1].split("```")[0])
    config = tomllib.loads(places_in(demo).config.read_text())
    caught = run(project, "test_sign_up.py", "test_readme.py")
    server = {"SMSCATCH_URL": config["url"], "SMSCATCH_KEY": config["key"]}
    over_the_air = run(project, "test_sign_up.py", PROVIDER=provider, **server)
    assert "2 passed" in caught, caught
    assert "1 passed" in over_the_air, over_the_air
