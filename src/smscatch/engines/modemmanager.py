"""The engine `modemmanager`: reads the texts that ModemManager has taken from a modem, and hands them to the spool.

A text is read when its state says that it is whole: ModemManager announces a long one with its first part.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Never

import msgspec

from smscatch.engines.keeper import ForeignTaker, ForeignText, ModemClaim
from smscatch.engines.managed import ENABLED, ENABLING, MESSAGING, SETTING_UP, SIM, SMS, ManagedModem, choose
from smscatch.engines.managerbus import ManagerBus, number_of
from smscatch.engines.relisting import Relisting
from smscatch.engines.retrying import EngineTrouble, RetryPause, keep_reading
from smscatch.modem.journal import Slot, TakenText
from smscatch.modem.publishing import NOT_DELETED, NOT_REGISTERED, HealthPublisher
from smscatch.modem.vitals import REGISTERED
from smscatch.modem.waiting import Sleep, is_set_within
from smscatch.sources.modemmanager import KIND, ManagedText

POLL_SECONDS = 10.0
# While a long text is not whole, of which no signal tells.
GROWING_SECONDS = 1.0
RECEIVING, RECEIVED = 2, 3  # MMSmsState
TAKEN_TYPES = (1, 3, 32)  # MMSmsPduType: deliver, status report, deliver of CDMA
# What is equal of a text that is told a second time, under another path.
LASTING = ("Number", "Text", "Data", "SMSC", "Timestamp", "Class", "PduType", "DischargeTimestamp", "DeliveryState")
GROWING = "{count} long texts wait for parts that are missing, and take up room until they come."
IN_USE = (
    "A data connection is up, so the modem is not looked through for texts that ModemManager passed over: of several"
    " that are announced together some may stay on the SIM until the connection is down."
)
NOT_ALLOWED = (
    "The SIM cannot be looked through for texts that ModemManager passed over, since that needs the modem disabled and"
    " enabled ({trouble})"
)

log = logging.getLogger(__name__)


class ManagerSettings(NamedTuple):
    """Which modem (one of DEVICE_FORM), how often it is looked through anew (0 seconds: never), and which bus.

    `address` is another bus than the system's.
    """

    device: str
    relist_seconds: float = 600.0
    address: str | None = None


async def run_manager(
    line: str,
    settings: ManagerSettings,
    spool: Path,
    *,
    now_ns: Callable[[], int] = time.time_ns,
    now: Callable[[], float] = time.monotonic,
    sleep: Sleep = asyncio.sleep,
) -> Never:
    """Put every text that ModemManager has for a modem into `spool`, until cancelled.

    Trouble never ends it: it is published as the line's health, and tried again. `now_ns` is the clock of times, `now`
    that of intervals, and `sleep` waits on the latter.
    """
    board = HealthPublisher(spool, line, settings.device, now_ns)
    reader = _Reader(settings, spool, board, relisting=Relisting(settings.relist_seconds, now), sleep=sleep)
    await keep_reading(lambda: reader.converse(now_ns), board, reader.backoff, sleep)


class _Reader:
    def __init__(
        self, settings: ManagerSettings, spool: Path, board: HealthPublisher, *, relisting: Relisting, sleep: Sleep
    ) -> None:
        self._settings, self._spool, self._board, self._sleep = settings, spool, board, sleep
        self._line = board.health.line
        self._relisting = relisting
        self._taker: ForeignTaker | None = None
        self._claim = ModemClaim(spool)
        self._news = asyncio.Event()
        self._refusal = ""
        self.backoff = RetryPause()

    async def converse(self, now_ns: Callable[[], int]) -> Never:
        """Take texts until ModemManager cannot be asked, or its modem cannot be read. Raises ModemTrouble."""
        self._taker = self._taker or ForeignTaker(self._spool, self._line, KIND, now_ns)
        bus = await ManagerBus.open(self._settings.address, self._sleep)
        bus.call_at_news(self._news.set, self._relisting.came)
        try:
            while True:
                self._news.clear()
                is_growing = await self._poll(bus, self._taker)
                self.backoff.succeeded()
                await is_set_within(self._news, self._pause_seconds(is_growing=is_growing), self._sleep)
        finally:
            bus.close()
            self._claim.release()

    def _pause_seconds(self, *, is_growing: bool) -> float:
        pause = GROWING_SECONDS if is_growing else POLL_SECONDS
        settling = self._relisting.settle_seconds
        # What has settled and cannot be looked through now is no reason to hurry.
        return min(pause, settling) if settling else pause

    async def _poll(self, bus: ManagerBus, taker: ForeignTaker) -> bool:
        """Take what is there; return whether a long text is not whole yet."""
        instance = await bus.instance()
        modem = choose(await bus.modems(), self._settings.device)
        self._claim.hold(modem.identity)
        await self._open(bus, modem)
        card = await self._card(bus, modem)
        listed = {path: await bus.facts(path, SMS) for path in await bus.ask(modem.path, MESSAGING, "List")}
        growing = sum(told["State"] == RECEIVING for told in listed.values())
        whole = {
            ForeignText(Slot(card, instance, number_of(path)), _content(told)): path
            for path, told in listed.items()
            if told["State"] == RECEIVED and told["PduType"] in TAKEN_TYPES
        }

        async def delete(text: ForeignText) -> bool:
            return await self._delete(bus, modem, whole[text])

        def body(text: ForeignText, taken: TakenText) -> bytes:
            return _body(self._line, listed[whole[text]], taken)

        is_done = await taker.take(card, list(whole), body, delete)
        passed_over = await self._relist(bus, modem, is_growing=bool(growing))
        troubles = (None if is_done else NOT_DELETED, GROWING.format(count=growing) if growing else None, passed_over)
        self._report(modem, [trouble for trouble in troubles if trouble])
        return bool(growing)

    async def _open(self, bus: ManagerBus, modem: ManagedModem) -> None:
        """Return if the modem can be read now. Raises EngineTrouble, having it enabled if that is all it lacks."""
        if trouble := modem.trouble():
            raise trouble
        state = modem.fact("State", default=0)
        if state < ENABLING:
            await bus.enable(modem.path, is_enabled=True)
            self._relisting.done()
        if state < ENABLED:
            raise EngineTrouble("starting", SETTING_UP)

    async def _card(self, bus: ManagerBus, modem: ManagedModem) -> str:
        """Return the IMSI, or what else identifies where texts lie."""
        sim = modem.fact("Sim", default="/")
        imsi = (await bus.facts(sim, SIM)).get("Imsi") if sim != "/" else None
        return imsi or modem.identity

    async def _relist(self, bus: ManagerBus, modem: ManagedModem, *, is_growing: bool) -> str | None:
        """Have the SIM looked through if it is time; return why that cannot be done, if it cannot."""
        is_due = self._relisting.is_due(is_growing=is_growing)
        if await bus.is_in_use(modem):
            return IN_USE
        if not is_due:
            return self._refusal
        try:
            await bus.enable(modem.path, is_enabled=False)
            # Killed here, it is enabled by the next start. Until then texts wait in the network, or on the SIM.
            await bus.enable(modem.path, is_enabled=True)
        except EngineTrouble as trouble:
            if trouble.state != "no_access":
                raise
            self._refusal = NOT_ALLOWED.format(trouble=trouble)
            return self._refusal
        finally:
            self._relisting.done()
        self._refusal = ""
        self._news.set()
        return None

    async def _delete(self, bus: ManagerBus, modem: ManagedModem, path: str) -> bool:
        try:
            await bus.ask(modem.path, MESSAGING, "Delete", "o", path)
        except EngineTrouble as trouble:
            if trouble.state != "starting":
                raise
            log.info("%s is not deleted, trying again: %s", path, trouble)
            return False
        return True

    def _report(self, modem: ManagedModem, troubles: list[str]) -> None:
        facts = modem.health()
        self._board.change(last_contact_at=self._board.now(), **facts)
        is_registered = facts["registration"] in REGISTERED
        sentences = troubles if is_registered else [NOT_REGISTERED, *troubles]
        self._board.become("ready" if is_registered else "not_registered", " ".join(sentences) or None)


def _content(told: dict[str, Any]) -> str:
    return repr([told.get(name) for name in LASTING])


def _body(line: str, told: dict[str, Any], taken: TakenText) -> bytes:
    return msgspec.json.encode(
        ManagedText(
            line=line,
            time_ns=taken.time_ns,
            number=told["Number"],
            text=told["Text"],
            timestamp=told.get("Timestamp", ""),
            data=bytes(told.get("Data", b"")).hex(),
            message_class=told.get("Class", -1),
            pdu_type=told["PduType"],
            delivery_state=told.get("DeliveryState", 256),
        )
    )
