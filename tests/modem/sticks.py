"""USB sticks as the kernel shows them, in a folder, with ports that are modems or something else."""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

from smscatch.modem.finding import UsbTree
from smscatch.simulator import SimulatedModem, StickSettings

NMEA = b"$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*76\r\n"
IMEI = "490154203237518"


class Stick:
    """The folders of the kernel for one USB device with several serial ports, under the names that it has by now."""

    def __init__(self, root: Path, *, usb_id: str = "12d1:1001", serial: str = "0123456789ABCDEF") -> None:
        self.tree = UsbTree(root / "sys", root / "dev")
        self._usb_id, self._serial = usb_id, serial
        (root / "dev").mkdir(parents=True, exist_ok=True)
        (root / "sys" / "class" / "tty").mkdir(parents=True, exist_ok=True)

    def plug(self, place: str, names: list[str]) -> list[Path]:
        """Make the ports appear under these names, in the order of the interfaces; return their devices."""
        device = self.tree.sys / "devices" / place
        device.mkdir(parents=True)
        vendor, product = self._usb_id.split(":")
        for file, value in (("idVendor", vendor), ("idProduct", product), ("serial", self._serial)):
            (device / file).write_text(value + "\n")
        for number, name in enumerate(names):
            port = device / f"{place}:1.{number}" / name
            port.mkdir(parents=True)
            (port.parent / "bInterfaceNumber").write_text(f"{number:02x}\n")
            link = self.tree.sys / "class" / "tty" / name
            link.mkdir()
            (link / "device").symlink_to(port)
        return [self.tree.dev / name for name in names]

    def unplug(self, names: list[str]) -> None:
        """Make the ports disappear."""
        for name in names:
            (self.tree.sys / "class" / "tty" / name / "device").unlink()
            (self.tree.sys / "class" / "tty" / name).rmdir()


@contextlib.asynccontextmanager
async def a_port(device: Path, answer: Callable[[bytes], bytes]) -> AsyncGenerator[None]:
    """A port that is no AT port: it answers what is typed with `answer` of that."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    device.symlink_to(os.ttyname(theirs))
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, lambda: os.write(ours, answer(os.read(ours, 4096)) or b"\0"))
    try:
        yield
    finally:
        loop.remove_reader(ours)
        os.close(ours)
        os.close(theirs)
        device.unlink()


@contextlib.asynccontextmanager
async def a_stick_of_four(stick: Stick, place: str, names: list[str]) -> AsyncGenerator[SimulatedModem]:
    """A stick with a GPS port, a silent one, one that only echoes, and one that answers AT."""
    gps, silent, echo, modem = stick.plug(place, names)
    async with (
        a_port(gps, lambda _: NMEA),
        a_port(silent, lambda _: b""),
        a_port(echo, lambda typed: typed),
        SimulatedModem(modem, settings=StickSettings()) as simulated,
    ):
        yield simulated
    stick.unplug(names)
