"""Fictitious numbers: which there are by default, and how ranges are written."""

import phonenumbers
import pytest

from smscatch.fiction import DRAMA, Numbers, parse_ranges, show_ranges
from smscatch.numbers import is_e164
from smscatch.settings import load_settings

NEVER_VALID = ("GB", "FR")  # libphonenumber takes the mobile numbers of these for nobody's; whoever checks gets others


@pytest.mark.parametrize("country", DRAMA)
def test_the_numbers_that_a_regulator_keeps_are_numbers_of_that_country(country: str) -> None:
    for pattern in DRAMA[country]:
        numbers = Numbers(pattern, (pattern,))
        for number in (numbers.number(0), numbers.number(len(numbers) - 1)):
            assert is_e164(number)
            parsed = phonenumbers.parse(number)
            assert phonenumbers.is_possible_number(parsed)
            assert phonenumbers.is_valid_number(parsed) == (country not in NEVER_VALID), number
            assert country in (phonenumbers.region_code_for_number(parsed), *NEVER_VALID)


def test_the_first_numbers_given_are_valid_for_an_application_that_checks() -> None:
    first, *others = load_settings(environ={}).virtual_ranges
    assert first.name == "US"
    assert len(first) > 30_000
    assert "GB" in [each.name for each in others]


def test_a_range_is_a_country_or_a_number_with_an_x_for_each_free_digit() -> None:
    one, two = parse_ranges("gb, +49 155 501-xx")
    assert (len(one), one.number(7), "+447700900999" in one, "+447700901000" in one) == (
        1000,
        "+447700900007",
        True,
        False,
    )
    assert (len(two), two.number(99), "+4915550100" in two, "+491555010" in two) == (100, "+4915550199", True, False)
    assert show_ranges((one, two)) == "GB, +49155501xx"
    with pytest.raises(IndexError):
        two.number(100)


@pytest.mark.parametrize("written", ["", "ZZ", "+49x55", "0155xxx", "+49155501xxxxxxxxxxxx", "+4xxxxxxxxxx"])
def test_what_is_no_range_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_ranges(written)
