"""`smscatch setup`: finds the modems, writes the files of an installation and starts it; `--remove` takes them away."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smscatch.cli.base import FAILED, NOTHING, OK, Command
from smscatch.devices import DEVICE_FORM
from smscatch.errors import BadSetting, escape_controls

if TYPE_CHECKING:
    from smscatch.setup.apply import Change
    from smscatch.setup.plan import PlannedLine
    from smscatch.setup.survey import FoundModem, Survey

SYSTEM = Path("/")


def run_setup(options: argparse.Namespace) -> int:
    """smscatch setup."""
    from smscatch.setup.plan import CONFIG  # noqa: PLC0415 - most commands do without

    root = Path(options.root)
    if options.remove:
        return _remove(root)
    found = _find(options)
    if not found.modems and not (root / CONFIG).exists():  # else the service may be reading them all
        print("No modem answers. `smscatch doctor` says what may keep one away.", file=sys.stderr)
        return NOTHING
    return _install(root, [_line_of(modem, options, len(found.modems)) for modem in found.modems], options)


def _find(options: argparse.Namespace) -> "Survey":
    import asyncio  # noqa: PLC0415 - most commands do without

    from smscatch.modem.finding import UsbTree  # noqa: PLC0415
    from smscatch.modem.ports import PortSettings  # noqa: PLC0415
    from smscatch.setup.survey import Survey, ask_modem, describe, survey  # noqa: PLC0415

    async def look() -> Survey:
        if options.device is None:
            return await survey(UsbTree(Path(options.sys), Path(options.dev)))
        return Survey((await ask_modem(PortSettings(options.device)),), ())

    found = asyncio.run(look())
    print("\n".join(map(escape_controls, describe(found))))
    return found


def _line_of(modem: "FoundModem", options: argparse.Namespace, count: int) -> "PlannedLine":
    """Return the line of a modem: its number as it is given, as the SIM tells it, or asked for. Raises BadSetting."""
    from smscatch.settings.lines import parse_number  # noqa: PLC0415
    from smscatch.setup.plan import PlannedLine  # noqa: PLC0415

    if options.line is not None and count > 1:
        raise BadSetting(f"--line is for one modem, and {count} answer: name one with --device.")
    written = options.line or (modem.number if modem.number.startswith("+") else "")
    if not written:
        written = _ask(f"The number of the SIM in {modem.device}, as +49…: ", options, "Give it with --line +49….")
    try:
        number = parse_number(written, None)
    except ValueError:
        raise BadSetting(f"{written!r} is no number in E.164, such as +4915112345678.") from None
    pin = (
        _ask(f"The PIN of the SIM in {modem.device}: ", options, "Switch it off in a phone.") if modem.needs_pin else ""
    )
    return PlannedLine(number, modem, pin)


def _ask(question: str, options: argparse.Namespace, otherwise: str) -> str:
    if options.yes:
        raise BadSetting(
            f"With --yes nothing is asked for, and this is not known: {question.rstrip(': ')}. {otherwise}"
        )
    try:
        return input(question).strip()
    except EOFError:
        raise BadSetting(f"There is nobody to be asked: {question.rstrip(': ')}. {otherwise}") from None


def _install(root: Path, lines: Sequence["PlannedLine"], options: argparse.Namespace) -> int:
    from smscatch.keys import new_secret  # noqa: PLC0415
    from smscatch.setup.apply import changes, read, write  # noqa: PLC0415
    from smscatch.setup.plan import ADMIN_KEY, AFTER_WRITING, CONFIG, RULES, Installed, plan  # noqa: PLC0415

    admin_key = (read(root / ADMIN_KEY) or new_secret()).strip()
    program = Path(sys.executable).parent / "smscatch"
    if root == SYSTEM:
        check_reach(program)
    there = Installed(read(root / CONFIG) or "", read(root / RULES) or "", admin_key)
    wanted = changes(root, plan(lines, program, there))
    if not wanted:
        print("All is as it should be: nothing was changed.")
        return OK
    _show(wanted)
    if options.dry_run:
        return OK
    if not options.yes and _ask("Write these files? [y/N] ", options, "Give --yes.").lower() not in ("y", "yes"):
        print("Nothing was written.")
        return NOTHING
    for change in wanted:
        write(root, change)
    return _run(AFTER_WRITING, root)


def check_reach(program: Path) -> None:
    """Raise BadSetting if a user of its own, as the service has, may not run a program: homes are closed to others."""
    from smscatch.modem.gammucheck import HookUser  # noqa: PLC0415

    anybody = HookUser(-1, frozenset())
    if not (anybody.may_reach(program) and anybody.may(program, os.X_OK)):
        raise BadSetting(
            f"The service runs as a user of its own, which may not reach {program}. Install smscatch where everybody"
            " may: sudo python3 -m venv /opt/smscatch, and /opt/smscatch/bin/pip install what you installed here."
        )


def _show(wanted: Sequence["Change"]) -> None:
    from smscatch.setup.apply import show  # noqa: PLC0415

    for change in wanted:
        print("\n".join(map(escape_controls, show(change))), end="\n\n")


def _run(commands: Sequence[Sequence[str]], root: Path) -> int:
    """Run what makes the files work; below another root only print it."""
    if root != SYSTEM:
        print(f"Written below {root}. On the machine itself these follow:")
        print("\n".join(f"  {' '.join(command)}" for command in commands))
        return OK
    status = OK
    for command in commands:
        print(f"$ {' '.join(command)}", flush=True)
        try:
            subprocess.run(command, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"smscatch: {error}. Mend that, and run setup again.", file=sys.stderr)
            status = FAILED
    return status


def _remove(root: Path) -> int:
    from smscatch.setup.apply import remove  # noqa: PLC0415
    from smscatch.setup.plan import AFTER_REMOVAL, BEFORE_REMOVAL, DATA  # noqa: PLC0415

    if root == SYSTEM:
        _run(BEFORE_REMOVAL, root)
    removed = list(remove(root))
    print("\n".join(removed) or f"Below {root} there is nothing that setup wrote.")
    if root == SYSTEM and removed:
        _run(AFTER_REMOVAL, root)
        print(f"The messages are in {DATA} still, and the user smscatch is there.")
    return OK if removed else NOTHING


def _add_setup_arguments(setup: argparse.ArgumentParser) -> None:
    setup.add_argument("--device", help=f"ask this port alone: {DEVICE_FORM}")
    setup.add_argument("--line", help="the SIM's number, if the SIM does not tell it")
    setup.add_argument("--yes", action="store_true", help="write and start without asking")
    setup.add_argument("--dry-run", action="store_true", help="show what would be written, and write nothing")
    setup.add_argument("--root", metavar="DIR", default="/", help="write below this folder, and start nothing")
    setup.add_argument("--remove", action="store_true", help="take away what setup wrote; messages stay")
    setup.add_argument("--sys", default="/sys", help=argparse.SUPPRESS)
    setup.add_argument("--dev", default="/dev", help=argparse.SUPPRESS)


COMMANDS = (
    Command(
        "setup", "find the modems, write what an installation needs, and start it", run_setup, _add_setup_arguments
    ),
)
