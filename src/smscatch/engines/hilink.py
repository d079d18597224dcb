"""The engine `hilink`: takes the texts that a HiLink stick or router shows on its web page into the spool.

A stick joins long texts itself, and shows them before they are whole: one is taken when it has not changed for a time.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, Never, TypeVar

import msgspec

from smscatch.engines.hilinkweb import SIM_STATES, HilinkWeb, ShownText, health_of
from smscatch.engines.keeper import ForeignTaker, ForeignText, ModemClaim
from smscatch.engines.retrying import RetryPause, keep_reading
from smscatch.modem.journal import Slot, TakenText
from smscatch.modem.publishing import NOT_DELETED, NOT_REGISTERED, HealthPublisher
from smscatch.modem.vitals import REGISTERED
from smscatch.modem.waiting import Sleep
from smscatch.sources.hilink import KIND, StickText

POLL_SECONDS = 5.0
# For so long a text must be the same, in two lists at least.
SETTLE_SECONDS = 10.0
POLLS_PER_REPORT = 6
SIM_SENTENCES = {
    "no_sim": "The stick finds no SIM, or cannot read it: put one in, and plug the stick in again.",
    "pin_needed": "The SIM asks for its PIN, and with this engine we enter none: enter it on the stick's page.",
    "puk": "The SIM is locked and asks for its PUK: put it into a phone.",
}
FULL = "The stick's memory is full, so no text can come in: delete drafts and sent texts on its page."
ON_SIM = (
    "{count} texts lie on the SIM, which this engine does not read: have the stick save texts in its own memory (the"
    " settings of SMS on its page)."
)

T = TypeVar("T")


class HilinkSettings(NamedTuple):
    """Where the stick is, the password of its page if that has one, and the IANA name of its zone if that is known."""

    url: str
    password: str | None = None
    zone: str = ""


async def run_hilink(
    line: str,
    settings: HilinkSettings,
    spool: Path,
    *,
    now_ns: Callable[[], int] = time.time_ns,
    now: Callable[[], float] = time.monotonic,
    sleep: Sleep = asyncio.sleep,
) -> Never:
    """Put every text that a HiLink stick shows into `spool`, until cancelled.

    Trouble never ends it: it is published as the line's health, and tried again. `now_ns` is the clock of times, `now`
    that of intervals, and `sleep` waits on the latter.
    """
    board = HealthPublisher(spool, line, settings.url, now_ns)
    reader = _StickReader(settings, spool, board, now=now, sleep=sleep)
    await keep_reading(lambda: reader.converse(now_ns), board, reader.backoff, sleep)


class Settling:
    """Which texts have stayed the same for SETTLE_SECONDS; `now` is a clock that only goes on, in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._seen: dict[ShownText, float] = {}

    def settled(self, listed: list[ShownText]) -> list[ShownText]:
        """Return those of a list that have stayed the same."""
        now = self._now()
        ready = [text for text in listed if text in self._seen and now - self._seen[text] >= SETTLE_SECONDS]
        self._seen = {text: self._seen.get(text, now) for text in listed}
        return ready


class _StickReader:
    def __init__(
        self,
        settings: HilinkSettings,
        spool: Path,
        board: HealthPublisher,
        *,
        now: Callable[[], float],
        sleep: Sleep,
    ) -> None:
        self._settings, self._spool, self._board, self._sleep = settings, spool, board, sleep
        self._settling = Settling(now)
        self._taker: ForeignTaker | None = None
        self._claim = ModemClaim(spool)
        self._card = ""
        self.backoff = RetryPause()

    async def converse(self, now_ns: Callable[[], int]) -> Never:
        """Take texts until the stick cannot be asked. Raises ModemTrouble."""
        self._taker = self._taker or ForeignTaker(self._spool, self._board.health.line, KIND, now_ns)
        self._claim.hold(self._settings.url)
        web: HilinkWeb | None = None
        try:
            web = await _in_thread(partial(HilinkWeb, self._settings.url, self._settings.password))
            await self._read(web, self._taker)
        finally:
            if web is not None:
                await _in_thread(web.close)
            self._claim.release()
        raise AssertionError("reading has no end")

    async def _read(self, web: HilinkWeb, taker: ForeignTaker) -> Never:
        identity = await _in_thread(web.identity)
        # What a stick told us once, it may keep for itself later: a text must not change its card by that.
        self._card = identity.get("Imsi") or self._card or identity.get("Imei") or self._settings.url
        polls = 0
        while True:
            is_done = await self._poll(web, taker)
            if polls % POLLS_PER_REPORT == 0 or not is_done:
                self._report(identity, await _in_thread(web.vitals), is_done=is_done)
            self.backoff.succeeded()
            polls += 1
            await self._sleep(POLL_SECONDS)

    async def _poll(self, web: HilinkWeb, taker: ForeignTaker) -> bool:
        """Take what has settled; return False if some of it could not be deleted."""
        listed = await _in_thread(web.texts)
        ready = {self._foreign(text): text for text in self._settling.settled(listed)}
        waiting = {self._foreign(text).slot for text in listed} - {text.slot for text in ready}

        async def delete(text: ForeignText) -> bool:
            return await _in_thread(partial(web.delete, text.slot.place))

        def body(text: ForeignText, taken: TakenText) -> bytes:
            return self._body(ready[text], taken)

        return await taker.take(self._card, list(ready), body, delete, waiting=waiting)

    def _foreign(self, text: ShownText) -> ForeignText:
        return ForeignText(Slot(self._card, KIND, text.number), repr(tuple(text[1:])))

    def _body(self, text: ShownText, taken: TakenText) -> bytes:
        return msgspec.json.encode(
            StickText(
                line=self._board.health.line,
                time_ns=taken.time_ns,
                number=text.phone,
                text=text.content,
                date=text.date,
                zone=self._settings.zone,
                sms_type=text.kind,
            )
        )

    def _report(self, identity: dict[str, str], vitals: dict[str, str], *, is_done: bool) -> None:
        facts = health_of(identity, vitals)
        self._board.change(last_contact_at=self._board.now(), **facts)
        state, trouble = _judge(facts, vitals)
        on_sim = vitals.get("SimInbox", "0")
        told = (trouble, None if is_done else NOT_DELETED, None if on_sim == "0" else ON_SIM.format(count=on_sim))
        self._board.become(state, " ".join(filter(None, told)) or None)


def _judge(facts: dict[str, object], vitals: dict[str, str]) -> tuple[str, str | None]:
    """Return the state of a stick that can be read, and what to do about it."""
    if sim := SIM_STATES.get(vitals.get("SimState", "")):
        return sim, SIM_SENTENCES[sim]
    if facts["registration"] not in (None, *REGISTERED):
        return "not_registered", NOT_REGISTERED
    used, size = facts["storage_used"], facts["storage_size"]
    if isinstance(used, int) and isinstance(size, int) and 0 < size <= used:
        return "storage_full", FULL
    return "ready", None


async def _in_thread(call: Callable[[], T]) -> T:
    """Return what a call returns that blocks; when cancelled it is waited for, as its session is in use."""
    calling = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(calling)
    except asyncio.CancelledError:
        await asyncio.wait((calling,))
        raise
