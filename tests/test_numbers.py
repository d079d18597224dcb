"""How people type numbers, and how we keep them."""

import subprocess
import sys

import pytest

from smscatch.numbers import compact, country_of, fold_sender, readings, sender_forms

WAYS = (  # to write +4915112345678, in Germany; docs/testing.md has them too
    "+4915112345678",
    "+49 151 12345678",
    "+49-151-12345678",
    "+49 (151) 1234 5678",
    "+49(0)15112345678",
    "+49 (0) 151 / 123 456 78",
    "(+49) 151 12345678",
    "+49.151.12345678",
    "+49015112345678",
    "tel:+49-151-12345678",
    "sms:+4915112345678",
    "0049 151 12345678",
    "004915112345678",
    "4915112345678",
    " 4915112345678",
    "49 151 12345678",
    "015112345678",
    "0151 12345678",
    "0151/12345678",
    "(0151) 1234-5678",
    "0151\u201112345678",
    "\u202a+49\u00a0151\u00a012345678\u202c",
    "+４９１５１１２３４５６７８",
    "+٤٩١٥١١٢٣٤٥٦٧٨",
)


@pytest.mark.parametrize("written", WAYS)
def test_one_number_is_read_from_all_ways_to_write_it(written: str) -> None:
    assert readings(written, "DE")[0] == "+4915112345678"


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("+44(0)7700 900001", None, "+447700900001"),  # one of those for drama, which nobody is given
        ("07700 900001", "GB", "+447700900001"),
        ("011 44 7700 900001", "US", "+447700900001"),
        ("(555) 123-4567", "US", "+15551234567"),
        ("+39 06 6982 1234", None, "+390669821234"),  # in Italy the 0 stays
        ("+1 (242) 365-1234", "US", "+12423651234"),
    ],
)
def test_numbers_of_all_countries_are_read_valid_or_not(written: str, country: str | None, number: str) -> None:
    assert readings(written, country)[0] == number


@pytest.mark.parametrize("text", ["", "+", "32665", "Authy", "4 you 2", "stick1", "modem 4915112345678", "*100#"])
def test_what_is_no_number_of_ours_is_not_read_as_one(text: str) -> None:
    assert readings(text, "DE") == ()


def test_a_national_number_is_not_read_without_a_country() -> None:
    assert readings("0151 12345678") == ()
    assert compact("0151 12345678") == compact("0151/1234-5678") == "015112345678"


def test_the_country_is_that_of_the_lines_if_they_are_of_one() -> None:
    assert country_of(("+4915112345678", "+4930123456")) == "DE"
    assert country_of(("+447700900001",)) == "GB"
    assert country_of(("+4915112345678", "+447700900001")) is None
    assert country_of(("+999123456789",)) is None
    assert country_of(()) is None


def test_the_numbers_of_countries_are_loaded_only_when_they_are_needed() -> None:
    usual = (
        "from smscatch.numbers import readings; from smscatch.settings import load_settings; readings('+4915112345678')"
    )
    script = f"{usual}; load_settings(environ={{}}); import sys; sys.exit('phonenumbers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("AUTHY", ["authy"]),
        ("+49 170 123-45 67", ["+491701234567"]),
        ("tel:+49-170-1234567", ["+491701234567"]),
        ("+４９ １７０ １２３４５６７", ["+491701234567"]),
        (" 491701234567", ["+491701234567"]),
        ("491701234567", ["491701234567", "+491701234567"]),
        ("00491701234567", ["00491701234567", "+491701234567"]),
        ("0049 170 1234567", ["0049 170 1234567", "00491701234567", "+491701234567"]),
        ("0170 1234567", ["0170 1234567", "01701234567"]),
        ("32665", ["32665"]),
        ("+32665", ["+32665"]),
        (" 32665", ["32665"]),
        ("*100#", ["*100#"]),
        ("4 you 2", ["4 you 2"]),
    ],
)
def test_what_a_person_types_may_mean_one_sender_or_several(typed: str, meant: list[str]) -> None:
    assert list(sender_forms(typed)) == meant


def test_two_senders_are_never_indexed_as_one() -> None:
    senders = [
        "+491701234567",
        "491701234567",
        "00491701234567",
        "01701234567",
        "1701234567",
        "32665",
        "+32665",
        "Authy",
    ]
    assert len({fold_sender(sender) for sender in senders}) == len(senders)


@pytest.mark.parametrize(
    "sender", ["+491701234567", "491701234567", "01701234567", "32665", "+32665", "*100#", "Authy"]
)
def test_a_sender_is_found_by_what_is_shown_of_it(sender: str) -> None:
    assert fold_sender(sender) in sender_forms(sender)
