"""Exactly once: a link that dies at any step of a text, and the next one that takes over, deliver it once."""

import asyncio
import contextlib
import errno
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smscatch.modem import at, journal, taking
from smscatch.modem.journal import Journal, Slot, TakenText
from smscatch.modem.link import run_link
from smscatch.modem.said import News
from smscatch.modem.taking import Origin, Taker
from smscatch.modem.trouble import SpoolTrouble
from smscatch.simulator import SimulatedModem
from smscatch.spool import write_entry
from tests.modem.conftest import MakeModem
from tests.modem.links import LINE, Link, hurried, raise_once, running_link
from tests.patience import PATIENCE_SECONDS

SLOT = Slot("001010123456789", "SM", 3)


class Killed(BaseException):
    """What ends a link as a kill would: it is caught by nobody."""


def dying(step: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """Return `step`, but the process dies before or after its work is done, for once and all."""

    def function(*arguments: Any, **named: Any) -> Any:
        if after:
            step(*arguments, **named)
        raise Killed

    return function


def dying_at_deletion(*, after: bool) -> Callable[..., Any]:
    ask = at.Conversation.ask

    async def function(self: at.Conversation, command: str, seconds: float = 5.0) -> list[str]:
        if command.startswith("AT+CMGD"):
            if after:
                await ask(self, command, seconds)
            raise Killed
        return await ask(self, command, seconds)

    return function


STEPS = {
    "journal": (Journal, "open", dying(Journal.open, after=False)),
    "spool": (taking, "write_entry", dying(lambda *_: None, after=False)),
    "spooled": (taking, "write_entry", dying(write_entry, after=True)),
    "delete": (at.Conversation, "ask", dying_at_deletion(after=False)),
    "deleted": (at.Conversation, "ask", dying_at_deletion(after=True)),
    "confirmed": (Journal, "close", dying(Journal.close, after=True)),
    "confirm": (Journal, "close", dying(Journal.close, after=False)),
    "journalled": (Journal, "open", dying(Journal.open, after=True)),
}


async def run_until_killed(modem: SimulatedModem, spool: Path) -> None:
    with contextlib.suppress(Killed):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await run_link(LINE, modem.device, spool, sleep=hurried)


@pytest.mark.parametrize("drained", [False, True])
@pytest.mark.parametrize("step", STEPS)
async def test_a_text_is_delivered_once_wherever_the_link_dies(
    a_modem: MakeModem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, step: str, drained: bool
) -> None:
    modem, spool = await a_modem(), tmp_path / "spool"
    target, name, function = STEPS[step]
    await modem.do("deliver", sender="Authy", text="code 1234")
    with monkeypatch.context() as patch:
        patch.setattr(target, name, function)
        await run_until_killed(modem, spool)
        if (await modem.do("status"))["used"]:
            await run_until_killed(modem, spool)  # once more at the same step
    seen = Link(spool).names()
    if drained:  # the server has taken what was there
        for path in spool.glob("*.sms"):
            path.unlink()
    async with running_link(modem, spool) as link:
        await modem.do("wait", until="empty")
        await link.until("ready")
    assert len({*seen, *link.names()}) == 1


async def test_a_text_that_was_handed_over_is_spooled_once_though_the_link_is_stopped_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    news, is_writing, may_end = News(), threading.Event(), threading.Event()
    taker, origin = Taker(tmp_path, LINE, news, iter(range(10**9, 10**10)).__next__), Origin(LINE, "tty", "", {})
    news.forwarded.append("00")

    def slow(*arguments: Any) -> None:
        is_writing.set()
        may_end.wait(PATIENCE_SECONDS)
        write_entry(*arguments)

    monkeypatch.setattr(taking, "write_entry", slow)
    taking_it = asyncio.create_task(taker.take_forwarded(origin))
    await asyncio.to_thread(is_writing.wait, PATIENCE_SECONDS)
    taking_it.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    waits_for_the_write = not taking_it.done()  # or two would write one file at once
    may_end.set()
    await asyncio.gather(taking_it, return_exceptions=True)
    assert waits_for_the_write
    await taker.take_forwarded(origin)
    assert taker.unacknowledged == taker.count == 1
    assert len(Link(tmp_path).names()) == 1


async def test_a_text_that_was_handed_over_is_acknowledged_though_the_next_could_not_be_spooled_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    news, full = News(), OSError(errno.ENOSPC, "No space left on device")
    taker, origin = Taker(tmp_path, LINE, news, iter(range(10**9, 10**10)).__next__), Origin(LINE, "tty", "", {})
    news.forwarded += ["00", "01"]
    tries = iter((write_entry, raise_once(full, write_entry), write_entry))

    def write(*arguments: Any) -> None:
        next(tries)(*arguments)

    monkeypatch.setattr(taking, "write_entry", write)
    with pytest.raises(SpoolTrouble):
        await taker.take_forwarded(origin)
    assert (taker.unacknowledged, news.forwarded) == (1, ["01"])
    await taker.take_forwarded(origin)
    assert (taker.unacknowledged, Link(tmp_path).pdus()) == (2, ["00", "01"])


@pytest.mark.parametrize("step", ["deleted", "confirm"])
async def test_another_text_in_the_slot_is_a_new_message_even_if_the_deletion_was_not_noticed(
    a_modem: MakeModem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    modem, spool = await a_modem(), tmp_path / "spool"
    target, name, function = STEPS[step]
    await modem.do("deliver", sender="Authy", text="code 1")
    with monkeypatch.context() as patch:
        patch.setattr(target, name, function)
        await run_until_killed(modem, spool)
    await modem.do("deliver", sender="Authy", text="code 2")
    async with running_link(modem, spool) as link:
        await modem.do("wait", until="empty")
    assert link.texts() == ["code 1", "code 2"]


async def test_another_sim_in_the_modem_has_slots_of_its_own(a_modem: MakeModem, tmp_path: Path) -> None:
    """The same bytes in the same slot of two SIMs are two messages, though the first was never deleted."""
    first, second = await a_modem(imsi="001010000000001"), await a_modem(imsi="001010000000002")
    spool = tmp_path / "spool"
    for modem in (first, second):
        await modem.do("set", failing_deletes=10**6)
        await modem.do("deliver", sender="Authy", text="code 1", sent_at="2026-11-22T12:00:00Z")
    for modem in (first, second, first, second):
        async with running_link(modem, spool) as link:
            since = (await modem.do("status"))["commands"]
            await modem.do("wait", until="command", command="AT+CMGD", since=since)
            await modem.do("wait", until="command", command="AT+CMGD")
    assert len(link.names()) == 2


def test_the_journal_remembers_what_is_open_over_a_restart(tmp_path: Path) -> None:
    taken = Journal(tmp_path, LINE)
    delivery = taken.name("00", SLOT, 1000)
    other = taken.name("00", SLOT._replace(place=4), 1000)
    taken.open([(SLOT, delivery), (SLOT._replace(place=4), other)])
    taken.close([SLOT._replace(place=4)])
    again = Journal(tmp_path, LINE)
    assert again.find(SLOT) == delivery
    assert again.slots(SLOT.card, "SM") == [SLOT]
    assert Journal(tmp_path, "another line").find(SLOT) is None


def test_names_sort_in_the_order_of_reading_even_if_the_clock_stands_or_is_set_back(tmp_path: Path) -> None:
    names = [Journal(tmp_path, LINE).name("00", SLOT, 10**9).name]
    taken = Journal(tmp_path, LINE)
    names = [taken.name("00", SLOT, now).name for now in (10**9, 10**9, 10**9 - 5)]
    assert names == sorted(set(names))
    taken.open([(SLOT, TakenText("x", names[-1]))])
    assert Journal(tmp_path, LINE).name("00", SLOT, 10**9).name > names[-1]


def test_a_clock_that_was_far_ahead_does_not_keep_names_there(tmp_path: Path) -> None:
    taken = Journal(tmp_path, LINE)
    taken.name("00", SLOT, 10**18)
    assert taken.name("00", SLOT, 10**9).time_ns == 10**9


@pytest.mark.parametrize("tail", [b'["+", "card', b"\0" * 100, b"\xff\xfe\n", b"[]\n{}\n3\n", b'["+",1,2,3,4,5]\n'])
def test_what_a_power_cut_leaves_at_the_end_of_the_journal_is_passed_over(tmp_path: Path, tail: bytes) -> None:
    taken = Journal(tmp_path, LINE)
    delivery = taken.name("00", SLOT, 1000)
    taken.open([(SLOT, delivery)])
    with (tmp_path / "journal" / f"{LINE}.log").open("ab") as file:
        file.write(tail)
    taken.open([(SLOT._replace(place=9), delivery)])
    again = Journal(tmp_path, LINE)
    assert (again.find(SLOT), again.find(SLOT._replace(place=9))) == (delivery, delivery)


def test_the_journal_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_RECORDS", 20)
    taken = Journal(tmp_path, LINE)
    for number in range(200):
        slot = SLOT._replace(place=number % 7)
        taken.open([(slot, taken.name(str(number), slot, number))])
        taken.close([slot])
    assert (tmp_path / "journal" / f"{LINE}.log").stat().st_size < 20 * 250
    assert Journal(tmp_path, LINE).slots(SLOT.card, "SM") == []


def test_any_line_has_a_file_of_its_own(tmp_path: Path) -> None:
    lines = ["..", ".", "a/b", "a%2Fb", "", "+447700900123", "ü" * 20]
    assert len({journal.file_name(line) for line in lines}) == len(lines)
    for line in lines:
        Journal(tmp_path, line)
    assert [path.name for path in tmp_path.iterdir()] == ["journal"]
