"""What ModemManager tells of a text becomes a message."""

from datetime import UTC, datetime

import msgspec
import pytest

from smscatch.errors import BadDelivery
from smscatch.messages import Message
from smscatch.sources import read_delivery
from smscatch.sources.modemmanager import ManagedText, find_time

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def read(**told: object) -> Message:
    given = {"line": "+447700900123", "time_ns": 10**18, "number": "Authy", "text": "Your code is 482913"} | told
    body = msgspec.json.encode(msgspec.convert(given, ManagedText))
    (message,) = read_delivery("modemmanager", body, "name", lambda line: line)
    assert isinstance(message, Message)
    return message


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2026-11-28T20:00:00+08", NOON),
        ("2026-11-28T12:00:00Z", NOON),
        ("2026-11-28T08:30:00-03:30", NOON),
        ("2026-11-28T17:45:00+0545", NOON),
        ("2026-11-28T12:00:00", None),
        ("2026-13-28T12:00:00Z", None),
        ("", None),
    ],
)
def test_the_time_of_the_smsc_is_read_with_its_short_zone_and_never_without_one(
    written: str, time: datetime | None
) -> None:
    assert find_time(written) == time


def test_a_text_has_its_code_and_its_time() -> None:
    message = read(timestamp="2026-11-28T20:00:00+08")
    assert (message.code, message.sent_at, message.sender, message.marks) == ("482913", NOON, "Authy", ())


@pytest.mark.parametrize(
    ("told", "text", "marks"),
    [
        ({"message_class": 0}, "Your code is 482913", ("flash",)),
        ({"text": "", "data": b"code 1234".hex()}, "code 1234", ("data",)),
        ({"text": "", "data": "00ff"}, "", ("undecodable",)),
        ({"text": ""}, "", ()),
        ({"text": "", "pdu_type": 3, "delivery_state": 0}, "Delivered", ("status_report",)),
    ],
)
def test_what_is_peculiar_about_a_text_is_marked(told: dict[str, object], text: str, marks: tuple[str, ...]) -> None:
    message = read(**told)
    assert (message.text, message.marks) == (text, marks)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"line":"x","time_ns":1e30,"number":"","text":""}', b"[]"])
def test_an_entry_of_another_form_is_refused(body: bytes) -> None:
    with pytest.raises(BadDelivery, match="modemmanager"):
        read_delivery("modemmanager", body, "name", lambda line: line)
