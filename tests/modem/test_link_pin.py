"""The PIN: entered when that is safe, once, and never again after it was wrong; and SIMs that do not let us read."""

from pathlib import Path

import pytest

from smscatch.modem.journal import PinMarks
from smscatch.simulator import SimulatedModem
from tests.carrier import eventually
from tests.modem.conftest import MakeModem
from tests.modem.links import LINE, commands, running_link


async def several_rounds(modem: SimulatedModem) -> None:
    """Return when the link has looked at the SIM a few times more."""
    since = (await modem.do("status"))["commands"]
    for _ in range(2):
        since = (await modem.do("wait", until="command", command="AT+CPIN?", since=since))["number"]


async def test_the_right_pin_opens_the_sim_also_after_a_replug(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(pin="1234")
    async with running_link(modem, tmp_path / "spool", pin="1234") as link:
        await link.until("ready")
        for number in range(3):
            await modem.do("unplug")
            await link.until("port_missing")
            await modem.do("replug")
            await modem.do("deliver", sender="Authy", text=f"code {number}")
            await modem.do("wait", until="empty")
    assert link.texts() == ["code 0", "code 1", "code 2"]
    assert len(await commands(modem, 'AT+CPIN="1234"')) == 4
    assert (await modem.do("status"))["pin_tries"] == 3


async def test_a_wrong_pin_costs_one_try_for_ever(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(pin="1234")
    for _ in range(3):  # starts of the link
        async with running_link(modem, tmp_path / "spool", pin="9999") as link:
            assert "not entered again" in str((await link.until("pin_refused")).error)
            await several_rounds(modem)
            await modem.do("unplug")
            await modem.do("replug")
            await several_rounds(modem)
    assert (await modem.do("status"))["pin_tries"] == 2


async def test_another_pin_is_tried_after_a_wrong_one(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(pin="1234")
    async with running_link(modem, tmp_path / "spool", pin="9999") as link:
        await link.until("pin_refused")
    async with running_link(modem, tmp_path / "spool", pin="1234") as link:
        await link.until("ready")
    assert (await modem.do("status"))["pin_tries"] == 3


async def test_the_last_try_is_left_to_a_human(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(pin="1234")
    for pin in ("7777", "8888"):
        async with running_link(modem, tmp_path / "spool", pin=pin) as link:
            await link.until("pin_refused")
    async with running_link(modem, tmp_path / "spool", pin="1234") as link:
        assert "one try" in str((await link.until("pin_needed")).error)
        await several_rounds(modem)
    assert (await modem.do("status"))["pin_tries"] == 1


async def test_without_a_pin_none_is_tried(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(pin="1234")
    async with running_link(modem, tmp_path / "spool") as link:
        await link.until("pin_needed")
        await several_rounds(modem)
    assert await commands(modem, "AT+CPIN=") == []


async def test_a_pin_without_an_answer_is_entered_once_per_start_while_the_sim_keeps_its_tries(
    a_modem: MakeModem, tmp_path: Path
) -> None:
    modem = await a_modem(pin="1234")
    await modem.do("set", silent="AT+CPIN=")
    for start in range(1, 3):
        async with running_link(modem, tmp_path / "spool", pin="1234") as link:
            await link.until("pin_refused")
            await several_rounds(modem)
        assert len(await commands(modem, 'AT+CPIN="')) == start
    await modem.do("set", silent="")
    async with running_link(modem, tmp_path / "spool", pin="1234") as link:
        await link.until("ready")


async def test_a_pin_without_an_answer_is_not_entered_again_once_the_sim_lost_a_try(
    a_modem: MakeModem, tmp_path: Path
) -> None:
    modem = await a_modem(pin="1234")
    PinMarks(tmp_path, LINE).note(modem._stick.state.settings.imei, "9999", "tried")
    modem._stick.state.lock.enter("9999")
    async with running_link(modem, tmp_path, pin="9999") as link:
        await link.until("pin_refused")
        await several_rounds(modem)
    assert await commands(modem, "AT+CPIN=") == []


async def test_a_sim_that_asks_for_its_puk_is_left_alone(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(pin="1234")
    for pin in ("7777", "8888"):
        async with running_link(modem, tmp_path / "spool", pin=pin) as link:
            await link.until("pin_refused")
    modem._stick.state.lock.enter("9999")
    async with running_link(modem, tmp_path / "spool", pin="1234") as link:
        assert "SIM PUK" in str((await link.until("puk")).error)
        await several_rounds(modem)
    assert (await modem.do("status"))["puk_tries"] == 10


async def test_a_sim_put_in_later_is_read(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    await modem.do("set", sim=False)
    await modem.do("deliver", sender="Authy", text="code 1234")
    async with running_link(modem, tmp_path / "spool") as link:
        await link.until("no_sim")
        await modem.do("set", sim=True)
        await modem.do("wait", until="empty")
        await link.until("ready")
        await modem.do("set", sim=False)
        await link.until("no_sim")
    assert link.texts() == ["code 1234"]


@pytest.mark.parametrize("pin", ["1234", None])
async def test_a_pin_entered_by_hand_elsewhere_is_noticed(a_modem: MakeModem, tmp_path: Path, pin: str | None) -> None:
    modem = await a_modem(pin="4321")
    async with running_link(modem, tmp_path / "spool", pin=pin) as link:
        await eventually(lambda: link.health is not None and link.health.state.startswith("pin_"))
        modem._stick.state.lock.enter("4321")
        await link.until("ready")
