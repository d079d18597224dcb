"""A line that hears nothing sends a text to itself, where that is asked for, and says what happened."""

from pathlib import Path
from typing import Any

import pytest

from smscatch.modem.health import Health
from smscatch.modem.selftest import SelfTestSettings
from smscatch.simulator import SimulatedModem
from tests.carrier import eventually
from tests.modem.conftest import MakeModem
from tests.modem.links import Link, commands, running_link

DEAF = {"signal": 99, "operator": ""}


async def said(link: Link, words: str) -> Health:
    """Return the health once its sentence has these words."""
    await eventually(lambda: words in str(link.health and link.health.error), words)
    assert link.health is not None
    return link.health


async def a_deaf_modem(a_modem: MakeModem, *manners: str, **condition: Any) -> SimulatedModem:
    modem = await a_modem(manners=frozenset(manners))
    await modem.do("set", **DEAF, **condition)
    return modem


async def test_a_line_that_hears_nothing_sends_no_text_unless_that_is_asked_for(
    a_modem: MakeModem, tmp_path: Path
) -> None:
    modem = await a_deaf_modem(a_modem)
    async with running_link(modem, tmp_path / "spool") as link:
        await link.until("deaf")
        since = (await modem.do("status"))["commands"]
        await modem.do("wait", until="command", command="AT+CSQ", since=since)
        assert not await commands(modem, "AT+CMGS")


@pytest.mark.parametrize("manners", ["", "keeps_echo", "no_store", "only_numeric unasked"])
async def test_a_text_to_itself_is_taken_for_what_it_is_and_never_shown(
    a_modem: MakeModem, tmp_path: Path, manners: str
) -> None:
    modem = await a_deaf_modem(a_modem, *manners.split())
    async with running_link(modem, tmp_path / "spool", self_test=SelfTestSettings(3)) as link:
        health = await said(link, "The self-test is passed: a text to the own number came, as it was set.")
        assert health.state == "ready"
        await modem.do("wait", until="empty")
        assert link.names() == []
        await modem.do("deliver", sender="Authy", text="code 1234")
        await eventually(lambda: link.texts() == ["code 1234"])
    assert len(await commands(modem, "AT+CMGS")) == 1


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"deaf_until_cnmi": "1,1"}, "since AT+CNMI=1,1"),
        ({"deaf_until_cnmi": "2,2"}, "since AT+CNMI=2,2"),
        ({"deaf_until_radio": True}, "since the radio was switched off and on"),
    ],
)
async def test_what_may_help_is_tried_in_turn_and_what_helped_is_said(
    a_modem: MakeModem, tmp_path: Path, condition: dict[str, Any], words: str
) -> None:
    modem = await a_deaf_modem(a_modem, **condition)
    settings = SelfTestSettings(10, may_switch_radio="radio" in words)
    async with running_link(modem, tmp_path / "spool", self_test=settings) as link:
        assert (await said(link, words)).state == "ready"
        await modem.do("deliver", sender="Authy", text="code 1234")
        await eventually(lambda: link.texts() == ["code 1234"])
    assert bool(await commands(modem, "AT+CFUN=4")) == ("radio" in words)
    assert not await commands(modem, "AT+CFUN=1,1")


async def test_a_test_in_vain_says_what_was_tried_and_goes_no_further(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_deaf_modem(a_modem, sends=False)
    async with running_link(modem, tmp_path / "spool", self_test=SelfTestSettings(10)) as link:
        health = await said(link, "The self-test failed")
        assert health.state == "deaf"
        assert "AT+CNMI=1,2" in str(health.error)
        assert "radio" not in str(health.error)
    assert not await commands(modem, "AT+CFUN=4")


async def test_no_more_texts_are_sent_in_a_day_than_is_allowed_over_restarts_too(
    a_modem: MakeModem, tmp_path: Path
) -> None:
    modem = await a_deaf_modem(a_modem, sends=False)
    for _ in range(2):
        async with running_link(modem, tmp_path / "spool", self_test=SelfTestSettings(2)) as link:
            await said(link, "The 2 texts of 24 hours (self_test) are used up")
    assert len(await commands(modem, "AT+CMGS")) == 2


async def test_a_text_that_cannot_be_sent_is_said_and_keeps_nothing_from_coming_in(
    a_modem: MakeModem, tmp_path: Path
) -> None:
    modem = await a_deaf_modem(a_modem, silent="AT+CMGS")
    async with running_link(modem, tmp_path / "spool", self_test=SelfTestSettings(5)) as link:
        await said(link, "No text could be sent: The modem did not answer AT+CMGS")
        await modem.do("deliver", sender="Authy", text="code 1234")
        await eventually(lambda: link.texts() == ["code 1234"])
