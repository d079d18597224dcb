"""How the modems of our lines are, and what on this machine may keep one away from us."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from smscatch.checks import REMEDIES, check_modem
from smscatch.devices import parse_device
from smscatch.doctor.finding import Patient, read_text
from smscatch.lines import modems_of
from smscatch.messages import Diagnosis
from smscatch.modem.drives import list_drives
from smscatch.modem.finding import UsbTree, list_ports
from smscatch.modem.port import holder_of
from smscatch.settings.lines import LINK

_UNSTABLE = re.compile(r"/dev/tty(USB|ACM)\d+")


def check_modems(patient: Patient) -> Iterator[Diagnosis]:
    """Say of each line that has a device how its modem is."""
    health = modems_of(patient.settings, patient.now)
    for number, line in patient.settings.lines.items():
        yield from check_modem(number, line, health.get(number))


def check_ports(patient: Patient) -> Iterator[Diagnosis]:
    """Look at the devices of our link that are named by a path: are they there, may they be opened, who has them."""
    health = modems_of(patient.settings, patient.now)
    for number, line in patient.settings.lines.items():
        name = parse_device(line.device) if line.device and line.engine == LINK else None
        if name is None or name.kind != "path":
            continue
        is_read = number in health and health[number].state != "stopped"
        yield from _check_port(Path(name.value), patient, is_read=is_read)


def _check_port(device: Path, patient: Patient, *, is_read: bool) -> Iterator[Diagnosis]:
    if not device.exists():
        yield Diagnosis(
            check="port",
            verdict="wrong",
            sentence=f"There is no {device}.",
            remedy=REMEDIES["port_missing"],
        )
        return
    if not (patient.user.may(device, os.R_OK) and patient.user.may(device, os.W_OK)):
        yield Diagnosis(
            check="port",
            verdict="wrong",
            sentence=f"{device} may not be opened by the user who is to serve; its group may.",
            remedy=f"sudo usermod -aG {_group(device)} $USER",
        )
    if _UNSTABLE.fullmatch(str(device)):
        yield Diagnosis(
            check="port",
            verdict="note",
            sentence=f"{device} is another modem after a replug: name it by /dev/serial/by-id/….",
            remedy=REMEDIES["port_missing"],
        )
    yield from _check_getty(device, patient.machine.proc)
    holder = None if is_read else holder_of(device)
    if holder:
        yield Diagnosis(
            check="port",
            verdict="wrong",
            sentence=f"{device} is in use by {holder}: a modem has one reader.",
            remedy=f"sudo fuser -v {device}",
        )


def _group(device: Path) -> str:
    try:
        return device.group()
    except KeyError:
        return str(device.stat().st_gid)


def _check_getty(device: Path, proc: Path) -> Iterator[Diagnosis]:
    """Look for a login prompt at the port: getty(8) types into whatever is there."""
    name = Path(os.path.realpath(device)).name
    for path in proc.glob("[0-9]*/cmdline"):
        words = read_text(path).split("\0")
        if "getty" in words[0] and name in words:
            yield Diagnosis(
                check="port",
                verdict="wrong",
                sentence=f"A login prompt (getty) is at {device}: it types into the modem.",
                remedy=f"sudo systemctl disable --now serial-getty@{name}.service",
            )


def check_sticks(patient: Patient) -> Iterator[Diagnosis]:
    """Look for sticks that are not modems yet: still a CD drive, or plugged in and named by no line."""
    usb = patient.machine.usb
    for drive in list_drives(usb.sys):
        yield Diagnosis(
            check="stick",
            verdict="wrong",
            sentence=f"{drive}: usb-modeswitch makes a modem of it when it is plugged in anew.",
            remedy="sudo apt-get install usb-modeswitch",
        )
    if not any(line.device for line in patient.settings.lines.values()):
        yield from _unnamed(usb)


def _unnamed(usb: UsbTree) -> Iterator[Diagnosis]:
    for stick in sorted({(port.stick, port.usb_id) for port in list_ports(usb)}):
        ports = [str(port.device) for port in list_ports(usb) if port.stick == stick[0]]
        yield Diagnosis(
            check="stick",
            verdict="note",
            sentence=f"{stick[1]} is plugged in ({', '.join(ports)}), and no line names a device.",
            remedy='Add a line with device = "auto" to smscatch.toml: docs/modems.md.',
        )


def check_modem_manager(patient: Patient) -> Iterator[Diagnosis]:
    """Look whether ModemManager runs, and whether it is told to leave the ports of our link alone."""
    names = [read_text(path) for path in patient.machine.proc.glob("[0-9]*/comm")]
    if "ModemManager" not in names:
        return
    for line in patient.settings.lines.values():
        name = parse_device(line.device) if line.device and line.engine == LINK else None
        if name is None or name.is_remote:
            continue
        asked = ["udevadm", "info", "--query=property", f"--name={name.value}"]
        properties = (patient.machine.run(asked) if name.kind == "path" else None) or ""
        if "ID_MM_DEVICE_IGNORE=1" in properties or "ID_MM_PORT_IGNORE=1" in properties:
            continue
        yield Diagnosis(
            check="ModemManager",
            verdict="note",
            sentence=f"ModemManager runs, and takes {line.device} whenever it is plugged in.",
            remedy="sudo systemctl mask --now ModemManager",
        )
