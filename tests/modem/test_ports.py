"""Where a modem is: looked for on USB, at whatever speed it has, or at another machine."""

import asyncio
from pathlib import Path

import pytest

from smscatch.devices import DeviceName, parse_device
from smscatch.errors import BadSetting
from smscatch.modem.finding import list_ports, siblings
from smscatch.modem.link import run_link
from smscatch.modem.netport import _Telnet
from smscatch.modem.port import SerialPort
from smscatch.modem.ports import PortSettings
from smscatch.modem.speeds import Speeds
from smscatch.simulator import SimulatedModem, StickSettings
from tests.carrier import eventually
from tests.modem.conftest import MakeModem
from tests.modem.gateway import Gateway
from tests.modem.links import LINE, CountedClock, running_link
from tests.modem.sticks import IMEI, NMEA, Stick, a_port, a_stick_of_four
from tests.patience import PATIENCE_SECONDS


@pytest.mark.parametrize("device", ["auto", "usb:12d1:1001", "serial:0123456789ABCDEF", f"imei:{IMEI}"])
async def test_the_port_that_answers_is_found_within_15_s_and_again_under_other_names(
    tmp_path: Path, device: str
) -> None:
    stick, clock = Stick(tmp_path), CountedClock()
    settings = PortSettings(device, usb=stick.tree)
    first, second = ["ttyUSB0", "ttyUSB1", "ttyUSB2", "ttyUSB3"], ["ttyUSB7", "ttyUSB4", "ttyUSB9", "ttyUSB5"]
    async with running_link(settings, tmp_path / "spool", sleep=clock.sleep) as link:
        assert "is plugged in" in str((await link.until("port_missing")).error)
        for place, names in (("1-1", first), ("1-4", second)):
            async with a_stick_of_four(stick, place, names) as modem:
                before = clock.now
                health = await link.until("ready")
                assert clock.now - before <= 15
                assert health.device == str(stick.tree.dev / names[3])
                await modem.do("deliver", sender="Authy", text=f"at {place}")
                await modem.do("wait", until="empty")
            await link.until("port_missing")
    assert link.texts() == ["at 1-1", "at 1-4"]


@pytest.mark.parametrize("device", ["auto", "usb:12d1:1001", f"imei:{IMEI}"])
async def test_a_board_at_9600_baud_is_found_beside_a_silent_port_and_its_speed_is_remembered(
    tmp_path: Path, device: str
) -> None:
    stick, clock = Stick(tmp_path), CountedClock()
    silent, board = stick.plug("1-1", ["ttyUSB0", "ttyUSB1"])
    settings = PortSettings(device, usb=stick.tree)
    async with a_port(silent, lambda _: b""), SimulatedModem(board, settings=StickSettings(baud=9600)) as modem:
        for number in range(2):
            async with running_link(settings, tmp_path / "spool", sleep=clock.sleep) as link:
                health = await link.until("ready")
                await modem.do("deliver", sender="Authy", text=f"{number}")
                await modem.do("wait", until="empty")
            assert health.device == str(board)
            assert Speeds(tmp_path / "spool", LINE, None).first == 9600
    assert link.texts() == ["0", "1"]


async def test_a_search_in_vain_types_less_than_five_commands_a_second_into_a_port(tmp_path: Path) -> None:
    stick, clock = Stick(tmp_path), CountedClock()
    (board,) = stick.plug("1-1", ["ttyUSB0"])
    settings = PortSettings("auto", usb=stick.tree)
    async with SimulatedModem(board, settings=StickSettings()) as modem:
        await modem.do("set", hang=True)
        async with running_link(settings, tmp_path / "spool", sleep=clock.sleep):
            await eventually(lambda: clock.now > 60)
            assert (await modem.do("status"))["commands"] < 2 * clock.now


async def test_of_two_sticks_the_one_with_the_imei_is_read(tmp_path: Path) -> None:
    stick, other = Stick(tmp_path), Stick(tmp_path, usb_id="19d2:0031", serial="")
    (one,), (two,) = stick.plug("1-1", ["ttyUSB0"]), other.plug("1-2", ["ttyACM0"])
    settings = PortSettings("imei:490154203237526", usb=stick.tree)
    async with (
        SimulatedModem(one),
        SimulatedModem(two, settings=StickSettings(imei="490154203237526")),
        running_link(settings, tmp_path / "spool") as link,
    ):
        assert (await link.until("ready")).device == str(two)
    assert [port.usb_id for port in list_ports(stick.tree)] == ["12d1:1001", "19d2:0031"]


async def test_a_stick_that_is_read_for_another_line_is_in_no_ones_way(tmp_path: Path) -> None:
    stick = Stick(tmp_path)
    (port,) = stick.plug("1-1", ["ttyUSB0"])
    async with SimulatedModem(port):
        held = SerialPort(port)  # as the link of the other line does
        for number, device in enumerate(("imei:490154203237526", "usb:12d1:1001")):
            settings = PortSettings(device, usb=stick.tree)
            async with running_link(settings, tmp_path / "spool", line=f"+4477009001{number:02}") as link:
                error = str((await link.until("port_missing")).error)
            assert "ttyUSB0 (read for another line)" in error
            assert "program" not in error
        async with running_link(port, tmp_path / "spool", line="+447700900199") as link:
            assert "for another line" in str((await link.until("port_busy")).error)
        held.close()


async def test_modems_that_are_not_meant_are_asked_seldom(tmp_path: Path) -> None:
    stick, pauses, enough = Stick(tmp_path), list[float](), asyncio.Event()
    (port,) = stick.plug("1-1", ["ttyUSB0"])

    async def sleep(seconds: float) -> None:
        if asyncio.current_task() is running:  # the link itself, between two searches
            pauses.append(seconds)
            if len(pauses) >= 6:
                enough.set()
            await asyncio.sleep(0)
        else:  # the modem answers all, however slow this machine is
            await asyncio.Event().wait()

    settings = PortSettings("imei:490154203237526", usb=stick.tree)
    async with SimulatedModem(port):
        running = asyncio.create_task(run_link(LINE, settings, tmp_path / "spool", sleep=sleep))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await enough.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert pauses[:6] == [1, 2, 4, 8, 10, 10]


async def test_what_other_ports_of_a_stick_say_is_told_where_the_one_that_is_set_does_not_answer(
    tmp_path: Path,
) -> None:
    stick = Stick(tmp_path)
    names = ["ttyUSB0", "ttyUSB1", "ttyUSB2", "ttyUSB3"]
    settings = PortSettings(str(stick.tree.dev / "ttyUSB0"), usb=stick.tree)
    async with a_stick_of_four(stick, "1-1", names), running_link(settings, tmp_path / "spool") as link:
        error = str((await link.until("not_at")).error)
    assert "GPS port" in error
    assert f"ttyUSB3 (answers AT, IMEI {IMEI})" in error
    assert "ttyUSB1 (silent)" in error
    assert "ttyUSB2 (speaks, but not AT)" in error
    assert siblings(tmp_path / "elsewhere", stick.tree) == []


async def test_a_search_in_vain_tells_what_was_tried(tmp_path: Path) -> None:
    stick = Stick(tmp_path)
    (gps,) = stick.plug("1-1", ["ttyUSB0"])
    async with a_port(gps, lambda _: NMEA), running_link(PortSettings("auto", usb=stick.tree), tmp_path / "s") as link:
        assert "ttyUSB0 (speaks, but not AT)" in str((await link.until("not_at")).error)


@pytest.mark.parametrize("baud", [9600, 460800])
async def test_the_speed_of_a_modem_is_found_and_remembered(a_modem: MakeModem, tmp_path: Path, baud: int) -> None:
    modem = await a_modem(baud=baud)
    for _ in range(2):
        async with running_link(modem, tmp_path / "spool") as link:
            await link.until("ready")
    assert Speeds(tmp_path / "spool", LINE, None).first == baud


async def test_a_speed_that_is_set_is_the_only_one(a_modem: MakeModem, tmp_path: Path) -> None:
    modem = await a_modem(baud=9600)
    async with running_link(PortSettings(str(modem.device), 19200), tmp_path / "spool") as link:
        assert "another speed" in str((await link.until("not_at")).error)
    async with running_link(PortSettings(str(modem.device), 9600), tmp_path / "spool") as link:
        await link.until("ready")


def test_speeds_are_tried_seldom_and_a_known_one_is_kept_for_long(tmp_path: Path) -> None:
    speeds = Speeds(tmp_path, LINE, None)
    assert [bool(speeds.others()) for _ in range(8)] == [True, True, False, True, False, False, False, True]
    speeds.note(9600)
    assert [bool(speeds.others()) for _ in range(8)] == [False] * 7 + [True]
    assert Speeds(tmp_path, LINE, 19200).others() == ()


@pytest.mark.parametrize("kind", ["socket", "rfc2217"])
async def test_a_modem_at_another_machine_is_read_and_again_after_the_connection_broke(
    a_modem: MakeModem, tmp_path: Path, kind: str
) -> None:
    modem = await a_modem()
    gateway = Gateway(modem.device, is_telnet=kind == "rfc2217")
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    address = f"{kind}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, running_link(PortSettings(address, 9600), tmp_path / "spool") as link:
        assert (await link.until("ready")).device == address
        for number in range(2):
            await modem.do("deliver", sender="Authy", text=f"{number}")
            await modem.do("wait", until="empty")
            gateway.hang_up()
    assert link.texts() == ["0", "1"]
    if kind == "rfc2217":
        assert b"\xff\xfa\x2c\x01\x00\x00\x25\x80\xff\xf0" in gateway.orders  # SET-BAUDRATE 9600
        assert b"\xff\xfe\x01" in gateway.orders  # DONT echo


async def test_an_address_at_which_nobody_listens_is_said(tmp_path: Path) -> None:
    async with running_link("socket://127.0.0.1:1", tmp_path / "spool") as link:
        assert "ser2net" in str((await link.until("port_missing")).error)


def test_octets_of_telnet_are_told_from_the_ports_however_they_are_cut() -> None:
    telnet, came, answers = _Telnet(), b"", b""
    for octet in b"A\xff\xffT\xff\xfa\x2c\x65\x00\xff\xf0\xff\xfd\x18\xff\xf1OK":
        data, answer = telnet.read(bytes((octet,)))
        came, answers = came + data, answers + answer
    assert (came, answers) == (b"A\xffTOK", b"\xff\xfc\x18")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("/dev/ttyUSB0", DeviceName("path", "/dev/ttyUSB0")),
        ("auto", DeviceName("auto", "")),
        ("usb:12D1:1001", DeviceName("usb", "12d1:1001")),
        ("serial:ABC", DeviceName("serial", "ABC")),
        (f"imei:{IMEI}", DeviceName("imei", IMEI)),
        ("socket://pi.local:2000", DeviceName("socket", "pi.local:2000")),
        ("rfc2217://[::1]:2000/", DeviceName("rfc2217", "[::1]:2000")),
    ],
)
def test_a_device_is_named_in_several_ways(text: str, name: DeviceName) -> None:
    assert parse_device(text) == name


@pytest.mark.parametrize(
    "text",
    ["", "usb:12d1", "imei:123", "imei:", "serial:", "socket://host", "socket://:1", "http://x:1", "socket://h:x"],
)
async def test_what_names_no_device_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadSetting, match=r"Accepted: a path such as .*socket://host:port"):
        await run_link(LINE, text, tmp_path)
