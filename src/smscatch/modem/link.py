"""The link of one line: keeps a conversation with its modem going, for ever, and hands every text to the spool.

What is asked is in startup.py and vitals.py, how a text is taken exactly once in taking.py. No store, no network.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Never

from smscatch.errors import BadSetting
from smscatch.modem import startup
from smscatch.modem.at import Conversation
from smscatch.modem.journal import PinMarks
from smscatch.modem.pace import Throttle
from smscatch.modem.ports import LinePort, PortSettings
from smscatch.modem.publishing import NOT_DELETED, NOT_REGISTERED, HealthPublisher
from smscatch.modem.said import News
from smscatch.modem.selftest import NO_SELF_TEST, SelfTest, SelfTestSettings
from smscatch.modem.sim import PinEntry, trouble_of_refusal
from smscatch.modem.speeds import Speeds
from smscatch.modem.taking import Origin, Taker, spool_trouble
from smscatch.modem.trouble import ModemTrouble, NoAnswer, OtherModems, PortMissing, Refused, Silent, SimTrouble
from smscatch.modem.vitals import Vitals, ask_number, ask_smsc, ask_vitals
from smscatch.modem.waiting import Sleep

# Announcements get lost: this often everything is looked through.
SWEEP_SECONDS = 10.0
SWEEPS_PER_REPORT = 3
# After this many announced texts too, under traffic that never pauses.
FETCHES_PER_SWEEP = 20
# A command that stays without its answer this often in a row, though the modem answers others: open the port anew.
MAX_UNANSWERED = 3
MAX_BACKOFF_SECONDS = 30.0
# Where a modem can be well again at any moment, and looking costs little, we look more often.
BACKOFF_SECONDS = {
    "silent": 4.0,
    "not_at": 8.0,
    "port_missing": 1.0,
    "no_sim": 5.0,
    "sim_busy": 3.0,
    "starting": 8.0,
    "spool_full": 10.0,
}
# A search asks some commands of modems that are not ours, and has their ports for that time.
OTHERS_BACKOFF_SECONDS = 10.0
# How many reports go by until a text that the modem could not store is no longer mentioned: half an hour.
REPORTS_OF_LOSS = 60

LOST = (
    "The modem announced a text that it could not store, so it is lost: its storage was full, or it drops some kinds."
)
DEAF = (
    "The modem says that it is registered, but it has no signal and no operator, and no text came since the start:"
    " check the antenna, pull the modem out and plug it in, and try the SIM in a phone."
)
FULL = (
    "The storage {storage} is full with {count} drafts and sent texts that are not ours to delete, so no text can come"
    " in: delete them in a phone, or with AT+CMGD=1,3 in a terminal."
)

log = logging.getLogger(__name__)


async def run_link(  # noqa: PLR0913 - what a line is, what it may do, and the clock
    line: str,
    device: Path | str | PortSettings,
    spool: Path,
    *,
    pin: str | None = None,
    self_test: SelfTestSettings = NO_SELF_TEST,
    now_ns: Callable[[], int] = time.time_ns,
    sleep: Sleep = asyncio.sleep,
) -> Never:
    """Read the modem at `device` for `line` and put every text into `spool`, until cancelled.

    `line` is our number, or a name while that is unknown. `device` is one of devices.DEVICE_FORM, or that
    with its speed. Trouble never ends it: it is published as the line's health, see health.py, and tried again.
    `now_ns` and `sleep` are the clock. Raises BadSetting for a PIN or device that is none.
    """
    if pin is not None and not (pin.isascii() and pin.isdecimal() and 4 <= len(pin) <= 8):
        raise BadSetting("pin = the value given is not accepted. Accepted: 4 to 8 digits.")
    settings = device if isinstance(device, PortSettings) else PortSettings(str(device))
    port = LinePort(settings, Speeds(spool, line, settings.baud), sleep)
    test = SelfTest(self_test, spool, line, lambda: now_ns() / 1e9)
    await _Link(line, port, spool, pin=pin, test=test, now_ns=now_ns, sleep=sleep).run()


class _Link:
    def __init__(  # noqa: PLR0913 - the same
        self,
        line: str,
        port: LinePort,
        spool: Path,
        *,
        pin: str | None,
        test: SelfTest,
        now_ns: Callable[[], int],
        sleep: Sleep,
    ) -> None:
        self._line, self._port, self._spool, self._device = line, port, spool, port.device
        self._pin = pin
        self._test = test
        self._now_ns = now_ns
        self._sleep = sleep
        self._limits: dict[str, float] = {}
        self._pace = Throttle(sleep)
        self._imei = ""
        self._identity: startup.Identity | None = None
        self._reports_of_loss = 0
        self._news = News()
        self._kept: tuple[Taker, PinEntry] | None = None
        self._origin = Origin(line, port.device, "", {})
        self._failures = 0
        self._board = HealthPublisher(spool, line, port.device, now_ns)

    async def run(self) -> Never:
        self._board.publish()
        while True:
            try:
                await self._converse()
            except Silent as silence:
                await self._pause(await self._port.explain(silence))
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
                    Taker(self._spool, self._line, self._news, self._now_ns, is_own=self._test.is_own),
                    PinEntry(self._pin, PinMarks(self._spool, self._line)),
                )
            except OSError as error:
                raise spool_trouble(self._spool, error) from error
        return self._kept

    async def _converse(self) -> Never:
        """Open the port and read until it cannot go on."""
        taker, key = self._open_spool()
        self._news.announced.clear()
        taker.unacknowledged = 0  # the network has waited for these in vain
        self._imei, self._identity = "", None
        port = await self._port.open()
        self._device = port.device
        self._board.change(device=port.device)
        talk = Conversation(
            port,
            self._news,
            sleep=self._sleep,
            limits=self._limits,
            pace=self._pace,
            speeds=self._port.others(),
        )
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
            reading = await self._set_up(talk, taker, key)
            await self._read(talk, taker, reading)
        except (PortMissing, Silent):
            raise
        except NoAnswer as silence:
            await talk.resynchronise()
            self._failures += 1
            self._note(silence)
            if self._failures >= MAX_UNANSWERED:
                raise
        except Refused as refusal:
            await self._pause(trouble_of_refusal(refusal) or refusal)
        except ModemTrouble as trouble:
            await self._pause(trouble)

    async def _set_up(self, talk: Conversation, taker: Taker, key: PinEntry) -> startup.Reception:
        await startup.begin(talk)
        with contextlib.suppress(OSError):  # what is not remembered is found again
            self._port.answered(talk.speed)
        self._imei = self._imei or await startup.ask_imei(talk)
        try:
            await startup.open_sim(talk, key, self._imei)
        except SimTrouble:
            await self._introduce(talk)
            raise
        except OSError as error:
            raise spool_trouble(self._spool, error) from error
        reading = await startup.prepare(talk, self._imei)
        self._origin = Origin(self._line, self._device, self._imei, reading.storages.cards)
        taker.begin(reading.storages)
        return reading

    async def _introduce(self, talk: Conversation) -> None:
        """Learn whom we talk to, once for each conversation."""
        if self._identity is None:
            self._identity = found = await startup.ask_identity(talk)
            self._board.change(maker=found.maker, model=found.model, firmware=found.firmware, imei=self._imei)
        await startup.silence_chatter(talk, self._identity.dialect)

    async def _read(self, talk: Conversation, taker: Taker, reading: startup.Reception) -> None:
        """Take all texts that are there and that come, until the modem turns out to have lost its settings."""
        sweeps = 0
        while not talk.was_reset:
            is_done = await taker.sweep(talk, self._origin)
            if sweeps == 0:
                if talk.mutes and is_done and self._board.health.state == "starting":
                    self._board.become("ready", None)  # what comes now may take long, and texts do not depend on it
                await self._introduce(talk)
                await startup.switch_radio_on(talk)
                self._board.change(number=await ask_number(talk), smsc=await ask_smsc(talk))
            elif taker.is_unannounced and reading.form:  # forgotten, though the modem did not restart
                await startup.announce(talk, (reading.form, *startup.ANNOUNCE))
            is_news = bool(self._news.lost or (self._board.health.state == "deaf" and taker.count))
            if sweeps % SWEEPS_PER_REPORT == 0 or is_news:
                await self._report(talk, taker, None if is_done else NOT_DELETED)
            reading = await self._look(talk, reading)
            sweeps += 1
            self._failures = self._failures if is_done else self._failures + 1
            await self._follow(talk, taker, SWEEP_SECONDS if is_done else self._backoff("starting"))
            self._failures = 0 if is_done else self._failures
        await self._rest()

    async def _look(self, talk: Conversation, reading: startup.Reception) -> startup.Reception:
        """Go on with the self-test, if there is one."""
        try:
            form = await self._test.look(talk, self._board.health.state, reading.form, self._board.health.number)
        except OSError as error:  # what it costs cannot be noted, so it is not sent
            raise spool_trouble(self._spool, error) from error
        return reading._replace(form=form)

    async def _rest(self) -> None:
        """Pause before another set-up, but for the first one after a time in which all was well."""
        self._failures += 1
        if self._failures > 1:
            await self._wait(self._backoff("starting"))

    async def _follow(self, talk: Conversation, taker: Taker, seconds: float) -> None:
        """Take what is announced or handed over until a sweep is due."""
        for _ in range(FETCHES_PER_SWEEP):
            if not await talk.is_news_within(seconds):
                return
            await taker.take_forwarded(self._origin)
            await startup.acknowledge(talk, taker.unacknowledged)
            taker.unacknowledged = 0
            if not await taker.fetch(talk, self._origin):
                return

    async def _report(self, talk: Conversation, taker: Taker, error: str | None) -> None:
        vitals = await ask_vitals(talk)
        facts = vitals._asdict()
        del facts["is_deaf"]
        self._board.change(last_contact_at=self._board.now(), **facts)
        state, trouble = self._judge(vitals, taker)
        self._board.become(
            state,
            " ".join(
                filter(None, (trouble, error, self._loss(), self._test.sentence, *taker.reader.complaints.values()))
            )
            or None,
        )

    def _judge(self, vitals: Vitals, taker: Taker) -> tuple[str, str | None]:
        """Return the state of a modem that can be read, and what to do about it."""
        if not vitals.is_registered:
            return "not_registered", NOT_REGISTERED
        if full := taker.reader.full_of_own():
            return "storage_full", FULL.format(storage=full, count=taker.reader.own[full])
        if vitals.is_deaf and not taker.count:
            return "deaf", DEAF
        return "ready", None

    def _loss(self) -> str | None:
        """Return that a text was lost, for some time after it."""
        if self._news.lost:
            self._news.lost, self._reports_of_loss = 0, REPORTS_OF_LOSS
        self._reports_of_loss = max(0, self._reports_of_loss - 1)
        return LOST if self._reports_of_loss else None

    async def _pause(self, trouble: ModemTrouble) -> None:
        """Publish a trouble and wait, longer each time."""
        self._failures += 1
        self._note(trouble)
        longest = OTHERS_BACKOFF_SECONDS if isinstance(trouble, OtherModems) else None
        await self._wait(self._backoff(trouble.state, longest))

    async def _wait(self, seconds: float) -> None:
        await self._sleep(seconds)
        self._pace.earn(seconds)

    def _backoff(self, state: str, longest: float | None = None) -> float:
        longest = longest or BACKOFF_SECONDS.get(state, MAX_BACKOFF_SECONDS)
        return min(2.0 ** min(self._failures - 1, 5), longest)

    def _note(self, trouble: ModemTrouble) -> None:
        self._board.become(trouble.state, str(trouble))
