"""Modems that are at no serial port of ours: HiLink sticks on their web pages, and what ModemManager has.

Nothing is changed. Either engine is an extra: where its package is missing, that is said of a stick that needs it.
"""

import asyncio
import socket
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smscatch.modem.trouble import ModemTrouble
from smscatch.settings.lines import DEFAULT_DEVICES, HILINK, MODEMMANAGER
from smscatch.setup.found import FoundModem, Survey

if TYPE_CHECKING:
    from smscatch.engines.managed import ManagedModem

_HUAWEI = "12d1"
# proc(5), /proc/net/route: addresses are in hexadecimal, in the byte order of the machine.
_INTERFACE, _GATEWAY = 0, 2
_NO_GATEWAY = "00000000"


def list_pages(sys: Path, proc: Path) -> list[str]:
    """Return the web pages that HiLink sticks may have: at the gateway behind each network card of Huawei's on USB."""
    cards = [path.name for path in sorted((sys / "class" / "net").glob("*")) if _vendor_of(path) == _HUAWEI]
    gateways = _gateways(proc / "net" / "route")
    default = str(DEFAULT_DEVICES[HILINK])
    return list(dict.fromkeys(gateways.get(card, default) for card in cards))


def _vendor_of(card: Path) -> str:
    """Return the USB vendor of a network card, "" if it is none on USB: its device is an interface of that."""
    try:
        return ((card / "device").resolve().parent / "idVendor").read_text("utf-8").strip().lower()
    except OSError:
        return ""


def _gateways(path: Path) -> dict[str, str]:
    try:
        rows = [line.split() for line in path.read_text("utf-8").splitlines()[1:]]
    except OSError:
        return {}
    told = [(row[_INTERFACE], row[_GATEWAY]) for row in rows if len(row) > _GATEWAY and row[_GATEWAY] != _NO_GATEWAY]
    return {card: f"http://{socket.inet_ntoa(struct.pack('=L', int(gateway, 16)))}" for card, gateway in told}


async def survey_pages(pages: Sequence[str]) -> Survey:
    """Ask the web pages of HiLink sticks who they are."""
    modems, silent = [], []
    for url in pages:
        try:
            modems.append(await asyncio.to_thread(ask_page, url))
        except ModemTrouble as trouble:
            silent.append(f"{url}: {trouble}")
    return Survey(tuple(modems), tuple(silent))


def ask_page(url: str, password: str | None = None) -> FoundModem:
    """Return what a HiLink stick tells on its web page. Blocks; raises ModemTrouble, with a sentence."""
    try:
        from smscatch.engines.hilinkweb import HilinkWeb, health_of  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        raise ModemTrouble(f"To ask a HiLink stick takes a package more: pip install 'smscatch[{HILINK}]'.") from error
    try:
        web = HilinkWeb(url, password)
        try:
            web.texts()  # what is behind the login, if there is one
            identity, vitals = web.identity(), web.vitals()
        finally:
            web.close()
    except ModemTrouble as trouble:
        if trouble.state != "login_needed":
            raise
        return FoundModem(url, "a HiLink stick", "", engine=HILINK, needs_password=True, trouble=str(trouble))
    health = health_of(identity, vitals)
    return FoundModem(
        url,
        f"huawei {health['model'] or 'HiLink'}",
        health["imei"] or "",
        identity.get("Imsi", ""),
        health["number"] or "",
        health["operator"] or "",
        engine=HILINK,
    )


async def survey_manager(bus: str | None) -> Survey:
    """Ask ModemManager which modems it has, over the system's D-Bus or the one at `bus`; none if it does not run."""
    try:
        from smscatch.engines.managerbus import ManagerBus  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError:
        return Survey()
    try:
        manager = await ManagerBus.open(bus)
        try:
            return Survey(tuple(_managed(modem) for modem in await manager.modems()))
        finally:
            manager.close()
    except ModemTrouble:
        return Survey()


def _managed(modem: "ManagedModem") -> FoundModem:
    health, trouble = modem.health(), modem.trouble()
    imei = health["imei"] or ""
    return FoundModem(
        f"imei:{imei}" if imei else "auto",
        " ".join(part for part in (health["maker"], health["model"]) if part) or "a modem",
        imei,
        number=health["number"] or "",
        operator=health["operator"] or "",
        engine=MODEMMANAGER,
        trouble="" if trouble is None else str(trouble),
    )
