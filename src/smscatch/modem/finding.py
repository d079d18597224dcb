"""Which port of which USB stick answers AT: found by asking them all at once, as their numbers change at each replug.

Source of what is read: the kernel's Documentation/ABI/testing/sysfs-bus-usb and sysfs-class-tty.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smscatch.devices import DeviceName
from smscatch.modem.trouble import ModemTrouble, NoAccess, NotAt, OtherModems, PortBusy, PortMissing, PortShared
from smscatch.modem.waiting import Sleep

_SERIAL_NAMES = ("ttyUSB*", "ttyACM*")
_MAX_DEPTH = 8
MAX_PORTS = 32
# A stick has two ports that answer, as a rule: the other has this long to do so too.
GRACE_SECONDS = 1.0


class UsbTree(NamedTuple):
    """Where the kernel shows devices; elsewhere in a test."""

    sys: Path = Path("/sys")
    dev: Path = Path("/dev")


class UsbPort(NamedTuple):
    """A serial port of a USB device: `stick` is what its ports have in common, `interface` its number there."""

    device: Path
    stick: str
    interface: int
    usb_id: str
    serial: str


class ProbeResult(NamedTuple):
    """What a port answered: its IMEI, empty if it does not tell, or the trouble there was."""

    imei: str = ""
    trouble: ModemTrouble | None = None


Probe = Callable[[Path], Awaitable[ProbeResult]]


def list_ports(tree: UsbTree) -> list[UsbPort]:
    """Return the serial ports on USB, those of one stick together, in the order of their interfaces."""
    names = sorted(path for form in _SERIAL_NAMES for path in (tree.sys / "class" / "tty").glob(form))
    ports = [port for name in names if (port := _find_port(name, tree.dev))]
    return sorted(ports, key=lambda port: (port.stick, port.interface, port.device))


def _find_port(name: Path, dev: Path) -> UsbPort | None:
    folder = Path(os.path.realpath(name / "device"))
    interface = 0
    for _ in range(_MAX_DEPTH):
        if number := _read(folder / "bInterfaceNumber"):
            interface = int(number, 16)
        if vendor := _read(folder / "idVendor"):
            usb_id = f"{vendor}:{_read(folder / 'idProduct')}".lower()
            return UsbPort(dev / name.name, str(folder), interface, usb_id, _read(folder / "serial"))
        folder = folder.parent
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def siblings(device: Path, tree: UsbTree) -> list[UsbPort]:
    """Return the other ports of the stick that a device belongs to."""
    ports = list_ports(tree)
    sticks = {port.stick for port in ports if os.path.realpath(port.device) == os.path.realpath(device)}
    others = [port for port in ports if os.path.realpath(port.device) != os.path.realpath(device)]
    return [port for port in others if port.stick in sticks]


async def find_device(wanted: DeviceName, tree: UsbTree, probe: Probe, sleep: Sleep) -> Path:
    """Return the port that answers AT among those that are wanted, of several the one with the lowest number.

    Raises PortMissing if there is none, OtherModems if others answer, otherwise NotAt, PortBusy or NoAccess, saying how
    each fared.
    """
    ports = [port for port in list_ports(tree) if _is_wanted(port, wanted)][:MAX_PORTS]
    if not ports:
        raise PortMissing(f"No USB modem {_words(wanted)}is plugged in: `ls /dev/serial/by-id` shows what is there.")
    tasks = [asyncio.ensure_future(probe(port.device)) for port in ports]

    def found() -> list[Path]:
        pairs = zip(ports, tasks, strict=True)
        done = [(port, task.result()) for port, task in pairs if task.done() and not task.cancelled()]
        return [port.device for port, answer in done if _is_meant(answer, wanted)]

    try:
        await _settle(tasks, found, sleep)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if devices := found():
        return devices[0]
    raise _none_found(wanted, ports, [task.result() for task in tasks])


def _is_meant(answer: ProbeResult, wanted: DeviceName) -> bool:
    return answer.trouble is None and (wanted.kind != "imei" or answer.imei == wanted.value)


async def _settle(tasks: Sequence[asyncio.Future[ProbeResult]], found: Callable[[], object], sleep: Sleep) -> None:
    """Return when all have answered, or GRACE_SECONDS after one that is meant did."""
    pending = set(tasks)
    while pending and not found():
        _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    grace: asyncio.Future[None] = asyncio.ensure_future(sleep(GRACE_SECONDS))
    try:
        while pending and not grace.done():
            waited: set[asyncio.Future[Any]] = {*pending, grace}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            pending = {task for task in pending if not task.done()}
    finally:
        grace.cancel()


def _none_found(wanted: DeviceName, ports: Sequence[UsbPort], answers: Sequence[ProbeResult]) -> ModemTrouble:
    told = tell(ports, answers)
    # What is read for another line is in nobody's way: it is the port of a modem, but not of this one.
    troubles = [answer.trouble for answer in answers if not isinstance(answer.trouble, PortShared)]
    for kind in (PortBusy, NoAccess):
        if found := next((trouble for trouble in troubles if isinstance(trouble, kind)), None):
            return kind(f"{found} Tried: {told}.")
    if None in troubles:
        return OtherModems(f"No modem {_words(wanted)}is plugged in. Tried: {told}.")
    if len(troubles) < len(answers):
        return PortMissing(f"No other modem {_words(wanted)}is plugged in. Tried: {told}.")
    return NotAt(f"No port {_words(wanted)}answers AT. Tried: {told}.")


def tell(ports: Sequence[UsbPort], answers: Sequence[ProbeResult]) -> str:
    """Return in words how each port fared."""
    return ", ".join(f"{port.device} {_fared(answer)}" for port, answer in zip(ports, answers, strict=True))


def _fared(answer: ProbeResult) -> str:
    if answer.trouble is None:
        return f"(answers AT, IMEI {answer.imei})" if answer.imei else "(answers AT)"
    kinds: dict[type, str] = {
        PortBusy: "(in use)",
        PortShared: "(read for another line)",
        NoAccess: "(no access)",
        PortMissing: "(gone)",
        NotAt: "(speaks, but not AT)",
    }
    return kinds.get(type(answer.trouble), "(silent)")


def _is_wanted(port: UsbPort, wanted: DeviceName) -> bool:
    if wanted.kind == "usb":
        return port.usb_id == wanted.value
    return wanted.kind != "serial" or port.serial == wanted.value


def _words(wanted: DeviceName) -> str:
    return f"with {wanted.kind} {wanted.value} " if wanted.value else ""
