"""The npm package in clients/js, packed and installed as a reader would, in Node against real servers."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx2
import pytest
from werkzeug.serving import make_server as make_app_server

from smscatch import __version__, errors
from smscatch.web.openapi import describe_api
from smscatch.web.routes import ENDPOINTS
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.sign_up import SENDER, App, Habits
from tests.surroundings import bare_environ

HERE = Path(__file__).parent
PACKAGE = HERE.parent / "clients" / "js"
TOOLS = HERE / "openapi" / "node_modules"
MOST_BYTES = 15_000
LINE = "+447700900001"
# SMSCATCH_TEST_JS=full tries as much as one expects of it; a part of that is enough to see what breaks.
IS_FULL = os.environ.get("SMSCATCH_TEST_JS") == "full"
PLAYWRIGHT = "node_modules/@playwright/test/cli.js"
POOL = tuple(f"+44770090010{n}" for n in range(3))
APART = ("+447700900201", "+447700900202")
# Without its windows, where Debian's package of that is installed, it takes half of the work.
CHROMIUM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
REST_SECONDS = 0.75
DELIVERIES_AT_ONCE = 500


def with_node(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment whose node and npm are those of our virtual environment: Debian's node brings no npm."""
    return {**environ, "PATH": f"{Path(sys.executable).parent}:{environ['PATH']}"}


def run(*command: str | Path, folder: Path, **environ: str) -> str:
    """Return what a command prints; the test fails if it does."""
    done = attempt(*command, folder=folder, **environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def attempt(*command: str | Path, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=with_node(bare_environ(**environ)),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `npm pack` makes of the package; it is built for it."""
    if not (PACKAGE / "node_modules").is_dir():
        pytest.fail("The npm packages of this test are missing: scripts/setup test")
    folder = tmp_path_factory.mktemp("packed")
    run("npm", "pack", "--pack-destination", folder, folder=PACKAGE, npm_config_cache=str(folder / "cache"))
    return next(folder.glob("*.tgz"))


@pytest.fixture(scope="module")
def project(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has installed the package."""
    folder = tmp_path_factory.mktemp("project")
    modules = folder / "node_modules"
    modules.mkdir()
    run("tar", "-xzf", tarball, "-C", modules, folder=folder)  # Python 3.11.2's tarfile knows no filter yet
    (modules / "package").rename(modules / "smscatch")
    for name in ("@playwright", "playwright", "playwright-core"):
        (modules / name).symlink_to(PACKAGE / "node_modules" / name)
    for path in (HERE / "js").iterdir():
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all, whose lines are free at once."""
    server = Server(tmp_path_factory.mktemp("server")).start(SMSCATCH_LEASE_REST="0s")
    yield server
    server.kill()


def node(project: Path, server: Server, *arguments: str) -> str:
    """Return what Node prints of a script that knows where the server is."""
    return run("node", *arguments, folder=project, SMSCATCH_URL=server.url, SMSCATCH_KEY=ADMIN_KEY)


def test_the_package_is_small_of_our_version_and_brings_nothing_along(tarball: Path, project: Path) -> None:
    described = json.loads((project / "node_modules" / "smscatch" / "package.json").read_text())
    assert tarball.stat().st_size <= MOST_BYTES
    assert described["version"] == __version__
    assert "dependencies" not in described


def test_the_first_example_of_its_readme_runs_as_printed(project: Path, server: Server) -> None:
    (project / "readme.mjs").write_text((PACKAGE / "README.md").read_text().split("```js\n")[1].split("```")[0])
    environ = with_node(bare_environ(SMSCATCH_URL=server.url, SMSCATCH_KEY=ADMIN_KEY))
    deliver(server, [{"line": LINE, "sender": "Authy", "text": "hello"}])
    with subprocess.Popen(
        ["node", "readme.mjs"], cwd=project, env=environ, stdout=subprocess.PIPE, text=True
    ) as example:
        assert example.stdout is not None
        number = example.stdout.readline().split()[-1]
        deliver(server, [{"line": number, "sender": "Authy", "text": "Your code is 482913"}])
        assert example.communicate(timeout=PATIENCE_SECONDS)[0] == "The code is 482913\n"
    assert example.returncode == 0


def test_the_client_keeps_the_conversation(project: Path, server: Server) -> None:
    said = node(project, server, "--test-reporter=tap", "client.test.mjs")
    assert "# fail 0" in said


def test_its_helpers_for_node_test_and_cypress_lease_report_and_release(project: Path, server: Server) -> None:
    said = node(project, server, "--test-reporter=tap", "testing.test.mjs")
    assert "# fail 0" in said


def test_each_error_has_the_code_of_the_server(project: Path, server: Server) -> None:
    script = (
        "const { SmsCatch, SmsCatchError, ...kinds } = require('smscatch');"
        "console.log(JSON.stringify(Object.fromEntries("
        "Object.entries(kinds).map(([name, kind]) => [name, new kind('').code]))))"
    )
    codes = json.loads(node(project, server, "-e", script))
    assert len(codes) > 10
    assert codes == {name: getattr(errors, name).code for name in codes}


def test_its_types_are_those_of_the_openapi_description(project: Path) -> None:
    (project / "openapi.json").write_text(json.dumps(describe_api(ENDPOINTS)))
    run("node", TOOLS / "openapi-typescript/bin/cli.js", "openapi.json", "-o", "schema.ts", folder=project)
    run("node", PACKAGE / "node_modules/typescript/bin/tsc", "-p", "tsconfig.json", folder=project)


async def test_waits_lose_nothing_and_double_nothing_when_the_server_is_killed_and_connections_are_cut(
    project: Path, make_server: Callable[[], Server]
) -> None:
    server = make_server().start()
    count = 1000 if IS_FULL else 50
    lines = [f"+44770{n:07}" for n in range(count)]
    deliver(server, [{"line": line, "sender": "Authy", "text": "earlier"} for line in lines])
    environ = with_node(bare_environ(SMSCATCH_URL=server.url, SMSCATCH_KEY=ADMIN_KEY))
    command = ["node", "waits.mjs", str(count)]
    with subprocess.Popen(command, cwd=project, env=environ, stdout=subprocess.PIPE, text=True) as waiting:
        try:
            assert waiting.stdout is not None
            assert waiting.stdout.readline() == "waiting\n"
            for number in (1, 2):
                server.kill()
                server.start()
                deliver(server, [{"line": line, "sender": "Authy", "text": f"{line} {number}"} for line in lines])
            said = waiting.communicate(timeout=PATIENCE_SECONDS)[0]
        finally:
            waiting.kill()
    assert json.loads(said) == [[f"{line} 1", f"{line} 2"] for line in lines]


@pytest.fixture
def serve_lines(make_server: Callable[[], Server]) -> Callable[[tuple[str, ...]], Server]:
    """Starts a server with these lines in a pool, and two apart."""

    def start(numbers: tuple[str, ...]) -> Server:
        server = make_server()
        config = server.folder / "smscatch.toml"
        labels = dict.fromkeys(numbers, "pool") | dict.fromkeys(APART, "apart")
        lines = "".join(f'[lines."{line}"]\nlabel = "{label}"\n' for line, label in labels.items())
        config.write_text(f'lease_rest = "{REST_SECONDS * 1000:.0f}ms"\n{lines}')
        return server.start(SMSCATCH_CONFIG=str(config))

    return start


def test_each_of_many_playwright_tests_gets_its_own_code_and_those_that_fail_say_why(
    project: Path, serve_lines: Callable[[tuple[str, ...]], Server], tmp_path: Path
) -> None:
    count, workers, lines = (24, 4, 3) if IS_FULL else (3, 2, 1)
    few_lines = serve_lines(POOL[:lines])
    with App(few_lines.spool, Habits(0.3, REST_SECONDS)) as app:
        app.text_earlier(POOL[:lines])
        done = attempt(
            *("node", PLAYWRIGHT, "test", "--config", "playwright.config.mjs"),
            folder=project,
            SMSCATCH_URL=few_lines.url,
            SMSCATCH_KEY=ADMIN_KEY,
            APP_URL=app.url,
            SENDER=SENDER,
            SIGN_UPS=str(count),
            WORKERS=str(workers),
            OUTPUT=str(tmp_path / "results"),
            TEST_MS=str(1000 * PATIENCE_SECONDS),
        )
    said = done.stdout
    assert (app.right, app.wrong) == (count, 0), said
    assert f"{count + 1} passed" in said, said + done.stderr
    assert "2 failed" in said
    for told in (
        "sender 'Post' is not 'Authy'",
        "received 1 text:",
        '"Your parcel waits"',
        '"Your code is 482913"',
        "sender 'Bank' is not 'Authy'",
    ):
        assert told in said, said
    with few_lines.client() as client:
        assert [lease for lease in client.leases() if lease.released_at is None] == []


def test_the_example_for_playwright_signs_up_in_chromium_where_the_client_works_too(
    project: Path, server: Server
) -> None:
    folder = project / "example"
    shutil.copytree(HERE.parent / "examples" / "playwright", folder)
    shutil.copy(HERE / "js" / "browser.check.mjs", folder / "browser.spec.mjs")
    spec = importlib.util.spec_from_file_location("app", HERE.parent / "examples" / "signup" / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    deliver(server, [{"line": line, "sender": "Authy", "text": "hello"} for line in POOL])

    def send(number: str, text: str) -> None:
        deliver(server, [{"line": number, "sender": "Example", "text": text}])

    app = make_app_server("127.0.0.1", 0, module.create_app(send), threaded=True)
    threading.Thread(target=app.serve_forever).start()
    environ = {"SMSCATCH_URL": server.url, "SMSCATCH_KEY": ADMIN_KEY}
    try:
        app_url = f"http://127.0.0.1:{app.server_port}"
        said = run("node", project / PLAYWRIGHT, "test", folder=folder, APP_URL=app_url, CHROMIUM=CHROMIUM, **environ)
    finally:
        app.shutdown()
        app.server_close()
    assert "3 passed" in said


def deliver(server: Server, texts: list[dict[str, str]]) -> None:
    for start in range(0, len(texts), DELIVERIES_AT_ONCE):
        httpx2.post(
            f"{server.url}/api/v1/inbound/generic",
            json=texts[start : start + DELIVERIES_AT_ONCE],
            auth=(ADMIN_KEY, ""),
            timeout=PATIENCE_SECONDS,
        ).raise_for_status()
