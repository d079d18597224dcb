"""All advice that is a command is one that works as typed: a shell and our own parser take it."""

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import smscatch
from smscatch.checks import OTHER_REMEDIES, REMEDIES
from smscatch.cli import make_parser

SOURCE = Path(smscatch.__file__).parent
# What our advice calls beside ourselves; each is in Debian, most on every machine.
PROGRAMS = {"ls", "df", "curl", "sudo"}
ROOTS_PROGRAMS = {"apt-get", "fuser", "systemctl", "timedatectl", "usermod"}
# What stands for a value in what we say.
PLACES = {"…": "+447700900123", "NUMBER": "+447700900123", "FILE": "file", "URL": "http://127.0.0.1", "NAME": "ci"}


def texts_in(node: ast.AST) -> Iterator[str]:
    """Each text of a file, whole, with a value in the place of each field."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in child.values)
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value
        elif not isinstance(child, ast.Expr | ast.Subscript):  # docstrings and names of states are no advice
            yield from texts_in(child)


def advised() -> list[str]:
    """Every command of ours that stands in backquotes in a text of ours, and every remedy that is one."""
    found = set()
    for path in sorted(SOURCE.rglob("*.py")):
        for text in texts_in(ast.parse(path.read_text("utf-8"))):
            found |= set(re.findall(r"`(smscatch [^`]*)`", " ".join(text.split())))
    return sorted(found | {remedy for remedy in remedies() if remedy.startswith("smscatch ")})


def remedies() -> list[str]:
    """Every remedy of the checks that is a command."""
    found = {*REMEDIES.values(), *OTHER_REMEDIES.values()}
    for path in sorted((SOURCE / "doctor").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "remedy":
                found |= set(texts_in(node))
    return sorted(text for text in found if text[:1].islower())


@pytest.mark.parametrize("command", advised())
def test_a_command_of_ours_that_is_advised_is_one(command: str) -> None:
    for place, value in PLACES.items():
        command = command.replace(place, value)
    words = shlex.split(re.sub(r"\{[^}]*\}", "1", command), comments=True)
    words = words[: words.index("|")] if "|" in words else words
    parser = make_parser()
    if len(words) > len(("smscatch", "COMMAND")):
        parser.parse_args(words[1:])
    else:  # what it takes is said beside it
        assert f" {words[1]} " in parser.format_help() or words[1] == "--help"


@pytest.mark.parametrize("command", remedies())
def test_a_remedy_is_a_line_for_a_shell(command: str) -> None:
    checked = subprocess.run(["bash", "-n", "-c", command], capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, b"")
    first, second, *_ = [*shlex.split(command), ""]
    assert first == "smscatch" or first in PROGRAMS
    assert first != "sudo" or second in ROOTS_PROGRAMS
