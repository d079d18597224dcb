"""The engine `hilink` with the real client library, on a stick of ours."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from smscatch.engines.hilink import SETTLE_SECONDS, HilinkSettings, Settling, run_hilink
from smscatch.engines.hilinkweb import ShownText
from smscatch.modem.health import Health, read_health
from tests.carrier import eventually
from tests.modem.links import LINE, hurried
from tests.modem.readers import hurried_now, messages_in
from tests.modem.stick import Stick


@pytest.fixture
def stick() -> Iterator[Stick]:
    with Stick() as running:
        yield running


class StickEngine:
    def __init__(self, spool: Path) -> None:
        self.spool = spool

    def texts(self) -> list[str]:
        return [message.text for message in messages_in(self.spool)]

    async def until(self, state: str, said: str = "") -> Health:
        def is_so() -> bool:
            health = read_health(self.spool).get(LINE)
            return health is not None and health.state == state and said in (health.error or "")

        await eventually(is_so, f"{state} {said}")
        return read_health(self.spool)[LINE]


@contextlib.asynccontextmanager
async def running_engine(
    folder: Path, url: str, password: str | None = None, zone: str = ""
) -> AsyncGenerator[StickEngine]:
    spool = folder / "spool"
    settings = HilinkSettings(url, password, zone)
    task = asyncio.create_task(run_hilink(LINE, settings, spool, now=hurried_now, sleep=hurried))
    try:
        yield StickEngine(spool)
    finally:
        assert not task.done()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_texts_are_spooled_and_then_deleted_over_all_pages_of_the_list(stick: Stick, tmp_path: Path) -> None:
    texts = [f"code {number:04} 😀" for number in range(60)]
    for text in texts:
        stick.deliver(text)
    async with running_engine(tmp_path, stick.url, zone="Asia/Shanghai") as engine:
        await eventually(lambda: not stick.texts, "the stick is empty")
        health = await engine.until("ready")
    assert engine.texts() == texts
    assert {message.sent_at.isoformat() for message in messages_in(engine.spool) if message.sent_at} == {
        "2026-11-28T12:00:00+00:00"
    }
    assert (health.signal_dbm, health.signal_percent, health.operator) == (-71, 80, "Test Net")
    assert (health.imei, health.model, health.storage_size) == ("490154203237518", "E3372", 500)


async def test_a_session_that_ends_and_a_token_that_is_used_up_are_renewed(stick: Stick, tmp_path: Path) -> None:
    stick.password = "secret"
    stick.deliver("one")
    async with running_engine(tmp_path, stick.url, "secret") as engine:
        await eventually(lambda: engine.texts() == ["one"], "the first text")
        stick.end_session()
        stick.deliver("two")
        await eventually(lambda: engine.texts() == ["one", "two"], "the second text")
        await engine.until("ready")
    assert stick.asked[-1] == "user/logout"


@pytest.mark.parametrize(("password", "said"), [(None, "set `password`"), ("wrong", "again in an hour")])
async def test_a_login_that_is_missing_or_wrong_is_said_and_a_wrong_one_tried_once(
    stick: Stick, tmp_path: Path, password: str | None, said: str
) -> None:
    stick.password = "secret"
    stick.deliver("one")
    async with running_engine(tmp_path, stick.url, password) as engine:
        first = (await engine.until("login_needed", said)).updated_at
        await eventually(lambda: read_health(engine.spool)[LINE].updated_at > first, "it says so again")
    assert stick.asked.count("user/login") == (1 if password else 0)
    assert "secret" not in said
    assert next(iter(stick.texts.values()))["Content"] == "one"


async def test_while_another_session_holds_the_stick_it_is_left_alone(stick: Stick, tmp_path: Path) -> None:
    stick.is_held = True
    async with running_engine(tmp_path, stick.url) as engine:
        first = (await engine.until("port_busy", "Another session")).updated_at
        asked = len(stick.asked)
        await eventually(lambda: read_health(engine.spool)[LINE].updated_at > first, "half a minute has gone by")
        assert len(stick.asked) == asked
        stick.is_held = False
        stick.deliver("one")
        await eventually(lambda: engine.texts() == ["one"], "the text")


async def test_a_text_whose_deletion_is_only_claimed_is_delivered_once(stick: Stick, tmp_path: Path) -> None:
    stick.keeps_deleted = True
    stick.deliver("one")
    async with running_engine(tmp_path, stick.url) as engine:
        await eventually(lambda: stick.asked.count("sms/delete-sms") >= 3, "it tries again")
    async with running_engine(tmp_path, stick.url) as engine:
        await eventually(lambda: stick.asked.count("sms/delete-sms") >= 4, "it tries again")
        stick.keeps_deleted = False
        await eventually(lambda: not stick.texts, "the stick is empty")
    assert engine.texts() == ["one"]


@pytest.mark.parametrize(
    ("page", "facts", "state", "said"),
    [
        ("pin/status", {"SimState": "255"}, "no_sim", "finds no SIM"),
        ("pin/status", {"SimState": "260"}, "pin_needed", "we enter none"),
        ("pin/status", {"SimState": "261"}, "puk", "PUK"),
        ("monitoring/status", {"ServiceStatus": "0"}, "not_registered", "no network"),
    ],
)
async def test_what_keeps_texts_away_is_said(
    stick: Stick, tmp_path: Path, *, page: str, facts: dict[str, str], state: str, said: str
) -> None:
    stick.facts[page] = facts
    stick.counted["SimInbox"] = "3"
    async with running_engine(tmp_path, stick.url) as engine:
        health = await engine.until(state, said)
    assert "3 texts lie on the SIM" in (health.error or "")


async def test_a_full_memory_and_what_is_no_stick_are_said(stick: Stick, tmp_path: Path) -> None:
    stick.counted |= {"LocalMax": "10", "LocalDraft": "10"}
    async with running_engine(tmp_path, stick.url) as engine:
        await engine.until("storage_full", "delete drafts")
        stick.error = 100004
        await engine.until("starting", "System busy")
        stick.is_foreign = True
        await engine.until("not_at", "no HiLink stick")


async def test_a_stick_that_is_not_there_is_said(tmp_path: Path) -> None:
    with Stick() as gone:
        url = gone.url
    async with running_engine(tmp_path, url) as engine:
        await engine.until("port_missing", url)


def a_text(content: str) -> ShownText:
    return ShownText(1, "Authy", content, "", "", "2")


def test_a_text_is_taken_when_two_lists_had_it_equal_ten_seconds_apart() -> None:
    seconds = [0.0]
    settling = Settling(lambda: seconds[0])
    assert settling.settled([a_text("half")]) == []
    seconds[0] += SETTLE_SECONDS
    assert settling.settled([a_text("half and half")]) == []
    seconds[0] += SETTLE_SECONDS - 1
    assert settling.settled([a_text("half and half")]) == []
    seconds[0] += 1
    assert settling.settled([a_text("half and half")]) == [a_text("half and half")]
