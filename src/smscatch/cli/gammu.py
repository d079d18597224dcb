"""What helps with gammu-smsd: its configuration for this installation, and what is wrong with one."""

import argparse
import sys
from pathlib import Path

from smscatch.cli.base import NOTHING, OK, Command, add_settings
from smscatch.errors import BadSetting
from smscatch.modem.gammucheck import check_gammurc, find_reader
from smscatch.modem.gammurc import hook_command, render_gammurc
from smscatch.settings import Settings, load_settings

PORTS = Path("/dev/serial/by-id")


def run_gammurc(options: argparse.Namespace) -> int:
    """smscatch gammurc."""
    settings = load_settings({"spool": options.spool})
    if options.check is not None:
        return _check(Path(options.check), settings, options.user)
    line = _line(settings, options.line)
    phone_id = settings.lines[line].phone_id or line
    device = Path(options.device) if options.device else only_port(PORTS)
    print(render_gammurc(device, phone_id, hook_command(settings.spool)), end="")
    if settings.lines[line].phone_id is None:
        print(f'Add to smscatch.toml, at the line "{line}":  phone_id = "{phone_id}"', file=sys.stderr)
    return OK


def _check(path: Path, settings: Settings, user: str | None) -> int:
    def line_of(phone_id: str) -> str | None:
        return next((number for number, line in settings.lines.items() if line.phone_id == phone_id), None)

    findings = check_gammurc(path, spool=settings.spool, reader=find_reader(user), line_of=line_of)
    for finding in findings:
        print(f"{'wrong' if finding.loses else 'better'}: {finding.sentence}")
    if any(finding.loses for finding in findings):
        print("`smscatch gammurc --line NUMBER` prints a configuration that is right.", file=sys.stderr)
        return NOTHING
    print(f"{path} is right: what gammu-smsd reads will be in the spool {settings.spool}.")
    return OK


def _line(settings: Settings, given: str | None) -> str:
    """Return the number of the line that gammu-smsd is to read. Raises BadSetting if that is not clear."""
    readable = [number for number, line in settings.lines.items() if line.device is None]
    if given is None and len(readable) == 1:
        return readable[0]
    number = settings.line_named(given or "")
    if number in readable:
        return number
    if number in settings.lines:
        raise BadSetting(
            f"The line {number} has a device in smscatch.toml, so our own link reads it, and a modem has one reader."
            " For gammu-smsd, put phone_id in the place of device."
        )
    there_are = ", ".join(readable) or 'none; add [lines."+49…"] with phone_id to smscatch.toml'
    asked = f"There is no line {given!r} in smscatch.toml." if given else "Say which line it is for: --line +49…."
    raise BadSetting(f"{asked} Lines that gammu-smsd can read: {there_are}.")


def only_port(folder: Path) -> Path:
    """Return the first port of the only modem in a folder such as PORTS. Raises BadSetting if that is not clear."""
    ports = sorted(folder.glob("*")) if folder.is_dir() else []
    first = [port for port in ports if "if00" in port.name] or ports
    if len(first) == 1:
        return first[0]
    there_are = ", ".join(map(str, ports)) or f"none in {folder}: is the modem plugged in?"
    raise BadSetting(f"Say which port the modem is at: --device. There are: {there_are}")


def _add_gammurc_arguments(gammurc: argparse.ArgumentParser) -> None:
    gammurc.add_argument("--line", help="the SIM's number, a line of smscatch.toml; by default the only one")
    gammurc.add_argument("--device", help="the modem's port; by default the only one in /dev/serial/by-id")
    add_settings(gammurc, "spool")
    gammurc.add_argument("--check", metavar="FILE", help="say instead what is wrong with this file")
    gammurc.add_argument("--user", help="with --check: the user that gammu-smsd runs as; you by default")


COMMANDS = (
    Command("gammurc", "print gammu-smsd's configuration for this installation", run_gammurc, _add_gammurc_arguments),
)
