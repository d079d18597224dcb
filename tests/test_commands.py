"""Every command is found by itself, and is described where people look for it."""

import argparse
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from smscatch import cli
from smscatch.cli.base import Command
from smscatch.cli.meaning import a_server, a_store

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
MEANT: Mapping[object, str] = {a_server: "a server", a_store: "a store"}
NEW_COMMAND = """
from smscatch.cli.base import OK, Command
from smscatch.cli.meaning import a_store

def run_hello(options):
    print("hello", options.store)
    return OK

COMMANDS = (Command("hello", "say hello", run_hello, means=a_store),)
"""


def row(command: Command) -> str:
    return f"| `smscatch {command.name}` | {command.help} | {MEANT.get(command.means, '')} |"


def test_the_page_of_commands_has_a_row_for_each_and_none_for_what_there_is_not() -> None:
    wanted = [row(command) for command in cli.find_commands()]
    written = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `smscatch ")]
    assert sorted(wanted) == sorted(written)


def test_each_command_says_what_it_does_and_each_of_its_arguments_what_it_is_for() -> None:
    for command in cli.find_commands():
        assert command.help, command.name
        assert command.run.__doc__ == f"smscatch {command.name}."
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        command.means(parser)
        options = [action for action in parser._actions if action.option_strings]
        assert [action.dest for action in options if not action.help] == [], command.name


def test_no_command_is_forgotten() -> None:
    named = {command.run.__name__ for command in cli.find_commands()}
    written = {
        line.removeprefix("def ").partition("(")[0]
        for path in Path(cli.__file__).parent.glob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if line.startswith("def run_") and "(options: argparse.Namespace)" in line
    }
    assert written <= named


def test_a_new_command_is_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new_hello.py").write_text(NEW_COMMAND)
    monkeypatch.setattr(cli, "__path__", [*cli.__path__, str(tmp_path)])
    assert cli.main(["hello", "--store", "there"]) == 0
    assert capsys.readouterr().out == "hello there\n"
    sys.modules.pop("smscatch.cli.new_hello")


def test_one_command_does_not_load_the_others() -> None:
    program = """
import sys
for name in ("smscatch.cli.backup", "smscatch.cli.gammu", "zipfile", "difflib", "configparser", "zoneinfo"):
    sys.modules[name] = None
from smscatch import cli
assert cli.make_parser("serve").parse_args(["serve", "--port", "1"]).port == "1"
assert [command.name for command in cli.find_commands("serve")] == ["serve"]
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_command_that_there_is_not_is_refused_with_all_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["serv"])
    told = capsys.readouterr().err
    assert all(name in told for name in ("backup", "serve", "wait"))


def test_the_commands_are_listed_without_loading_what_they_need() -> None:
    program = """
import sys
for name in ("httpx2", "starlette", "uvicorn", "jinja2", "sqlite3"):
    sys.modules[name] = None
import smscatch.cli
smscatch.cli.make_parser().format_help()
"""
    subprocess.run([sys.executable, "-c", program], check=True)
