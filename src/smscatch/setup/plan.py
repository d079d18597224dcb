"""Which files an installation has, and what is in them: a pure function of the modems and of what is there already."""

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from smscatch.errors import BadSetting
from smscatch.setup.survey import FoundModem

CONFIG = Path("etc/smscatch/smscatch.toml")
ADMIN_KEY = Path("etc/smscatch/admin.key")
UNIT = Path("etc/systemd/system/smscatch.service")
USERS = Path("etc/sysusers.d/smscatch.conf")
RULES = Path("etc/udev/rules.d/78-smscatch.rules")
DATA = Path("/var/lib/smscatch")
USER = "smscatch"
# Those of the second kind hold secrets: the service's group may read them, nobody else.
OPEN_FILE, GROUP_FILE = 0o644, 0o640
# What makes the files of a plan work: run after any of them has changed.
AFTER_WRITING = (
    ("systemd-sysusers",),
    ("chgrp", USER, f"/{CONFIG}", f"/{ADMIN_KEY}"),
    ("udevadm", "control", "--reload"),
    ("udevadm", "trigger", "--subsystem-match=usb"),
    ("systemctl", "daemon-reload"),
    ("systemctl", "enable", UNIT.name),
    ("systemctl", "restart", UNIT.name),
)
BEFORE_REMOVAL = (("systemctl", "disable", "--now", UNIT.name),)
AFTER_REMOVAL = (("systemctl", "daemon-reload"), ("udevadm", "control", "--reload"))

_UNIT = """\
# Written by `smscatch setup`; `smscatch setup --remove` takes it away.
[Unit]
Description=smscatch: text messages from the SIM to the tests that wait for them
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
WatchdogSec=60
ExecStart={program} serve
Environment=SMSCATCH_CONFIG=/{config} SMSCATCH_ADMIN_KEY_FILE=/{admin_key}
User={user}
Group={user}
SupplementaryGroups=dialout
StateDirectory=smscatch
StateDirectoryMode=0750
UMask=0027
Restart=always
RestartSec=2
LimitNOFILE=65536

# What it needs: the network, its folder, serial ports. Nothing else of this machine.
DevicePolicy=closed
DeviceAllow=char-ttyUSB rw
DeviceAllow=char-ttyACM rw
DeviceAllow=char-ttyAMA rw
DeviceAllow=char-ttyS rw
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
RemoveIPC=yes

[Install]
WantedBy=multi-user.target
"""
_USERS = """\
# Written by `smscatch setup`: the user of the service, who may open serial ports. sysusers.d(5)
u {user} - "smscatch" {data}
m {user} dialout
"""
_RULES = """\
# Written by `smscatch setup`: a modem has one reader, so ModemManager leaves these alone.
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
    """A line to be: its number, its modem, and the PIN if the SIM asks for one."""

    number: str
    modem: FoundModem
    pin: str = ""


class Installed(NamedTuple):
    """What is there already: the configuration and the rules, empty if there are none, and the administrator's key."""

    config: str
    rules: str
    admin_key: str


def plan(lines: Sequence[PlannedLine], program: Path, there: Installed) -> list[PlannedFile]:
    """Return all files of an installation, whose smscatch is `program`. What is there stays, and `lines` are added.

    Raises BadSetting if the configuration has one of the lines with another modem.
    """
    home = "read-only" if program.is_relative_to("/home") or program.is_relative_to("/root") else "yes"
    unit = _UNIT.format(program=program, config=CONFIG, admin_key=ADMIN_KEY, user=USER, home=home)
    return [
        PlannedFile(CONFIG, _with_lines(there.config, lines), GROUP_FILE),
        PlannedFile(ADMIN_KEY, f"{there.admin_key}\n", GROUP_FILE),
        PlannedFile(UNIT, unit),
        PlannedFile(USERS, _USERS.format(user=USER, data=DATA)),
        PlannedFile(RULES, _with_rules(there.rules, lines)),
    ]


def _with_rules(rules: str, lines: Sequence[PlannedLine]) -> str:
    """Return rules with those that the sticks of these lines need."""
    text = rules or _RULES
    needed = sorted({_rule(line.modem.usb_id) for line in lines if line.modem.usb_id})
    return text + "".join(rule for rule in needed if rule not in text)


def _rule(usb_id: str) -> str:
    vendor, _, product = usb_id.partition(":")
    return (
        f'ACTION!="remove", SUBSYSTEM=="usb", ATTR{{idVendor}}=="{vendor}", ATTR{{idProduct}}=="{product}",'
        ' ENV{ID_MM_DEVICE_IGNORE}="1"\n'
    )


def _with_lines(config: str, lines: Sequence[PlannedLine]) -> str:
    """Return a configuration with the lines that it lacks, and all else as it is."""
    try:
        known = tomllib.loads(config).get("lines", {})
    except ValueError as error:
        raise BadSetting(
            f"The configuration /{CONFIG} is not TOML: {error}. Correct it, and run setup again."
        ) from error
    text = config or _HEAD.format(data=DATA)
    for line in lines:
        if line.number not in known:
            text = f"{text.rstrip()}\n\n{_table(line)}"
        elif known[line.number].get("device") != line.modem.device:
            raise BadSetting(
                f"/{CONFIG} has {line.number} already, with another device than {line.modem.device}. Change it there,"
                " or remove that line, and run setup again."
            )
    return text


def _table(line: PlannedLine) -> str:
    pin = f"pin = {_quoted(line.pin)}\n" if line.pin else ""
    head = f"[lines.{_quoted(line.number)}]\nlabel = {_quoted(line.modem.name)}\n"
    return f"{head}device = {_quoted(line.modem.device)}\n{pin}"


def _quoted(text: str) -> str:
    """Return a basic string of TOML, whose escapes are those of JSON but for DEL (TOML 1.0.0, "String")."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
