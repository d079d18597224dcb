"""The units of systemd: what is started, as whom, and how it is confined. Text only."""

from pathlib import Path

_SERVER = """\
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
"""
# The spool is what server and reader share, so a text comes in while the server is upgraded.
_READER = """\
[Unit]
Description=smscatch: reads the modem of +%i into the spool
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={program} modem --line +%i
Environment=SMSCATCH_CONFIG=/{config}
"""
_CONFINED = """\
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
# Debian's unit runs as root, ends for good when gammu-smsd does, and kills the hook with it (docs/gammu.md).
_GAMMU = """\
[Unit]
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=
ExecStart=/usr/bin/gammu-smsd -c /{gammurc} -f 2
User={user}
Group={user}
SupplementaryGroups=dialout
StateDirectory=smscatch
Environment=LC_ALL=C.UTF-8
Restart=always
RestartSec=3
KillMode=mixed
TimeoutStopSec=20
"""


def server_unit(program: Path, user: str, config: Path, admin_key: Path) -> str:
    """Return the unit of the server, whose smscatch is `program`."""
    text = _SERVER + _CONFINED
    return text.format(program=program, user=user, config=config, admin_key=admin_key, home=_home_of(program))


def reader_unit(program: Path, user: str, config: Path) -> str:
    """Return the template of what reads one modem into the spool; its instance is the number without its plus."""
    return (_READER + _CONFINED).format(program=program, user=user, config=config, home=_home_of(program))


def gammu_dropin(user: str, gammurc: Path) -> str:
    """Return what makes Debian's gammu-smsd.service lose nothing."""
    return _GAMMU.format(user=user, gammurc=gammurc)


def _home_of(program: Path) -> str:
    """Return whether homes are hidden from a service: not those in which its program is."""
    return "read-only" if program.is_relative_to("/home") or program.is_relative_to("/root") else "yes"
