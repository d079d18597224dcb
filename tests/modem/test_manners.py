"""Modems with manners of their own: texts come through, once, and the state is true."""

import asyncio
from pathlib import Path

import pytest

from smscatch.modem.health import Health
from smscatch.modem.pace import BURST, PER_SECOND
from smscatch.simulator import SimulatedModem
from smscatch.simulator.manners import MANNERS
from tests.carrier import eventually
from tests.modem.conftest import MakeModem
from tests.modem.links import CountedClock, Link, commands, running_link

COMBINATIONS = [
    "keeps_echo boot_lines no_final cpms_of_three",
    "only_numeric keeps_echo mute_options long_news",
    "quiet numeric single_commands nul ucs2",
    "no_list bad_record cmgd_of_two mute_options",
    "hidden forgets_news boot_lines no_imsi",
    "no_store noisy_forward keeps_echo boot_lines mute_options",
    "endless_list no_final only_first_storage no_cmgf",
    "lone_cr split keeps_echo unasked more_fields",
    "parity numeric wide from_one",
    "wants_lf plain cme_words empty_is_zero hidden",
    "no_cpms no_smsc lower_hex late_news",
    "counts_smsc wrapped word_status cnmi_of_two",
    "wrong_news last_storage compacts empty_is_ok hidden",
    "wrong_place no_fill no_list empty_is_error keeps_echo",
    "cnmi_hand_over late_delete only_numeric unasked",
    "no_cpms no_list",
    "no_store wants_lf plain",
    "parity keeps_echo boot_lines unasked",
]
# What a modem does for a while, or at each command, whatever its manners are.
CONDITIONS = [
    ("", {"pause_seconds": 0.02}),
    ("keeps_echo", {"pause_seconds": 0.02}),
    ("", {"sleep_seconds": 0.4}),
    ("", {"delay_seconds": 0.1}),
    ("", {"refused_commands": 40}),
    ("plain", {"busy_commands": 20}),
    ("", {"breaks_list": "reset"}),
    ("keeps_echo lone_lf", {"breaks_list": "reset"}),
]


LONG = "one code is 482913, and this goes on for as long as a line of some modems does"


async def texts_come_through(modem: SimulatedModem, spool: Path) -> Link:
    """Run a link: a text that is there before it, one after another, and two at once; each is taken once."""
    await modem.do("deliver", sender="Authy", text="1", sent_at="2026-11-22T12:00:01Z")
    async with running_link(modem, spool) as link:
        await link.until("ready")
        await modem.do("wait", until="empty")
        for number in (2, 3):
            await modem.do("deliver", sender="Authy", text=f"{number}", sent_at=f"2026-11-22T12:00:0{number}Z")
            await modem.do("wait", until="empty")
        for number in (4, 5):
            await modem.do("deliver", sender="Authy", text=f"{number}", sent_at=f"2026-11-22T12:00:0{number}Z")
        await modem.do("wait", until="empty")
        await eventually(lambda: len(link.names()) >= 5, "five texts")
        await link.until("ready")
    assert sorted(link.texts()) == ["1", "2", "3", "4", "5"]
    return link


@pytest.mark.parametrize(
    ("manners", "condition"), [*((manners, {}) for manners in (*MANNERS, *COMBINATIONS)), *CONDITIONS]
)
async def test_texts_come_through_whatever_manners_a_modem_has(
    a_modem: MakeModem, tmp_path: Path, manners: str, condition: dict[str, object]
) -> None:
    modem = await a_modem(memories=("SM", "ME"), manners=frozenset(manners.split()))
    await modem.do("set", **condition)
    link = await texts_come_through(modem, tmp_path / "spool")
    health = link.health
    assert health is not None
    assert_true(health, manners, is_sure=not condition)
    assert not await commands(modem, "AT+CFUN=1")  # never a reset


def assert_true(health: Health, manners: str, *, is_sure: bool) -> None:
    """What is said of the modem is what it said, or nothing: no boot line, echo or digits of another character set."""
    said = (health.maker, health.model, health.imei, health.number, health.operator)
    known = ("huawei", "E173", "490154203237518", "+447700900123", "Test PLMN 1-1")
    assert all(value in (wanted, "", None) for value, wanted in zip(said, known, strict=True)), said
    if is_sure and not {"mute_options", "plain", "no_imei"} & {*manners.split()}:
        assert said == known
    unreadable = {"bad_record": "slot 1", "only_first_storage": "ME", "late_delete": "deleted"}
    wanted = [words for manner, words in unreadable.items() if manner in manners.split()]
    assert bool(health.error) == bool(wanted), health.error
    assert all(words in (health.error or "") for words in wanted)


@pytest.mark.parametrize(
    ("manners", "condition"),
    [
        ("no_list keeps_echo boot_lines", {}),
        ("", {"silent": "AT+CMGL"}),
        ("", {"silent": "AT+CNMI"}),
        ("", {"silent": "AT+CPMS="}),
        ("", {"pin_word": "SIM BUSY"}),
        ("cpms_of_one cpms_of_two", {"failing_deletes": 10**6}),
        ("no_store", {"silent": "AT+CPIN"}),
        ("", {"hang": True}),
        ("", {"sim": False}),
    ],
)
async def test_a_modem_that_does_not_cooperate_gets_less_than_five_commands_a_second(
    a_modem: MakeModem, tmp_path: Path, manners: str, condition: dict[str, object]
) -> None:
    modem = await a_modem(manners=frozenset(manners.split()))
    await modem.do("set", **condition)
    await modem.do("deliver", sender="Authy", text="1")
    clock = CountedClock()
    async with running_link(modem, tmp_path / "spool", sleep=clock.sleep):
        await eventually(lambda: clock.slept > 40)
        count = (await modem.do("status"))["commands"]
        assert count < 5 * 40, await commands(modem, "AT")


async def test_a_text_that_the_modem_never_deletes_is_delivered_once_over_many_starts(
    a_modem: MakeModem, tmp_path: Path
) -> None:
    modem = await a_modem()
    await modem.do("set", keeps_deleted=True)
    await modem.do("deliver", sender="Authy", text="code 1234")
    for _ in range(4):
        async with running_link(modem, tmp_path / "spool") as link:
            for _ in range(3):
                since = (await modem.do("status"))["commands"]
                await modem.do("wait", until="command", command="AT+CMGD", since=since)
            health = await link.until("ready")
            assert "deleted" in (health.error or "")
    assert link.texts() == ["code 1234"]


async def test_texts_that_move_up_when_one_is_deleted_are_all_delivered(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(manners=frozenset(["compacts"]))
    for number in range(12):
        await modem.do("deliver", sender="Authy", text=f"{number}", sent_at=f"2026-11-22T12:00:{number + 10}Z")
    async with running_link(modem, tmp_path / "spool") as link:
        await modem.do("wait", until="empty")
    assert link.texts() == [f"{number}" for number in range(12)]


async def test_a_long_pdu_in_several_lines_is_read_as_one(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(manners=frozenset(["wrapped", "unasked"]))
    async with running_link(modem, tmp_path / "spool") as link:
        await modem.do("deliver", sender="Authy", text=LONG)
        await modem.do("wait", until="empty")
    assert link.texts() == [LONG]


async def test_news_of_nothing_are_not_followed_without_end(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    clock = CountedClock()
    async with running_link(modem, tmp_path / "spool", sleep=clock.sleep) as link:
        await link.until("ready")
        before, slept = (await modem.do("status"))["commands"], clock.slept
        for number in range(300):
            await modem.do("stray", text=f'+CMTI: "SM",{number % 20}')
            await asyncio.sleep(0.001)
        count = (await modem.do("status"))["commands"] - before
        assert count <= BURST + PER_SECOND * (clock.slept - slept) + 10


async def test_a_text_that_the_modem_could_not_store_is_said_to_be_lost(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    async with running_link(modem, tmp_path / "spool") as link:
        await link.until("ready")
        await modem.do("stray", text="+CMTI: ,-1")
        await eventually(lambda: link.health is not None and "lost" in (link.health.error or ""))
        assert link.health is not None
        assert link.health.state == "ready"


async def test_announcements_that_were_forgotten_are_asked_for_again(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    async with running_link(modem, tmp_path / "spool") as link:
        await link.until("ready")
        modem._stick._session.cnmi[:] = [0] * 5
        await modem.do("deliver", sender="Authy", text="found by looking")
        await modem.do("wait", until="command", command="AT+CNMI=")
        await modem.do("wait", until="empty")
        assert modem._stick._session.cnmi[:2] == [2, 1]


@pytest.mark.parametrize("manner", ["hidden", "no_list"])
async def test_a_text_of_a_storage_that_is_not_listed_is_delivered_once_though_its_deletion_fails(
    a_modem: MakeModem, tmp_path: Path, manner: str
) -> None:
    modem = await a_modem(manners=frozenset([manner]))
    await modem.do("set", failing_deletes=8)
    await modem.do("deliver", sender="Authy", text="code 1234")
    for _ in range(2):  # over a restart of the link too
        async with running_link(modem, tmp_path / "spool"):
            since = (await modem.do("status"))["commands"]
            await modem.do("wait", until="command", command="AT+CMGD", since=since)
    async with running_link(modem, tmp_path / "spool") as link:
        await modem.do("wait", until="empty")
    assert link.texts() == ["code 1234"]
