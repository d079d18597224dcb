"""What comes over the wire or out of the SIM and is no text: it is skipped or handed on, and stops nothing."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.carrier import eventually
from tests.modem.conftest import MakeModem
from tests.modem.links import running_link, texts_around

# 3GPP TS 23.040: "How are you?" from +31641600986.
GOOD = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
PIN = "8642"
ENTRY_NAME = re.compile(r"[0-9]{20}-[0-9a-f]{16}")


@pytest.mark.parametrize(
    "noise",
    [
        {"text": "^NWTIME: 26/11/22"},
        {"text": "a line of no meaning"},
        {"text": "OK"},
        {"text": "ERROR"},
        {"text": '+CMTI: "SM",7'},
        {"text": '+CMTI: "XX",0'},
        {"text": "+CMGL: 3,1,,25"},
        {"text": "RING"},
        {"data": bytes(range(1, 256)).hex()},
        {"data": "00FF41" * 3000},
    ],
    ids=lambda noise: str(noise)[:30],
)
async def test_noise_on_the_wire_is_skipped(a_modem: MakeModem, tmp_path: Path, noise: dict[str, str]) -> None:
    modem = await a_modem()
    async with texts_around(modem, tmp_path / "spool"):
        for number in range(30):
            await modem.do("stray", **noise)
            await modem.do("deliver", sender="Authy", text=f"{number}")
            await modem.do("stray", **noise)
            await asyncio.sleep(0)
        await modem.do("wait", until="empty")


@pytest.mark.parametrize(
    "pdu",
    [
        GOOD + "000000",
        GOOD[:-6],
        GOOD[:20],
        "0G" + GOOD[2:],
        "not a PDU at all",
        "",
        "00",
        GOOD.replace("F60000", "F6000C"),
        GOOD.replace("F60000", "F60080"),
        GOOD.replace("F60000", "F600E0"),
        GOOD[:-26] + "A0" + GOOD[-24:],
        "07911326040000F0440B911346610089F60000208062917314080C0500030102" + "00" + "C8F71D14",
        "FF" * 150,
    ],
)
async def test_what_cannot_be_decoded_is_handed_on_and_stops_nothing(
    a_modem: MakeModem, tmp_path: Path, pdu: str
) -> None:
    modem = await a_modem()
    async with running_link(modem, tmp_path / "spool") as link:
        await link.until("ready")
        for each in (GOOD, pdu, GOOD, pdu):
            await modem.do("deliver_pdu", pdu=each)
        await modem.do("wait", until="empty")
    assert sorted(link.pdus()) == sorted([GOOD, pdu, GOOD, pdu])
    assert len(link.deliveries()) == 4


async def test_no_text_and_no_pin_reaches_a_log(
    a_modem: MakeModem, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    modem = await a_modem(pin=PIN)
    await modem.do("deliver_pdu", pdu="a stray text with tangerine")
    async with running_link(modem, tmp_path / "spool", pin=PIN):
        await modem.do("set", failing_deletes=2)
        await modem.do("deliver", sender="Authy", text="code tangerine")
        await modem.do("stray", text="your code is tangerine")
        await modem.do("stray", text="+CMT: ,30")
        await modem.do("stray", text=GOOD)
        await modem.do("wait", until="empty")
    logged = ENTRY_NAME.sub("", caplog.text)  # whose nanoseconds may hold any digits
    assert "tangerine" not in logged
    assert PIN not in logged
    assert GOOD[-20:] not in caplog.text


async def test_a_text_that_the_modem_does_not_store_is_spooled_too(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    async with running_link(modem, tmp_path / "spool") as link:
        await link.until("ready")
        await modem.do("stray", text="+CMT: ,30")
        await modem.do("stray", text=GOOD)
        await modem.do("stray", text="+CBM: 30")  # a cell broadcast is not ours
        await modem.do("stray", text=GOOD)
        await modem.do("deliver", sender="Authy", text="code 1234")
        await modem.do("wait", until="empty")
        await eventually(lambda: len(link.names()) == 2)
    assert sorted(link.texts()) == ["How are you?", "code 1234"]
