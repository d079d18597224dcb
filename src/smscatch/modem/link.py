"""The link of one line: keeps a conversation with its modem going, for ever, and hands every text to the spool.

What is asked is in startup.py and vitals.py, how a text is taken exactly once in taking.py. No store, no network.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Never

import msgspec

from smscatch.errors import BadSetting
from smscatch.modem.at import Conversation, News, Sleep
from smscatch.modem.health import Health, write_health
from smscatch.modem.journal import PinMarks
from smscatch.modem.startup import PinEntry, choose_storages, identify
from smscatch.modem.taking import Origin, Taker, spool_trouble
from smscatch.modem.trouble import ModemTrouble, NoAnswer, PortMissing
from smscatch.modem.vitals import REGISTERED, ask_number, ask_vitals

# Announcements get lost: this often everything is looked through.
SWEEP_SECONDS = 10.0
SWEEPS_PER_REPORT = 3
# After this many announced texts too, under traffic that never pauses.
FETCHES_PER_SWEEP = 20
# A command that stays without its answer this often in a row, though the modem answers others: open the port anew.
MAX_UNANSWERED = 3
MAX_BACKOFF_SECONDS = 30.0
# Where a modem can be well again at any moment, and looking costs little, we look more often.
BACKOFF_SECONDS = {"silent": 4.0, "port_missing": 1.0, "no_sim": 5.0, "starting": 8.0, "spool_full": 10.0}

NOT_REGISTERED = "The modem has no network: check antenna, contract and coverage."
NOT_DELETED = "Texts are delivered, but not all can be deleted from the SIM: it may fill up, or be worn out."

log = logging.getLogger(__name__)


async def run_link(
    line: str,
    device: Path,
    spool: Path,
    *,
    pin: str | None = None,
    now_ns: Callable[[], int] = time.time_ns,
    sleep: Sleep = asyncio.sleep,
) -> Never:
    """Read the modem at `device` for `line` and put every text into `spool`, until cancelled.

    `line` is our number, or a name while that is unknown. Trouble never ends it: it is published as the line's health,
    see health.py, and tried again. `now_ns` and `sleep` are the clock. Raises BadSetting for a PIN that is none.
    """
    if pin is not None and not (pin.isascii() and pin.isdecimal() and 4 <= len(pin) <= 8):
        raise BadSetting("pin = the value given is not accepted. Accepted: 4 to 8 digits.")
    await _Link(line, device, spool, pin=pin, now_ns=now_ns, sleep=sleep).run()


class _Link:
    def __init__(
        self, line: str, device: Path, spool: Path, *, pin: str | None, now_ns: Callable[[], int], sleep: Sleep
    ) -> None:
        self._line, self._device, self._spool = line, device, spool
        self._pin = pin
        self._now_ns = now_ns
        self._sleep = sleep
        self._limits: dict[str, float] = {}
        self._news = News()
        self._kept: tuple[Taker, PinEntry] | None = None
        self._origin = Origin(line, device, "", {})
        self._failures = 0
        self._health = Health(line=line, device=str(device), state="starting", updated_at=self._now())

    async def run(self) -> Never:
        self._publish()
        while True:
            try:
                await self._converse()
            except ModemTrouble as trouble:
                await self._pause(trouble)
            except OSError as error:  # what was entered of a PIN cannot be noted
                await self._pause(spool_trouble(self._spool, error))
            except Exception as error:  # a bug of ours must not end reception
                log.exception("the link of %s failed", self._line)
                await self._pause(ModemTrouble(f"The link failed with {type(error).__name__}: please report it."))

    def _open_spool(self) -> tuple[Taker, PinEntry]:
        """Return what remembers texts and PINs, read once. Raises SpoolTrouble."""
        if self._kept is None:
            try:
                self._kept = (
                    Taker(self._spool, self._line, self._news, self._now_ns),
                    PinEntry(self._pin, PinMarks(self._spool, self._line)),
                )
            except OSError as error:
                raise spool_trouble(self._spool, error) from error
        return self._kept

    async def _converse(self) -> Never:
        """Open the port and read until it cannot go on."""
        taker, key = self._open_spool()
        self._news.announced.clear()
        talk = Conversation(self._device, self._news, sleep=self._sleep, limits=self._limits)
        try:
            while True:
                await self._session(talk, taker, key)
        finally:
            talk.close()
            with contextlib.suppress(ModemTrouble):  # they stay for the next round
                await taker.take_forwarded(self._origin)

    async def _session(self, talk: Conversation, taker: Taker, key: PinEntry) -> None:
        """Set the modem up and read it until it has to be set up again; trouble that leaves the port usable ends here.

        Raises PortMissing, and NoAnswer when the port has to be opened anew.
        """
        try:
            await self._set_up(talk, taker, key)
            await self._read(talk, taker)
        except PortMissing:
            raise
        except NoAnswer as silence:
            await talk.resynchronise()
            self._failures += 1
            self._note(silence)
            if self._failures >= MAX_UNANSWERED:
                raise
        except ModemTrouble as trouble:
            await self._pause(trouble)

    async def _set_up(self, talk: Conversation, taker: Taker, key: PinEntry) -> None:
        identity = await identify(talk)
        self._change(maker=identity.maker, model=identity.model, firmware=identity.firmware, imei=identity.imei)
        try:
            await key.unlock(talk, identity)
        except OSError as error:
            raise spool_trouble(self._spool, error) from error
        storages = await choose_storages(talk, identity)
        self._origin = Origin(self._line, self._device, identity.imei, storages.cards)
        taker.begin(storages.chosen)

    async def _read(self, talk: Conversation, taker: Taker) -> None:
        """Take all texts that are there and that come, until the modem turns out to have lost its settings."""
        sweeps = 0
        while not talk.was_reset:
            is_done = await taker.sweep(talk, self._origin)
            if sweeps == 0:
                self._change(number=await ask_number(talk))
            if sweeps % SWEEPS_PER_REPORT == 0:
                await self._report(talk, None if is_done else NOT_DELETED)
            sweeps += 1
            self._failures = 0 if is_done else self._failures + 1
            await self._follow(talk, taker, SWEEP_SECONDS if is_done else self._backoff("starting"))

    async def _follow(self, talk: Conversation, taker: Taker, seconds: float) -> None:
        """Take what is announced until a sweep is due."""
        for _ in range(FETCHES_PER_SWEEP):
            if not await talk.is_news_within(seconds):
                return
            await taker.take_forwarded(self._origin)
            if not await taker.fetch(talk, self._origin):
                return

    async def _report(self, talk: Conversation, error: str | None) -> None:
        vitals = await ask_vitals(talk)
        is_registered = vitals.registration is None or vitals.registration in REGISTERED
        self._change(last_contact_at=self._now(), **vitals._asdict())
        if is_registered:
            self._become("ready", error)
        else:
            self._become("not_registered", NOT_REGISTERED)

    async def _pause(self, trouble: ModemTrouble) -> None:
        """Publish a trouble and wait, longer each time."""
        self._failures += 1
        self._note(trouble)
        await self._sleep(self._backoff(trouble.state))

    def _backoff(self, state: str) -> float:
        return min(2.0 ** min(self._failures - 1, 5), BACKOFF_SECONDS.get(state, MAX_BACKOFF_SECONDS))

    def _note(self, trouble: ModemTrouble) -> None:
        self._become(trouble.state, str(trouble))

    def _become(self, state: str, error: str | None) -> None:
        """Publish how the modem is now, and log it if that is news: someone may be watching it go and come back."""
        if (state, error) != (self._health.state, self._health.error):
            level = logging.WARNING if error else logging.INFO
            log.log(level, "%s: %s", self._line, error or f"the modem at {self._device} is {state}")
        self._change(state=state, error=error)
        self._publish()

    def _change(self, **facts: object) -> None:
        self._health = msgspec.structs.replace(self._health, **facts)

    def _publish(self) -> None:
        """Write the health down; that this fails is no reason to stop reading."""
        self._change(updated_at=self._now())
        with contextlib.suppress(OSError):
            write_health(self._spool, self._health)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._now_ns() / 1e9, UTC)
