"""What is said of a modem that cannot be read: a state of its own, and a sentence that leads somewhere."""

import asyncio
import os
import tty
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from smscatch.modem import sim, strangers
from smscatch.modem.health import STATES
from smscatch.modem.trouble import Refused
from smscatch.pdu import encode_submit
from tests.carrier import eventually
from tests.modem.conftest import MakeModem
from tests.modem.links import commands, running_link

WORDS = {
    "SIM PUK": ("puk", "enter the PUK"),
    "NOT INSERTED": ("no_sim", "put one in"),
    "SIM NOT INSERTED": ("no_sim", "put one in"),
    "SIM REMOVED": ("no_sim", "put one in"),
    "SIM FAILURE": ("no_sim", "contact"),
    "EMPTY_EUICC": ("no_sim", "has no profile"),
    "NOT READY": ("sim_busy", "clean its contacts"),
    "SIM BUSY": ("sim_busy", "clean its contacts"),
    "PH-SIM PIN": ("sim_lock", "locked to another SIM and asks for PH-SIM PIN"),
    "PH-SIM PUK": ("sim_lock", "PH-SIM PUK"),
    "PH-FSIM PIN": ("first_sim_lock", "very first SIM"),
    "PH-FSIM PUK": ("first_sim_lock", "very first SIM"),
    "PH-NET PIN": ("network_lock", "locked to another operator and asks for PH-NET PIN"),
    "PH-NET PUK": ("network_lock", "PH-NET PUK"),
    "PH-NETSUB PIN": ("network_lock", "PH-NETSUB PIN"),
    "PH-SP PIN": ("network_lock", "PH-SP PIN"),
    "PH-CORP PUK": ("network_lock", "PH-CORP PUK"),
    "ANTITHEFT": ("sim_unknown", '"ANTITHEFT"'),
    "PIN OF THE HOUSE": ("sim_unknown", '"PIN OF THE HOUSE"'),
}


@pytest.mark.parametrize("word", WORDS)
def test_each_word_of_a_sim_has_its_state_and_its_advice(word: str) -> None:
    state, advice = WORDS[word]
    trouble = sim.trouble_of(word)
    assert trouble.state == state
    assert state in STATES
    assert advice in str(trouble)
    assert ("PUK" in str(trouble)) == ("PUK" in word)  # an unknown word is never called a PUK


@pytest.mark.parametrize(
    ("result", "state"),
    [
        ("+CME ERROR: 10", "no_sim"),
        ("+CMS ERROR: 310", "no_sim"),
        ("+CME ERROR: 14", "sim_busy"),
        ("+CMS ERROR: 314", "sim_busy"),
        ("+CME ERROR: 5", "sim_lock"),
        ("+CME ERROR: 40", "network_lock"),
        ("+CME ERROR: 12", "puk"),
        ("+CME ERROR: 11", None),
        ("+CME ERROR: 3", None),
        ("+CMS ERROR: 500", None),
        ("ERROR", None),
    ],
)
def test_an_error_that_is_the_sims_is_said_like_its_word(result: str, state: str | None) -> None:
    trouble = sim.trouble_of_refusal(Refused("AT+CPMS", result))
    assert (trouble and trouble.state) == state


async def test_a_modem_says_what_its_sim_waits_for_and_is_ready_when_that_is_over(
    a_modem: MakeModem, tmp_path: Path
) -> None:
    modem = await a_modem()
    await modem.do("set", pin_word="PH-NET PIN")
    async with running_link(modem, tmp_path / "spool", pin="1234") as link:
        health = await link.until("network_lock")
        assert (health.maker, health.imei) == ("huawei", "490154203237518")
        await modem.do("set", pin_word="NOT READY")
        await link.until("sim_busy")
        await modem.do("set", pin_word="SIM PIN2")  # guards other things than texts
        await link.until("ready")
    assert await commands(modem, "AT+CPIN=") == []


NMEA = b"$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*76\r\n"
STRANGERS = {
    "gps": (NMEA, "GPS port"),
    "galileo": (b"$GNRMC,,V,,,,,,,,,,N*4D\r\n", "GPS port"),
    "login": (b"\r\nraspberrypi login: ", "console"),
    "password": (b"\r\nPassword: ", "console"),
    "ppp": (b'~\xff}#\xc0!}!}!} }4}"}&} } } } }%}&\x9a~', "PPP"),
    "speed": (bytes(range(0x80, 0xF0)), "another speed"),
    "echo": (b"", "only sends back"),
    "talker": (b"\r\nGREETINGS FROM THE PRINTER\r\n", "not to AT"),
}


@asynccontextmanager
async def a_stranger(device: Path, says: bytes, *, echoes: bool = False) -> AsyncGenerator[None]:
    """A port at which something that is no modem says the same to whatever it is told, and again and again."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    device.symlink_to(os.ttyname(theirs))

    def answer() -> None:
        typed = os.read(ours, 4096)
        os.write(ours, typed if echoes else says)

    async def speak() -> None:
        while True:
            with suppress(BlockingIOError):
                os.write(ours, says)
            await asyncio.sleep(0.02)

    asyncio.get_running_loop().add_reader(ours, answer)
    speaking = asyncio.create_task(speak())
    try:
        yield
    finally:
        speaking.cancel()
        asyncio.get_running_loop().remove_reader(ours)
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("name", STRANGERS)
async def test_what_speaks_at_a_port_but_is_no_modem_is_named(tmp_path: Path, name: str) -> None:
    says, words = STRANGERS[name]
    async with (
        a_stranger(tmp_path / "tty", says, echoes=name == "echo"),
        running_link(tmp_path / "tty", tmp_path / "spool") as link,
    ):
        assert words in str((await link.until("not_at")).error)


async def test_a_modem_that_knows_text_mode_alone_is_named_and_read_once_it_does_not(
    a_modem: MakeModem, tmp_path: Path
) -> None:
    modem = await a_modem()
    await modem.do("set", text_mode_only=True)
    async with running_link(modem.device, tmp_path / "spool") as link:
        assert "knows text mode alone" in str((await link.until("text_mode")).error)
        await modem.do("deliver", sender="Authy", text="Your code is 1234")
        await modem.do("set", text_mode_only=False)
        await modem.do("wait", until="empty")
    assert link.texts() == ["Your code is 1234"]


def test_what_says_nothing_is_no_stranger() -> None:
    assert strangers.describe(b"", {"AT"}) is None
    assert strangers.describe(b"\r\n\0", {"AT"}) is None


@pytest.mark.parametrize("stat", [2, 3])
async def test_a_storage_full_of_drafts_is_said_and_no_draft_is_touched(
    a_modem: MakeModem, tmp_path: Path, stat: int
) -> None:
    modem = await a_modem(slots=3)
    (draft,) = encode_submit("+447700900321", "a draft")
    for _ in range(3):
        await modem.do("keep", pdu=draft, stat=stat)
    async with running_link(modem, tmp_path / "spool") as link:
        error = str((await link.until("storage_full")).error)
        assert "3 drafts and sent texts" in error
        modem._stick.state.storages["SM"].delete(0)
        await modem.do("deliver", sender="Authy", text="code 1234")
        await modem.do("wait", until="empty")
        await link.until("ready")
    assert link.texts() == ["code 1234"]
    assert (await modem.do("status"))["used"] == 2


async def test_a_modem_that_is_registered_but_hears_nothing_is_called_deaf_until_a_text_comes(
    a_modem: MakeModem, tmp_path: Path
) -> None:
    modem = await a_modem()
    await modem.do("set", signal=99, operator="")
    async with running_link(modem, tmp_path / "spool") as link:
        assert "antenna" in str((await link.until("deaf")).error)
        await modem.do("deliver", sender="Authy", text="code 1234")
        await eventually(lambda: link.texts() == ["code 1234"])
        await link.until("ready")
