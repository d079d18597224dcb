"""Addresses and times of PDUs, in and out (TS 23.040, 9.1.2.5 and 9.2.3.11)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smscatch.errors import BadRequest
from smscatch.pdu import (
    encode_deliver,
    tpdu_length,
)
from smscatch.pdu.alphabets import pack_septets
from smscatch.pdu.fields import read_time, write_address, write_smsc, write_time
from smscatch.pdu.tables import LOCKING, SINGLE
from tests.pdu.pdus import SENT_AT, a_pdu, read

GSM7_CHARACTERS = "".join({*LOCKING[0].values(), *SINGLE[0].values()})


@pytest.mark.parametrize(
    ("address", "sender"),
    [
        ("0B 91 9471103254F6", "+49170123456"),
        ("0A A1 1099897856", "0199988765"),
        ("05 81 2143F5", "12345"),
        ("05 B1 2143F5", "12345"),
        ("04 C8 2143", "1234"),
        ("03 E1 21F3", "123"),
        ("06 81 A1B2C3", "1*2#3a"),
        ("03 81 DCFE", "abc"),
        ("06 81 21F354", "123"),  # 0xF ends a number, whatever its length says
        ("04 91 FFFF", ""),
        ("00 91", ""),
        ("00 81", ""),
        ("00 D0", ""),
    ],
)
def test_a_number_is_read_by_its_type(address: str, sender: str) -> None:
    assert read(a_pdu(sender=address)).sender == sender


def test_a_type_of_number_without_its_upper_bit_is_read_where_the_rest_makes_sense() -> None:
    assert read(a_pdu(sender="04 11 2143", time="62112271000040")).sender == "+1234"


@pytest.mark.parametrize(
    "name", ["Müller", "ΔΦΓ", "{a}€", "A", "Google", "my.bank", "12345678901", "FRANCOIS", "a[]{}€"]
)
def test_a_name_is_read_in_the_default_alphabet(name: str) -> None:
    assert read(encode_deliver(name, "", SENT_AT)[0]).sender == name


@pytest.mark.parametrize("length", ["0D", "0E"])
@pytest.mark.parametrize("padding", [b"", b"\r"])
def test_a_name_of_7_characters_in_14_semi_octets_gains_no_at_sign(length: str, padding: bytes) -> None:
    value = pack_septets(b"Netflix" + padding).hex()
    assert read(a_pdu(sender=f"{length}D0{value}")).sender == "Netflix"


def test_a_name_of_8_characters_keeps_its_last_one() -> None:
    assert read(encode_deliver("WhatsApp", "", SENT_AT)[0]).sender == "WhatsApp"


@given(
    st.from_regex(r"\+?[0-9*#]{1,20}", fullmatch=True)
    | st.text(GSM7_CHARACTERS, max_size=5)
    | st.from_regex(r"[A-Za-z][A-Za-z0-9 .&-]{0,9}[A-Za-z]", fullmatch=True)
)
def test_any_sender_reads_back(sender: str) -> None:
    assert read(encode_deliver(sender, "", SENT_AT)[0]).sender == sender


@pytest.mark.parametrize("smsc", [None, "+491710760000", "0171", "+1"])
def test_the_smsc_reads_back_and_is_not_counted(smsc: str | None) -> None:
    pdu = encode_deliver("+4915", "Hi", SENT_AT, smsc=smsc)[0]
    assert read(pdu).smsc == smsc
    assert tpdu_length(pdu) == tpdu_length(encode_deliver("+4915", "Hi", SENT_AT)[0])


def test_an_smsc_of_nothing_but_a_type_is_none() -> None:
    assert read(a_pdu(smsc="0191")).smsc is None


@pytest.mark.parametrize(
    ("octets", "time"),
    [
        ("62112271000040", datetime(2026, 11, 22, 16, 0, 0, tzinfo=UTC)),
        ("62112271000021", datetime(2026, 11, 22, 14, 0, 0, tzinfo=UTC)),  # +12 quarters
        ("62112271000029", datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)),  # -12: dreamfabric.com/sms/scts.html
        ("3130523210658A", datetime(2013, 3, 26, 6, 1, 56, tzinfo=UTC)),  # -28 over midnight
        ("99309251619580", datetime(1999, 3, 29, 13, 16, 59, tzinfo=UTC)),
        ("02420171000000", None),  # no 24th month
        ("00000000000000", None),
        ("FFFFFFFFFFFFFF", None),
        ("62112271000A40", datetime(2026, 11, 22, 16, 0, 0, tzinfo=UTC)),  # what is no digit counts as 0
        ("621122710000F0", datetime(2026, 11, 22, 17, 0, 0, tzinfo=UTC)),
        ("621122710000FF", datetime(2026, 11, 22, 17, 0, 0, tzinfo=UTC)),
        ("6211227100C240", datetime(2026, 11, 22, 16, 0, 20, tzinfo=UTC)),
        ("62200371000000", None),  # 30 February
        ("62112242000000", None),  # 24 o'clock
    ],
)
def test_a_time_is_utc_or_none(octets: str, time: datetime | None) -> None:
    assert read(a_pdu(time=octets)).sent_at == time


@given(
    st.datetimes(SENT_AT.replace(tzinfo=None, year=1991), SENT_AT.replace(tzinfo=None, year=2088)),
    st.integers(-79, 79).map(lambda quarters: timezone(timedelta(minutes=15 * quarters))),
)
def test_any_time_reads_back_to_the_second(time: datetime, zone: timezone) -> None:
    sent_at = time.replace(tzinfo=zone, microsecond=0)
    assert read_time(write_time(sent_at)) == sent_at


def test_a_zone_of_odd_minutes_is_written_in_utc() -> None:
    sent_at = SENT_AT.astimezone(timezone(timedelta(minutes=-7)))
    assert write_time(sent_at) == write_time(SENT_AT)


@pytest.mark.parametrize("sender", ["a" * 12, "€€€€€€", "漢字", "1" * 21 + "x"])
def test_a_sender_that_does_not_fit_is_refused(sender: str) -> None:
    with pytest.raises(BadRequest, match="is no sender"):
        write_address(sender)


def test_a_plus_alone_is_a_name() -> None:
    assert write_address("+") == bytes.fromhex("02D02B")
    assert write_smsc("") == b"\0"


def test_a_time_that_an_sms_cannot_carry_is_refused() -> None:
    with pytest.raises(BadRequest, match="has no time zone"):
        write_time(SENT_AT.replace(tzinfo=None))
    with pytest.raises(BadRequest, match="1990 to 2089"):
        write_time(SENT_AT.replace(year=2090))
