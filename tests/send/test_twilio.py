"""Twilio's own SDK, pointed at smscatch by its base URL: what it is told, raises, is called back with."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import twilio.rest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from smscatch import Client
from tests.conftest import ADMIN_KEY, Server
from tests.send.conftest import Application

SID = "AC" + "0" * 32
LONG = "Your code is 482913. " + "é" * 60 + " – " + "😀" * 20
GOOD = {"from_": "+15005550006", "to": "+12015550123", "body": "Your code is 482913"}


@pytest.fixture
def sdk(catcher: Server) -> twilio.rest.Client:
    return pointed_at(catcher, ADMIN_KEY)


def pointed_at(catcher: Server, token: str) -> twilio.rest.Client:
    client = twilio.rest.Client(SID, token)
    client.api.base_url = f"{catcher.url}/twilio"
    return client


def test_the_code_of_a_text_reaches_the_test_that_waits_on_a_virtual_line(sdk: twilio.rest.Client, sms: Client) -> None:
    with sms.lease(label="virtual") as phone:
        sent = sdk.messages.create(from_="+15005550006", to=phone.number, body=LONG)
        assert phone.wait_for_code() == "482913"
        (message,) = phone.messages()
    assert re.fullmatch("SM[0-9a-f]{32}", sent.sid or "")
    assert (sent.status, sent.direction, sent.num_segments) == ("queued", "outbound-api", "2")
    assert (sent.to, sent.from_, sent.body, sent.error_code) == (phone.number, "+15005550006", LONG, None)
    assert isinstance(sent.date_created, datetime)
    assert abs(datetime.now(UTC) - sent.date_created).days == 0
    assert (message.text, message.sender, message.marks, message.provider) == (
        LONG,
        "+15005550006",
        ("caught",),
        "twilio",
    )
    assert message.segments is not None
    assert (message.segments.encoding, message.segments.count, message.parts) == ("UCS-2", 2, 2)


def test_a_text_is_fetched_listed_and_deleted_by_its_sid(sdk: twilio.rest.Client, sms: Client) -> None:
    with sms.lease() as phone:
        first = sdk.messages.create(from_="Acme", to=phone.number, body="one")
        second = sdk.messages.create(messaging_service_sid="MG" + "1" * 32, to=phone.number, body="two")
        assert (second.status, second.from_) == ("accepted", None)
        fetched = sdk.messages(first.sid).fetch()
        assert (fetched.status, fetched.body, fetched.from_) == ("delivered", "one", "Acme")
        assert isinstance(fetched.date_sent, datetime)
        assert [each.sid for each in sdk.messages.list(to=phone.number)] == [second.sid, first.sid]
        assert sdk.messages(first.sid).delete()
        assert [each.sid for each in sdk.messages.list(to=phone.number)] == [second.sid]
        with pytest.raises(TwilioRestException) as caught:
            sdk.messages(first.sid).fetch()
    assert (caught.value.status, caught.value.code) == (404, 20404)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to": ""}, 21604),
        ({"to": "12"}, 21211),
        ({"to": "+15005550001"}, 21211),
        ({"to": "+15005550004"}, 21610),
        ({"to": "+15005550009"}, 21614),
        ({"from_": ""}, 21603),
        ({"from_": "a name too long"}, 21212),
        ({"from_": "+15005550007"}, 21606),
        ({"from_": "+15005550008"}, 21611),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"status_callback": "mailto:x"}, 21609),
    ],
)
def test_what_twilio_refuses_raises_its_error(sdk: twilio.rest.Client, change: dict[str, Any], code: int) -> None:
    with pytest.raises(TwilioRestException) as caught:
        sdk.messages.create(**(GOOD | change))
    assert (caught.value.status, caught.value.code) == (400, code)


def test_a_wrong_token_raises_what_twilio_raises(catcher: Server) -> None:
    with pytest.raises(TwilioRestException) as caught:
        pointed_at(catcher, "a" * 32).messages.create(**GOOD)
    assert (caught.value.status, caught.value.code) == (401, 20003)


def test_the_application_is_called_back_with_each_status_signed_as_twilio_signs(
    sdk: twilio.rest.Client, sms: Client, application: Application
) -> None:
    url = f"{application.url}/status?order=7"
    with sms.lease() as phone:
        sent = sdk.messages.create(from_="Acme", to=phone.number, body="hello", status_callback=url)
        calls = [application.next_call(), application.next_call()]
    assert [call.form["MessageStatus"] for call in calls] == ["sent", "delivered"]
    for call in calls:
        assert (call.form["MessageSid"], call.form["To"], call.form["From"]) == (sent.sid, phone.number, "Acme")
        assert RequestValidator(ADMIN_KEY).validate(url, call.form, call.headers["x-twilio-signature"])


def test_a_picture_message_without_text_names_what_is_attached(sdk: twilio.rest.Client, sms: Client) -> None:
    with sms.lease() as phone:
        sent = sdk.messages.create(from_="Acme", to=phone.number, media_url=["https://app.example/a.png"])
        message = phone.wait_for_message()
    assert (sent.num_media, (sent.sid or "")[:2]) == ("1", "MM")
    assert "https://app.example/a.png" in message.text
    assert message.marks == ("caught", "mms")
