"""What all commands share: what one is, its exit statuses, and the kinds of arguments that several take."""

import argparse
from collections.abc import Callable
from typing import NamedTuple

from smscatch.settings import FIELDS, hide_password

OK, NOTHING, WRONG_USE, FAILED = range(4)


def _add_nothing(_: argparse.ArgumentParser) -> None:
    pass


class Command(NamedTuple):
    """One command: `smscatch NAME`. A module of this folder names its own in COMMANDS, which is all that it needs.

    `run` returns the exit status; it imports what other commands do not need only when it is called. `means` adds the
    options that say which server or which store is meant (meaning.py).
    """

    name: str
    help: str
    run: Callable[[argparse.Namespace], int]
    add_arguments: Callable[[argparse.ArgumentParser], None] = _add_nothing
    means: Callable[[argparse.ArgumentParser], None] = _add_nothing


def add_settings(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add an option for each of some settings."""
    for name in names:
        parser.add_argument(f"--{name}", type=_without_password, help=FIELDS[name].help)


def _without_password(value: str) -> str:
    if hide_password(value) != value:
        raise argparse.ArgumentTypeError(
            "the password in it would show to everybody who lists the processes of this machine: give it by the"
            " variable SMSCATCH_STORE or SMSCATCH_URL, or in smscatch.toml"
        )
    return value


def parse_given(text: str) -> str:
    """Return a text that is not empty, as an unset variable of a script is: the server would take that for any."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty; give a value, or leave it out")
    return text


def parse_seconds(text: str) -> float:
    """Return seconds, 0 or more."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not seconds >= 0:  # also true for nan
        raise argparse.ArgumentTypeError(f"{text!r} is not accepted: give seconds, 0 or more")
    return seconds
