"""`smscatch modem`: a link alone, into a spool; and a server that reads the modems of its lines itself."""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from smscatch.modem.health import read_health
from smscatch.simulator import SimulatedModem
from tests.carrier import eventually
from tests.command_line import in_process as smscatch
from tests.conftest import Server
from tests.patience import PATIENCE_SECONDS
from tests.warm import WarmProcess

LINE = "+447700900001"


@pytest.fixture
async def modem(tmp_path: Path) -> AsyncIterator[SimulatedModem]:
    async with SimulatedModem(tmp_path / "tty") as plugged:
        yield plugged


async def test_a_link_alone_reads_into_the_spool_until_it_is_told_to_stop(
    modem: SimulatedModem, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    options = ("modem", "--device", str(modem.device), "--line", LINE, "--spool", str(spool))
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    with WarmProcess(options, environ, tmp_path / "log") as process:
        await modem.do("deliver", sender="Authy", text="Your code is 482913")
        await eventually(lambda: len(list(spool.glob("*.sms"))) == 1)
        await eventually(lambda: read_health(spool)[LINE].state == "ready")
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0


async def test_a_server_reads_the_modems_of_its_lines_and_shows_how_they_are(
    modem: SimulatedModem, make_server: Callable[[], Server], tmp_path: Path
) -> None:
    config = tmp_path / "smscatch.toml"
    config.write_text(f'[lines."{LINE}"]\nlabel = "Shelf"\ndevice = "{modem.device}"\n')
    server = make_server().start(SMSCATCH_CONFIG=str(config))
    await modem.do("deliver", sender="Authy", text="Your code is 482913")
    with server.client() as client:
        await eventually(lambda: bool(client.messages()))
        (message,) = client.messages()
        await eventually(lambda: (client.lines()[0].modem or {}).get("state") == "ready")
        (line,) = client.lines()
    assert (message.line, message.code, message.source) == (LINE, "482913", "pdu")
    assert message.sent_at is not None
    assert line.modem is not None
    assert {"signal_dbm", "signal_percent", "operator", "registration", "imei", "last_contact_at"} <= set(line.modem)
    await modem.do("unplug")
    with server.client() as client:
        await eventually(lambda: (client.lines()[0].modem or {}).get("state") == "port_missing")
    assert server.stop() == 0


def test_a_device_that_no_line_names_needs_a_number() -> None:
    done = smscatch("modem", "--device", "/dev/ttyUSB0")
    assert (done.returncode, "--line" in done.stderr) == (2, True)
