"""The simulated modem as a reader of the port sees it: its dialogue, and each way in which it misbehaves."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from smscatch.errors import BadRequest, CannotStart
from smscatch.simulator import SimulatedModem, StickSettings, dialogue, tell
from smscatch.simulator.session import Session
from smscatch.simulator.state import StickState
from tests.carrier import end
from tests.modem.conftest import MakeModem, OpenTerminal, Terminal
from tests.patience import PATIENCE_SECONDS

# 3GPP TS 23.040: "How are you?" from +31641600986.
PDU = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
LENGTH = 30
REPORT = "07911326040000F006070B911346610089F6208062917314082080629173140800"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("AT", ["OK"]),
        ("at+csq", ["+CSQ: 17,99", "OK"]),
        ("ATI", ["Manufacturer: huawei", "Model: E173"]),
        ("AT+CGMM", ["E173", "OK"]),
        ("AT+CGMR", ["11.126.85.00.209", "OK"]),
        ("AT+CGSN", ["490154203237518", "OK"]),
        ("AT+CIMI", ["001010123456789", "OK"]),
        ("AT+CNUM", ['+CNUM: "","+447700900123",145', "OK"]),
        ("AT+CPIN?", ["+CPIN: READY", "OK"]),
        ("AT^CPIN?", ["^CPIN: READY,,10,3,10,3", "OK"]),
        ("AT+CREG?", ["+CREG: 0,1", "OK"]),
        ("AT+COPS?", ['+COPS: 0,0,"Test PLMN 1-1",2', "OK"]),
        ("AT+CPMS=?", ['+CPMS: ("SM"),("SM"),("SM")', "OK"]),
        ("AT+CPMS?", ['+CPMS: "SM",0,20,"SM",0,20,"SM",0,20', "OK"]),
        ('AT+CPMS="SM","SM","SM"', ["+CPMS: 0,20,0,20,0,20", "OK"]),
        ('AT+CPMS="ME"', ["+CMS ERROR: 302"]),
        ("AT+CNMI?", ["+CNMI: 2,0,0,0,0", "OK"]),
        ("AT+CNMI=2,9", ["+CME ERROR: 50"]),
        ("AT+CMGF=1", ["+CME ERROR: 50"]),
        ("AT+CMGL=4", ["OK"]),
        ("AT+CMGR=0", ["+CMS ERROR: 321"]),
        ("AT+CMGD=0", ["+CMS ERROR: 321"]),
        ("AT+CMGR=x", ["+CME ERROR: 50"]),
        ("AT+CMMS=5,5;+CMSS=1", ["ERROR"]),
        ("AT+NONSENSE", ["ERROR"]),
        ("AT+CREG=2;+CREG?", ['+CREG: 2,1,"1A2B","0C3D4E5F"', "OK"]),
        ("AT+CSQ;+NONSENSE;+CSQ", ["+CSQ: 17,99", "ERROR"]),
    ],
)
async def test_a_command_gets_its_answer(
    a_modem: MakeModem, a_terminal: OpenTerminal, command: str, answer: list[str]
) -> None:
    terminal = await a_terminal(await a_modem())
    assert (await terminal.ask(command))[: len(answer)] == answer


@given(
    st.sampled_from([*dialogue.COMMANDS, "+NONE="]),
    st.text(st.characters(max_codepoint=255, exclude_characters="\r")),
)
def test_no_argument_leaves_a_command_without_result_code(command: str, argument: str) -> None:
    session = Session(StickState(StickSettings(pin="1234")))
    session.state.lock.enter("1234")
    answer = dialogue.answer(session, f"AT{command}{argument}")
    assume(session.is_verbose and not session.is_quiet)  # ATV0 and ATQ1 change what a result code is
    assert answer.splitlines()[-1].startswith((b"OK", b"ERROR", b"+CME ERROR: ", b"+CMS ERROR: "))


async def test_commands_typed_in_one_go_are_answered_in_their_order(
    a_modem: MakeModem, a_terminal: OpenTerminal
) -> None:
    terminal = await a_terminal(await a_modem())
    terminal.type("AT+CGMM\rAT+CGMI\r\nAT+CSQ\r")
    lines = await terminal.read_until(lambda lines: lines.count("OK") == 3)
    assert lines == ["E173", "OK", "huawei", "OK", "+CSQ: 17,99", "OK"]


async def test_echo_is_on_until_it_is_switched_off_and_after_a_reset(a_modem: MakeModem) -> None:
    terminal = Terminal((await a_modem()).device)
    assert await terminal.ask("AT") == ["AT", "OK"]
    assert await terminal.ask("ATE0") == ["ATE0", "OK"]
    assert await terminal.ask("AT") == ["OK"]
    assert await terminal.ask("ATZ") == ["OK"]
    assert await terminal.ask("AT") == ["AT", "OK"]
    terminal.close()


async def test_escape_throws_away_what_was_typed_before_it(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    terminal = await a_terminal(await a_modem())
    assert await terminal.ask("AT+NONSENSE\x1bAT") == ["OK"]


async def test_errors_are_told_as_cmee_asks(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    terminal = await a_terminal(await a_modem(pin="1234"))
    answers = [(await terminal.ask(f"AT+CMEE={form};+CMGL=4"))[-1] for form in range(3)]
    assert answers == ["ERROR", "+CME ERROR: 11", "+CME ERROR: SIM PIN required"]


async def test_a_text_is_unread_until_it_is_listed_and_gone_when_deleted(
    a_modem: MakeModem, a_terminal: OpenTerminal
) -> None:
    modem = await a_modem()
    terminal = await a_terminal(modem)
    await modem.do("deliver_pdu", pdu=PDU)
    assert await terminal.ask("AT+CMGL=0") == [f"+CMGL: 0,0,,{LENGTH}", PDU, "OK"]
    assert await terminal.ask("AT+CMGL=0") == ["OK"]
    assert await terminal.ask("AT+CMGL=4") == [f"+CMGL: 0,1,,{LENGTH}", PDU, "OK"]
    assert await terminal.ask("AT+CMGR=0") == [f"+CMGR: 1,,{LENGTH}", PDU, "OK"]
    assert await terminal.ask("AT+CMGD=0") == ["OK"]
    assert await terminal.ask("AT+CMGL=4") == ["OK"]


async def test_cmgr_makes_a_text_read(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    modem = await a_modem()
    terminal = await a_terminal(modem)
    await modem.do("deliver_pdu", pdu=PDU)
    assert [(await terminal.ask("AT+CMGR=0"))[0] for _ in range(2)] == [
        f"+CMGR: {status},,{LENGTH}" for status in (0, 1)
    ]


@pytest.mark.parametrize(
    ("asked", "pdu", "lines"),
    [
        ("AT+CNMI=2,1,0,2,0", PDU, ['+CMTI: "SM",0']),
        ("AT+CNMI=2,1,0,2,0", REPORT, ['+CDSI: "SM",0']),
        ("AT+CNMI=2,2,0,0,0", PDU, [f"+CMT: ,{LENGTH}", PDU]),
        ("AT+CNMI=2,1,0,1,0", REPORT, ["+CDS: 25", REPORT]),
        ("AT+CNMI=2,0,0,0,0", PDU, []),
    ],
)
async def test_a_new_text_is_announced_as_cnmi_asks(
    a_modem: MakeModem, a_terminal: OpenTerminal, *, asked: str, pdu: str, lines: list[str]
) -> None:
    modem = await a_modem()
    terminal = await a_terminal(modem)
    assert await terminal.ask(asked) == ["OK"]
    await modem.do("deliver_pdu", pdu=pdu)
    assert (await terminal.ask("AT"))[:-1] == lines


async def test_a_full_sim_is_filled_up_from_the_network_in_order(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    modem = await a_modem(slots=2)
    terminal = await a_terminal(modem)
    assert await terminal.ask("AT+CNMI=2,1") == ["OK"]
    for word in ("first", "second", "third", "fourth"):
        await modem.do("deliver_pdu", pdu=word)
    assert (await modem.do("status"))["queue"] == 2
    assert (await terminal.ask("AT+CPMS?"))[-2] == '+CPMS: "SM",2,2,"SM",2,2,"SM",2,2'
    assert await terminal.ask("AT+CMGD=0") == ["OK"]
    assert (await terminal.ask("AT+CMGR=0"))[0] == '+CMTI: "SM",0'
    assert await terminal.ask("AT+CMGD=1") == ["OK"]
    assert [line for line in await terminal.ask("AT+CMGL=4") if line.isalpha()] == ["third", "fourth", "OK"]


async def test_wait_answers_when_sim_and_network_are_empty(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    modem = await a_modem(slots=1)
    terminal = await a_terminal(modem)
    for _ in range(2):
        await modem.do("deliver_pdu", pdu=PDU)
    emptied = asyncio.create_task(modem.do("wait", until="empty"))
    assert await terminal.ask("AT+CMGD=0") == ["OK"]
    assert not emptied.done()
    assert await terminal.ask("AT+CMGD=0") == ["OK"]
    assert await emptied
    assert (await modem.do("status"))["deleted"] == 2


async def test_a_wait_in_vain_says_how_the_modem_is(a_modem: MakeModem) -> None:
    modem = await a_modem()
    with pytest.raises(BadRequest, match=r"until command AT\+CMGL.*'commands': 0"):
        await modem.do("wait", until="command", command="AT+CMGL", timeout=0.01)


async def test_before_the_pin_nothing_is_read_and_the_network_keeps_the_texts(
    a_modem: MakeModem, a_terminal: OpenTerminal
) -> None:
    modem = await a_modem(pin="1234")
    terminal = await a_terminal(modem)
    await modem.do("deliver_pdu", pdu=PDU)
    for command in ("AT+CMGL=4", "AT+CPMS?", "AT+CIMI", "AT+CNMI=2,1", "AT+CMGF=0", 'AT+CSCS="GSM"'):
        assert await terminal.ask(command) == ["+CME ERROR: 11"]
    assert await terminal.ask("AT^CPIN?") == ["^CPIN: SIM PIN,3,10,3,10,3", "OK"]
    assert await terminal.ask('AT+CPIN="1234"') == ["OK"]
    assert await terminal.ask("AT+CPIN?") == ["+CPIN: READY", "OK"]
    assert (await terminal.ask("AT+CMGL=4"))[-2] == PDU
    assert await terminal.ask('AT+CPIN="1234"') == ["+CME ERROR: 3"]


async def test_three_wrong_pins_leave_only_the_puk(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    terminal = await a_terminal(await a_modem(pin="1234"))
    assert [await terminal.ask("AT+CPIN=0000") for _ in range(3)] == [["+CME ERROR: 16"]] * 3
    assert await terminal.ask("AT+CPIN?") == ["+CPIN: SIM PUK", "OK"]
    assert await terminal.ask('AT+CPIN="1234"') == ["+CME ERROR: 12"]
    assert await terminal.ask("AT+CMGL=4") == ["+CME ERROR: 12"]
    assert await terminal.ask('AT+CPIN="87654321","4711"') == ["+CME ERROR: 16"]
    assert await terminal.ask("AT^CPIN?") == ["^CPIN: SIM PUK,9,9,0,10,3", "OK"]
    assert await terminal.ask('AT+CPIN="12345678","4711"') == ["OK"]
    assert await terminal.ask("AT+CPIN?") == ["+CPIN: READY", "OK"]


async def test_a_stick_without_sim_says_so(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    modem = await a_modem()
    terminal = await a_terminal(modem)
    await modem.do("set", sim=False)
    assert await terminal.ask("AT+CPIN?") == ["+CME ERROR: 10"]
    assert await terminal.ask("AT+CMGL=4") == ["+CME ERROR: 10"]


async def test_texts_wait_in_the_network_while_it_is_out_of_reach(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    modem = await a_modem()
    terminal = await a_terminal(modem)
    await modem.do("set", registration=2, signal=99)
    await modem.do("deliver_pdu", pdu=PDU)
    assert await terminal.ask("AT+CREG=2;+CREG?;+CSQ;+COPS?") == ["+CREG: 2,2", "+CSQ: 99,99", "+COPS: 0", "OK"]
    assert await terminal.ask("AT+CMGL=4") == ["OK"]
    await modem.do("set", registration=5)
    assert (await terminal.ask("AT+CMGL=4"))[-2] == PDU


async def test_an_unplugged_stick_vanishes_and_comes_back_with_its_sim(
    a_modem: MakeModem, a_terminal: OpenTerminal
) -> None:
    modem = await a_modem(pin="1234")
    terminal = await a_terminal(modem)
    assert await terminal.ask("AT+CPIN=1234") == ["OK"]
    await modem.do("deliver_pdu", pdu=PDU)
    await modem.do("unplug")
    await terminal.hung_up()
    assert not os.path.lexists(modem.device)
    await modem.do("replug")
    terminal = await a_terminal(modem)
    assert await terminal.ask("AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]
    assert await terminal.ask("AT+CPIN=1234") == ["OK"]
    assert (await terminal.ask("AT+CMGL=4"))[-2] == PDU


async def test_a_reboot_says_ok_and_vanishes_until_it_is_replugged(
    a_modem: MakeModem, a_terminal: OpenTerminal
) -> None:
    modem = await a_modem()
    terminal = await a_terminal(modem)
    await modem.do("set", reboot="vanish")
    terminal.type("AT+CFUN=1,1\r")  # the OK may be lost with the port, as a stick's may
    await terminal.hung_up()
    await modem.do("wait", until="unplugged")
    await modem.do("replug")
    assert await (await a_terminal(modem)).ask("AT") == ["OK"]


async def test_a_reboot_may_end_by_itself(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    modem = await a_modem()
    terminal = await a_terminal(modem)
    await modem.do("set", reboot="0.05")
    terminal.type("AT+CFUN=1,1\r")  # the OK may be lost with the port, as a stick's may
    await terminal.hung_up()
    await modem.do("wait", until="plugged")
    assert await (await a_terminal(modem)).ask("AT") == ["OK"]


async def test_a_reboot_is_harmless_unless_told_otherwise(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    terminal = await a_terminal(await a_modem())
    assert await terminal.ask("AT+CFUN=1,1") == ["OK"]
    assert await terminal.ask("AT+CFUN?") == ["+CFUN: 1", "OK"]


async def test_a_hanging_stick_answers_nothing_until_told(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    modem = await a_modem()
    terminal = await a_terminal(modem)
    await modem.do("set", hang=True)
    seen = asyncio.create_task(modem.do("wait", until="command", command="AT+CGMM"))
    terminal.type("AT+CGMM\r")
    await seen
    await modem.do("set", hang=False)
    assert await terminal.ask("AT+CGMI") == ["huawei", "OK"]


async def test_one_command_may_stay_without_answer(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    modem = await a_modem()
    terminal = await a_terminal(modem)
    await modem.do("set", silent="AT+CGMM")
    terminal.type("AT+CGMM\r")
    assert await terminal.ask("AT+CGMI") == ["huawei", "OK"]
    await modem.do("set", silent="")
    assert await terminal.ask("AT+CGMM") == ["E173", "OK"]


async def test_a_slow_stick_answers_after_its_delay(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    modem = await a_modem()
    terminal = await a_terminal(modem)
    await modem.do("set", delay_seconds=3600)
    seen = asyncio.create_task(modem.do("wait", until="command", command="AT+CGMM"))
    terminal.type("AT+CGMM\r")
    await seen
    assert terminal.find_line() is None
    await modem.do("set", delay_seconds=0.001)
    assert await terminal.ask("AT+CGMI") == ["E173", "OK"]
    assert await terminal.read_until(lambda lines: "OK" in lines) == ["huawei", "OK"]


async def test_deletions_fail_as_often_as_told(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    modem = await a_modem()
    terminal = await a_terminal(modem)
    await modem.do("deliver_pdu", pdu=PDU)
    await modem.do("set", failing_deletes=2)
    answers = [(await terminal.ask("AT+CMGD=0"))[-1] for _ in range(4)]
    assert answers == ["+CMS ERROR: 500", "+CMS ERROR: 500", "OK", "+CMS ERROR: 321"]


async def test_stray_lines_and_octets_come_unasked(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    modem = await a_modem()
    terminal = await a_terminal(modem)
    await modem.do("stray", text='^NWTIME: "18/04/28"')
    await modem.do("stray", data="00FF41")
    assert await terminal.ask("AT") == ['^NWTIME: "18/04/28"', "\x00\xffA", "OK"]


@pytest.mark.parametrize("pdu", ["", "00", "ZZ", PDU[:-6], PDU + "0000"])
async def test_what_is_no_pdu_is_handed_over_as_it_is(a_modem: MakeModem, a_terminal: OpenTerminal, pdu: str) -> None:
    modem = await a_modem()
    terminal = await a_terminal(modem)
    await modem.do("deliver_pdu", pdu=pdu, length=7)
    assert await terminal.ask("AT+CMGL=4") == [line for line in ("+CMGL: 0,0,,7", pdu, "OK") if line]


async def test_a_second_memory_has_texts_of_its_own(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    modem = await a_modem(memories=("SM", "ME"))
    terminal = await a_terminal(modem)
    await terminal.ask('AT+CPMS="SM","SM","ME"')
    await terminal.ask("AT+CNMI=2,1")
    await modem.do("deliver_pdu", pdu=PDU)
    assert await terminal.ask("AT+CMGL=4") == ['+CMTI: "ME",0', "OK"]
    await terminal.ask('AT+CPMS="ME"')
    assert (await terminal.ask("AT+CMGL=4"))[-2] == PDU


async def test_nobody_reading_does_not_stop_the_stick(a_modem: MakeModem, a_terminal: OpenTerminal) -> None:
    modem = await a_modem(slots=200)
    terminal = await a_terminal(modem)
    for _ in range(200):
        await modem.do("deliver_pdu", pdu=PDU)
    terminal.type("AT+CMGL=4\r")
    await modem.do("wait", until="command", command="AT+CMGL", since=0)
    lines = await terminal.read_until(lambda lines: "OK" in lines)
    assert lines.count(PDU) == 200


@pytest.mark.parametrize(
    ("do", "arguments", "sentence"),
    [
        ("dance", {}, "cannot 'dance'"),
        ("unplug", {"x": 1}, "unexpected keyword argument 'x'"),
        ("stray", {"data": "xy"}, "non-hexadecimal"),
        ("set", {"hang": "yes"}, "hang takes a value of type bool"),
        ("set", {"mood": 1}, "no condition 'mood'"),
        ("set", {"reboot": "soon"}, "reboot takes"),
        ("wait", {"until": "noon"}, "until one of"),
        ("deliver", {"sender": "Authy", "text": "x", "order": [2]}, "order names part 2"),
        ("deliver", {"sender": "Authy", "text": "x", "refrence": 2}, "no argument 'refrence'"),
        ("deliver", {"sender": "Authy", "text": 5}, "deliver: "),
        ("deliver", {"sender": "Authy", "text": "x", "sent_at": "noon"}, "Invalid isoformat"),
    ],
)
async def test_an_order_that_makes_no_sense_is_refused_with_a_sentence(
    a_modem: MakeModem, do: str, arguments: dict[str, object], sentence: str
) -> None:
    modem = await a_modem()
    with pytest.raises(BadRequest, match=sentence):
        await modem.do(do, **arguments)


async def test_parts_come_in_the_order_asked_for(a_modem: MakeModem) -> None:
    modem = await a_modem()
    text = "x" * 400
    whole = (await modem.do("deliver", sender="Authy", text=text, reference=7, sent_at="2026-01-01T00:00:00Z"))["pdus"]
    mixed = (
        await modem.do(
            "deliver", sender="Authy", text=text, reference=7, sent_at="2026-01-01T00:00:00Z", order=[3, 1, 1]
        )
    )["pdus"]
    assert mixed == [whole[2], whole[0], whole[0]]


async def test_a_path_that_is_taken_by_a_file_is_left_alone(tmp_path: Path) -> None:
    taken = tmp_path / "tty"
    taken.write_text("mine")
    with pytest.raises(CannotStart, match="exists and is no symbolic link"):
        async with SimulatedModem(taken, tmp_path / "control"):
            pass
    assert taken.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [taken]


async def test_link_and_socket_are_gone_afterwards(tmp_path: Path) -> None:
    async with SimulatedModem(tmp_path / "tty", tmp_path / "control"):
        assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == []


async def test_orders_reach_a_modem_over_its_socket_even_at_a_very_long_path(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 200)
    folder.mkdir()
    async with SimulatedModem(folder / "tty", folder / "control"):
        answer = await asyncio.to_thread(tell, folder / "control", "deliver_pdu", pdu=PDU)
        assert answer == {"used": 1, "slots": 20, "queue": 0}
        with pytest.raises(BadRequest, match="cannot 'dance'"):
            await asyncio.to_thread(tell, folder / "control", "dance")


async def test_two_modems_cannot_share_a_socket(tmp_path: Path) -> None:
    async with SimulatedModem(tmp_path / "tty", tmp_path / "control"):
        link = (tmp_path / "tty").readlink()
        for name in ("tty", "tty2"):
            with pytest.raises(CannotStart, match="Another simulated modem"):
                async with SimulatedModem(tmp_path / name, tmp_path / "control"):
                    pass
        assert (tmp_path / "tty").readlink() == link
        assert (await asyncio.to_thread(tell, tmp_path / "control", "status"))["plugged"]
    assert list(tmp_path.iterdir()) == []


async def test_orders_to_nobody_say_that_nobody_is_there(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="No simulated modem answers at"):
        tell(tmp_path / "control", "status")
    with pytest.raises(CannotStart, match="Cannot open the folder"):
        tell(tmp_path / "nowhere" / "control", "status")


async def test_a_process_of_its_own_starts_takes_orders_and_ends_cleanly(tmp_path: Path) -> None:
    device, control = tmp_path / "tty", tmp_path / "control"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "smscatch.simulator", "--device", device, "--control", control),
        *("--slots", "3", "--pin", "1234", "--number", "+447700900999"),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.stdout.readline() == f"simulated modem at {device}\n".encode()
        status = await asyncio.to_thread(tell, control, "status")
        assert (status["slots"], status["pin"], status["number"]) == (3, "SIM PIN", "+447700900999")
        process.send_signal(signal.SIGTERM)
    finally:
        assert await end(process) == 0
    assert list(tmp_path.iterdir()) == []
