"""What our link takes from a modem, to messages and parts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smscatch.errors import BadDelivery
from smscatch.messages import Message, Part, delivery_id
from smscatch.pdu import encode_deliver, encode_status_report
from smscatch.pdu.alphabets import find_septets, pack_septets
from smscatch.pdu.fields import write_address
from smscatch.sources import join_parts, read_delivery
from tests.samples import of_type

TIME_NS = 1_795_345_200_123_456_789
# 3GPP TS 23.040: "How are you?" from +31641600986.
GOOD = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
SENT = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def body(pdu: str, **more: str) -> bytes:
    records = {"time_ns": str(TIME_NS), "line": "stick", "device": "/dev/x", "reader": "1:2", "pdu": pdu} | more
    return b"".join(f"{name}={value}".encode() + b"\0" for name, value in records.items())


def read(pdu: str, name: str = "0001-ab", **more: str) -> Message | Part:
    (delivery,) = read_delivery("pdu", body(pdu, **more), name, lambda line: f"line of {line}")
    return delivery


def read_message(pdu: str) -> Message:
    message = read(pdu)
    assert isinstance(message, Message)
    return message


def parts_of(text: str, sender: str = "Authy", **form: Any) -> list[Part]:
    found = []
    for number, pdu in enumerate(encode_deliver(sender, text, SENT, **({"reference": 7} | form))):
        part = read(pdu, f"{number:04d}-ab", time_ns=str(TIME_NS + number * 10**9))
        assert isinstance(part, Part)
        found.append(part)
    return found


def test_a_text_is_read_with_its_times_and_codes() -> None:
    (pdu,) = encode_deliver("+4915112345678", "Dein Code für 5 € ist 482913", SENT)
    message = read_message(pdu)
    assert (message.sender, message.text, message.code) == ("+4915112345678", "Dein Code für 5 € ist 482913", "482913")
    assert (message.line, message.source, message.id) == ("line of stick", "pdu", delivery_id("pdu", "0001-ab"))
    assert message.sent_at == SENT
    assert message.received_at == datetime.fromtimestamp(TIME_NS // 10**6 / 1000, UTC)
    assert (message.parts, message.complete, message.marks) == (1, True, ())


@pytest.mark.parametrize("digits", ["491701234567", "01701234567", "0049170123456", "32665", "*100#"])
@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 6, 7])
def test_only_an_international_number_has_a_plus_and_all_others_stay_as_they_came(digits: str, kind: int) -> None:
    for text in ("Hi", "long " * 50):
        pdu, *_ = encode_deliver(digits, text, SENT)
        delivery = read(of_type(pdu, digits, kind))
        assert delivery.sender == (f"+{digits}" if kind == 1 else digits)


@pytest.mark.parametrize("name", ["4917012345", "32665 ", " 4917012345", "0049170", "+49 170 12"])
def test_a_name_of_digits_stays_as_it_came(name: str) -> None:
    (pdu,) = encode_deliver("x", "Hi", SENT)
    septets = find_septets(name)
    assert septets is not None
    address = bytes(((len(septets) * 7 + 3) // 4, 0xD0)) + pack_septets(septets)
    assert read_message(pdu.replace(write_address("x").hex().upper(), address.hex().upper(), 1)).sender == name


def test_two_readings_of_one_entry_are_one_message_and_never_twins() -> None:
    (pdu,) = encode_deliver("Authy", "x", SENT)
    assert read(pdu) == read(pdu)
    assert read_message(pdu).reader is None  # the inbox marks equal texts of two readers as possible duplicates


def test_a_flash_message_is_marked() -> None:
    (pdu,) = encode_deliver("Authy", "now", SENT, message_class=0)
    assert read_message(pdu).marks == ("flash",)


@pytest.mark.parametrize("status", [(0, "Delivered"), (0x1F, "Delivered"), (0x20, "Pending"), (0x41, "Failed")])
def test_a_status_report_says_what_became_of_the_text(status: tuple[int, str]) -> None:
    pdu = encode_status_report("+4915112345678", 7, sent_at=SENT, discharged_at=SENT, status=status[0])
    message = read_message(pdu)
    assert (message.sender, message.text, message.marks) == ("+4915112345678", status[1], ("status_report",))
    assert message.sent_at == SENT


@pytest.mark.parametrize("pdu", ["", "00", "not a PDU", "07911326040000F0040B911346610089F60000208062917314080C"])
def test_what_is_no_pdu_is_a_message_without_text(pdu: str) -> None:
    message = read_message(pdu)
    assert (message.sender, message.text, message.sent_at, message.marks) == ("", "", None, ("undecodable",))


@pytest.mark.parametrize(
    ("form", "text", "marks"),
    [
        ({"data": b"\xde\xad"}, "", ("undecodable",)),
        ({"data": b"\xde\xad", "ports": (2948, 9200)}, "", ("application", "undecodable")),
        ({"ports": (2948, 9200)}, "code 1234", ("application",)),
        ({"data": b"Your code:\r\n1234"}, "Your code:\r\n1234", ("data",)),
        ({"data": b"code 1234", "ports": (5000, 0)}, "code 1234", ("application", "data")),
        ({"data": b"code\x001234"}, "", ("undecodable",)),
        ({"data": b"A" * 300}, "A" * 300, ("data",)),
    ],
)
def test_what_is_meant_for_an_application_is_shown_if_it_is_text(
    form: dict[str, Any], text: str, marks: tuple[str, ...]
) -> None:
    pdus = encode_deliver("Authy", "" if "data" in form else text, SENT, **form)
    came = [read(pdu) for pdu in pdus]
    message = came[0] if len(came) == 1 else join_parts([part for part in came if isinstance(part, Part)])
    assert isinstance(message, Message)
    assert (message.sender, message.text, message.marks) == ("Authy", text, marks)


@pytest.mark.parametrize(
    ("pdu", "marks"),
    [
        (GOOD.replace("F60000", "F600C8"), ("message_waiting",)),
        (GOOD.replace("F60000", "F600D0"), ("message_waiting",)),
        (GOOD.replace("F60000", "F64000"), ("silent",)),
        ("0044048121430000621122710000400504010200" + "00", ("message_waiting",)),
        (GOOD, ()),
    ],
)
def test_a_waiting_message_and_a_silent_text_are_marked(pdu: str, marks: tuple[str, ...]) -> None:
    assert read_message(pdu).marks == marks


def with_part(element: str) -> str:
    """A PDU of three letters, "123", and an element that says which part it is: reference, total, number."""
    return "004409D0C13A1D9D07000062112221000000" + "0A" + f"050003{element}" + "62B219"


@pytest.mark.parametrize("element", ["070200", "070001", "070203", "000000"])
def test_a_part_that_nothing_could_complete_is_a_message_of_its_own(element: str) -> None:
    """Part 0 made gammu-smsd 1.42 run in a circle for ever; a receiver shall ignore it (TS 23.040, 9.2.3.24.1)."""
    message = read_message(with_part(element))
    assert (message.sender, message.text, message.marks) == ("Authy", "123", ("undecodable",))


def test_one_part_of_one_is_a_message() -> None:
    message = read_message(with_part("070101"))
    assert (message.text, message.complete, message.parts) == ("123", True, 1)


@pytest.mark.parametrize("wide", [False, True])
def test_a_long_text_comes_in_parts(*, wide: bool) -> None:
    first, second, third = parts_of("Я" * 150, wide_reference=wide)
    assert (first.line, first.sender, first.reference, first.wide) == ("line of stick", "Authy", 7, wide)
    assert [(part.number, part.total) for part in (first, second, third)] == [(1, 3), (2, 3), (3, 3)]
    assert first.sent_at == SENT
    assert len({first.id, second.id, third.id}) == 3


def test_parts_are_joined_in_whatever_order_they_come() -> None:
    text = "Your code is 482913. " + "😀" * 120
    parts = parts_of(text)
    message = join_parts(parts)
    assert (message.text, message.code, message.parts, message.complete) == (text, "482913", len(parts), True)
    assert (message.id, message.sent_at, message.source) == (parts[0].id, SENT, "pdu")
    assert message.received_at == parts[-1].received_at.replace(microsecond=123000)
    assert join_parts(parts[::-1]) == message


def test_a_message_keeps_its_id_when_the_rest_comes_later() -> None:
    first, second, third = parts_of("x" * 400)
    begun = join_parts([first, third])
    assert (begun.complete, begun.parts, begun.text) == (False, 2, "x" * 247)
    assert join_parts([second, third, first]).id == begun.id


def test_a_repeated_part_counts_once() -> None:
    first, second, third = parts_of("x" * 400)
    again = Part(**{name: getattr(second, name) for name in Part.__struct_fields__} | {"id": "f" * 32})
    late = Part(
        **{name: getattr(again, name) for name in Part.__struct_fields__}
        | {"received_at": third.received_at + timedelta(days=1)}
    )
    message = join_parts([first, late, second, third])
    assert (message.text, message.parts, message.complete) == ("x" * 400, 3, True)
    assert message.received_at == third.received_at.replace(microsecond=123000)


def test_a_long_message_for_an_application_has_no_text() -> None:
    message = join_parts(parts_of("", data=bytes(range(256)) * 2))
    assert (message.text, message.marks, message.complete) == ("", ("undecodable",), True)


@given(st.text(max_size=600).filter(lambda text: not any(0xD800 <= ord(char) < 0xE000 for char in text)))
def test_any_text_comes_back_whole(text: str) -> None:
    deliveries = [read(pdu, str(number)) for number, pdu in enumerate(encode_deliver("Authy", text, SENT))]
    if isinstance(deliveries[0], Message):
        (message,) = deliveries
    else:
        message = join_parts([part for part in deliveries if isinstance(part, Part)])
    assert isinstance(message, Message)
    assert message.text == text


@given(st.binary(max_size=200))
def test_no_bytes_break_the_source(octets: bytes) -> None:
    read(octets.hex())


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (body("00")[:-1], "not whole"),
        (b"", "not whole"),
        (b"pdu=00\0", "record line"),
        (b"line=x\0pdu=00\0", "time_ns"),
        (b"line=x\0time_ns=1\0", "record pdu"),
        (body("00", time_ns="noon"), "no time"),
        (body("00", time_ns="9" * 30), "no time"),
    ],
)
def test_what_the_link_did_not_write_is_said_to_be_wrong(wrong: bytes, sentence: str) -> None:
    with pytest.raises(BadDelivery, match=sentence):
        read_delivery("pdu", wrong, "0001-ab", lambda line: line)
