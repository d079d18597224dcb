"""Imports point down the levels, and the base install needs nothing of the server."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "smscatch"
LEVELS = (
    ("errors", "files", "printing", "running"),
    ("logs", "numbers"),
    ("clock", "codes", "hook", "messages", "pdu"),
    ("cursors", "deletions", "explanation", "settings", "simulator", "spool", "hub", "stores"),
    ("twins",),
    ("draining", "inbox", "keycache", "search", "sources"),
    ("intake", "keys", "leases", "modem", "reads", "sinks"),
    ("lines", "rights"),
    ("access",),
    ("letting",),
    ("web", "opening"),
    ("server", "client"),
    ("demo", "pytest_plugin"),
    ("cli",),
)
CLIENT_SIDE = ("client", "errors", "messages", "numbers", "printing")


def level_of(room: str) -> int:
    return next(level for level, rooms in enumerate(LEVELS) if room in rooms)


def imports_of(path: Path) -> set[str]:
    """The rooms of smscatch that a file imports."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "smscatch":
            rooms |= {alias.name for alias in node.names if alias.name != "__version__"}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("smscatch."):
            rooms.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            rooms |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("smscatch.")}
    return rooms


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path: Path) -> None:
    room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    for imported in imports_of(path) - {room}:
        assert level_of(imported) < level_of(room), f"{path.name} imports {imported}"


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
        ("import smscatch", ("importlib.metadata", "msgspec", "httpx2", "asyncio")),
        ("from smscatch import Client", ("asyncio", "phonenumbers")),
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
