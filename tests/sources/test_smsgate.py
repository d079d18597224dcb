"""What SMSGate's events are to us, where the contract of all sources does not say it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smscatch.errors import BadDelivery, BadSignature
from smscatch.messages import Message
from smscatch.sources.smsgate import check_smsgate, read_smsgate
from smscatch.sources.webhook import JSON, Envelope, Incoming
from tests.data.smsgate import TEXT, an_event, sign, sign_with
from tests.samples import LINE, NOON
from tests.sources.samples import Post
from tests.surroundings import settings_in

NAMES = {"device-1/1": LINE, "device-1": "+447700900009"}


def read(post: Post) -> list[Message]:
    envelope = Envelope(received_at=NOON, address="", content_type=JSON, origin="source phone", content=post.content)
    return read_smsgate(envelope, "entry", lambda name: NAMES.get(name, name))


@pytest.mark.parametrize(
    ("changed", "line"),
    [({"recipient": None}, LINE), ({"recipient": ""}, LINE), ({"recipient": None, "simNumber": None}, "+447700900009")],
)
def test_a_phone_that_does_not_know_its_number_is_known_by_device_and_sim(
    changed: dict[str, object], line: str
) -> None:
    assert [message.line for message in read(an_event(TEXT | changed))] == [line]


def test_an_older_app_names_the_sender_otherwise_and_gives_the_event_no_id() -> None:
    old = {name: value for name, value in TEXT.items() if name not in ("sender", "recipient")}
    texts = [old | {"phoneNumber": "+447700900123"}, old | {"phoneNumber": "Bank"}]
    one, other = (read(an_event(text, id=""))[0] for text in texts)
    assert (one.sender, other.sender, one.id == other.id) == ("+447700900123", "Bank", False)


def test_the_time_is_that_of_the_smsc() -> None:
    (message,) = read(an_event(TEXT))
    assert message.sent_at == datetime(2026, 11, 22, 11, 59, 58, tzinfo=UTC)


@pytest.mark.parametrize(("data", "text", "mark"), [("SGVsbG8=", "Hello", "data"), ("/wA=", "", "undecodable")])
def test_data_for_a_program_are_a_message_too(data: str, text: str, mark: str) -> None:
    payload = {name: value for name, value in TEXT.items() if name != "message"} | {"data": data}
    (single,) = read(an_event(payload, "sms:data-received"))
    assert (single.text, single.marks) == (text, ("application", mark))
    assert len(read(an_event({"messages": [payload, payload]}, "sms:batch:data-received"))) == 2


def test_data_that_are_no_base64_are_refused() -> None:
    payload = {name: value for name, value in TEXT.items() if name != "message"} | {"data": "%"}
    with pytest.raises(BadDelivery, match="not base64"):
        read(an_event(payload, "sms:data-received"))


@pytest.mark.parametrize(("off", "side"), [(301, "behind"), (-301, "ahead of")])
def test_a_phone_whose_clock_is_wrong_is_told_by_how_much(off: int, side: str) -> None:
    post = an_event(TEXT)
    _, headers = sign(post, "key", "", NOON)
    with pytest.raises(BadSignature, match=f"301 s {side} our clock"):
        check_smsgate(Incoming("POST", "", "", headers, post.content), ("key",), NOON + timedelta(seconds=off))


def test_a_time_that_is_none_is_told() -> None:
    post = an_event(TEXT)
    headers = sign_with(post, "key", "never").headers
    with pytest.raises(BadSignature, match="X-Timestamp is no time"):
        check_smsgate(Incoming("POST", "", "", headers, post.content), ("key",), NOON)


def test_a_time_at_the_end_of_the_calendar_loses_no_text() -> None:
    (message,) = read(an_event(TEXT | {"receivedAt": "0001-01-01T00:00:00+14:00"}))
    assert (message.text, message.sent_at) == (TEXT["message"], None)


def test_it_is_known_by_its_name_in_the_settings(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, f'[lines."{LINE}"]\nphone_id = "device-1/1"\n[lines."+447700900002"]\n')
    post = an_event(TEXT | {"recipient": None})
    envelope = Envelope(received_at=NOON, address="", content_type=JSON, origin="source phone", content=post.content)
    assert [message.line for message in read_smsgate(envelope, "entry", settings.line_of)] == [LINE]
