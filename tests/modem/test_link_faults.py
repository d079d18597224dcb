"""What makes gammu-smsd 1.42 lose texts, repeat them or stop, on our link: nothing lost, nothing doubled, no end."""

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest

from smscatch.modem import listing, storages, taking
from smscatch.modem.gammurc import render_gammurc
from smscatch.simulator import SimulatedModem
from tests.carrier import eventually, recording_hook, running_gammu
from tests.modem.conftest import MakeModem
from tests.modem.links import LINE, commands, hurried, raise_once, running_link, texts_around
from tests.patience import PATIENCE_SECONDS


async def test_a_modem_that_is_pulled_out_is_read_again_when_it_is_back(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    async with texts_around(modem, tmp_path / "spool") as link:
        for number in range(3):
            await modem.do("unplug")
            assert "pulled out" in str((await link.until("port_missing")).error)
            await modem.do("deliver", sender="Authy", text=f"while it was out {number}")
            await modem.do("replug")
            await modem.do("wait", until="empty")


async def test_a_modem_that_goes_and_comes_back_is_in_the_log(
    a_modem: MakeModem, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    modem = await a_modem()
    caplog.set_level("INFO")
    async with texts_around(modem, tmp_path / "spool") as link:
        await modem.do("unplug")
        trouble = (await link.until("port_missing")).error
        await modem.do("replug")
        await link.until("ready")
    ready = f"{LINE}: the modem at {modem.device} is ready"
    said = [record.getMessage() for record in caplog.records if record.name == "smscatch.modem.publishing"]
    assert (said[0], said[-1]) == (ready, ready)
    assert f"{LINE}: {trouble}" in said


async def test_a_modem_pulled_out_amid_its_texts_gives_each_once(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(slots=10)
    async with texts_around(modem, tmp_path / "spool") as link:
        for number in range(60):
            await modem.do("deliver", sender="Authy", text=f"{number}", sent_at=f"2026-11-22T12:00:{number:02d}Z")
        for command in ("AT+CMGL", "AT+CMGD", "AT+CMGD", "AT+CPMS"):
            await modem.do("wait", until="command", command=command)
            await modem.do("unplug")
            await modem.do("replug")
        await modem.do("wait", until="empty")
    assert link.texts()[1:-1] == [str(number) for number in range(60)]


async def test_a_modem_that_is_not_there_at_the_start_is_waited_for(tmp_path: Path) -> None:
    async with running_link(tmp_path / "tty", tmp_path / "spool") as link:
        assert "Plug the modem in" in str((await link.until("port_missing")).error)
        async with SimulatedModem(tmp_path / "tty") as modem:
            await modem.do("deliver", sender="Authy", text="code 1234")
            await modem.do("wait", until="empty")
    assert link.texts() == ["code 1234"]


async def test_what_is_no_serial_port_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "tty").write_text("")
    async with running_link(tmp_path / "tty", tmp_path / "spool") as link:
        assert "is no serial port" in str((await link.until("no_access")).error)


async def test_a_port_has_one_reader(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    async with running_link(modem, tmp_path / "one") as one:
        await one.until("ready")
        async with running_link(modem, tmp_path / "two") as two:
            assert "is read here for another line" in str((await two.until("port_busy")).error)
            assert one.health is not None
            assert one.health.state == "ready"


async def test_a_port_that_gammu_has_is_left_to_it_until_it_ends(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    rc = tmp_path / "rc"
    rc.write_text(render_gammurc(modem.device, LINE, recording_hook(tmp_path / "runs")), encoding="utf-8")
    async with running_gammu(rc):
        await modem.do("wait", until="command", since=0)
        async with running_link(modem, tmp_path / "spool") as link:
            assert "in use by gammu-smsd (process" in str((await link.until("port_busy")).error)
        await modem.do("deliver", sender="Authy", text="for gammu")
        await modem.do("wait", until="empty")
    await modem.do("unplug")  # a port loses gammu's mark when the last program closes it; a pty has the simulator
    await modem.do("replug")
    async with running_link(modem, tmp_path / "spool") as link:
        await modem.do("deliver", sender="Authy", text="for the link")
        await modem.do("wait", until="empty")
    assert link.texts() == ["for the link"]


async def test_a_modem_that_hangs_is_read_again_when_it_answers(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    async with texts_around(modem, tmp_path / "spool") as link:
        await modem.do("set", hang=True)
        await modem.do("deliver", sender="Authy", text="while it hung")
        assert "does not answer" in str((await link.until("silent")).error)
        await modem.do("set", hang=False)
        await modem.do("wait", until="empty")


async def test_at_most_ten_seconds_pass_until_a_modem_that_is_well_again_is_read(
    a_modem: MakeModem, tmp_path: Path
) -> None:
    """Counted on the link's own clock: what it asked to sleep, once the modem was able to answer again."""
    modem = await a_modem()
    slept: list[float] = []

    async def counted(seconds: float) -> None:
        await hurried(seconds)
        slept.append(seconds)

    async with texts_around(modem, tmp_path / "spool", sleep=counted) as link:
        for trouble, cure in (
            ({"action": "unplug"}, {"action": "replug"}),
            ({"action": "set", "hang": True}, {"action": "set", "hang": False}),
            ({"action": "set", "sim": False}, {"action": "set", "sim": True}),
            ({"action": "set", "silent": "AT+CMG"}, {"action": "set", "silent": ""}),
        ):
            await modem.do(**trouble)
            await eventually(lambda: link.health is not None and link.health.state != "ready")
            count = len(slept)
            await eventually(lambda count=count: sum(slept[count:]) > 40)  # type: ignore[misc]  # for long
            await modem.do(**cure)
            slept.clear()
            await modem.do("deliver", sender="Authy", text=str(trouble))
            await modem.do("wait", until="empty")
            assert sum(slept) <= 10
            await link.until("ready")


@pytest.mark.parametrize("command", ["AT+CMGL", "AT+CMGD", "AT+CSQ", "AT+COPS?", "AT+CNMI", "AT+CMEE"])
async def test_one_silent_command_stops_nothing_for_good(a_modem: MakeModem, tmp_path: Path, command: str) -> None:
    modem = await a_modem()
    async with texts_around(modem, tmp_path / "spool") as link:
        await modem.do("set", silent=command)
        await modem.do("unplug")
        await modem.do("replug")
        await modem.do("deliver", sender="Authy", text="while it was silent")
        await modem.do("wait", until="command", command=command)
        await modem.do("wait", until="command", command=command)
        await modem.do("set", silent="")
        await modem.do("wait", until="empty")
        await link.until("ready")


async def test_a_text_that_cannot_be_read_by_its_index_is_listed(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    async with running_link(modem, tmp_path / "spool") as link:
        await link.until("ready")
        await modem.do("set", silent="AT+CMGR")
        await modem.do("deliver", sender="Authy", text="code 1234")
        await modem.do("wait", until="empty")
    assert await commands(modem, "AT+CMGR")
    assert link.texts() == ["code 1234"]


async def test_a_slow_modem_is_given_more_time(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    async with running_link(modem, tmp_path / "spool") as link:
        await link.until("ready")
        await modem.do("set", delay_seconds=0.06)  # on the hurried clock: 1.2 s for each command
        for number in range(5):
            await modem.do("deliver", sender="Authy", text=f"{number}")
        await modem.do("wait", until="empty")
        await modem.do("set", delay_seconds=0.0)
    assert link.texts() == ["0", "1", "2", "3", "4"]


async def test_deletions_that_fail_are_repeated_and_deliver_nothing_twice(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(slots=5)
    async with texts_around(modem, tmp_path / "spool"):
        await modem.do("set", failing_deletes=12)
        for number in range(20):
            await modem.do("deliver", sender="Authy", text=f"{number}")
        await modem.do("wait", until="empty")


async def test_texts_that_cannot_be_deleted_are_told_in_the_health(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    await modem.do("set", failing_deletes=10**6)
    await modem.do("deliver", sender="Authy", text="worn out")
    async with running_link(modem, tmp_path / "spool") as link:
        assert "not all can be deleted" in str((await link.until("ready")).error)
        await modem.do("set", failing_deletes=0)
        await modem.do("wait", until="empty")
        await eventually(lambda: link.health is not None and link.health.error is None)
    assert link.texts() == ["worn out"]


async def test_a_deletion_that_was_confirmed_but_not_done_delivers_nothing_twice(
    a_modem: MakeModem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modem = await a_modem()
    async with texts_around(modem, tmp_path / "spool"):
        storage = type(modem._stick.state.storages["SM"])
        lies = iter([True, True, True])
        delete = storage.delete
        monkeypatch.setattr(storage, "delete", lambda self, index: next(lies, False) or delete(self, index))
        await modem.do("deliver", sender="Authy", text="undeleted")
        await modem.do("wait", until="empty")
        assert next(lies, None) is None


async def test_a_full_disk_leaves_the_texts_on_the_sim(
    a_modem: MakeModem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modem = await a_modem()
    async with texts_around(modem, tmp_path / "spool") as link:
        with monkeypatch.context() as patch:

            def write_nothing(*_: Any) -> None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

            patch.setattr(taking, "write_entry", write_nothing)
            await modem.do("deliver", sender="Authy", text="while the disk was full")
            assert "No space left" in str((await link.until("spool_full")).error)
            assert (await modem.do("status"))["used"] == 1
        await modem.do("wait", until="empty")


async def test_a_spool_that_cannot_be_made_is_said_and_waited_for(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem()
    (tmp_path / "spool").write_text("a file in its place")
    await modem.do("deliver", sender="Authy", text="code 1234")
    asked: list[float] = []
    enough = asyncio.Event()

    async def counted(seconds: float) -> None:
        asked.append(seconds)
        if len(asked) == 6:
            enough.set()
        await hurried(seconds)

    async with running_link(modem, tmp_path / "spool", sleep=counted) as link:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await enough.wait()
        (tmp_path / "spool").unlink()
        await modem.do("wait", until="empty")
    assert asked[:6] == [1, 2, 4, 8, 10, 10]
    assert link.texts() == ["code 1234"]


async def test_a_bug_of_ours_does_not_end_reception(
    a_modem: MakeModem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    modem = await a_modem()
    async with texts_around(modem, tmp_path / "spool") as link:
        monkeypatch.setattr(storages, "parse_listing", raise_once(ZeroDivisionError(), listing.parse_listing))
        assert "ZeroDivisionError" in str((await link.until("starting")).error)
    assert "the link of" in caplog.text
