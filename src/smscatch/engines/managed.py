"""A modem as ModemManager tells of it: whether it is the one that is meant, whether it can be read, how it is.

No D-Bus here. Source of names and numbers: ModemManager's D-Bus reference and its ModemManager-enums.h.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smscatch.devices import parse_device
from smscatch.engines.retrying import EngineTrouble
from smscatch.modem.said import readable
from smscatch.modem.vitals import REGISTRATION

NAME = "org.freedesktop.ModemManager1"
MODEM, MESSAGING, NETWORK = f"{NAME}.Modem", f"{NAME}.Modem.Messaging", f"{NAME}.Modem.Modem3gpp"
SIM, SMS = f"{NAME}.Sim", f"{NAME}.Sms"
FAILED, UNKNOWN, LOCKED, ENABLING, ENABLED = -1, 0, 2, 5, 6  # MMModemState
SIM_FAILURES = (2, 3, 5)  # MMModemStateFailedReason: none, broken, an eSIM without a profile
PIN, PUK = 2, 4  # MMModemLock

LOCKS = {
    PIN: (
        "pin_needed",
        "The SIM asks for its PIN, and with this engine we enter none: `mmcli -i any --pin=…` enters it,"
        " --disable-pin with it switches it off.",
    ),
    PUK: (
        "puk",
        "The SIM is locked and asks for its PUK: put it into a phone, or `mmcli -i any --puk=… --pin=…` with a new"
        " PIN.",
    ),
}
OTHER_LOCK = (
    "sim_lock",
    "The modem is locked, to another SIM or operator perhaps: `mmcli -m any` says what it asks for.",
)
NO_SIM = "ModemManager finds no SIM in the modem, or cannot read it: put one in, and plug the modem in again."
GIVEN_UP = "ModemManager gave the modem up: `mmcli -m any` says why. Plug it in again."
SETTING_UP = "ModemManager is setting the modem up."
NO_SUCH_MODEM = (
    "ModemManager has no modem for device = {device!r}. It has: {others}. `mmcli -L` lists them; one that was just"
    " plugged in takes it up to half a minute."
)


class ManagedModem(NamedTuple):
    """A modem of ModemManager: its object, and what is told of it, by interface."""

    path: str
    facts: Mapping[str, Mapping[str, Any]]

    def fact(self, name: str, interface: str = MODEM, default: Any = None) -> Any:
        """Return a property."""
        return self.facts.get(interface, {}).get(name, default)

    def plain(self, name: str) -> str | None:
        """Return a name in plain characters: a modem that was left in UCS-2 tells it so, and it is handed on."""
        told = self.fact(name)
        return readable(told) if isinstance(told, str) and told else None

    @property
    def identity(self) -> str:
        """What tells the modem from others: its IMEI, or its place on the machine."""
        return str(self.fact("EquipmentIdentifier") or self.fact("Device") or self.path)

    def is_at(self, device: str) -> bool:
        """Whether a line's `device` means this one."""
        wanted = parse_device(device)
        if wanted.kind == "imei":
            return bool(self.fact("EquipmentIdentifier") == wanted.value)
        if wanted.kind == "path":
            names = (Path(wanted.value).name, Path(os.path.realpath(wanted.value)).name, wanted.value)
            return any(port in names for port, _ in self.fact("Ports", default=()))
        if wanted.kind in ("usb", "serial"):
            folder = Path(self.fact("Device", default=""))
            usb_id = f"{_read(folder / 'idVendor')}:{_read(folder / 'idProduct')}".lower()
            return wanted.value == (usb_id if wanted.kind == "usb" else _read(folder / "serial"))
        return wanted.kind == "auto"

    def trouble(self) -> EngineTrouble | None:
        """Return what keeps the modem from being read, None if nothing does, or all it lacks is being enabled."""
        state = self.fact("State", default=UNKNOWN)
        if state == LOCKED:
            return EngineTrouble(*LOCKS.get(self.fact("UnlockRequired"), OTHER_LOCK))
        if state == FAILED:
            is_sim = self.fact("StateFailedReason") in SIM_FAILURES
            return EngineTrouble("no_sim", NO_SIM) if is_sim else EngineTrouble("starting", GIVEN_UP)
        return None

    def health(self) -> dict[str, Any]:
        """Return the facts of a line's health that are told."""
        numbers = self.fact("OwnNumbers", default=())
        return {
            "signal_percent": self.fact("SignalQuality", default=(0, False))[0],
            "registration": REGISTRATION.get(self.fact("RegistrationState", NETWORK, 4)),
            "operator": self.fact("OperatorName", NETWORK) or None,
            "maker": self.plain("Manufacturer"),
            "model": self.plain("Model"),
            "firmware": self.plain("Revision"),
            "imei": self.fact("EquipmentIdentifier"),
            "number": readable(numbers[0]) if numbers else None,
        }


def choose(modems: Sequence[ManagedModem], device: str) -> ManagedModem:
    """Return the modem that a line's `device` means. Raises EngineTrouble, which names those that are there."""
    for modem in modems:
        if modem.is_at(device):
            return modem
    others = ", ".join(f"{each.plain('Model')} (IMEI {each.fact('EquipmentIdentifier')})" for each in modems)
    raise EngineTrouble("port_missing", NO_SUCH_MODEM.format(device=device, others=others or "none"))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
