"""Texts are typed into an Android emulator as its console takes them. A fake adb stands for the real one."""

from pathlib import Path
from typing import Any

import pytest

from smscatch.errors import BadSetting
from smscatch.inbox import Inbox
from smscatch.messages import Message, Stored, encode_message
from smscatch.pdu import Deliver, join_text, parse_pdu
from smscatch.settings import SinkSettings, load_settings
from smscatch.sinks import emulator
from smscatch.sinks.base import GONE, PASSING, PERMANENT, TAKEN, Result, Sink
from smscatch.sinks.emulator import console_commands, escape, judge
from tests.samples import LINE, a_delivery, a_message
from tests.sinks.adb import FakeAdb, heard
from tests.sinks.test_runner import running, settled

PHONE = "+15005550006"
SERIAL = "emulator-5554"
AUTHENTICATION = "KO: authentication token does not match ~/.emulator_console_auth_token\r\n"


def stored(**facts: Any) -> Stored:
    return Stored(1, encode_message(a_message(**facts)))


async def send(adb: FakeAdb, **facts: Any) -> Result:
    """Have the sink send a message."""
    settings = SinkSettings("emulator", serial=SERIAL, adb=str(adb.path))
    return await emulator.make_send(settings)(stored(**facts))


@pytest.fixture
def adb(tmp_path: Path) -> FakeAdb:
    return FakeAdb(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "Your code is 482913",
        'it\'s "quoted", `so` $HOME; 100 % & more | <b> #',
        "two\nlines\r\nand\ttabs ",
        "  blanks before and behind  ",
        r"a \n that is none, C:\new\x41\u0041 and \\",
        "482913\nkill\nquit",
        "für 5 €, ça va, Ω",
        "код 482913 です",
        "emoji \U0001f600 and 👨‍👩‍👧",
        "\x00\x1b\x7f\x85\u2028",
    ],
)
def test_the_console_reads_each_text_as_it_is_from_one_line_of_ascii(text: str) -> None:
    typed = escape(text)
    assert (typed.isascii(), typed.isprintable(), heard(typed)) == (True, True, text)
    assert console_commands(a_message(sender=PHONE, text=text)) == [("sms", "send", PHONE, typed)]


@pytest.mark.parametrize("sender", ["+4915112345678", "72000", "Authy", "My-App2"])
def test_a_sender_that_the_console_takes_is_typed_as_it_is(sender: str) -> None:
    assert console_commands(a_message(sender=sender, text="hello")) == [("sms", "send", sender, "hello")]


@pytest.mark.parametrize(
    ("sender", "text"),
    [
        ("My Bank", "Your code is 482913"),
        ("A&B", "Your code is 482913"),
        ("Zoé", "Your code is 482913"),
        (PHONE, ""),
        (PHONE, "a very long text € " * 600),
        (PHONE, "д" * 900),
    ],
)
def test_what_the_console_cannot_say_is_given_to_it_as_pdus(sender: str, text: str) -> None:
    commands = console_commands(a_message(sender=sender, text=text))
    assert {command[:2] for command in commands} == {("sms", "pdu")}
    assert all(len(" ".join(command)) < 4096 for command in commands)
    parts = [read(command[2]) for command in commands]
    assert ({part.sender for part in parts}, join_text(parts)) == ({sender}, text)


def read(pdu: str) -> Deliver:
    part = parse_pdu(pdu)
    assert isinstance(part, Deliver)
    return part


def test_the_parts_of_two_long_texts_are_told_apart() -> None:
    def references(message: Message) -> set[int | None]:
        return {part.concat and part.concat.reference for part in (read(each[2]) for each in console_commands(message))}

    one, other = (a_message(delivery=name, sender="My Bank", text="long " * 100) for name in "ab")
    assert len(references(one)) == len(references(other)) == 1
    assert references(one) != references(other)


async def test_texts_are_typed_in_their_order(inbox: Inbox, adb: FakeAdb) -> None:
    texts = [f"code {number}" for number in range(5)]
    settings = SinkSettings("emulator", serial=SERIAL, adb=str(adb.path))
    async with running(inbox, Sink("hook", (LINE,), emulator.make_send(settings))):
        await inbox.receive([a_delivery(sender=PHONE, text=text) for text in texts])
        await settled(inbox, len(texts))
    assert adb.calls == [["-s", SERIAL, "emu", "sms", "send", PHONE, text] for text in texts]


async def test_no_emulator_is_named_where_none_is_set(adb: FakeAdb) -> None:
    sending = emulator.make_send(SinkSettings("emulator", adb=str(adb.path)))
    assert await sending(stored(sender=PHONE, text="hello")) == Result(TAKEN)
    assert adb.calls == [["emu", "sms", "send", PHONE, "hello"]]


@pytest.mark.parametrize("mark", ["dropped", "undelivered", "delayed"])
async def test_what_the_weather_kept_from_arriving_is_not_typed(adb: FakeAdb, mark: str) -> None:
    assert (await send(adb, marks=("caught", mark))).verdict == GONE
    assert adb.calls == []


def test_a_number_stands_for_a_messaging_service() -> None:
    commands = console_commands(a_message(sender="MG" + "0" * 32, text="hello"))
    assert commands == [("sms", "send", PHONE, "hello")]


async def test_a_text_that_no_sms_can_be_made_of_is_refused_for_good(adb: FakeAdb) -> None:
    result = await send(adb, sender=PHONE, text="secret 482913 " * 4000)
    assert (result.verdict, "no SMS can be made of it" in result.reason) == (PERMANENT, True)
    assert ("482913" in result.reason, adb.calls) == (False, [])


@pytest.mark.parametrize(
    ("then", "verdict", "words"),
    [
        ("printf 'OK\\r\\n'", TAKEN, ""),
        ("true", TAKEN, ""),  # an older adb says nothing
        ("echo 'error: no emulator detected' >&2; exit 1", PASSING, "start the emulator"),
        ("echo 'error: more than one emulator detected; use -s' >&2; exit 1", PASSING, "set `serial`"),
        ("echo 'error: could not connect to TCP port 5554: Connection refused' >&2; exit 1", PASSING, "start the emu"),
        ("exit 1", PASSING, "adb ended with the status 1"),
        (f"printf '{AUTHENTICATION}'", PASSING, "the user whose .emulator_console_auth_token"),
        ("printf 'KO: modem emulation not running\\r\\n'", PASSING, "KO: modem emulation not running"),
        ("printf 'KO: bad phone number format, must be [+](0-9)*\\r\\n'", PERMANENT, "KO: bad phone number format"),
    ],
)
async def test_what_adb_says_decides_whether_it_is_tried_again(
    adb: FakeAdb, then: str, verdict: str, words: str
) -> None:
    adb.does(then)
    result = await send(adb, sender=PHONE, text="hello 482913")
    assert (result.verdict, words in result.reason) == (verdict, True)
    assert "482913" not in result.reason


def test_a_text_that_adb_repeats_is_not_in_what_is_logged() -> None:
    assert judge(1, "sms send +1 482913\n").reason == "adb ended with the status 1"


async def test_an_adb_that_is_missing_is_told_with_how_to_get_it(tmp_path: Path) -> None:
    sending = emulator.make_send(SinkSettings("emulator", adb=str(tmp_path / "none")))
    result = await sending(stored())
    assert result.verdict == PASSING
    assert "No such file or directory; install Android's platform-tools, or set `adb` to its path" in result.reason


async def test_an_adb_that_hangs_is_ended_and_the_text_tried_again(
    adb: FakeAdb, monkeypatch: pytest.MonkeyPatch
) -> None:
    adb.does("exec sleep 3600")
    monkeypatch.setattr(emulator, "TIMEOUT_SECONDS", 0.05)
    result = await send(adb)
    assert (result.verdict, "did not end within" in result.reason) == (PASSING, True)


async def test_the_rest_of_a_text_is_not_typed_when_a_part_was_refused(adb: FakeAdb) -> None:
    adb.does("printf 'KO: modem emulation not running\\r\\n'")
    assert (await send(adb, sender="My Bank", text="long " * 100)).verdict == PASSING
    assert len(adb.calls) == 1


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('kind = "emulator"\nserial = "R58M12ABCDE"', "a serial number of adb devices: emulator-5554"),
        ('kind = "emulator"\nadb = " "', "sinks.phone.adb"),
        ('kind = "emulator"\nurl = "https://h.example"', "sinks.phone.url is not for the kind emulator: leave it out."),
        (
            'kind = "json"\nurl = "https://h.example"\nserial = "emulator-5554"',
            "sinks.phone.serial is not for the kind",
        ),
    ],
)
def test_settings_that_are_not_for_a_kind_are_refused(tmp_path: Path, table: str, said: str) -> None:
    config = tmp_path / "smscatch.toml"
    config.write_text(f"[sinks.phone]\n{table}\n")
    with pytest.raises(BadSetting) as caught:
        load_settings(environ={"SMSCATCH_CONFIG": str(config)})
    assert said in str(caught.value)
