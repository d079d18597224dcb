"""What `smscatch doctor` says: each fault is brought about, and its advice read."""

import json
import os
import pty
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smscatch import cli
from smscatch.checks import check_texts
from smscatch.doctor import CHECKS, Machine, Patient, examine
from smscatch.doctor.serving import check_server
from smscatch.messages import Diagnosis
from smscatch.modem.finding import UsbTree
from smscatch.modem.gammucheck import HookUser, find_reader
from smscatch.modem.gammurc import hook_command, render_gammurc
from smscatch.modem.health import STATES, WORKING, Health, write_health
from smscatch.settings import load_settings
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS

LINE = "+447700900123"
OURS = "+4915112345678"  # no fictitious number, of which nobody expects anything
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
NOBODY = HookUser(65534, frozenset())
GAMMU = f'[lines."{LINE}"]\nphone_id = "stick1"\n'


class Ward:
    """An installation in a folder, on a machine that shows what a test says."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spool = root / "spool"
        self.sys, self.proc, self.etc, self.dev = (root / name for name in ("sys", "proc", "etc", "dev"))
        for folder in (self.spool, self.sys, self.proc, self.etc, self.dev):
            folder.mkdir()
        self.config = root / "smscatch.toml"
        self.printed = {"timedatectl": "yes", "gammu-smsd": "Gammu-smsd version 1.43.3"}
        self.user = find_reader(None)
        self.lines("")

    def lines(self, tables: str) -> None:
        text = f'spool = "{self.spool}"\nstore = "sqlite:///{self.root}/smscatch.db"\nport = 1\n{tables}'
        self.config.write_text(text)

    def device(self, name: str) -> Path:
        self.lines(f'[lines."{LINE}"]\ndevice = "{self.dev / name}"\n')
        return self.dev / name

    def process(self, number: int, comm: str, *words: str, **environ: str) -> None:
        folder = self.proc / str(number)
        folder.mkdir()
        (folder / "comm").write_text(f"{comm}\n")
        (folder / "cmdline").write_text("\0".join((comm, *words, "")))
        (folder / "environ").write_text("".join(f"{name}={value}\0" for name, value in environ.items()))

    def usb(self, place: str, **files: str) -> None:
        folder = self.sys / "bus" / "usb" / "devices" / place
        (folder / f"{place}:1.0").mkdir(parents=True)
        for name, value in files.items():
            (folder / f"{place}:1.0" if name.startswith("bInterface") else folder).joinpath(name).write_text(value)

    def health(self, state: str, error: str | None = None) -> None:
        write_health(self.spool, Health(line=LINE, device="/dev/modem", state=state, updated_at=NOW, error=error))

    def patient(self) -> Patient:
        def run(command: Sequence[str]) -> str | None:
            return self.printed.get(command[0])

        machine = Machine(UsbTree(self.sys, self.dev), self.proc, self.etc, run)
        return Patient(load_settings(environ={"SMSCATCH_CONFIG": str(self.config)}), self.user, machine, NOW)

    def said(self, check: str) -> list[Diagnosis]:
        return [finding for finding in examine(self.patient()) if finding.check == check]


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    return Ward(tmp_path)


def _a_line_is_read(ward: Ward) -> None:
    ward.device("modem").touch()
    ward.health("ready")


def _nobody_reads(ward: Ward) -> None:
    ward.device("modem").touch()


def _no_port(ward: Ward) -> None:
    ward.device("modem")


def _no_right_to_the_port(ward: Ward) -> None:
    device = ward.device("modem")
    device.touch(mode=0o660)
    ward.user = NOBODY


def _getty(ward: Ward) -> None:
    ward.device("ttyUSB0").touch()
    ward.process(7, "agetty", "-o", "-p", "--", "115200", "ttyUSB0", "vt220")


def _modem_manager(ward: Ward) -> None:
    ward.device("modem").touch()
    ward.process(8, "ModemManager")


def _storage_mode(ward: Ward) -> None:
    ward.usb("1-1", idVendor="12d1", idProduct="1446", bInterfaceClass="08")


def _gammu_without_configuration(ward: Ward) -> None:
    ward.lines(GAMMU)


def _gammu(ward: Ward) -> Path:
    ward.lines(GAMMU)
    path = ward.etc / "gammu-smsdrc"
    path.write_text(render_gammurc(Path(os.devnull), "stick1", hook_command(ward.spool)))
    return path


def _gammu_into_nothing(ward: Ward) -> None:
    path = _gammu(ward)
    path.write_text(path.read_text().replace(str(ward.spool), "/opt/gone"))


def _gammu_that_is_old(ward: Ward) -> None:
    _gammu(ward)
    ward.printed["gammu-smsd"] = "Gammu-smsd version 1.42.0"


def _gammu_that_is_not_installed(ward: Ward) -> None:
    _gammu(ward)
    del ward.printed["gammu-smsd"]


def _gammu_that_does_not_run(ward: Ward) -> None:
    _gammu(ward)


def _gammu_without_letters(ward: Ward) -> None:
    _gammu(ward)
    ward.process(9, "gammu-smsd", LC_ALL="C", LANG="de_DE.UTF-8")


def _texts_wait(ward: Ward) -> None:
    (ward.spool / "1.sms").write_bytes(b"")
    os.utime(ward.spool / "1.sms", (NOW.timestamp() - 600,) * 2)


def _texts_put_aside(ward: Ward) -> None:
    (ward.spool / "rejected").mkdir()
    (ward.spool / "rejected" / "1.sms").write_bytes(b"")


def _spool_of_another(ward: Ward) -> None:
    ward.spool.chmod(0o750)
    ward.user = NOBODY


def _store_is_no_database(ward: Ward) -> None:
    (ward.root / "smscatch.db").write_text("This is no database. " * 100)


def _no_server(ward: Ward) -> None:
    pass


def _clock_by_itself(ward: Ward) -> None:
    ward.printed["timedatectl"] = "no"


def _too_little_power(ward: Ward) -> None:
    folder = ward.sys / "class" / "hwmon" / "hwmon0"
    folder.mkdir(parents=True)
    (folder / "name").write_text("rpi_volt\n")
    (folder / "in0_lcrit_alarm").write_text("1\n")


@pytest.mark.parametrize(
    ("bring_about", "check", "said"),
    [
        (_nobody_reads, "modem", (f"Nobody reads the modem of {LINE}", "smscatch serve")),
        (_no_port, "port", ("There is no", "ls -l /dev/serial/by-id")),
        (_no_right_to_the_port, "port", ("may not be opened", "sudo usermod -aG")),
        (_getty, "port", ("A login prompt", "sudo systemctl disable --now serial-getty@ttyUSB0.service")),
        (_modem_manager, "ModemManager", ("ModemManager runs", "sudo systemctl mask --now ModemManager")),
        (_storage_mode, "stick", ("Huawei (12d1:1446) still shows itself", "sudo apt-get install usb-modeswitch")),
        (_gammu_without_configuration, "gammu", ("there is no", f"smscatch gammurc --line {LINE} | sudo tee")),
        (_gammu_into_nothing, "gammu", ("/opt/gone is no folder", "smscatch gammurc --check")),
        (_gammu_that_is_old, "gammu", ("1.42.0 stops for good", "Let smscatch read the modem")),
        (_gammu_that_is_not_installed, "gammu", ("is not installed", "sudo apt-get install gammu-smsd")),
        (_gammu_that_does_not_run, "gammu", ("does not run", "sudo systemctl start gammu-smsd")),
        (_gammu_without_letters, "gammu", ("(process 9) runs without a UTF-8 locale", "LC_ALL=C.UTF-8")),
        (_texts_wait, "spool", ("the oldest for 600 s: nobody takes them", "smscatch serve")),
        (_texts_put_aside, "spool", ("1 deliveries could not be read", "ls ")),
        (_spool_of_another, "spool", ("cannot be written by the user", "ls -ld")),
        (_store_is_no_database, "store", ("cannot be read: file is not a database", "ls -l")),
        (_no_server, "server", ("No server of ours answers at http://127.0.0.1:1", "smscatch serve")),
        (_clock_by_itself, "clock", ("is not set by the network", "sudo timedatectl set-ntp true")),
        (_too_little_power, "power", ("voltage is or was too low", "power supply")),
    ],
)
def test_each_fault_is_told_with_what_mends_it(
    ward: Ward, bring_about: Callable[[Ward], None], check: str, said: tuple[str, str]
) -> None:
    sentence, remedy = said
    if check != "server":  # none of which runs in a ward
        assert not any(sentence in finding.sentence for finding in ward.said(check))
    bring_about(ward)
    [found] = [finding for finding in ward.said(check) if sentence in finding.sentence]
    assert found.verdict != "ok"
    assert remedy in (found.remedy or "")


def test_a_full_disk_is_told(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(ward.spool)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    [finding] = ward.said("spool")
    assert (finding.verdict, finding.remedy) == ("wrong", f"df -h {ward.spool}")


def test_a_speed_that_is_set_wrong_and_a_sim_that_cannot_send_are_told(ward: Ward) -> None:
    ward.lines(f'[lines."{LINE}"]\ndevice = "auto"\nbaud = 9600\nself_test = 1\n')
    ward.health("silent", "It sulks.")
    [finding] = ward.said("speed")
    assert "9600 baud" in finding.sentence
    write_health(ward.spool, Health(line=LINE, device="/dev/modem", state="ready", updated_at=NOW, smsc=""))
    [finding] = ward.said("SMSC")
    assert (finding.verdict, ward.said("speed")) == ("wrong", [])
    assert "cannot send" in finding.sentence


def test_where_the_service_is_set_up_it_is_what_is_started(ward: Ward) -> None:
    _nobody_reads(ward)
    unit = ward.etc / "systemd" / "system" / "smscatch.service"
    unit.parent.mkdir(parents=True)
    unit.touch()
    [finding] = ward.said("modem")
    assert finding.remedy == "sudo systemctl restart smscatch"


@pytest.mark.parametrize("state", STATES)
def test_each_state_of_a_modem_is_told_and_leads_somewhere(ward: Ward, state: str) -> None:
    ward.device("modem").touch()
    ward.health(state, None if state in WORKING else "The SIM sulks.")
    [finding] = ward.said("modem")
    assert finding.verdict == ("ok" if state in WORKING else "wrong")
    assert state.replace("_", " ") in finding.sentence
    # A lock or an unknown SIM has a sentence of its own beside it, which says what to do.
    assert finding.remedy or state in WORKING or state.endswith("_lock") or state == "sim_unknown"


def test_another_program_at_a_port_that_we_do_not_read_is_named(ward: Ward) -> None:
    ours, theirs = pty.openpty()
    device = Path(os.ttyname(theirs))
    ward.lines(f'[lines."{LINE}"]\ndevice = "{device}"\n')
    with subprocess.Popen(["sleep", str(PATIENCE_SECONDS)], stdin=theirs) as other:
        os.close(theirs)
        [finding] = ward.said("port")
        other.kill()
    os.close(ours)
    assert f"in use by sleep (process {other.pid})" in finding.sentence


def test_what_is_in_order_is_told_too(ward: Ward) -> None:
    _a_line_is_read(ward)
    found = {finding.check: finding.verdict for finding in examine(ward.patient()) if finding.check != "server"}
    assert found == {"settings": "ok", "modem": "ok", "spool": "ok", "store": "note", "clock": "ok"}


def test_a_stick_that_no_line_names_is_told(ward: Ward) -> None:
    device = ward.sys / "devices" / "1-1"
    port = device / "1-1:1.0" / "ttyUSB0"
    port.mkdir(parents=True)
    for name, value in (("idVendor", "12d1"), ("idProduct", "1001"), ("serial", "")):
        (device / name).write_text(value)
    (port.parent / "bInterfaceNumber").write_text("00")
    (ward.sys / "class" / "tty" / "ttyUSB0").mkdir(parents=True)
    (ward.sys / "class" / "tty" / "ttyUSB0" / "device").symlink_to(port)
    [finding] = ward.said("stick")
    assert "12d1:1001 is plugged in" in finding.sentence
    assert 'device = "auto"' in (finding.remedy or "")


def test_modem_manager_that_is_told_to_ignore_a_port_is_no_trouble(ward: Ward) -> None:
    _modem_manager(ward)
    ward.printed["udevadm"] = "DEVNAME=/dev/ttyUSB0\nID_MM_DEVICE_IGNORE=1"
    assert ward.said("ModemManager") == []


def test_what_cannot_be_looked_at_is_a_note_and_the_rest_is_looked_at(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_weather(_: Patient) -> Iterator[Diagnosis]:
        raise PermissionError(13, "Permission denied", "/sys/weather")

    monkeypatch.setattr("smscatch.doctor.CHECKS", (check_weather, *CHECKS))
    first, *rest = examine(ward.patient())
    assert (first.check, first.verdict) == ("weather", "note")
    assert "/sys/weather" in first.sentence
    assert rest


def test_a_server_tells_how_it_is_and_what_its_lines_hear(
    server: Server, ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # which is not asked: neither does a client of ours
    server.send("Your code is 1234", line=OURS)
    with server.client() as client:
        client.wait_for_message(line=OURS, after="1h")
    environ = {"SMSCATCH_CONFIG": str(ward.config), "SMSCATCH_URL": server.url}

    def said(hours: float, **more: str) -> dict[str, str]:
        patient = ward.patient()._replace(
            settings=load_settings(environ=environ | more), now=datetime.now(UTC) + timedelta(hours=hours)
        )
        return {f"{finding.check} {finding.verdict}": finding.sentence for finding in check_server(patient)}

    assert "with a key only" in said(0)["server note"]
    assert "is ready" in said(0, SMSCATCH_KEY=ADMIN_KEY)["server ok"]
    assert f"{OURS} has one message, the last within a day." in said(0, SMSCATCH_KEY=ADMIN_KEY)["texts ok"]
    assert "This key is unknown" in said(0, SMSCATCH_KEY="x" * 40)["server wrong"]
    assert "3600 s apart" in said(1, SMSCATCH_KEY=ADMIN_KEY)["clock wrong"]


def test_the_command_prints_each_finding_and_ends_with_one_if_something_is_wrong(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMSCATCH_CONFIG", str(ward.config))
    assert cli.main(["doctor"]) == 1
    assert "✗ server: No server of ours answers" in capsys.readouterr().out
    assert cli.main(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    assert {"check", "verdict", "sentence", "remedy"} == set(found[0])
    ward.config.write_text("port = 'nowhere'")
    assert cli.main(["doctor"]) == 1
    assert "✗ settings: " in capsys.readouterr().out


def test_silence_is_measured_by_what_is_usual_for_a_line() -> None:
    def said(messages: int, days: float) -> str:
        last = NOW - timedelta(days=days)
        return check_texts(LINE, messages, last, retention=timedelta(days=30), now=NOW).verdict

    assert said(300, 0.9) == "ok"  # one in 2.4 hours, but a day is nothing
    assert said(300, 1.1) == "wrong"
    assert said(12, 10) == "ok"  # one in 2.5 days
    assert said(12, 13) == "wrong"
    assert said(3, 29) == "ok"  # too few to know what is usual
    assert check_texts(LINE, 0, None, retention=timedelta(days=30), now=NOW).verdict == "note"


def test_a_line_that_modemmanager_reads_is_not_told_to_keep_it_away(ward: Ward) -> None:
    _modem_manager(ward)
    ward.lines(f'[lines."{LINE}"]\nengine = "modemmanager"\ndevice = "/dev/ttyUSB7"\n')
    assert (ward.said("port"), ward.said("ModemManager")) == ([], [])
