"""What a HiLink stick tells of a text becomes a message."""

from datetime import UTC, datetime

import msgspec
import pytest

from smscatch.errors import BadDelivery
from smscatch.messages import Message
from smscatch.sources import read_delivery
from smscatch.sources.hilink import StickText, find_local_time


@pytest.mark.parametrize(
    ("written", "zone", "time"),
    [
        ("2026-11-28 13:00:00", "Europe/Berlin", datetime(2026, 11, 28, 12, tzinfo=UTC)),
        ("2026-07-28 14:00:00", "Europe/Berlin", datetime(2026, 7, 28, 12, tzinfo=UTC)),
        ("2026-11-28 13:00:00", "", None),
        ("2026-11-28 13:00:00", "Europe/Nowhere", None),
        ("2026-10-25 02:30:00", "Europe/Berlin", None),  # twice
        ("2026-03-29 02:30:00", "Europe/Berlin", None),  # never
        ("26-11-28 13:00", "Europe/Berlin", None),
        ("", "Europe/Berlin", None),
    ],
)
def test_the_stick_s_time_counts_only_where_its_zone_is_set_and_the_hour_is_certain(
    written: str, zone: str, time: datetime | None
) -> None:
    assert find_local_time(written, zone) == time


@pytest.mark.parametrize(
    ("kind", "told", "text", "marks"),
    [
        ("1", "Your code is 482913", "Your code is 482913", ()),
        ("99", "Your code is 482913", "Your code is 482913", ()),
        ("7", "", "Delivered", ("status_report",)),
        ("8", "", "Failed", ("status_report",)),
        ("1", "", "", ()),
    ],
)
def test_a_text_has_its_marks(kind: str, told: str, text: str, marks: tuple[str, ...]) -> None:
    entry = StickText(line="+447700900123", time_ns=10**18, number="Authy", text=told, sms_type=kind)
    (message,) = read_delivery("hilink", msgspec.json.encode(entry), "name", lambda line: line)
    assert isinstance(message, Message)
    assert (message.text, message.marks, message.sender, message.sent_at) == (text, marks, "Authy", None)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"line":"x","time_ns":1e30,"number":"","text":""}', b"[]"])
def test_an_entry_of_another_form_is_refused(body: bytes) -> None:
    with pytest.raises(BadDelivery, match="hilink"):
        read_delivery("hilink", body, "name", lambda line: line)
