"""The port of a line: opened anew for each conversation, wherever it is by then, at the speed that the modem has.

What speaks AT on it is in at.py, what is found on USB in finding.py.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from smscatch.devices import DEVICE_FORM, parse_device
from smscatch.errors import BadSetting
from smscatch.modem import startup
from smscatch.modem.at import Conversation
from smscatch.modem.finding import ProbeResult, UsbTree, find_device, siblings, tell
from smscatch.modem.netport import NetPort
from smscatch.modem.pace import Throttle
from smscatch.modem.port import Port, SerialPort
from smscatch.modem.said import News
from smscatch.modem.speeds import Speeds
from smscatch.modem.trouble import ModemTrouble, Silent
from smscatch.modem.waiting import Sleep

# What is looked for may be a stick, which takes any speed, or one of the boards behind a USB adapter: many have 9,600.
SEARCHED_SPEEDS = (115200, 9600)


class PortSettings(NamedTuple):
    """A line's port: `device` is one of devices.DEVICE_FORM, `baud` its speed, None if that is to be found out.

    `usb` is where USB devices are shown.
    """

    device: str
    baud: int | None = None
    usb: UsbTree = UsbTree()


class LinePort:
    """Opens the port that a line's settings name."""

    def __init__(self, settings: PortSettings, speeds: Speeds, sleep: Sleep) -> None:
        """Read the settings. Raises BadSetting if they name no device."""
        try:
            self._name = parse_device(settings.device)
        except ValueError as error:
            raise BadSetting(f"device = {settings.device!r} is not accepted. Accepted: {DEVICE_FORM}.") from error
        if self._name.is_web:
            raise BadSetting(
                f"device = {settings.device!r} is a web page, which engine = 'hilink' reads; the link reads serial"
                f" ports. Accepted: {DEVICE_FORM}."
            )
        self.device = settings.device
        self.speeds = speeds
        self._usb = settings.usb
        self._sleep = sleep
        self._told = ""
        # The speed at which the port is open, and those that a search found modems at, by device.
        self._speed = speeds.first
        self._heard_at: dict[Path, int] = {}

    async def open(self) -> Port:
        """Find the port if it has to be looked for, and open it.

        Raises PortMissing, PortBusy, NoAccess or NotAt with a sentence that says what to do.
        """
        self._speed = self.speeds.first
        if self._name.kind in ("socket", "rfc2217"):
            return await NetPort.open(self._name, self._speed)
        device = Path(self._name.value)
        if self._name.is_searched:
            device = await self._search()
        return SerialPort(device, self._speed)

    async def _search(self) -> Path:
        """Return the port that is meant, and note the speed at which it answered; at some searches others are tried."""
        self._heard_at.clear()
        others = tuple(speed for speed in self.speeds.others() if speed in SEARCHED_SPEEDS)
        device = await find_device(self._name, self._usb, partial(self._probe, others=others), self._sleep)
        self._speed = self._heard_at.get(device, self._speed)
        return device

    def others(self) -> tuple[int, ...]:
        """Return the speeds to try where the first is not answered: none where nobody here sets it, or it was found."""
        return () if self._name.kind == "socket" or self._name.is_searched else self.speeds.others()

    def answered(self, speed: int | None) -> None:
        """Note that the modem answers, at another speed than the port was opened with if `speed` is one.

        Raises OSError.
        """
        self._told = ""
        if self._name.kind != "socket":
            self.speeds.note(speed or self._speed)

    async def explain(self, trouble: Silent) -> Silent:
        """Return the trouble with what the other ports of the same stick say, which are tried once."""
        if self._name.kind == "path" and not self._told:
            ports = await asyncio.to_thread(siblings, Path(self._name.value), self._usb)
            answers = await asyncio.gather(*(self._probe(port.device) for port in ports))
            self._told = f" Other ports of the same stick: {tell(ports, answers)}." if ports else " "
        return type(trouble)(f"{trouble}{self._told}".rstrip())

    async def _probe(self, device: Path, *, others: Sequence[int] = ()) -> ProbeResult:
        """Return what a port answers to AT, also at other speeds; it is opened for that time only."""
        try:
            port = SerialPort(device, self.speeds.first)
        except ModemTrouble as trouble:
            return ProbeResult(trouble=trouble)
        talk = Conversation(port, News(), sleep=self._sleep, limits={}, pace=Throttle(self._sleep), speeds=others)
        try:
            await startup.begin(talk)
            if talk.speed:
                self._heard_at[device] = talk.speed
            return ProbeResult(await startup.ask_imei(talk))
        except ModemTrouble as trouble:
            return ProbeResult(trouble=trouble)
        finally:
            talk.close()
