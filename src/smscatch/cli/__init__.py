"""The command line: it gathers the commands of the modules here, and says what an error ends with.

A new command is an entry in COMMANDS of such a module, or a module with COMMANDS.
"""

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence

from smscatch import __version__
from smscatch.cli.base import FAILED, NOTHING, WRONG_USE, Command
from smscatch.errors import (
    BadRequest,
    BadSetting,
    LeaseEnded,
    NoFreeLine,
    NotFound,
    SmscatchError,
    UnknownLine,
    escape_controls,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status: 0 done, 1 nothing found, 2 wrong use or setting, 3 failed."""
    argv = sys.argv[1:] if argv is None else argv
    options = make_parser(argv[0] if argv else "").parse_args(argv)
    try:
        result: int = options.run(options)
    except (BadSetting, BadRequest, UnknownLine) as error:
        print(f"smscatch: {error}", file=sys.stderr)
        result = WRONG_USE
    except (NotFound, NoFreeLine, LeaseEnded) as error:
        print(error, file=sys.stderr)
        result = NOTHING
    except UnicodeEncodeError as error:  # Python keeps an octet that is no UTF-8 as half a surrogate pair
        wrong = ascii(error.object[error.start : error.end])
        print(f"smscatch: {wrong} cannot be written in {error.encoding}: give and show text in UTF-8.", file=sys.stderr)
        result = WRONG_USE
    except SmscatchError as error:
        print(f"smscatch: {error}", file=sys.stderr)
        result = FAILED
    except ModuleNotFoundError as error:
        print(f"smscatch: {error.name} is missing: pip install 'smscatch[server]'", file=sys.stderr)
        result = FAILED
    except KeyboardInterrupt:
        result = FAILED
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # whoever reads us has seen enough
            print(escape_controls(f"smscatch: {error}"), file=sys.stderr)
        # What is left in the buffer would fail again at the end. https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        result = FAILED
    return result


def make_parser(asked: str = "") -> argparse.ArgumentParser:
    """Return the parser of all commands, or of the one asked for; each has its function as `run`."""
    parser = argparse.ArgumentParser(prog="smscatch", description="A real phone number for your tests.")
    parser.add_argument("--version", action="version", version=f"smscatch {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in find_commands(asked):
        text = command.help
        added = commands.add_parser(command.name, help=text, description=text[0].upper() + text[1:] + ".")
        added.set_defaults(run=command.run)
        command.add_arguments(added)
        command.means(added)
    return parser


def find_commands(asked: str = "") -> list[Command]:
    """Return the COMMANDS of all modules here, in the order of their names; alone the one asked for, if there is it.

    A module that is called as the command begins is looked into first: the others need not be loaded then.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "__main__")
    found: dict[str, list[Command]] = {}
    for name in sorted(names, key=lambda name: not (asked and name.startswith(asked))):
        found[name] = getattr(importlib.import_module(f"{__name__}.{name}"), "COMMANDS", [])
        for command in found[name]:
            if command.name == asked:
                return [command]
    return [command for name in names for command in found[name]]
