"""A name means one thing in the whole project, and what a docstring refers to is there."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import LONGEST, TOGETHER, in_its_folder

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "smscatch"
OURS = [path for folder in ("src", "tests", "benchmarks", "docs") for path in sorted((ROOT / folder).rglob("*.py"))]
# The same noun in each of them, on purpose.
BACKENDS = ("sqlite", "postgres", "mongo")
NAMED_FILE = re.compile(r"[\w/]+\.py\b")
PUBLIC_CLASS = re.compile(r"^class ([^_\W]\w*)", re.MULTILINE)


def docstrings(text: str) -> Iterator[str]:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, documented):
            yield ast.get_docstring(node) or ""


def named_files(path: Path) -> Iterator[str]:
    """Yield the files that the docstrings of a file name. Most name none, and need not be parsed."""
    text = path.read_text("utf-8")
    if NAMED_FILE.search(text):
        for docstring in docstrings(text):
            yield from NAMED_FILE.findall(docstring)


def room_of(path: Path) -> str:
    """Return the name of a file; that of a store's file without its backend."""
    parts = path.relative_to(SOURCE).parts
    return "/".join(part for part in parts if part not in BACKENDS)


def test_no_two_public_classes_have_one_name() -> None:
    rooms = defaultdict(set)
    for path in SOURCE.rglob("*.py"):
        for name in PUBLIC_CLASS.findall(path.read_text("utf-8")):
            rooms[name].add(room_of(path))
    assert len(rooms) > 100
    assert {name: sorted(found) for name, found in rooms.items() if len(found) > 1} == {}


def test_every_file_that_a_docstring_names_exists() -> None:
    there = [str(path) for path in OURS]
    missing = [
        f"{path.relative_to(ROOT)} names {name}"
        for path in OURS
        for name in named_files(path)
        if not any(other.endswith(f"/{name}") for other in there)
    ]
    assert missing == []


def test_every_file_that_the_table_for_contributors_names_exists() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"`([\w/]+(?:\.\w+|/))`", row) if "NAME" not in name}
    named = {name for name in named if name.rpartition(".")[2] in ("py", "md", "toml") or name.endswith("/")}
    places = (ROOT, SOURCE, SOURCE / "web/catalogues")
    assert len(named) > 10
    assert {name for name in named if not any((place / name).exists() for place in places)} == {
        "web/catalogues/LANGUAGE.toml"
    }


def test_every_file_of_tests_that_is_tried_first_or_with_others_exists() -> None:
    assert {*LONGEST, *TOGETHER} <= {in_its_folder(path) for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.parametrize(
    ("word", "place"),
    [
        ("authorization", "rights.py"),
        ("cache", "keycache.py"),
        ("CSRF", "web/auth.py"),
        ("dead letter", "sinks/retry.py"),
        ("dedup", "messages.py"),
        ("default ttl", "messages.py"),
        ("idempotent", "stores/base.py"),
        ("joined parts", "stores/joining.py"),
        ("late text", "stores/leasing.py"),
        ("pool", "lines.py"),
        ("rate limit", "tries.py"),
        ("retry", "sinks/retry.py"),
        ("signature", "web/api/inbound.py"),
        ("spends no more than one try on a PIN", "modem/sim.py"),
        ("throttle", "tries.py"),
        ("waiter", "hub.py"),
        ("who may delete", "web/routes.py"),
        ("why two deliveries are one", "messages.py"),
    ],
)
def test_a_word_of_the_field_leads_to_where_the_thing_is_done(word: str, place: str) -> None:
    assert word.lower() in (SOURCE / place).read_text("utf-8").lower()
