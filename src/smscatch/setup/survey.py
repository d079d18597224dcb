"""Which modems there are: each serial port is asked what it is, and the SIM what it tells. Nothing is changed.

Sources: 3GPP TS 27.007 for what is asked; TS 23.003, 2.2 for the IMSI.
"""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple

from smscatch.devices import parse_device
from smscatch.modem import startup
from smscatch.modem.at import Conversation
from smscatch.modem.drives import list_drives
from smscatch.modem.finding import UsbTree, list_ports
from smscatch.modem.pace import Throttle
from smscatch.modem.ports import LinePort, PortSettings
from smscatch.modem.said import News, find_serial
from smscatch.modem.sim import OPEN, PIN, ask_lock
from smscatch.modem.speeds import Speeds
from smscatch.modem.trouble import ModemTrouble
from smscatch.modem.vitals import ask_number, ask_vitals
from smscatch.modem.waiting import Sleep
from smscatch.setup.elsewhere import ask_page, list_pages, survey_manager, survey_pages
from smscatch.setup.found import FoundModem, Survey, join


class Places(NamedTuple):
    """Where the machine shows its devices; elsewhere in a test. `bus` is a D-Bus address, None for the system's."""

    usb: UsbTree = UsbTree()
    proc: Path = Path("/proc")
    bus: str | None = None


async def survey_machine(places: Places, sleep: Sleep = asyncio.sleep) -> Survey:
    """Look everywhere: at serial ports, web pages of sticks and ModemManager, and for sticks that are still drives."""
    pages = list_pages(places.usb.sys, places.proc)
    looks = await asyncio.gather(survey(places.usb, sleep), survey_pages(pages), survey_manager(places.bus))
    return join(*looks, Survey(drives=tuple(list_drives(places.usb.sys))))


async def survey_device(device: str, sleep: Sleep = asyncio.sleep) -> Survey:
    """Ask one device alone, a port or the web page of a stick. Raises ModemTrouble and BadSetting."""
    try:
        is_page = parse_device(device).is_web
    except ValueError:
        is_page = False  # the port says what is accepted
    if is_page:
        return Survey((await asyncio.to_thread(ask_page, device),))
    return Survey((await ask_modem(PortSettings(device), sleep),))


async def survey(tree: UsbTree, sleep: Sleep = asyncio.sleep) -> Survey:
    """Ask all serial ports on USB at once; of a modem with several that answer, the one with the lowest interface."""
    ports = list_ports(tree)
    answers = await asyncio.gather(*(_try(str(port.device), sleep) for port in ports))
    modems: dict[str, FoundModem] = {}
    silent = []
    for port, answer in zip(ports, answers, strict=True):
        if isinstance(answer, ModemTrouble):
            silent.append(f"{port.device}: {answer}")
        else:
            device = lasting_name(port.device, answer.imei, tree.dev)
            named = answer._replace(device=device, usb_id=port.usb_id)
            modems.setdefault(answer.imei or str(port.device), named)
    return Survey(tuple(modems.values()), tuple(silent))


async def _try(device: str, sleep: Sleep) -> FoundModem | ModemTrouble:
    try:
        return await ask_modem(PortSettings(device), sleep)
    except ModemTrouble as trouble:
        return trouble


async def ask_modem(settings: PortSettings, sleep: Sleep = asyncio.sleep) -> FoundModem:
    """Return what a modem and its SIM tell of themselves. Raises ModemTrouble, with a sentence that says what to do."""
    async with conversation(settings, sleep) as talk:
        await startup.begin(talk)
        modem = await _identify(talk, settings.device)
        return await _read_sim(talk, modem)


@contextlib.asynccontextmanager
async def conversation(settings: PortSettings, sleep: Sleep) -> AsyncGenerator[Conversation]:
    """A conversation with what is at a port, for which nothing is kept. Raises ModemTrouble."""
    with tempfile.TemporaryDirectory(prefix="smscatch-setup-") as folder:
        port = LinePort(settings, Speeds(Path(folder), "setup", settings.baud), sleep)
        opened = await port.open()
        talk = Conversation(opened, News(), sleep=sleep, limits={}, pace=Throttle(sleep), speeds=port.others())
        try:
            yield talk
        finally:
            talk.close()


async def _identify(talk: Conversation, device: str) -> FoundModem:
    who = await startup.ask_identity(talk)
    imei = await startup.ask_imei(talk)
    return FoundModem(device, " ".join(part for part in (who.maker, who.model) if part) or "a modem", imei)


async def _read_sim(talk: Conversation, modem: FoundModem) -> FoundModem:
    lock = await ask_lock(talk)
    if lock not in OPEN:
        trouble = "The SIM asks for its PIN." if lock == PIN else f"The SIM says {lock}."
        return modem._replace(needs_pin=lock == PIN, trouble=trouble)
    vitals = await ask_vitals(talk)
    return modem._replace(
        imsi=find_serial(await talk.try_asking("AT+CIMI")) or "",
        number=await ask_number(talk) or "",
        operator=vitals.operator or "",
    )


def lasting_name(device: Path, imei: str, dev: Path) -> str:
    """Return a name that a device keeps after a replug: below /dev/serial/by-id, or the IMEI; else the path itself.

    A name in by-id is made of maker, model and serial number, which sticks of one make may share: then udev keeps one.
    """
    for link in sorted((dev / "serial" / "by-id").glob("*")):
        if os.path.realpath(link) == os.path.realpath(device):
            return str(link)
    return f"imei:{imei}" if imei else str(device)
