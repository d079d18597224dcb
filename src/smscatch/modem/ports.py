"""The port of a line: opened anew for each conversation, wherever it is by then, at the speed that the modem has.

What speaks AT on it is in at.py, what is found on USB in finding.py.
"""

import asyncio
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
        self.device = settings.device
        self.speeds = speeds
        self._usb = settings.usb
        self._sleep = sleep
        self._told = ""

    async def open(self) -> Port:
        """Find the port if it has to be looked for, and open it.

        Raises PortMissing, PortBusy, NoAccess or NotAt with a sentence that says what to do.
        """
        if self._name.kind in ("socket", "rfc2217"):
            return await NetPort.open(self._name, self.speeds.first)
        device = Path(self._name.value)
        if self._name.is_searched:
            device = await find_device(self._name, self._usb, self._probe, self._sleep)
        return SerialPort(device, self.speeds.first)

    def others(self) -> tuple[int, ...]:
        """Return the speeds to try where the first is not answered: none where nobody here sets the speed."""
        return () if self._name.kind == "socket" else self.speeds.others()

    def answered(self, speed: int | None) -> None:
        """Note that the modem answers, at another speed than the first if `speed` is one. Raises OSError."""
        self._told = ""
        if self._name.kind != "socket":
            self.speeds.note(speed or self.speeds.first)

    async def explain(self, trouble: Silent) -> Silent:
        """Return the trouble with what the other ports of the same stick say, which are tried once."""
        if self._name.kind == "path" and not self._told:
            ports = await asyncio.to_thread(siblings, Path(self._name.value), self._usb)
            answers = await asyncio.gather(*(self._probe(port.device) for port in ports))
            self._told = f" Other ports of the same stick: {tell(ports, answers)}." if ports else " "
        return type(trouble)(f"{trouble}{self._told}".rstrip())

    async def _probe(self, device: Path) -> ProbeResult:
        """Return what a port answers to AT; it is opened for that time only."""
        try:
            port = SerialPort(device, self.speeds.first)
        except ModemTrouble as trouble:
            return ProbeResult(trouble=trouble)
        talk = Conversation(port, News(), sleep=self._sleep, limits={}, pace=Throttle(self._sleep))
        try:
            await startup.begin(talk)
            return ProbeResult(await startup.ask_imei(talk))
        except ModemTrouble as trouble:
            return ProbeResult(trouble=trouble)
        finally:
            talk.close()
