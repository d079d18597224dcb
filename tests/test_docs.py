"""The examples of docs/, as they stand there: only the app that those of docs/testing.md test is ours."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.samples import LINE, OTHER_LINE
from tests.surroundings import LEAN_PYTEST, bare_environ

pytest_plugins = ["pytester"]

PAGES = Path(__file__).parent.parent / "docs"
CONFIG = f"""
[lines."{LINE}"]
phone_id = "a"
[lines."{OTHER_LINE}"]
phone_id = "b"
"""
# The app under test: it texts a code at each step, and takes the last one only.
APP = f"""
import os
import httpx2

class App:
    code = 0

    def sign_up(self, number):
        self.code += 111111
        delivery = {{"line": number, "sender": "Example", "text": f"Your Example code is {{self.code}}"}}
        url = f"{{os.environ['SMSCATCH_URL']}}/api/v1/inbound/generic"
        key = {{"authorization": "Bearer {ADMIN_KEY}"}}
        httpx2.post(url, json=delivery, headers=key, timeout=300, verify=False).raise_for_status()

    send_again = sign_up

    def confirm(self, code):
        assert code == str(self.code)
        return True
"""
APP_FIXTURE = """
import pytest

@pytest.fixture
def app():
    return App()
"""
APP_FUNCTIONS = "app = App()\nsign_up, send_again, confirm = app.sign_up, app.send_again, app.confirm\n"
APP_IN_SHELL = f"""
set -eu
code=0
sign_up() {{
    code=$((code + 111111))
    curl -fsS -o /dev/null -H "Authorization: Bearer {ADMIN_KEY}" "$SMSCATCH_URL/api/v1/inbound/generic" \\
        -d '{{"line": "'"$1"'", "sender": "Example", "text": "Your Example code is '$code'"}}'
}}
send_again() {{ sign_up "$1"; }}
confirm() {{ echo "$1"; [ "$1" = "$code" ]; }}
"""


def example(heading: str, language: str, which: int = 0, page: str = "testing.md") -> str:
    """Return a code block in a language under a heading of a page, counted from 0."""
    _, _, section = (PAGES / page).read_text().partition(f"# {heading}\n")
    section, *_ = re.split(r"^##+ ", section, maxsplit=1, flags=re.MULTILINE)
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return str(blocks[which])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "smscatch.toml").write_text(CONFIG)
    server = Server(folder).start(SMSCATCH_CONFIG=str(folder / "smscatch.toml"), SMSCATCH_LEASE_REST="0s")
    yield server
    server.kill()


@pytest.fixture
def environ(server: Server, tmp_path: Path) -> Mapping[str, str]:
    """The environment of somebody who has set what the page says."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "SMSCATCH_URL": server.url,
        "SMSCATCH_KEY": ADMIN_KEY,
    }


@pytest.fixture
def project(pytester: pytest.Pytester, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project whose tests find the server and the app."""
    for name in ("SMSCATCH_URL", "SMSCATCH_KEY"):
        monkeypatch.setenv(name, environ[name])
    monkeypatch.setenv("PYTEST_ADDOPTS", LEAN_PYTEST)
    pytester.makeconftest(APP + APP_FIXTURE)
    return pytester


def run(environ: Mapping[str, str], *command: str) -> str:
    """Return what a command prints; the test fails if it does."""
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_code_that_is_sent_again_with_pytest(project: pytest.Pytester) -> None:
    project.makepyfile(example("A code that is sent again", "python"))
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_code_that_is_sent_again_with_the_client(environ: Mapping[str, str]) -> None:
    program = example("A code that is sent again", "python", which=1)
    run(environ, sys.executable, "-c", APP + APP_FUNCTIONS + program)


def test_a_code_that_is_sent_again_with_curl(environ: Mapping[str, str]) -> None:
    program = example("A code that is sent again", "sh")
    assert run(environ, "sh", "-c", APP_IN_SHELL + program).split() == ["222222", "222222"]


QUEUE = "More tests than lines, and pytest-timeout"
FULL_POOL = """
@pytest.fixture(autouse=True)
def full_pool():
    with smscatch.Client() as other, other.lease(count=2, holder="the other test", ttl=2):
        yield
"""


def test_a_full_pool_under_pytest_timeout(project: pytest.Pytester) -> None:
    project.makeconftest(f"import smscatch\n{APP}{APP_FIXTURE}{FULL_POOL}")
    project.makepyfile(example(QUEUE, "python"))
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_full_pool_with_the_client_and_with_curl(environ: Mapping[str, str], server: Server) -> None:
    with server.client() as client, client.lease(count=2, holder="the other test") as held:
        told = run(environ, sys.executable, "-c", APP + APP_FUNCTIONS + example(QUEUE, "python", which=1))
        assert told.splitlines()[0] == "0 wait in front of us"
        assert sorted(line.split(" until")[0] for line in told.splitlines()[1:]) == [
            f"{number} is held by the other test" for number in sorted(held.numbers)
        ]
        refused = json.loads(run(environ, "sh", "-c", example(QUEUE, "sh")))
    assert refused["error"] == "no_free_line"
    assert {holder["holder"] for holder in refused["holders"]} == {"the other test"}


def test_async_tests_that_share_a_client(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", LEAN_PYTEST.replace("-p no:asyncio", ""))
    project.makepyfile(example("Async tests", "python"))
    project.runpytest_subprocess("-W", "ignore").assert_outcomes(passed=1)


def test_many_texts_in_one_request_with_curl(environ: Mapping[str, str], server: Server) -> None:
    program = example("Many in one request", "sh", page="sources.md").replace("http://127.0.0.1:7672", server.url)
    shown = json.loads(example("Many in one request", "json", page="sources.md"))
    answers = json.loads(run({**environ, "KEY": ADMIN_KEY}, "sh", "-c", program))
    assert [answer.keys() for answer in answers] == [answer.keys() for answer in shown]
    said, expected = answers.pop(1), shown.pop(1)
    assert said["error"] == expected["error"]
    assert said["message"].startswith(expected["message"].rstrip("…"))
    assert [answer["line"] for answer in answers] == [answer["line"] for answer in shown]


def test_a_backup_and_its_restore(server: Server, tmp_path: Path) -> None:
    environ = bare_environ(
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        SMSCATCH_STORE=f"sqlite:///{server.folder}/smscatch.db",
        SMSCATCH_SPOOL=str(server.spool),
    )
    backup, restore = (example("Backup and restore", "sh", which, page="operation.md") for which in range(2))
    run(environ, "sh", "-c", f"cd {tmp_path} && {backup}")
    (file,) = tmp_path.glob("sms-*.zip")
    assert re.fullmatch(r"smscatch restore sms-\d{4}-\d\d-\d\d\.zip\n", restore)
    environ |= {"SMSCATCH_STORE": f"sqlite:///{tmp_path}/new.db", "SMSCATCH_SPOOL": f"{tmp_path}/spool"}
    run(environ, *restore.split()[:2], str(file))
    assert (tmp_path / "new.db").exists()
