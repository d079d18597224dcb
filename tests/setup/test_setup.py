"""`smscatch setup` below a folder: simulated modems are found, files written once, and all is taken away again."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import struct
import subprocess
import termios
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from smscatch import cli
from smscatch.cli.setup import check_reach
from smscatch.errors import BadSetting
from smscatch.modem.drives import StickDrive
from smscatch.modem.gammucheck import check_gammurc, find_reader
from smscatch.modem.ports import PortSettings
from smscatch.settings import load_settings
from smscatch.setup.apply import BACKUP, RECORD, changes, remove, write
from smscatch.setup.commands import after_writing
from smscatch.setup.elsewhere import list_pages, survey_pages
from smscatch.setup.found import FoundModem, Survey, join
from smscatch.setup.learning import learn_numbers
from smscatch.setup.plan import (
    ADMIN_KEY,
    CONFIG,
    GAMMU_DROPIN,
    GAMMURC,
    PACKAGED_UNIT,
    POLKIT,
    READER_UNIT,
    RULES,
    UNIT,
    USERS,
    Installed,
    PlannedFile,
    PlannedLine,
    plan,
)
from smscatch.setup.survey import survey, survey_device, survey_machine
from smscatch.simulator import SimulatedModem, StickSettings
from smscatch.spool import SUFFIX
from tests.carrier import eventually
from tests.conftest import Server
from tests.modem.gateway import Gateway
from tests.modem.links import CountedClock, hurried
from tests.modem.stick import Stick as HilinkStick
from tests.modem.sticks import IMEI, Stick, a_port, a_stick_of_four

NUMBER = "+447700900123"
NOTHING = Installed("", "", "k" * 20)
MODEM = FoundModem("/dev/serial/by-id/usb-stick", "huawei E173", IMEI, usb_id="12d1:1001")
# What systemd-analyze calls OK is below 2.0, of 10; it wants tenths.
MOST_EXPOSURE = 20


class Setup:
    """The command, on a machine that shows USB devices in one folder, into another."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.root.mkdir()
        self.stick = Stick(folder)

    async def run(self, *options: str) -> int:
        tree = self.stick.tree
        places = ["--root", str(self.root), "--sys", str(tree.sys), "--dev", str(tree.dev), "--proc", str(self.root)]
        places += ["--bus", "unix:path=/nonexistent"]
        return await asyncio.to_thread(cli.main, ["setup", *places, *options])

    @contextlib.asynccontextmanager
    async def plugged_in(self, settings: StickSettings | None = None) -> AsyncGenerator[SimulatedModem]:
        [device] = self.stick.plug("1-1", ["ttyUSB0"])
        async with SimulatedModem(device, settings=settings or StickSettings()) as modem:
            yield modem
        self.stick.unplug(["ttyUSB0"])

    def files(self) -> dict[str, str]:
        paths = (path for path in self.root.rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): path.read_text() for path in paths}


@pytest.fixture
def is_fresh() -> bool:
    return True


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    for look in (survey_machine, survey_device):
        monkeypatch.setattr(f"smscatch.setup.survey.{look.__name__}", partial(look, sleep=hurried))
    return Setup(tmp_path)


async def test_one_command_finds_the_modem_and_a_server_with_its_files_gets_the_texts(
    setup: Setup, make_server: Callable[[], Server], capsys: pytest.CaptureFixture[str]
) -> None:
    async with setup.plugged_in() as modem:
        assert await setup.run("--yes") == 0
        printed = capsys.readouterr().out
        assert f"IMEI {IMEI}, {NUMBER}" in printed
        assert "systemctl enable smscatch.service" in printed
        config = setup.root / CONFIG
        key = (setup.root / ADMIN_KEY).read_text().strip()
        assert key not in printed
        # The line names the IMEI, as nothing in by-id does; the port of this machine's folder it can not look for.
        assert f'device = "imei:{IMEI}"' in config.read_text()
        config.write_text(config.read_text().replace(f"imei:{IMEI}", str(setup.stick.tree.dev / "ttyUSB0")))
        server = await asyncio.to_thread(make_server().start, SMSCATCH_CONFIG=str(config))
        await modem.do("deliver", sender="Authy", text="Your code is 1234")

        def code() -> str:
            with server.client() as client:
                return client.wait_for_code(line=NUMBER, after="1h")

        assert await asyncio.to_thread(code) == "1234"


async def test_run_again_it_changes_nothing_also_while_the_service_has_the_modem(
    setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    async with setup.plugged_in():
        assert await setup.run("--yes") == 0
        before = setup.files()
        assert await setup.run("--yes") == 0
    assert "nothing was changed" in capsys.readouterr().out
    assert await setup.run("--yes") == 0  # nothing answers now
    assert "nothing was changed" in capsys.readouterr().out
    assert setup.files() == before


async def test_what_was_removed_leaves_nothing(setup: Setup) -> None:
    async with setup.plugged_in():
        await setup.run("--yes")
    assert await setup.run("--remove") == 0
    assert list(setup.root.rglob("*")) == []
    assert await setup.run("--remove") == 1


async def test_where_a_package_brings_the_services_setup_adds_lines_and_no_second_ones(setup: Setup) -> None:
    packaged = setup.root / PACKAGED_UNIT
    packaged.parent.mkdir(parents=True)
    packaged.touch()
    async with setup.plugged_in():
        assert await setup.run("--yes", "--reader", "own") == 0
    assert NUMBER in setup.files()[str(CONFIG)]
    assert not {str(UNIT), str(READER_UNIT), str(USERS)} & set(setup.files())


async def test_a_dry_run_shows_all_and_writes_nothing(setup: Setup, capsys: pytest.CaptureFixture[str]) -> None:
    async with setup.plugged_in():
        assert await setup.run("--dry-run") == 0
    printed = capsys.readouterr().out
    assert f'+[lines."{NUMBER}"]' in printed
    assert "ID_MM_DEVICE_IGNORE" in printed
    assert setup.files() == {}


async def test_a_pin_is_asked_for_and_never_shown(
    setup: Setup, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([NUMBER, "4321", "y"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    async with setup.plugged_in(StickSettings(pin="4321")):
        assert await setup.run() == 0
    assert "4321" not in capsys.readouterr().out
    assert 'pin = "4321"' in (setup.root / CONFIG).read_text()
    assert (setup.root / CONFIG).stat().st_mode & 0o777 == 0o640


async def test_a_stick_with_four_ports_is_read_by_a_service_of_its_own(
    setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["ttyUSB0", "ttyUSB1", "ttyUSB2", "ttyUSB3"]
    by_id = setup.stick.tree.dev / "serial" / "by-id"
    by_id.mkdir(parents=True)
    (by_id / "usb-HUAWEI-if03").symlink_to(setup.stick.tree.dev / "ttyUSB3")
    async with a_stick_of_four(setup.stick, "1-1", names) as modem:
        assert await setup.run("--yes", "--reader", "own") == 0
        instance = f"smscatch-modem@{NUMBER[1:]}.service"
        assert f"systemctl restart smscatch.service {instance}" in capsys.readouterr().out
        before = setup.files()
        assert await setup.run("--yes", "--reader", "own") == 0
        assert setup.files() == before
        command = re.search(r"ExecStart=(.*)", before[str(READER_UNIT)])
        assert command is not None
        environ = os.environ | {
            "SMSCATCH_CONFIG": str(setup.root / CONFIG),
            "SMSCATCH_SPOOL": str(setup.root / "spool"),
        }
        reader = await asyncio.create_subprocess_exec(*command[1].replace("%i", NUMBER[1:]).split(), env=environ)
        await modem.do("deliver", sender="Authy", text="Your code is 1234")
        await eventually(lambda: len(list((setup.root / "spool").glob(f"*{SUFFIX}"))) == 1, "the text")
        reader.terminate()
        assert await reader.wait() == 0
    settings = load_settings(environ={"SMSCATCH_CONFIG": str(setup.root / CONFIG)})
    assert settings.lines[NUMBER].own_reader
    shutil.rmtree(setup.root / "spool")
    assert await setup.run("--remove") == 0
    assert list(setup.root.rglob("*")) == []


async def test_a_stick_in_storage_mode_gets_a_rule_that_makes_a_modem_of_it(
    setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    device = setup.stick.tree.sys / "bus" / "usb" / "devices" / "1-1"
    (device / "1-1:1.0").mkdir(parents=True)
    (device / "1-1:1.0" / "bInterfaceClass").write_text("08\n")
    (device / "idVendor").write_text("12d1\n")
    (device / "idProduct").write_text("1446\n")
    assert await setup.run("--yes") == 0
    printed = capsys.readouterr().out
    assert "no modem yet: A stick of Huawei (12d1:1446) still shows itself as a CD drive." in printed
    assert "sudo apt-get install usb-modeswitch" in printed
    before = setup.files()
    assert 'RUN+="/usr/sbin/usb_modeswitch -v 12d1 -p 1446 -J"' in before[str(RULES)]
    assert load_settings(environ={"SMSCATCH_CONFIG": str(setup.root / CONFIG)}).lines == {}
    assert await setup.run("--yes") == 0
    assert setup.files() == before
    assert await setup.run("--remove") == 0
    assert list(setup.root.rglob("*")) == []


@pytest.mark.parametrize(
    ("rules", "is_named"),
    [
        ('ATTRS{idVendor}=="12d1", ATTRS{bInterfaceClass}=="08", RUN+="usb_modeswitch"', True),
        ('ATTRS{idVendor}=="12d1", ATTRS{idProduct}=="1446", RUN+="usb_modeswitch"', True),
        ('ATTRS{idVendor}=="12d1", ATTRS{idProduct}=="1001", RUN+="usb_modeswitch"', False),
        ('ATTRS{idVendor}=="19d2", RUN+="usb_modeswitch"', False),
    ],
)
def test_a_stick_that_usb_modeswitch_knows_itself_gets_no_rule_of_ours(rules: str, *, is_named: bool) -> None:
    there = Installed("", "", "k" * 20, rules)
    files = plan([], Path("/usr/bin/env"), there, [StickDrive("12d1:1446", "Huawei")])
    [content] = [file.content for file in files if file.path == RULES]
    assert ("usb_modeswitch" not in content) == is_named


async def test_a_modem_at_9600_baud_at_another_machine_is_set_up(setup: Setup) -> None:
    device = setup.stick.tree.dev / "elsewhere"
    async with SimulatedModem(device, settings=StickSettings(baud=9600)):
        gateway = Gateway(device, is_telnet=False, speed=termios.B9600)
        server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
        async with server:
            address = f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            assert await setup.run("--yes", "--device", address) == 0
            before = setup.files()
            assert await setup.run("--yes", "--device", address) == 0
            gateway.hang_up()
    assert setup.files() == before
    assert load_settings(environ={"SMSCATCH_CONFIG": str(setup.root / CONFIG)}).lines[NUMBER].device == address


async def test_numbers_are_learnt_from_texts_that_say_them(tmp_path: Path) -> None:
    stick, listening = Stick(tmp_path), asyncio.Event()
    devices = stick.plug("1-1", ["ttyUSB0", "ttyUSB1"])
    async with AsyncExitStack() as stack:
        one, two = [await stack.enter_async_context(SimulatedModem(device)) for device in devices]
        await one.do("deliver", sender="+447700900999", text="+447700900111")  # the number of whoever had it before
        learning = asyncio.ensure_future(
            learn_numbers([PortSettings(str(each)) for each in devices], listening.set, hurried, 1e6)
        )
        await listening.wait()
        await one.do("deliver", sender="+447700900999", text="Your code is 1234")
        await one.do("deliver", sender="+447700900999", text="This is +44 7700 900123, is it not?")
        await two.do("deliver", sender="+447700900999", text="+447700900456")
        assert await learning == {str(devices[0]): NUMBER, str(devices[1]): "+447700900456"}
        assert (await one.do("status"))["used"] == 3


async def test_what_was_learnt_is_written_and_a_number_that_nobody_sends_is_named(
    setup: Setup, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: dict[str, str] = {}

    async def learn(modems: Sequence[PortSettings], listening: Callable[[], None]) -> dict[str, str]:
        listening()
        return heard

    monkeypatch.setattr("smscatch.setup.asking.learn_numbers", learn)
    async with setup.plugged_in(StickSettings(number="")):
        assert await setup.run("--yes", "--learn") == 2
        assert f"No text came to imei:{IMEI}" in capsys.readouterr().err
        heard[f"imei:{IMEI}"] = "+447700900456"
        assert await setup.run("--yes", "--learn") == 0
        assert "text from any phone that says the SIM's own number" in capsys.readouterr().out
        assert await setup.run("--yes") == 0  # by now the configuration knows it
    assert '[lines."+447700900456"]' in setup.files()[str(CONFIG)]


async def test_a_hilink_stick_is_set_up_by_its_page_and_its_password_is_asked_for(
    setup: Setup, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([NUMBER, "geheim", "y"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    with HilinkStick("geheim") as stick:
        assert await setup.run("--device", stick.url) == 0
        assert "geheim" not in capsys.readouterr().out
        before = setup.files()
        assert await setup.run("--yes", "--device", stick.url) == 0
        assert setup.files() == before
        line = load_settings(environ={"SMSCATCH_CONFIG": str(setup.root / CONFIG)}).lines[NUMBER]
        assert (line.engine, line.device, line.password) == ("hilink", stick.url, "geheim")
        stick.password = None
        [found] = (await survey_pages([stick.url])).modems
    assert (found.name, found.imei, found.operator) == ("huawei E3372", IMEI, "Test Net")


def test_the_page_of_a_stick_is_at_the_gateway_behind_its_network_card(tmp_path: Path) -> None:
    for card, vendor in (("eth0", "8086"), ("eth1", "12d1"), ("usb0", "12d1")):
        interface = tmp_path / "devices" / card / "1.0"
        interface.mkdir(parents=True)
        (interface.parent / "idVendor").write_text(f"{vendor}\n")
        (tmp_path / "class" / "net" / card).mkdir(parents=True)
        (tmp_path / "class" / "net" / card / "device").symlink_to(interface)
    (tmp_path / "net").mkdir()
    gateway = struct.unpack("=L", bytes((10, 0, 0, 1)))[0]
    rows = [
        "Iface Destination Gateway",
        f"eth0 00000000 {gateway:08X}",
        f"usb0 00000000 {gateway:08X}",
        "eth1 0 00000000",
    ]
    (tmp_path / "net" / "route").write_text("\n".join(rows))
    assert list_pages(tmp_path, tmp_path) == ["http://192.168.8.1", "http://10.0.0.1"]
    assert list_pages(tmp_path / "none", tmp_path) == []


def test_what_modemmanager_reads_gets_its_engine_and_the_right_to() -> None:
    modem = FoundModem(f"imei:{IMEI}", "Quectel EC25", IMEI, engine="modemmanager")
    files = {file.path: file.content for file in plan([PlannedLine(NUMBER, modem)], Path("/usr/bin/env"), NOTHING)}
    assert 'engine = "modemmanager"' in files[CONFIG]
    assert 'subject.user == "smscatch"' in files[POLKIT]
    assert "ID_MM_DEVICE_IGNORE" not in files[RULES]


def test_a_modem_that_two_ways_find_is_set_up_once() -> None:
    managed = MODEM._replace(device=f"imei:{IMEI}", engine="modemmanager")
    assert join(Survey((MODEM,)), Survey((managed,), ("a",))) == Survey((MODEM,), ("a",))


def test_gammu_smsd_gets_a_configuration_with_which_it_loses_nothing(tmp_path: Path) -> None:
    line = PlannedLine(NUMBER, MODEM._replace(device=os.devnull), reader="gammu")
    files = {file.path: file.content for file in plan([line], Path("/usr/bin/env"), NOTHING)}
    path, spool = tmp_path / "gammu-smsdrc", tmp_path / "spool"
    spool.mkdir()
    path.write_text(files[GAMMURC].replace("/var/lib/smscatch/spool", str(spool)))
    assert check_gammurc(path, spool=spool, reader=find_reader(None), line_of=lambda name: f"+{name}") == []
    assert f'phone_id = "{NUMBER[1:]}"' in files[CONFIG]
    assert "-f 2\nUser=smscatch" in files[GAMMU_DROPIN]
    assert "systemctl enable smscatch.service gammu-smsd.service" in map(" ".join, after_writing("", files))
    with pytest.raises(BadSetting, match="needs a port below /dev"):
        plan([line._replace(modem=MODEM._replace(device="imei:1"))], Path("/usr/bin/env"), NOTHING)
    with pytest.raises(BadSetting, match="reads one modem"):
        plan([line, line._replace(number="+447700900456")], Path("/usr/bin/env"), NOTHING)


async def test_what_nobody_tells_is_asked_for_or_named(setup: Setup, capsys: pytest.CaptureFixture[str]) -> None:
    async with setup.plugged_in(StickSettings(number="")):
        assert await setup.run("--yes") == 2
        assert "Give it with --line" in capsys.readouterr().err
        assert await setup.run("--yes", "--line", "nobody") == 2
        assert "is no number in E.164" in capsys.readouterr().err
        assert await setup.run("--yes", "--line", "+49 1511 2345678") == 0
    assert '[lines."+4915112345678"]' in (setup.root / CONFIG).read_text()


async def test_without_a_modem_it_says_where_to_look(setup: Setup, capsys: pytest.CaptureFixture[str]) -> None:
    assert await setup.run("--yes") == 1
    assert "smscatch doctor" in capsys.readouterr().err


async def test_of_a_stick_with_four_ports_the_one_that_answers_is_taken_by_its_lasting_name(tmp_path: Path) -> None:
    stick, clock = Stick(tmp_path), CountedClock()
    names = ["ttyUSB0", "ttyUSB1", "ttyUSB2", "ttyUSB3"]
    by_id = stick.tree.dev / "serial" / "by-id"
    by_id.mkdir(parents=True)
    (by_id / "usb-HUAWEI-if03").symlink_to(stick.tree.dev / "ttyUSB3")
    async with a_stick_of_four(stick, "1-1", names):
        found = await survey(stick.tree, clock.sleep)
    [modem] = found.modems
    assert (modem.device, modem.number, modem.usb_id) == (str(by_id / "usb-HUAWEI-if03"), NUMBER, "12d1:1001")
    assert [reason.partition(":")[0] for reason in found.silent] == [str(stick.tree.dev / name) for name in names[:3]]


async def test_several_modems_are_found_at_once_also_one_at_9600_baud(tmp_path: Path) -> None:
    stick, clock = Stick(tmp_path), CountedClock()
    first, second = stick.plug("1-1", ["ttyUSB0", "ttyUSB1"])
    other = StickSettings(imei="356938035643809", number="+447700900456", baud=9600)
    async with SimulatedModem(first, settings=StickSettings()), SimulatedModem(second, settings=other):
        found = await survey(stick.tree, clock.sleep)
    assert sorted(modem.number for modem in found.modems) == [NUMBER, "+447700900456"]
    assert {modem.device for modem in found.modems} == {f"imei:{IMEI}", "imei:356938035643809"}


async def test_a_port_that_is_no_modem_is_named_with_its_reason(tmp_path: Path) -> None:
    stick, clock = Stick(tmp_path), CountedClock()
    [device] = stick.plug("1-1", ["ttyUSB0"])
    async with a_port(device, lambda typed: typed):
        found = await survey(stick.tree, clock.sleep)
    assert found.modems == ()
    assert "only sends back what it is told" in found.silent[0]


def _planned(config: str = "", rules: str = "") -> dict[Path, PlannedFile]:
    files = plan([PlannedLine(NUMBER, MODEM)], Path("/usr/bin/env"), Installed(config, rules, "k" * 20))
    return {file.path: file for file in files}


def test_a_configuration_that_was_there_keeps_all_it_had_and_comes_back(tmp_path: Path) -> None:
    config = '# ours\nport = 8000\n\n[lines."+447700900999"]\nphone_id = "old"\n'
    (tmp_path / CONFIG).parent.mkdir(parents=True)
    (tmp_path / CONFIG).write_text(config)
    for change in changes(tmp_path, list(_planned(config).values())):
        write(tmp_path, change)
    settings = load_settings(environ={"SMSCATCH_CONFIG": str(tmp_path / CONFIG)})
    assert (settings.port, list(settings.lines)) == (8000, ["+447700900999", NUMBER])
    assert (tmp_path / CONFIG).read_text().startswith(config)
    assert f"put back /{CONFIG} as it was before" in list(remove(tmp_path))
    assert (tmp_path / CONFIG).read_text() == config


def test_what_was_changed_by_hand_is_kept_beside_and_not_removed(tmp_path: Path) -> None:
    files = _planned()
    for change in changes(tmp_path, list(files.values())):
        write(tmp_path, change)
    (tmp_path / UNIT).write_text("[Service]\nExecStart=/opt/mine\n")
    [change] = changes(tmp_path, list(files.values()))
    write(tmp_path, change)
    assert (tmp_path / UNIT).with_name(UNIT.name + BACKUP).read_text() == "[Service]\nExecStart=/opt/mine\n"
    (tmp_path / UNIT).write_text("[Service]\nExecStart=/opt/again\n")
    assert f"left /{UNIT}: it was changed since setup wrote it" in list(remove(tmp_path))
    assert (tmp_path / UNIT).read_text() == "[Service]\nExecStart=/opt/again\n"


def test_a_line_that_is_there_with_another_modem_is_not_touched() -> None:
    with pytest.raises(BadSetting, match=f"has {re.escape(NUMBER)} already, with another device"):
        _planned(f'[lines."{NUMBER}"]\ndevice = "auto"\n')


def test_a_configuration_that_is_wrong_is_named() -> None:
    with pytest.raises(BadSetting, match="is not TOML"):
        _planned("[lines")


def test_a_record_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / RECORD).parent.mkdir(parents=True)
    (tmp_path / RECORD).write_text("{")
    with pytest.raises(BadSetting, match="is no record of setup"):
        list(remove(tmp_path))


def test_a_second_stick_gets_a_rule_beside_the_first(tmp_path: Path) -> None:
    first = _planned()[RULES].content
    second = MODEM._replace(device="imei:1", usb_id="19d2:0117")
    again = plan([PlannedLine("+447700900456", second)], Path("/usr/bin/env"), Installed("", first, "k" * 20))[-1]
    assert again.content.startswith(first)
    assert 'ATTR{idVendor}=="19d2", ATTR{idProduct}=="0117"' in again.content


@pytest.mark.parametrize("path", [UNIT, READER_UNIT])
def test_systemd_takes_the_service_and_finds_it_well_confined(tmp_path: Path, path: Path) -> None:
    unit = tmp_path / path.name.replace("@", f"@{NUMBER[1:]}")
    lines = [PlannedLine(NUMBER, MODEM, reader="own")]
    [content] = [file.content for file in plan(lines, Path("/usr/bin/env"), NOTHING) if file.path == path]
    unit.write_text(content)
    verified = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSURE}", str(unit)]
    exposed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert exposed.returncode == 0, exposed.stdout[-300:]


def test_a_program_that_the_service_may_not_reach_is_named(tmp_path: Path) -> None:
    check_reach(Path("/usr/bin/env"))
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "smscatch").touch(mode=0o755)
    with pytest.raises(BadSetting, match=r"may not reach .*/home/smscatch\. Install"):
        check_reach(home / "smscatch")


def test_the_record_has_each_file_with_its_hash(tmp_path: Path) -> None:
    for change in changes(tmp_path, list(_planned().values())):
        write(tmp_path, change)
    record = json.loads((tmp_path / RECORD).read_text())
    assert {Path(name) for name in record} == set(_planned())
    assert all(re.fullmatch("[0-9a-f]{64}", entry["sha256"]) for entry in record.values())
