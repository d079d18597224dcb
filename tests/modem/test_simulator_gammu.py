"""The real gammu-smsd, configured by render_gammurc, on the simulated modem."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from smscatch.modem.gammurc import render_gammurc
from smscatch.pdu import encode_deliver
from tests.carrier import end, hook_runs, recording_hook, running_gammu
from tests.modem.conftest import MakeModem
from tests.patience import PATIENCE_SECONDS
from tests.samples import NOON, of_type

LINE = """+447700900123 #;"'$HOME"""

TEXTS = {
    "Authy": "Your Authy code is 123 4567. Don't share it!",
    "+447700900456": "Preis 5€ [a]{b} ~^|\\ ok äöüß ÄÖÜ @£$",
    "12345": "Код: 1234 – Grüße „ß“",
    "+8613800138000": "您的验证码是 482913,请勿泄露。",
    "Telegram": "Hi 😀👍🏽 end 𝟜𝟚",
    "R&D; it's": "a name that no shell may see",
    '"A" (b)/%': "one more",
}
KINDS = ("unknown", "international", "national")  # types of number, 3GPP TS 23.040, 9.1.2.5
LONG = "".join(f"{number:04d} code 246810 ist für dich; " for number in range(14))


def text_of(run: dict[str, str]) -> str:
    return run["DECODED_1_TEXT"] if run["DECODED_PARTS"] != "0" else run["SMS_1_TEXT"]


def write_rc(modem_device: Path, runs: Path, rc: Path) -> Path:
    rc.write_text(render_gammurc(modem_device, LINE, recording_hook(runs)), encoding="utf-8")
    return rc


async def test_every_kind_of_text_reaches_the_hook(a_modem: MakeModem, tmp_path: Path) -> None:
    modem, runs = await a_modem(), tmp_path / "it's a folder; $HOME"
    async with running_gammu(write_rc(modem.device, runs, tmp_path / "rc")):
        for sender, text in TEXTS.items():
            await modem.do("deliver", sender=sender, text=text)
        await modem.do("deliver", sender="Authy", text=LONG, order=[3, 1, 2])
        await modem.do("deliver", sender="Google", text="Я" * 130, wide_reference=True, order=[2, 1])
        for kind, text in enumerate(KINDS):
            (pdu,) = encode_deliver("447700900654", text, NOON)
            await modem.do("deliver_pdu", pdu=of_type(pdu, "447700900654", kind))
        await modem.do("deliver", sender="Flash", text="FLASH!", message_class=0)
        await modem.do("deliver", sender="+447700900789", data="DEADBEEF")
        await modem.do("deliver_report", recipient="+447700900321", reference=7)
        # gammu-smsd deletes a text after its hook has returned.
        await modem.do("wait", until="empty")
    seen = hook_runs(runs)
    assert all(run["PHONE_ID"] == LINE and not run["arguments"] for run in seen)
    flash, octets, report = seen[-3:]
    assert {run["SMS_1_NUMBER"]: text_of(run) for run in seen[: len(TEXTS)]} == TEXTS
    assert [text_of(run) for run in seen[len(TEXTS) : -6]] == [LONG, "Я" * 130]
    # It has a '+' for the international type of number alone.
    plus = [run["SMS_1_NUMBER"].removesuffix("447700900654") for run in seen[-6:-3]]
    assert dict(zip(KINDS, plus, strict=True)) == {"unknown": "", "international": "+", "national": ""}
    assert (flash["SMS_1_CLASS"], flash["SMS_1_TEXT"]) == ("0", "FLASH!")
    assert octets["SMS_1_NUMBER"] == "+447700900789"
    assert "SMS_1_TEXT" not in octets
    assert (report["SMS_1_NUMBER"], report["SMS_1_REFERENCE"]) == ("+447700900321", "7")


async def test_fifty_texts_pass_through_a_sim_of_twenty_slots_in_order(a_modem: MakeModem, tmp_path: Path) -> None:
    modem, runs = await a_modem(slots=20), tmp_path / "runs"
    texts = [f"code {number}" for number in range(50)]
    for text in texts:
        await modem.do("deliver", sender="Authy", text=text)
    assert (await modem.do("status"))["queue"] == 30
    async with running_gammu(write_rc(modem.device, runs, tmp_path / "rc")):
        await modem.do("wait", until="empty")
    assert sorted(map(text_of, hook_runs(runs))) == sorted(texts)


async def test_a_failed_deletion_brings_the_text_again(a_modem: MakeModem, tmp_path: Path) -> None:
    modem, runs = await a_modem(), tmp_path / "runs"
    await modem.do("set", failing_deletes=2)
    await modem.do("deliver", sender="Authy", text="code 1")
    async with running_gammu(write_rc(modem.device, runs, tmp_path / "rc")):
        await modem.do("wait", until="empty")
    assert [text_of(run) for run in hook_runs(runs)] == ["code 1"] * 3


async def test_gammu_smsd_ends_at_a_locked_sim_and_leaves_its_tries_alone(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(pin="1234")
    async with running_gammu(write_rc(modem.device, tmp_path / "runs", tmp_path / "rc")) as process:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == 2
    status = await modem.do("status")
    assert (status["pin"], status["pin_tries"]) == ("SIM PIN", 3)


async def test_gammu_identify_takes_it_for_an_e173(a_modem: MakeModem, tmp_path: Path) -> None:
    gammu = shutil.which("gammu")
    if gammu is None:
        pytest.fail("gammu is not installed, and this test is about it: apt-get install gammu")
    modem = await a_modem(imei="490154203237518")
    rc = write_rc(modem.device, tmp_path / "runs", tmp_path / "rc")
    process = await asyncio.create_subprocess_exec(gammu, "-c", str(rc), "identify", stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            output, _ = await process.communicate()
    finally:
        await end(process)
    said: dict[str, Any] = dict(line.split(":", 1) for line in output.decode().splitlines() if ":" in line)
    assert {key.strip(): value.strip() for key, value in said.items()} == {
        "Device": str(modem.device),
        "Manufacturer": "Huawei",
        "Model": "E173 (E173)",
        "Firmware": "11.126.85.00.209",
        "IMEI": "490154203237518",
        "SIM IMSI": "001010123456789",
    }
