"""What our bind takes from an SMSC, to messages and parts."""

import itertools
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smscatch.errors import BadDelivery
from smscatch.inbox import Inbox
from smscatch.messages import Message, Part, Query, delivery_id
from smscatch.smpp.delivered import Delivered
from smscatch.smpp.pdu import CommandId, ShortMessage, SmppAddress, write_short_message
from smscatch.sources import join_parts, read_delivery
from smscatch.stores import Delivery

TIME_NS = 1_795_345_200_123_456_789
OURS, THEIRS = SmppAddress(1, 1, "447700900001"), SmppAddress(1, 1, "4915112345678")
AUTHY = SmppAddress(5, 0, "Authy")


def body(message: ShortMessage, command: int = CommandId.DELIVER_SM, **more: Any) -> bytes:
    octets = write_short_message(command, message).hex()
    return msgspec.json.encode(Delivered(smsc="carrier", command=command, body=octets, **({"time_ns": TIME_NS} | more)))


def read(
    message: ShortMessage, name: str = "0001-ab", command: int = CommandId.DELIVER_SM, **more: Any
) -> Message | Part:
    (found,) = read_delivery("smpp", body(message, command, **more), name, lambda line: line)
    return found


def as_message(found: Message | Part) -> Message:
    assert isinstance(found, Message)
    return found


def a_text(text: str, **more: Any) -> ShortMessage:
    return ShortMessage(**({"source": THEIRS, "destination": OURS, "octets": text.encode("ascii")} | more))


def in_parts(text: str, size: int, *, wide: bool = False, sar: bool = False, **more: Any) -> list[ShortMessage]:
    """A text in UCS-2 as an SMSC hands it on in parts, cut wherever `size` octets end."""
    octets = text.encode("utf-16-be")
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    made = []
    for number, piece in enumerate(pieces, 1):
        place = bytes((len(pieces), number))
        header = (b"\x06\x08\x04\x00\x07" if wide else b"\x05\x00\x03\x07") + place
        tlvs = ((0x020C, b"\x00\x07"), (0x020E, place[:1]), (0x020F, place[1:]))
        where: dict[str, Any] = (
            {"octets": piece, "tlvs": tlvs} if sar else {"octets": header + piece, "esm_class": 0x40}
        )
        made.append(a_text("", data_coding=8, **(where | more)))
    return made


def parts_of(messages: list[ShortMessage], **more: Any) -> list[Part]:
    named = enumerate(messages)
    found = [read(message, f"{at:04d}-ab", time_ns=TIME_NS + at * 10**9, **more) for at, message in named]
    return [one for one in found if isinstance(one, Part)]


def test_a_text_is_read_with_its_codes() -> None:
    message = as_message(read(a_text("Your code is 482913")))
    assert (message.sender, message.line, message.text) == ("+4915112345678", "+447700900001", "Your code is 482913")
    assert (message.code, message.source, message.sent_at) == ("482913", "smpp", None)
    assert message.id == delivery_id("smpp", "0001-ab")
    assert message.received_at == datetime.fromtimestamp(TIME_NS // 10**6 / 1000, UTC)


@pytest.mark.parametrize(
    ("source", "sender"),
    [
        (AUTHY, "Authy"),
        (SmppAddress(0, 0, "32665"), "32665"),
        (SmppAddress(1, 1, "+4915112345678"), "+4915112345678"),
        (SmppAddress(2, 1, "015112345678"), "015112345678"),
        (SmppAddress(1, 1, "12345678901234567890"), "+12345678901234567890"),
        (SmppAddress(0, 0, "123456789012345678"), "123456789012345678"),
        (SmppAddress(7, 3, ""), ""),  # a reserved type
    ],
)
def test_a_sender_is_shown_as_its_type_of_number_has_it(source: SmppAddress, sender: str) -> None:
    assert as_message(read(a_text("hello", source=source))).sender == sender


@pytest.mark.parametrize(
    ("destination", "line"),
    [
        (OURS, "+447700900001"),
        (SmppAddress(0, 0, "447700900001"), "+447700900001"),
        (SmppAddress(0, 0, "32665"), "32665"),
        (SmppAddress(), "carrier"),
    ],
)
def test_a_text_is_for_the_number_that_it_was_sent_to(destination: SmppAddress, line: str) -> None:
    assert read(a_text("hello", destination=destination)).line == line
    assert read(a_text("hello", destination=destination), line="+15550100").line == "+15550100"


def test_a_text_that_has_no_room_in_short_message_is_read_from_its_payload() -> None:
    text = "x" * 3000
    for command in (CommandId.DELIVER_SM, CommandId.DATA_SM):
        message = a_text("", tlvs=((0x0424, text.encode()),))
        assert as_message(read(message, command=command)).text == text


def test_marks_say_what_is_peculiar() -> None:
    assert as_message(read(a_text("now", data_coding=0x10))).marks == ("flash",)
    assert as_message(read(a_text("now", data_coding=4))).marks == ("data",)
    assert as_message(read(a_text("now", esm_class=0x40))).marks == ("undecodable",)
    assert as_message(read(a_text("now"), repeat_of="0000-ab")).marks == ("possible_duplicate",)
    nowhere = b"\x05\x00\x03\x07\x02\x00text"
    lost = as_message(read(a_text("", octets=nowhere, esm_class=0x40)))
    assert (lost.text, lost.marks) == ("text", ("undecodable",))


def test_a_receipt_is_no_text_in_which_a_code_is_looked_for() -> None:
    receipt = a_text("id:482913 sub:001 dlvrd:001 stat:DELIVRD err:000 text:code 482913", esm_class=0x04)
    message = as_message(read(receipt))
    assert (message.text, message.code, message.marks) == ("Delivered", None, ("status_report",))


@pytest.mark.parametrize("form", [{"wide": False}, {"wide": True}, {"sar": True}])
def test_a_long_text_is_joined_in_whatever_order_its_parts_come(form: dict[str, bool]) -> None:
    text = "Dein Code: 482913 😀 ist geheim"
    messages = in_parts(text, 37, **form)
    assert len(messages) == 2
    for order in itertools.permutations(messages):
        message = join_parts(parts_of(list(order)))
        assert (message.text, message.code, message.parts, message.complete) == (text, "482913", 2, True)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60), st.integers(1, 30))
def test_a_text_comes_out_whole_wherever_it_is_cut(text: str, size: int) -> None:
    messages = in_parts(text, size)
    if len(messages) > 1:
        assert join_parts(parts_of(messages)).text == text


def test_a_character_of_two_octets_that_is_cut_between_parts_comes_out_whole() -> None:
    octets = "コード 482913".encode("shift_jis")
    pieces = enumerate((octets[:3], octets[3:]), 1)
    messages = [
        a_text("", octets=bytes((5, 0, 3, 7, 2, at)) + piece, esm_class=0x40, data_coding=5) for at, piece in pieces
    ]
    assert join_parts(parts_of(messages)).text == "コード 482913"


def test_of_a_long_text_what_is_there_is_shown() -> None:
    messages = in_parts("Dein Code: 482913 steht hier drin", 20)
    message = join_parts(parts_of([messages[0], messages[2]]))
    assert (message.parts, message.complete) == (2, False)


async def test_a_part_that_may_be_a_repeat_is_none_of_a_second_text(inbox: Inbox) -> None:
    first, second = in_parts("Dein Code: 482913 steht hier", 40)
    given: list[tuple[ShortMessage, str, dict[str, Any]]] = [
        (first, "0001", {}),
        (first, "0002", {"repeat_of": "0001"}),
        (second, "0003", {}),
    ]
    # The same text again, with the same reference, as its sender does who begins to count anew: two messages.
    given += [(first, "0004", {}), (second, "0005", {}), (second, "0006", {"repeat_of": "0005"})]
    for message, name, more in given:
        await inbox.receive([Delivery(read(message, name, **more), b"")])
    stored = await inbox.store.after(Query(), 0, 10)
    assert [one.message.text for one in stored] == ["Dein Code: 482913 steht hier"] * 2


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"{}",
        b"[]",
        b'{"smsc":"a","command":5,"body":"0g","time_ns":1}',
        b'{"smsc":"a","command":5,"body":"00","time_ns":99999999999999999999999}',
    ],
)
def test_what_no_bind_of_ours_wrote_is_refused(wrong: bytes) -> None:
    with pytest.raises(BadDelivery, match="not what a bind of smscatch wrote"):
        read_delivery("smpp", wrong, "0001-ab", lambda line: line)


@given(st.binary(max_size=100), st.sampled_from([5, 0x103]))
def test_whatever_an_smsc_sends_is_a_message_or_a_part(octets: bytes, command: int) -> None:
    entry = msgspec.json.encode(Delivered(smsc="carrier", command=command, body=octets.hex(), time_ns=TIME_NS))
    (found,) = read_delivery("smpp", entry, "0001-ab", lambda line: line)
    assert found.line
