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
    from smscatch.modem.drives import StickDrive
    from smscatch.setup.apply import Change
    from smscatch.setup.found import Survey
    from smscatch.setup.plan import PlannedLine

SYSTEM = Path("/")
# Where usb-modeswitch-data has its rules, by distribution.
SWITCH_RULES = ("lib/udev/rules.d/40-usb_modeswitch.rules", "usr/lib/udev/rules.d/40-usb_modeswitch.rules")


def run_setup(options: argparse.Namespace) -> int:
    """smscatch setup."""
    from smscatch.setup.apply import read  # noqa: PLC0415
    from smscatch.setup.asking import lines_of  # noqa: PLC0415 - most commands do without
    from smscatch.setup.plan import CONFIG, known_lines  # noqa: PLC0415

    root = Path(options.root)
    if options.remove:
        return _remove(root)
    config = read(root / CONFIG)
    found = _find(options)
    if not found.modems and not found.drives and config is None:  # else the service may be reading them all
        print("No modem answers. `smscatch doctor` says what may keep one away.", file=sys.stderr)
        return NOTHING
    lines = lines_of(found.modems, options, known_lines(config or ""), _tell)
    status = _install(root, lines, found.drives, options)
    if found.drives:
        print(
            "A stick is still a CD drive. `sudo apt-get install usb-modeswitch` brings what makes a modem of it; then"
        )
        print("plug it in anew, and run setup again.")
    return status


def _tell(text: str) -> None:
    for line in text.splitlines():
        print(escape_controls(line), flush=True)


def _find(options: argparse.Namespace) -> "Survey":
    import asyncio  # noqa: PLC0415 - most commands do without

    from smscatch.modem.finding import UsbTree  # noqa: PLC0415
    from smscatch.setup.found import describe  # noqa: PLC0415
    from smscatch.setup.survey import Places, survey_device, survey_machine  # noqa: PLC0415

    places = Places(UsbTree(Path(options.sys), Path(options.dev)), Path(options.proc), options.bus)
    look = survey_device(options.device) if options.device else survey_machine(places)
    found = asyncio.run(look)
    _tell("\n".join(describe(found)))
    return found


def _install(
    root: Path, lines: Sequence["PlannedLine"], drives: Sequence["StickDrive"], options: argparse.Namespace
) -> int:
    from smscatch.keys import new_secret  # noqa: PLC0415
    from smscatch.setup.apply import changes, read, write  # noqa: PLC0415
    from smscatch.setup.asking import ask  # noqa: PLC0415
    from smscatch.setup.commands import after_writing  # noqa: PLC0415
    from smscatch.setup.plan import ADMIN_KEY, CONFIG, PACKAGED_UNIT, RULES, Installed, plan  # noqa: PLC0415

    admin_key = (read(root / ADMIN_KEY) or new_secret()).strip()
    program = Path(sys.executable).parent / "smscatch"
    if root == SYSTEM:
        check_reach(program)
    switched = "".join(read(root / rules) or "" for rules in SWITCH_RULES)
    packaged = (root / PACKAGED_UNIT).exists()
    there = Installed(read(root / CONFIG) or "", read(root / RULES) or "", admin_key, switched, packaged)
    wanted = changes(root, plan(lines, program, there, drives))
    if not wanted:
        print("All is as it should be: nothing was changed.")
        return OK
    _show(wanted)
    if options.dry_run:
        return OK
    if not options.yes and ask("Write these files? [y/N] ", options, "Give --yes.").lower() not in ("y", "yes"):
        print("Nothing was written.")
        return NOTHING
    for change in wanted:
        write(root, change)
    return _run(after_writing(read(root / CONFIG) or "", [change.file.path for change in wanted]), root)


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
    from smscatch.setup.apply import read, remove  # noqa: PLC0415
    from smscatch.setup.commands import AFTER_REMOVAL, before_removal  # noqa: PLC0415
    from smscatch.setup.plan import CONFIG, DATA  # noqa: PLC0415

    if root == SYSTEM:
        _run(before_removal(read(root / CONFIG) or ""), root)
    removed = list(remove(root))
    print("\n".join(removed) or f"Below {root} there is nothing that setup wrote.")
    if root == SYSTEM and removed:
        _run(AFTER_REMOVAL, root)
        print(f"The messages are in {DATA} still, and the user smscatch is there.")
    return OK if removed else NOTHING


def _add_setup_arguments(setup: argparse.ArgumentParser) -> None:
    setup.add_argument("--device", help=f"ask this port alone: {DEVICE_FORM}")
    setup.add_argument("--line", help="the SIM's number, if the SIM does not tell it")
    setup.add_argument("--learn", action="store_true", help="learn a number that no SIM tells from a text sent to it")
    setup.add_argument(
        "--reader",
        choices=("server", "own", "gammu"),
        default="server",
        help="who reads the modem: the server, a service of its own, or gammu-smsd with our hook",
    )
    setup.add_argument("--yes", action="store_true", help="write and start without asking")
    setup.add_argument("--dry-run", action="store_true", help="show what would be written, and write nothing")
    setup.add_argument("--root", metavar="DIR", default="/", help="write below this folder, and start nothing")
    setup.add_argument("--remove", action="store_true", help="take away what setup wrote; messages stay")
    setup.add_argument("--sys", default="/sys", help=argparse.SUPPRESS)
    setup.add_argument("--dev", default="/dev", help=argparse.SUPPRESS)
    setup.add_argument("--proc", default="/proc", help=argparse.SUPPRESS)
    setup.add_argument("--bus", help=argparse.SUPPRESS)


COMMANDS = (
    Command(
        "setup", "find the modems, write what an installation needs, and start it", run_setup, _add_setup_arguments
    ),
)
