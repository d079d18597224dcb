"""The way of a text from the SIM of a simulated modem into the spool, when nothing goes wrong, and in what order."""

import asyncio
import os
from pathlib import Path

import pytest

from smscatch.errors import BadSetting
from smscatch.messages import Message, Part
from smscatch.modem import startup
from smscatch.modem.link import run_link
from smscatch.sources import join_parts
from tests.modem.conftest import MakeModem
from tests.modem.links import LINE, commands, running_link

LONG = "".join(f"{number:04d} code 246810 ist für dich; " for number in range(14))


async def test_a_text_goes_to_the_spool_and_from_the_sim(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    (pdu,) = (await modem.do("deliver", sender="Authy", text="code 1234", sent_at="2026-11-22T12:00:00Z"))["pdus"]
    async with running_link(modem, tmp_path / "spool") as link:
        await modem.do("wait", until="empty")
    (record,) = link.records()
    assert record.pop("time_ns") == str(int(link.names()[0].split("-")[0]))
    assert record.pop("reader").startswith(f"{os.getpid()}:")
    assert record == {
        "line": LINE,
        "device": str(modem.device),
        "storage": "SM",
        "index": "0",
        "imei": "490154203237518",
        "pdu": pdu,
    }


async def test_an_announced_text_is_read_at_once_by_its_index(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    never = asyncio.Event()

    async def patient(seconds: float) -> None:
        await never.wait()

    async with running_link(modem, tmp_path / "spool", sleep=patient) as link:
        await link.until("ready")
        for number in range(3):
            await modem.do("deliver", sender="Authy", text=f"code {number}")
            await modem.do("wait", until="empty")
    assert link.texts() == ["code 0", "code 1", "code 2"]
    assert len(await commands(modem, "AT+CMGL")) == 1
    assert len(await commands(modem, "AT+CMGR")) == 3


async def test_a_text_that_is_not_announced_is_found(
    a_modem: MakeModem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(startup, "ANNOUNCE", ("2,0",))
    modem = await a_modem()
    async with running_link(modem, tmp_path / "spool") as link:
        await link.until("ready")
        await modem.do("deliver", sender="Authy", text="code 1234")
        await modem.do("wait", until="empty")
    assert link.texts() == ["code 1234"]


async def test_every_kind_of_text_arrives(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    async with running_link(modem, tmp_path / "spool") as link:
        await modem.do("deliver", sender="12345", text="Код: 1234 – Grüße „ß“")
        await modem.do("deliver", sender="Müller", text="Hi 😀👍🏽 end 𝟜𝟚")
        await modem.do("deliver", sender="Flash", text="FLASH!", message_class=0)
        await modem.do("deliver", sender="+447700900789", data="DEADBEEF")
        await modem.do("deliver_report", recipient="+447700900321", reference=7)
        await modem.do("wait", until="empty")
    messages = [message for message in link.deliveries() if isinstance(message, Message)]
    assert [(message.sender, message.text, message.marks) for message in messages] == [
        ("12345", "Код: 1234 – Grüße „ß“", ()),
        ("Müller", "Hi 😀👍🏽 end 𝟜𝟚", ()),
        ("Flash", "FLASH!", ("flash",)),
        ("+447700900789", "", ("undecodable",)),
        ("+447700900321", "Delivered", ("status_report",)),
    ]


async def test_twelve_parts_pass_through_ten_slots(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(slots=10)
    text = "x" * 12 * 153
    await modem.do("deliver", sender="Authy", text=text, order=[12, *range(1, 12)])
    await modem.do("deliver", sender="Authy", text="another")
    async with running_link(modem, tmp_path / "spool") as link:
        await modem.do("wait", until="empty")
    parts = [part for part in link.deliveries() if isinstance(part, Part)]
    assert join_parts(parts).text == text
    assert link.texts() == ["another"]


async def test_a_full_sim_is_emptied_and_the_network_queue_follows_in_order(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(slots=5)
    texts = [f"code {number}" for number in range(60)]
    for number, text in enumerate(texts):
        await modem.do("deliver", sender="Authy", text=text, sent_at=f"2026-11-22T12:00:{number:02d}Z")
    async with running_link(modem, tmp_path / "spool") as link:
        await modem.do("wait", until="empty")
    assert link.texts() == texts


async def test_texts_of_one_second_keep_the_order_of_their_announcements(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(slots=7)
    texts = [f"code {number}" for number in range(100)]
    async with running_link(modem, tmp_path / "spool") as link:
        await link.until("ready")
        for text in texts:
            await modem.do("deliver", sender="Authy", text=text, sent_at="2026-11-22T12:00:00Z")
            await asyncio.sleep(0)
        await modem.do("wait", until="empty")
    assert link.texts() == texts


async def test_equal_texts_are_as_many_messages(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    async with running_link(modem, tmp_path / "spool") as link:
        for _ in range(3):
            await modem.do("deliver", sender="Authy", text="code 1234", sent_at="2026-11-22T12:00:00Z")
        await modem.do("wait", until="empty")  # once more, into a slot that held the same
        await modem.do("deliver", sender="Authy", text="code 1234", sent_at="2026-11-22T12:00:00Z")
        await modem.do("wait", until="empty")
    assert link.texts() == ["code 1234"] * 4
    assert len(set(link.pdus())) == 1


async def test_several_storages_are_read(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(memories=("ME", "SM"))
    await modem.do("deliver", sender="Authy", text="in the modem's own memory")
    async with running_link(modem, tmp_path / "spool") as link:
        await modem.do("wait", until="empty")
        await link.until("ready")
        await modem.do("deliver", sender="Authy", text="on the SIM")
        await modem.do("wait", until="empty")
    assert [(record["storage"], record["index"]) for record in link.records()] == [("ME", "0"), ("SM", "0")]


async def test_two_links_read_two_modems_in_one_process(a_modem: MakeModem, tmp_path: Path) -> None:
    modems = [await a_modem(), await a_modem()]
    spool = tmp_path / "spool"
    async with running_link(modems[0], spool, line="one") as one, running_link(modems[1], spool, line="two") as two:
        for number, modem in enumerate(modems):
            await modem.do("deliver", sender="Authy", text=f"code {number}")
            await modem.do("wait", until="empty")
        await one.until("ready")
        await two.until("ready")
    assert [(record["line"], text) for record, text in zip(one.records(), one.texts(), strict=True)] == [
        ("one", "code 0"),
        ("two", "code 1"),
    ]


async def test_health_tells_what_the_modem_tells(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    async with running_link(modem, tmp_path / "spool") as link:
        health = await link.until("ready")
        assert (health.signal_dbm, health.signal_percent) == (-79, 55)
        assert (health.operator, health.registration) == ("Test PLMN 1-1", "home")
        assert (health.storage_used, health.storage_size) == (0, 20)
        assert (health.maker, health.model, health.imei) == ("huawei", "E173", "490154203237518")
        assert (health.number, health.error) == ("+447700900123", None)
        assert health.last_contact_at is not None
        await modem.do("set", registration=3, signal=99)
        health = await link.until("not_registered")
        assert (health.signal_dbm, health.signal_percent, health.registration) == (None, None, "denied")
        await modem.do("set", registration=5)
        assert (await link.until("ready")).registration == "roaming"


async def test_a_pin_that_is_none_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="4 to 8 digits") as refused:
        await run_link(LINE, tmp_path / "tty", tmp_path, pin="12x4")
    assert "12x4" not in str(refused.value)


async def test_an_announced_text_is_read_with_one_command_also_where_there_are_two_storages(
    a_modem: MakeModem, tmp_path: Path
) -> None:
    modem = await a_modem(memories=("SM", "ME"))
    async with running_link(modem, tmp_path / "spool") as link:
        await link.until("ready")
        while not await commands(modem, "AT+CMGR"):  # a sweep may be quicker
            await modem.do("deliver", sender="Authy", text="code 1234")
            await modem.do("wait", until="empty")
    log = await commands(modem, "AT")
    before = log[log.index("AT+CMGR=0") - 1]
    assert not before.startswith("AT+CPMS=")
