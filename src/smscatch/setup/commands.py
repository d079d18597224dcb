"""What makes the files of an installation work, and what ends that: commands, in their order. Nothing is run here."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from smscatch.setup.plan import ADMIN_KEY, CONFIG, GAMMU_DROPIN, READER_UNIT, UNIT, USER, known_lines

_GAMMU_UNIT = "gammu-smsd.service"


def readers_of(config: str) -> list[str]:
    """Return the services that read modems of a configuration's lines beside the server. Raises BadSetting."""
    own = [number for number, line in known_lines(config).items() if line.get("own_reader")]
    return [READER_UNIT.name.replace("@", f"@{number.removeprefix('+')}") for number in own]


def after_writing(config: str, written: Iterable[Path]) -> list[Sequence[str]]:
    """Return what is to be run after files of a plan were `written`, whose configuration now is `config`."""
    units = [UNIT.name, *readers_of(config), *([_GAMMU_UNIT] if GAMMU_DROPIN in written else [])]
    return [
        ("systemd-sysusers",),
        ("chgrp", USER, f"/{CONFIG}", f"/{ADMIN_KEY}"),
        ("udevadm", "control", "--reload"),
        ("udevadm", "trigger", "--subsystem-match=usb"),
        ("systemctl", "daemon-reload"),
        ("systemctl", "enable", *units),
        ("systemctl", "restart", *units),
    ]


def before_removal(config: str) -> list[Sequence[str]]:
    """Return what is to be run before the files are taken away."""
    return [("systemctl", "disable", "--now", UNIT.name, *readers_of(config))]


AFTER_REMOVAL: tuple[Sequence[str], ...] = (("systemctl", "daemon-reload"), ("udevadm", "control", "--reload"))
