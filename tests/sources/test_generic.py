"""What our own form may be, beside our own JSON."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from smscatch.errors import BadDelivery
from smscatch.messages import Message
from smscatch.sources.generic import read_generic
from smscatch.sources.webhook import FORM, JSON, Envelope
from tests.samples import LINE, NOON

FIELDS = {"line": LINE, "sender": "Authy", "text": "Your code is 482913 & 1+1=2 – café"}
SENT = datetime(2026, 11, 22, 11, 59, 58, tzinfo=UTC)


def read(content: bytes, content_type: str = FORM) -> Message:
    envelope = Envelope(received_at=NOON, address="", content_type=content_type, origin="key 1", content=content)
    (message,) = read_generic(envelope, "entry", lambda line: line)
    return message


def a_form(**more: str) -> bytes:
    return urlencode(FIELDS | more).encode()


def test_a_form_is_read_as_json_is() -> None:
    json = b'{"line": "+447700900001", "sender": "Authy", "text": "x", "id": "7"}'
    form = b"line=%2B447700900001&sender=Authy&text=x&id=7"
    assert read(form) == read(json, JSON) == read(json, FORM)  # curl -d calls its JSON a form
    message = read(a_form())
    assert (message.line, message.sender, message.text) == tuple(FIELDS.values())


@pytest.mark.parametrize(
    "sent_at", ["2026-11-22T12:59:58+01:00", str(int(SENT.timestamp())), str(int(SENT.timestamp() * 1000))]
)
def test_the_time_of_a_form_may_be_seconds_or_milliseconds(sent_at: str) -> None:
    assert read(a_form(sent_at=sent_at)).sent_at == SENT


def test_what_an_app_leaves_empty_is_left_out_unless_it_is_the_text() -> None:
    one, other = read(a_form(id="", sent_at="")), read(a_form(text=""))
    assert (one.sent_at, one.text, other.text) == (None, FIELDS["text"], "")


@pytest.mark.parametrize(
    ("content", "content_type", "said"),
    [
        (b"line=%2B447700900001&sender=Authy", FORM, "required field `text`. Expected line=…&sender=…&text=…"),
        (a_form(colour="red"), FORM, "unknown field `colour`"),
        (a_form(sent_at="yesterday"), FORM, "sent_at = 'yesterday' is not accepted: give ISO 8601 with a zone, or"),
        (a_form(sent_at="2026-11-22T12:59:58"), FORM, "sent_at = "),
        (a_form(line=" "), FORM, "The line is blank"),
        (a_form(text="x" * 10_001), FORM, "length <= 10000"),
        (a_form(), "text/plain", 'Expected {"line": "+49…"'),
        (b"", FORM, "required field `line`"),
    ],
)
def test_a_form_that_cannot_be_read_is_told_what_is_wrong(content: bytes, content_type: str, said: str) -> None:
    with pytest.raises(BadDelivery) as caught:
        read(content, content_type)
    assert said in str(caught.value)
