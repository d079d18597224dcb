"""What no well-behaved SMSC sends: odd headers, hostile octets. It is read or refused, never worse."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smscatch.errors import BadPdu
from smscatch.pdu import Concat, Deliver, encode_deliver, encode_status_report, join_text, parse_pdu
from smscatch.pdu.alphabets import pack_septets
from tests.pdu.pdus import SENT_AT, a_pdu, read, with_header


def test_an_unknown_element_is_skipped() -> None:
    message = read(with_header("7F02ABCD" + "0003AA0201", "CAFE"))
    assert (message.concat, message.data) == (Concat(0xAA, 2, 1), b"\xca\xfe")


@pytest.mark.parametrize("element", ["0003AA0200", "0003AA0203", "0003AA0000", "00020201", "080300AA02"])
def test_a_faulty_concatenation_is_none(element: str) -> None:
    assert read(with_header(element)).concat is None


def test_of_two_concatenations_the_last_counts() -> None:
    assert read(with_header("0003AA0201" + "0804BEEF0302")).concat == Concat(0xBEEF, 3, 2, wide=True)


def test_ports_are_8_or_16_bits_wide() -> None:
    assert read(with_header("04026432")).ports == (100, 50)
    assert read(with_header("050404D21466")).ports == (1234, 5222)


@pytest.mark.parametrize("elements", ["0003AA020105", "0003AA02010504", "0003AA020105FF00"])
def test_elements_that_do_not_fill_the_header_void_it(elements: str) -> None:
    message = read(with_header(elements, "CAFE"))
    assert (message.concat, message.ports, message.data) == (None, None, b"\xca\xfe")


@pytest.mark.parametrize("octets", range(1, 9))
def test_septets_begin_after_the_fill_bits_of_any_header(octets: int) -> None:
    rest = octets - 3
    header = bytes((octets - 1, 0x7F, rest, *[0] * rest)) if rest >= 0 else bytes((octets - 1, *[0] * (octets - 1)))
    septets = (octets * 8 + 6) // 7
    content = pack_septets(b"abc", septets * 7 - octets * 8)
    ud = bytes((septets + 3,)) + header + content
    assert read(a_pdu(first="44", ud=ud.hex())).text == "abc"


def test_a_header_that_fills_the_last_septet_leaves_no_text() -> None:
    assert read(a_pdu(first="44", ud="0100")).text == ""


@pytest.mark.parametrize(
    ("pdu", "sentence"),
    [
        ("", "Octet 0: expected the length of the SMSC address, but the PDU's length is 0."),
        ("0", "Octet 0: expected two hex digits, but there is only one."),
        ("00G4", "Octet 1: expected two hex digits, but there is 'G'."),
        ("00٤٤", "Octet 1: expected two hex digits, but there is '٤'."),
        ("00", "Octet 1: expected the first octet of the PDU, but the PDU's length is 1."),
        ("0791", "Octet 1: expected the SMSC address of length 7, but the PDU's length is 2."),
        ("0001", "Octet 1: expected a received SMS, but 0x01 begins an outgoing one (SMS-SUBMIT)."),
        ("00040B919471", "Octet 4: expected TP-OA of length 6, but the PDU's length is 6."),
        (a_pdu()[:-10], "Octet 8: expected TP-SCTS of length 7, but the PDU's length is 11."),
        (a_pdu(ud=""), "Octet 15: expected TP-UDL, but the PDU's length is 15."),
        (a_pdu(ud="09C834"), "Octet 16: expected TP-UD of length 8, but the PDU's length is 18."),
        (a_pdu(first="44"), "Octet 16: expected a user data header of length 1, but the length of TP-UD is 0."),
        (
            a_pdu(first="44", ud="0205A0"),
            "Octet 16: expected a user data header of length 6, but the length of TP-UD is 2.",
        ),
        ("000607048121430000", "Octet 7: expected TP-SCTS of length 7, but the PDU's length is 9."),
    ],
)
def test_what_is_no_pdu_is_refused_with_its_octet(pdu: str, sentence: str) -> None:
    with pytest.raises(BadPdu) as refusal:
        parse_pdu(pdu)
    assert str(refusal.value) == sentence
    assert f"Octet {refusal.value.details['offset']}:" in sentence


@pytest.mark.parametrize("padding", ["00", "FF", "0000FFFF", "FF" * 100, "01", "C83401"])
def test_what_follows_the_user_data_is_cut_off(padding: str) -> None:
    assert read(a_pdu(ud="02C834") + padding).text == "Hi"


@pytest.mark.parametrize("lost", [1, 2, 8, 9, 10])
def test_a_pdu_whose_first_octets_are_lost_and_made_up_for_with_zeros_is_refused(lost: int) -> None:
    whole = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
    with pytest.raises(BadPdu):
        parse_pdu(whole[2 * lost :] + "00" * max(lost, 9))
    with pytest.raises(BadPdu):
        parse_pdu("00" * 30)


def test_a_reserved_message_type_is_read_as_a_deliver() -> None:
    assert read(a_pdu(first="07", ud="02C834")).text == "Hi"


def test_octets_and_hex_of_any_case_with_white_space_are_the_same() -> None:
    pdu = encode_deliver("Google", "jklmno", SENT_AT)[0]
    assert parse_pdu(bytes.fromhex(pdu)) == parse_pdu(pdu.lower()) == parse_pdu(f" {pdu[:8]} {pdu[8:]}\r\n")


def parse_or_refuse(pdu: str | bytes) -> None:
    with suppress(BadPdu):
        message = parse_pdu(pdu)
        if isinstance(message, Deliver):
            (join_text([message, message]) or "").encode()  # no lone surrogate may get into a database
            assert "\x1b" not in message.sender


@settings(max_examples=400)
@given(st.binary(max_size=200) | st.text(max_size=40))
def test_random_octets_and_text_are_read_or_refused(pdu: str | bytes) -> None:
    parse_or_refuse(pdu)


VALID = [
    bytes.fromhex(pdu)
    for pdu in (
        *encode_deliver("Müller", "5€ {😀}" * 30, SENT_AT, smsc="+491710760000", wide_reference=True),
        *encode_deliver("+4915", "ğ" * 100, SENT_AT, language="turkish", ports=(1, 2)),
        *encode_deliver("", "", SENT_AT, data=bytes(range(150))),
        encode_status_report("+4915", 7, sent_at=SENT_AT, discharged_at=SENT_AT),
    )
]


@settings(max_examples=600)
@given(
    st.sampled_from(VALID),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 255)), max_size=4),
    st.integers(0, 160),
)
def test_mutated_pdus_are_read_or_refused(pdu: bytes, changes: list[tuple[int, int]], end: int) -> None:
    octets = bytearray(pdu)
    for position, octet in changes:
        octets[position % len(octets)] = octet
    parse_or_refuse(bytes(octets))
    parse_or_refuse(bytes(octets[:end]))
