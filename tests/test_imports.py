"""Imports point down the levels, and the base install needs nothing of the server."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "smscatch"
LEVELS = (
    ("devices", "errors", "files", "interrupting", "printing", "providers", "running", "sharing"),
    ("fiction", "logs", "numbers", "redirecting", "supervisor", "times", "totp", "tries"),
    ("clock", "codes", "hook", "messages", "pdu"),
    ("cursors", "deletions", "explanation", "segments", "settings", "simulator", "spool", "hub", "stores"),
    ("smpp", "twins"),
    ("draining", "inbox", "keycache", "queueing", "search", "sources"),
    ("waits",),
    (
        *("authenticators", "deliverers", "hosts", "intake", "repeats", "keys", "leases", "modem", "reads", "sinks"),
        *("verifying", "weather", "webhooks"),
    ),
    ("checks",),
    ("arriving", "committing", "engines", "lines", "optouts", "rights", "smppkeys", "virtual"),
    ("access",),
    ("boxes", "letting", "mcp", "replying", "sending"),
    ("web", "opening", "smsc"),
    ("server", "client", "pytest_own"),
    ("catching", "demo", "doctor", "pytest_plugin", "setup"),
    ("cli",),
)
# Inside `web`: a handler parses, asks the desk below (access.py) and answers; the table names the handlers.
WEB_LEVELS = (
    ("leaving", "static_files", "writing"),
    ("addresses", "arrivals", "connections", "responses", "texts", "waiting"),
    ("bodies", "endpoint", "over_h11", "over_httptools"),
    ("serving",),
    ("auth", "params"),
    ("stream",),
    ("api", "compat"),
    ("pages",),
    ("openapi", "refusals", "templating"),
    ("faces",),
    ("routes",),
    ("app",),
)
CLIENT_SIDE = (
    *("client", "errors", "hosts", "messages", "numbers", "printing", "pytest_own", "redirecting", "times", "totp"),
)


def level_of(room: str, levels: tuple[tuple[str, ...], ...]) -> int:
    return next(level for level, rooms in enumerate(levels) if room in rooms)


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Whatever stands in a file."""
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))


def imports_of(path: Path, package: str = "smscatch") -> set[str]:
    """The rooms of a package that a file imports."""
    rooms, inside = set(), f"{package}."
    for node in nodes_of(path):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            rooms |= {alias.name for alias in node.names if alias.name != "__version__"}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(inside):
            rooms.add(node.module.removeprefix(inside).split(".")[0])
        elif isinstance(node, ast.Import):
            named = [alias.name for alias in node.names if alias.name.startswith(inside)]
            rooms |= {name.removeprefix(inside).split(".")[0] for name in named}
    return rooms


def upward_imports(package: str, levels: tuple[tuple[str, ...], ...]) -> list[str]:
    """The imports in the files of a package that do not point down, as sentences."""
    folder = SOURCE.parent.joinpath(*package.split("."))
    found = []
    for path in sorted(folder.rglob("*.py")):
        room = path.relative_to(folder).parts[0].removesuffix(".py")
        rooms = imports_of(path, package) - {room} if room != "__init__" else set()
        upward = [other for other in rooms if level_of(other, levels) >= level_of(room, levels)]
        found += [f"{path.relative_to(folder)} imports {other}" for other in sorted(upward)]
    return found


def test_imports_point_down() -> None:
    assert upward_imports("smscatch", LEVELS) == []


@pytest.mark.parametrize("room", ["client", "pytest_plugin"])
def test_what_a_test_project_imports_needs_no_room_of_the_server(room: str) -> None:
    for path in [*(SOURCE / room).rglob("*.py"), SOURCE / f"{room}.py"]:
        assert not path.exists() or imports_of(path) <= {*CLIENT_SIDE, "settings"}


def test_the_client_needs_the_base_install_only() -> None:
    program = """
import sys
for name in ("starlette", "uvicorn", "jinja2"):
    sys.modules[name] = None
import smscatch.client.aio, smscatch.client.sync, smscatch.cli, smscatch.pytest_plugin
print(sorted(name for name in sys.modules if name.startswith("smscatch.")))
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        ("import smscatch", ("importlib.metadata", "msgspec", "httpx2", "asyncio", "typing")),
        ("from smscatch import Client", ("asyncio", "phonenumbers", "smscatch.settings")),
        ("import smscatch.cli; smscatch.cli.make_parser()", ("asyncio", "httpx2", "smscatch.codes", "starlette")),
        (
            "import smscatch.server",
            (
                "smscatch.codes.words",
                "jinja2",
                "smscatch.web.openapi",
                "smscatch.modem.link",
                "phonenumbers",
                "smscatch.pdu",
            ),
        ),
    ],
)
def test_who_needs_little_does_not_pay_for_the_rest(program: str, unwanted: tuple[str, ...]) -> None:
    check = f"import sys; {program}; assert not (found := {set(unwanted)} & sys.modules.keys()), found"
    subprocess.run([sys.executable, "-c", check], check=True)


def test_the_hook_imports_nothing_but_built_in_modules() -> None:
    allowed = {"sys", "posix", "time", "_signal", "_socket"}
    tree = ast.parse((SOURCE / "hook.py").read_text("utf-8"))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert named <= allowed
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


def test_imports_point_down_inside_the_web_too() -> None:
    assert upward_imports("smscatch.web", WEB_LEVELS) == []


def test_nothing_but_the_web_knows_its_framework() -> None:
    framework = re.compile(r"^\s*(from|import) (starlette|uvicorn)", re.MULTILINE)
    knowing = {path.relative_to(SOURCE).parts[0] for path in SOURCE.rglob("*.py") if framework.search(path.read_text())}
    assert knowing == {"web"}


def test_who_makes_a_key_needs_no_web() -> None:
    for room in ("demo", "cli", "opening"):
        for path in [*(SOURCE / room).rglob("*.py"), SOURCE / f"{room}.py"]:
            assert not path.exists() or "web" not in imports_of(path), path.name


def nodes_below(room: str) -> list[tuple[Path, ast.AST]]:
    """Whatever stands in the files of a room, "" for all, with its file."""
    paths = sorted((SOURCE / room).rglob("*.py"))
    return [(path, node) for path in paths for node in nodes_of(path)]


def test_no_handler_reaches_through_the_inbox_to_its_store() -> None:
    reached = [
        path.name for path, node in nodes_below("web") if isinstance(node, ast.Attribute) and node.attr == "store"
    ]
    assert not reached


def test_the_health_of_modems_is_read_in_one_place() -> None:
    names = [(path.name, node.id) for path, node in nodes_below("") if isinstance(node, ast.Name)]
    assert [place for place, name in names if name == "read_health"] == ["lines.py"]
