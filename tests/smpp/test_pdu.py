"""The codec of SMPP's PDUs."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smscatch.errors import BadPdu
from smscatch.smpp.content import fate_in, is_receipt, read_messages
from smscatch.smpp.pdu import (
    MAX_OCTETS,
    Bind,
    CommandId,
    Frame,
    Frames,
    ShortMessage,
    SmppAddress,
    parse_bind,
    parse_short_message,
    write_bind,
    write_short_message,
)

OCTET = st.integers(0, 255)
STRING = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=21)
ADDRESS = st.builds(SmppAddress, OCTET, OCTET, STRING)
TLVS = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=300)), max_size=4).map(tuple)
MESSAGE = st.builds(
    ShortMessage,
    *(ADDRESS, ADDRESS, STRING, OCTET, OCTET, OCTET, STRING, STRING, OCTET, OCTET, OCTET, OCTET),
    octets=st.binary(max_size=255),
    tlvs=TLVS,
)
DATA = MESSAGE.map(
    lambda message: ShortMessage(
        message.source,
        message.destination,
        message.service_type,
        message.esm_class,
        registered=message.registered,
        data_coding=message.data_coding,
        tlvs=message.tlvs,
    )
)
FRAME = st.builds(
    Frame, st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF), st.binary(max_size=80)
)


@given(MESSAGE)
def test_a_message_is_read_as_it_was_written(message: ShortMessage) -> None:
    for command in (CommandId.DELIVER_SM, CommandId.SUBMIT_SM):
        assert parse_short_message(command, write_short_message(command, message)) == message


@given(DATA)
def test_a_data_sm_is_read_as_it_was_written(message: ShortMessage) -> None:
    body = write_short_message(CommandId.DATA_SM, message)
    assert parse_short_message(CommandId.DATA_SM, body) == message


@given(st.builds(Bind, STRING, STRING, STRING, OCTET, OCTET, OCTET, STRING))
def test_a_bind_is_read_as_it_was_written(bind: Bind) -> None:
    assert parse_bind(write_bind(bind)) == bind


@given(st.binary(max_size=120), st.sampled_from([CommandId.DELIVER_SM, CommandId.DATA_SM]))
def test_octets_that_are_no_message_raise_nothing_but_the_error_that_says_so(octets: bytes, command: CommandId) -> None:
    with contextlib.suppress(BadPdu):
        message = parse_short_message(command, octets)
        assert is_receipt(message) in (True, False)
        assert fate_in(message)
        read_messages([message])
    with contextlib.suppress(BadPdu):
        parse_bind(octets)


@given(MESSAGE, st.sampled_from(["gsm7", "latin1", "ascii"]))
def test_what_a_message_carries_is_read_whatever_it_says_of_its_coding(message: ShortMessage, default: str) -> None:
    with contextlib.suppress(BadPdu):  # its header may be longer than it is
        read_messages([message, message], default)


@given(st.lists(FRAME, max_size=5), st.integers(1, 40))
def test_pdus_are_cut_from_a_stream_wherever_it_is_cut_itself(frames: list[Frame], size: int) -> None:
    stream = b"".join(frame.encode() for frame in frames)
    cutter = Frames()
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert [frame for piece in pieces for frame in cutter.feed(piece)] == frames


@given(st.binary(max_size=60))
def test_a_stream_of_anything_raises_nothing_but_the_error_that_says_so(octets: bytes) -> None:
    with contextlib.suppress(BadPdu):
        list(Frames().feed(octets))


@pytest.mark.parametrize("length", [0, 15, MAX_OCTETS + 1, 0xFFFFFFFF])
def test_a_length_that_cannot_be_is_an_error_before_the_octets_have_come(length: int) -> None:
    with pytest.raises(BadPdu, match=f"it is {length}"):
        list(Frames().feed(length.to_bytes(4)))


def text_of(octets: bytes, data_coding: int, default: str = "gsm7", **more: Any) -> str | None:
    (sms,) = read_messages([ShortMessage(octets=octets, data_coding=data_coding, **more)], default)
    return sms.text


@pytest.mark.parametrize(
    ("octets", "data_coding", "text"),
    [
        (b"\x00 \x1be 5", 0, "@ € 5"),  # the default alphabet, a septet to an octet
        (b"\x00 \x1be 5", 1, "@ € 5"),
        (b"\x00 \x1be 5", 0x0F, "@ € 5"),  # reserved
        (b"caf\xe9", 0, "café"),  # no septet
        (b"caf\xe9", 3, "café"),
        ("привет".encode("iso8859_5"), 6, "привет"),
        ("שלום".encode("iso8859_8"), 7, "שלום"),
        ("привет 😀".encode("utf-16-be"), 8, "привет 😀"),
        ("コード".encode("shift_jis"), 5, "コード"),
        ("コード".encode("iso2022_jp"), 5, "コード"),
        ("コード".encode("shift_jis"), 9, "コード"),
        ("コード".encode("iso2022_jp"), 10, "コード"),
        ("コード".encode("euc_jp"), 13, "コード"),
        ("코드".encode("euc_kr"), 14, "코드"),
        (b"\x00\x11", 0x10, "@_"),
        ("é".encode("utf-16-be"), 0x18, "é"),
        (b"\x00", 0xC8, "@"),
        ("é".encode("utf-16-be"), 0xE0, "é"),
        (b"\x00", 0xF0, "@"),
        (b"\x00", 2, None),
        (b"\x00", 4, None),
        (b"\x00", 0xF5, None),
    ],
)
def test_each_data_coding_is_read_in_its_alphabet(octets: bytes, data_coding: int, text: str | None) -> None:
    assert text_of(octets, data_coding) == text


@pytest.mark.parametrize(("default", "text"), [("latin1", "$ é"), ("ascii", "$ \ufffd")])
def test_what_the_default_alphabet_is_the_settings_may_say(default: str, text: str) -> None:
    assert text_of(b"$ \xe9", 0, default) == text
    assert text_of(b"$ \xe9", 1, default) == text


def test_a_flash_text_and_its_national_alphabet_are_known_by_the_header() -> None:
    octets = b"\x03\x24\x01\x01" + b"\x1bs"  # Turkish, single shift
    (sms,) = read_messages([ShortMessage(octets=octets, esm_class=0x40, data_coding=0x10)])
    assert (sms.text, sms.message_class) == ("ş", 0)


@pytest.mark.parametrize(
    ("esm_class", "tlvs", "text", "fate"),
    [
        (
            0x04,
            (),
            b"id:17 sub:001 dlvrd:001 submit date:2611281200 done date:2611281201 stat:DELIVRD err:000",
            "Delivered",
        ),
        (0x04, (), b"id:17 stat:UNDELIV err:001 text:stat:DELIVRD", "Failed"),
        (0x20, (), b"id:17 stat:ENROUTE", "Pending"),
        (0x04, ((0x0427, b"\x02"),), b"", "Delivered"),
        (0x00, ((0x001E, b"17\0"), (0x0427, b"\x05")), b"", "Failed"),
        (0x04, (), b"", "Unknown"),
    ],
)
def test_a_receipt_is_told_by_its_class_or_by_the_id_of_what_it_is_for(
    esm_class: int, tlvs: tuple[tuple[int, bytes], ...], text: bytes, fate: str
) -> None:
    message = ShortMessage(esm_class=esm_class, tlvs=tlvs, octets=text)
    assert is_receipt(message)
    assert fate_in(message) == fate


def test_a_text_that_looks_like_a_receipt_is_a_text() -> None:
    assert not is_receipt(ShortMessage(octets=b"id:17 stat:DELIVRD"))
    assert not is_receipt(ShortMessage(esm_class=0x40, octets=b"\x00"))
