"""Cursors, times and the JSON of a message."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from smscatch.cursors import parse_after
from smscatch.errors import BadCursor
from smscatch.messages import decode_message, encode_message
from smscatch.times import format_time, parse_age, write_age
from tests.samples import NOON, a_message


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("42", 42),
        ("0", 0),
        ("10m", NOON - timedelta(minutes=10)),
        ("90s", NOON - timedelta(seconds=90)),
        ("30d", NOON - timedelta(days=30)),
        ("2026-11-22T11:00:00Z", NOON - timedelta(hours=1)),
        ("2026-11-22T13:00:00+01:00", NOON),
        ("2026-11-22T13:00:00 01:00", NOON),  # a '+' that nobody escaped
    ],
)
def test_after_takes_a_cursor_a_time_or_an_age(given: str, meant: int | datetime) -> None:
    assert parse_after(given, NOON) == meant


@pytest.mark.parametrize(
    "given", ["", "x", "-1", "٣", "1e3", "2026-11-22T11:00:00", "999999999d", "m", "9" * 19, "5 m"]
)
def test_anything_else_is_refused_with_examples(given: str) -> None:
    with pytest.raises(BadCursor, match="10m"):
        parse_after(given, NOON)


def test_a_message_in_json_has_the_promised_members_and_times_with_milliseconds() -> None:
    message = a_message(received_at=datetime(2026, 11, 22, 12, 0, 0, 120_999, UTC), sent_at=NOON)
    value = json.loads(encode_message(message))
    promised = "id line sender text code codes links bound_hosts received_at sent_at source parts complete lease cursor"
    assert set(promised.split()) <= set(value)
    assert value["received_at"] == "2026-11-22T12:00:00.120Z"
    assert value["sent_at"] == "2026-11-22T12:00:00.000Z"
    assert set(value["codes"][0]) == {"value", "score", "rule"}
    assert decode_message(encode_message(message)) == message


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    assert format_time(datetime.fromisoformat("2026-11-22T13:00:00.5+01:00")) == "2026-11-22T12:00:00.500Z"


@pytest.mark.parametrize("text", ["0s", "1500ms", "5s", "90s", "10m", "36h", "30d"])
def test_an_age_is_written_as_it_is_read(text: str) -> None:
    age = parse_age(text)
    assert age is not None
    assert write_age(age) == text
