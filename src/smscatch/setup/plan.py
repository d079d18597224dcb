"""Which files an installation has, and what is in them: a pure function of the modems and of what is there already."""

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smscatch.errors import BadSetting
from smscatch.modem.drives import StickDrive
from smscatch.modem.gammurc import hook_command, render_gammurc
from smscatch.settings.lines import LINK, MODEMMANAGER
from smscatch.setup.found import FoundModem
from smscatch.setup.units import gammu_dropin, reader_unit, server_unit

CONFIG = Path("etc/smscatch/smscatch.toml")
ADMIN_KEY = Path("etc/smscatch/admin.key")
UNIT = Path("etc/systemd/system/smscatch.service")
# The same, where a package of the distribution brings it, with the unit of a reader and the user.
PACKAGED_UNIT = Path("usr/lib/systemd/system") / UNIT.name
READER_UNIT = Path("etc/systemd/system/smscatch-modem@.service")
GAMMU_DROPIN = Path("etc/systemd/system/gammu-smsd.service.d/smscatch.conf")
GAMMURC = Path("etc/gammu-smsdrc")
USERS = Path("etc/sysusers.d/smscatch.conf")
RULES = Path("etc/udev/rules.d/78-smscatch.rules")
POLKIT = Path("etc/polkit-1/rules.d/50-smscatch.rules")
DATA = Path("/var/lib/smscatch")
USER = "smscatch"
# Who reads the modem: the server, a service of its own, or gammu-smsd with our hook.
SERVER, OWN, GAMMU = "server", "own", "gammu"
READERS = (SERVER, OWN, GAMMU)
# Those of the second kind hold secrets: the service's group may read them, nobody else.
OPEN_FILE, GROUP_FILE = 0o644, 0o640

_WRITTEN = "# Written by `smscatch setup`; `smscatch setup --remove` takes it away.\n"
_USERS = """\
# The user of the service, who may open serial ports. sysusers.d(5)
u {user} - "smscatch" {data}
m {user} dialout
"""
_RULES = """\
# Written by `smscatch setup`: a modem has one reader, so ModemManager leaves these alone.
"""
# As usb_modeswitch's own rules have it: the drive is interface 0. -J is Huawei's message, -K ejects the drive.
_SWITCH = (
    'ACTION!="remove", SUBSYSTEM=="usb", ATTRS{{idVendor}}=="{vendor}", ATTRS{{idProduct}}=="{product}",'
    ' ATTR{{bInterfaceNumber}}=="00", ATTR{{bInterfaceClass}}=="08",'
    ' RUN+="/usr/sbin/usb_modeswitch -v {vendor} -p {product} {message}"\n'
)
_HUAWEI = "12d1"
# Only root may read texts through ModemManager otherwise.
_POLKIT = """\
// Written by `smscatch setup`: the service reads texts through ModemManager.
polkit.addRule(function (action, subject) {{
  var asked = ["org.freedesktop.ModemManager1.Messaging", "org.freedesktop.ModemManager1.Device.Control"];
  if (asked.indexOf(action.id) >= 0 && subject.user == "{user}") return polkit.Result.YES;
}});
"""
_HEAD = """\
# docs/settings.md has every setting; `smscatch config` shows them.
store = "sqlite:///{data}/smscatch.db"
spool = "{data}/spool"
"""


class PlannedFile(NamedTuple):
    """A file as it is to be: `path` below the root, its content, and its mode."""

    path: Path
    content: str
    mode: int = OPEN_FILE


class PlannedLine(NamedTuple):
    """A line to be: its number, its modem, and the PIN or the password of the web page if one is asked for.

    `reader` is one of READERS.
    """

    number: str
    modem: FoundModem
    pin: str = ""
    password: str = ""
    reader: str = SERVER


class Installed(NamedTuple):
    """What is there already, empty if it is not: the configuration, our rules, and the administrator's key.

    `switch_rules` are those of usb_modeswitch's own package. `packaged` is True where the services and their user came
    with a package of the distribution.
    """

    config: str
    rules: str
    admin_key: str
    switch_rules: str = ""
    packaged: bool = False


def plan(
    lines: Sequence[PlannedLine], program: Path, there: Installed, drives: Sequence[StickDrive] = ()
) -> list[PlannedFile]:
    """Return all files of an installation, whose smscatch is `program`. What is there stays, and `lines` are added.

    Raises BadSetting if the configuration has one of the lines with another modem.
    """
    own = any(line.reader == OWN for line in lines)
    return [
        PlannedFile(CONFIG, _with_lines(there.config, lines), GROUP_FILE),
        PlannedFile(ADMIN_KEY, f"{there.admin_key}\n", GROUP_FILE),
        *([] if there.packaged else _services(program, with_reader=own)),
        PlannedFile(RULES, _with_rules(there, lines, drives)),
        *_files_for_others(lines),
    ]


def _services(program: Path, *, with_reader: bool) -> list[PlannedFile]:
    """Return what a package would have brought: the service, that of a reader of its own, and their user."""
    files = {UNIT: service_unit(program), USERS: service_user()}
    if with_reader:
        files[READER_UNIT] = reader_service(program)
    return [PlannedFile(path, _WRITTEN + text) for path, text in files.items()]


def service_unit(program: Path) -> str:
    """Return the unit of the server, whose smscatch is `program`. The Debian package has the same."""
    return server_unit(program, USER, CONFIG, ADMIN_KEY)


def reader_service(program: Path) -> str:
    """Return the unit of a reader of its own, likewise."""
    return reader_unit(program, USER, CONFIG)


def service_user() -> str:
    """Return what systemd-sysusers makes the user of both of."""
    return _USERS.format(user=USER, data=DATA)


def first_config() -> str:
    """Return a configuration without lines."""
    return _HEAD.format(data=DATA)


def _files_for_others(lines: Sequence[PlannedLine]) -> list[PlannedFile]:
    """Return what is needed where ModemManager has a modem, or gammu-smsd reads it."""
    files = []
    if any(line.modem.engine == MODEMMANAGER for line in lines):
        files.append(PlannedFile(POLKIT, _POLKIT.format(user=USER)))
    theirs = [line for line in lines if line.reader == GAMMU]
    if len(theirs) > 1:
        raise BadSetting("gammu-smsd's service reads one modem: name it with --device, and run setup once for each.")
    for line in theirs:
        if line.modem.engine != LINK or line.pin or ":" in line.modem.device:
            raise BadSetting(
                f"gammu-smsd needs a port below /dev and a SIM without a PIN, which {line.modem.device} does not have:"
                " switch the PIN off in a phone, and name the port with --device /dev/serial/by-id/…."
            )
        command = hook_command(DATA / "spool")
        files.append(PlannedFile(GAMMURC, render_gammurc(Path(line.modem.device), _phone_id(line.number), command)))
        files.append(PlannedFile(GAMMU_DROPIN, _WRITTEN + gammu_dropin(USER, GAMMURC)))
    return files


def _with_rules(there: Installed, lines: Sequence[PlannedLine], drives: Sequence[StickDrive]) -> str:
    """Return rules with those that the sticks of these lines need, and those that are still drives."""
    text = there.rules or _RULES
    needed = {_rule(line.modem.usb_id) for line in lines if line.modem.usb_id}
    needed |= {_switch_rule(drive) for drive in drives if not _is_switched(drive, there.switch_rules)}
    return text + "".join(rule for rule in sorted(needed) if rule not in text)


def _rule(usb_id: str) -> str:
    vendor, _, product = usb_id.partition(":")
    return (
        f'ACTION!="remove", SUBSYSTEM=="usb", ATTR{{idVendor}}=="{vendor}", ATTR{{idProduct}}=="{product}",'
        ' ENV{ID_MM_DEVICE_IGNORE}="1"\n'
    )


def _switch_rule(drive: StickDrive) -> str:
    vendor, _, product = drive.usb_id.partition(":")
    return _SWITCH.format(vendor=vendor, product=product, message="-J" if vendor == _HUAWEI else "-K")


def _is_switched(drive: StickDrive, rules: str) -> bool:
    """Whether rules of usb_modeswitch name a stick: by both its ids, or all sticks of its maker."""
    vendor, _, product = drive.usb_id.partition(":")
    named = [rule for rule in rules.splitlines() if f'{{idVendor}}=="{vendor}"' in rule and "RUN+=" in rule]
    return any("{idProduct}" not in rule or f'{{idProduct}}=="{product}"' in rule for rule in named)


def known_lines(config: str) -> dict[str, dict[str, Any]]:
    """Return the lines of a configuration, as they stand in it, by number. Raises BadSetting if it is not TOML."""
    try:
        return dict(tomllib.loads(config).get("lines", {}))
    except ValueError as error:
        raise BadSetting(
            f"The configuration /{CONFIG} is not TOML: {error}. Correct it, and run setup again."
        ) from error


def _with_lines(config: str, lines: Sequence[PlannedLine]) -> str:
    """Return a configuration with the lines that it lacks, and all else as it is."""
    known = known_lines(config)
    text = config or first_config()
    for line in lines:
        if line.number not in known:
            text = f"{text.rstrip()}\n\n{_table(line)}"
        elif not is_of(known[line.number], line.number, line.modem.device):
            raise BadSetting(
                f"/{CONFIG} has {line.number} already, with another device than {line.modem.device}. Change it there,"
                " or remove that line, and run setup again."
            )
    return text


def is_of(known: dict[str, Any], number: str, device: str) -> bool:
    """Whether a line that stands in the configuration has the modem at `device`, or leaves it to gammu-smsd."""
    return known.get("device") == device or known.get("phone_id") == _phone_id(number)


def _phone_id(number: str) -> str:
    return number.removeprefix("+")


def _table(line: PlannedLine) -> str:
    if line.reader == GAMMU:
        entries = {"label": line.modem.name, "phone_id": _phone_id(line.number)}
    else:
        engine = "" if line.modem.engine == LINK else line.modem.engine
        entries = {
            "label": line.modem.name,
            "engine": engine,
            "device": line.modem.device,
            "pin": line.pin,
            "password": line.password,
        }
    told = "".join(f"{name} = {_quoted(value)}\n" for name, value in entries.items() if value)
    return f"[lines.{_quoted(line.number)}]\n{told}" + ("own_reader = true\n" if line.reader == OWN else "")


def _quoted(text: str) -> str:
    """Return a basic string of TOML, whose escapes are those of JSON but for DEL (TOML 1.0.0, "String")."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
