"""The engine `modemmanager` on the real ModemManager, which reads a simulated modem."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from smscatch.engines.modemmanager import ManagerSettings, run_manager
from smscatch.modem.health import Health, read_health
from smscatch.setup.elsewhere import survey_manager
from smscatch.simulator import SimulatedModem, StickSettings
from tests.carrier import eventually
from tests.command_line import in_process as smscatch
from tests.conftest import Server
from tests.modem.links import LINE, hurried
from tests.modem.manager import Manager, running_manager
from tests.modem.readers import hurried_now, messages_in
from tests.patience import PATIENCE_SECONDS
from tests.warm import WarmProcess


class Engine:
    def __init__(self, spool: Path) -> None:
        self.spool = spool

    def texts(self) -> list[str]:
        return [message.text for message in messages_in(self.spool)]

    def error(self) -> str:
        health = read_health(self.spool).get(LINE)
        return (health and health.error) or ""

    async def until(self, state: str) -> Health:
        await eventually(
            lambda: (found := read_health(self.spool).get(LINE)) is not None and found.state == state, state
        )
        return read_health(self.spool)[LINE]


@contextlib.asynccontextmanager
async def running_engine(
    folder: Path, device: str = "auto", relist_seconds: float = 600.0, spool: Path | None = None
) -> AsyncGenerator[Engine]:
    spool = spool or folder / "spool"
    settings = ManagerSettings(device, relist_seconds, f"unix:path={folder}/bus")
    task = asyncio.create_task(run_manager(LINE, settings, spool, now=hurried_now, sleep=hurried))
    try:
        yield Engine(spool)
    finally:
        assert not task.done()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def modem(tmp_path: Path) -> AsyncGenerator[SimulatedModem]:
    async with SimulatedModem(tmp_path / "tty") as plugged:
        yield plugged


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncGenerator[Manager]:
    async with running_manager(tmp_path) as running:
        yield running


async def test_texts_are_taken_once_though_modemmanager_restarts_hangs_and_loses_its_modem_amid_them(
    modem: SimulatedModem, manager: Manager, tmp_path: Path
) -> None:
    async with running_engine(tmp_path) as engine:
        assert "has no modem" in ((await engine.until("port_missing")).error or "")
        await modem.do("deliver", sender="Authy", text="code 1234", sent_at="2026-11-28T20:00:00+08:00")
        await manager.attach(modem.device)
        health = await engine.until("ready")
        assert (health.imei, health.operator) == ("490154203237518", "Test PLMN 1-1")
        [found] = (await survey_manager(manager.address)).modems
        assert (found.device, found.engine) == ("imei:490154203237518", "modemmanager")
        await modem.do("wait", until="empty")
        manager.stop()
        assert "systemctl" in ((await engine.until("not_running")).error or "")
        await modem.do("deliver", sender="Authy", text="code 5678")
        await manager.start()
        await manager.attach(modem.device)
        await modem.do("wait", until="empty")
        await eventually(lambda: len(engine.texts()) == 2, "the second text")
        await engine.until("ready")
        manager.signal(signal.SIGSTOP)
        assert "does not answer" in ((await engine.until("silent")).error or "")
        manager.signal(signal.SIGCONT)
        await engine.until("ready")
        device = await manager.inhibit(is_inhibited=True)
        await engine.until("port_missing")
        await modem.do("deliver", sender="Authy", text="code 9012")
        await manager.inhibit(is_inhibited=False, device=device)
        await modem.do("wait", until="empty")
        await eventually(lambda: len(engine.texts()) == 3, "the third text")
    first = messages_in(engine.spool)[0]
    assert engine.texts() == ["code 1234", "code 5678", "code 9012"]
    assert first.sent_at is not None
    assert first.sent_at.isoformat() == "2026-11-28T12:00:00+00:00"


async def test_of_texts_that_are_announced_together_each_comes_in_the_end(
    modem: SimulatedModem, manager: Manager, tmp_path: Path
) -> None:
    async with running_engine(tmp_path) as engine:
        await manager.attach(modem.device)
        await engine.until("ready")
        for number in range(5):
            await modem.do("deliver", sender="Authy", text=f"code {number}{number}{number}{number}")
        await eventually(lambda: len(engine.texts()) >= 5, "all five")
        await modem.do("wait", until="empty")
    assert sorted(engine.texts()) == ["code 0000", "code 1111", "code 2222", "code 3333", "code 4444"]


async def test_a_long_text_whose_parts_are_announced_together_is_whole_long_before_the_interval(
    modem: SimulatedModem, manager: Manager, tmp_path: Path
) -> None:
    long_text = "Your code is 482913. " * 20
    async with running_engine(tmp_path) as engine:
        await manager.attach(modem.device)
        await engine.until("ready")
        await modem.do("deliver", sender="Authy", text=long_text)
        await eventually(lambda: bool(engine.texts()), "the long text")
        await modem.do("wait", until="empty")
    assert engine.texts() == [long_text]


async def test_a_modem_is_named_by_its_imei_and_told_of_in_plain_characters(manager: Manager, tmp_path: Path) -> None:
    settings = StickSettings(manners=frozenset({"ucs2"}))
    async with (
        SimulatedModem(tmp_path / "tty", settings=settings) as modem,
        running_engine(tmp_path, f"imei:{settings.imei}") as engine,
    ):
        await manager.attach(modem.device)
        health = await engine.until("ready")
    assert (health.imei, health.model) == (settings.imei, "E173")
    assert health.number is None or health.number.startswith("+44")


async def test_a_modem_that_lets_nobody_read_texts_is_left_alone_and_said(manager: Manager, tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        engines = {}
        for state in ("pin_needed", "puk", "no_sim"):
            (folder := tmp_path / state).mkdir()
            settings = StickSettings(pin="1234" if state == "pin_needed" else None)
            modem = await stack.enter_async_context(SimulatedModem(folder / "tty", settings=settings))
            await modem.do("set", sim=state != "no_sim", pin_word="SIM PUK" if state == "puk" else "")
            device = await manager.attach(modem.device)
            engine = await stack.enter_async_context(running_engine(tmp_path, device, spool=folder / "spool"))
            engines[state] = (engine, modem)
        for state, (engine, modem) in engines.items():
            health = await engine.until(state)
            assert {"pin_needed": "--pin", "puk": "--puk", "no_sim": "SIM"}[state] in (health.error or "")
            assert (await modem.do("status"))["pin_tries"] == 3


async def test_while_a_data_connection_is_up_the_modem_is_not_disabled_and_that_is_said(
    modem: SimulatedModem, manager: Manager, tmp_path: Path
) -> None:
    async with running_engine(tmp_path, relist_seconds=30.0) as engine:
        await manager.attach(modem.device)
        await engine.until("ready")
        await manager.connect()
        await eventually(lambda: "data connection is up" in engine.error(), "the sentence")
        times = manager.times_disabled()
        first = read_health(engine.spool)[LINE].updated_at
        await eventually(lambda: read_health(engine.spool)[LINE].updated_at > first, "another look")
        assert manager.times_disabled() == times
        assert read_health(engine.spool)[LINE].state == "ready"


async def test_where_polkit_refuses_the_rule_that_is_missing_is_said(
    modem: SimulatedModem, manager: Manager, tmp_path: Path
) -> None:
    manager.authority.is_open = False
    async with running_engine(tmp_path) as engine:
        await manager.attach(modem.device)
        health = await engine.until("no_access")
    assert "docs/modems.md" in (health.error or "")


async def test_the_command_and_the_server_read_such_a_line(
    modem: SimulatedModem, manager: Manager, make_server: Callable[[], Server], tmp_path: Path
) -> None:
    config, spool = tmp_path / "smscatch.toml", tmp_path / "spool"
    config.write_text(f'[lines."{LINE}"]\nengine = "modemmanager"\n')
    environ = {"SMSCATCH_CONFIG": str(config), "DBUS_SYSTEM_BUS_ADDRESS": manager.address}
    await manager.attach(modem.device)
    given = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environ}
    command = ("modem", "--device", "auto", "--spool", str(spool))
    with WarmProcess(command, given, tmp_path / "log") as process:
        await modem.do("deliver", sender="Authy", text="Your code is 482913")
        await modem.do("wait", until="empty")
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert [message.text for message in messages_in(spool)] == ["Your code is 482913"]
    server = make_server().start(**environ, SMSCATCH_SPOOL=str(spool))
    await modem.do("deliver", sender="Authy", text="Your code is 482914")
    with server.client() as client:
        await eventually(lambda: len(client.messages()) == 2, "the second text")
        told = {(message.line, message.code, message.source) for message in client.messages()}
    assert told == {(LINE, "482913", "modemmanager"), (LINE, "482914", "modemmanager")}
    assert server.stop() == 0


async def test_the_command_refuses_a_port_at_another_machine(tmp_path: Path) -> None:
    config = tmp_path / "smscatch.toml"
    config.write_text(f'[lines."{LINE}"]\nengine = "modemmanager"\n')
    options = ("modem", "--line", LINE, "--device", "socket://pi:2000", "--spool", str(tmp_path / "spool"))
    result = smscatch(*options, SMSCATCH_CONFIG=str(config))
    assert result.returncode != 0
    assert "ModemManager reads modems of its own machine" in result.stderr
