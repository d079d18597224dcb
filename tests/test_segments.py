"""What a text costs: how many SMS, in which encoding, and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smscatch.pdu import encode_deliver
from smscatch.segments import count_segments, describe
from tests.samples import NOON


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),  # the escape stays with its septet
        ("ы" * 70, "UCS-2", 70, 1),
        ("ы" * 71, "UCS-2", 71, 2),
        ("😀" * 35, "UCS-2", 70, 1),
        ("a" * 66 + "😀" + "a" * 66, "UCS-2", 134, 3),  # so do the halves of a pair
    ],
)
def test_a_text_is_counted_as_it_is_sent(text: str, encoding: str, units: int, count: int) -> None:
    segments = count_segments(text)
    assert (segments.encoding, segments.units, segments.count) == (encoding, units, count)


def test_the_characters_that_made_it_ucs2_are_named_with_their_places() -> None:
    text = "Your code is don’t tell anybody 123456, " + "x" * 60
    assert describe(count_segments(text)) == "2 segments of UCS-2 instead of 1 because of ’ at 17"
    assert describe(count_segments("a‘b’c“d”")) == "1 segment of UCS-2 because of ‘ at 2, ’ at 4, “ at 6 and more"
    assert describe(count_segments("a" * 200)) == "2 segments of GSM-7"


@given(st.text(st.sampled_from("aé€[ыЖ😀’"), max_size=330))
def test_it_is_as_many_as_our_own_encoder_makes_of_it(text: str) -> None:
    assert count_segments(text).count == len(encode_deliver("Authy", text, NOON))
