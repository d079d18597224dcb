"""The SDKs of Telnyx, Plivo and MessageBird, pointed at smscatch: what they are told, and what they raise."""

from typing import Any

import pytest

from smscatch import Client
from tests.conftest import ADMIN_KEY

TEXT = "Your code is 482913 – now"
AUTH_ID = "MA" + "0" * 18


def test_telnyx(sms: Client) -> None:
    import telnyx

    client = telnyx.Telnyx(api_key=ADMIN_KEY, base_url=sms.send_url("telnyx"))
    with sms.lease(label="virtual") as phone:
        sent = client.messages.send(to=phone.number, from_="+15005550006", text=TEXT).data
        assert phone.wait_for_code() == "482913"
        assert sms.caught(phone.number).provider == "telnyx"
    assert sent is not None
    assert sent.to is not None
    assert (sent.text, sent.parts, sent.encoding, sent.to[0].status) == (TEXT, 1, "UCS-2", "queued")
    assert sent.id is not None
    fetched: Any = client.messages.retrieve(sent.id).data
    assert (fetched.id, fetched.to[0].status) == (sent.id, "delivered")
    with pytest.raises(telnyx.UnprocessableEntityError):
        client.messages.send(to="12", from_="+15005550006", text=TEXT)
    with pytest.raises(telnyx.NotFoundError):
        client.messages.retrieve("0" * 32)
    with pytest.raises(telnyx.AuthenticationError):
        client.with_options(api_key="a-key-that-is-none").messages.send(to="+12015550123", from_="Acme", text=TEXT)


def test_plivo(sms: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    import plivo

    monkeypatch.setattr("plivo.rest.client.PLIVO_API_BASE_URI", sms.send_url("plivo"))
    client = plivo.RestClient(AUTH_ID, ADMIN_KEY)
    with sms.lease(label="virtual", count=2) as (one, two):
        sent = client.messages.create(src="+15005550006", dst=f"{one.number}<{two.number}", text=TEXT)
        assert (one.wait_for_code(), two.wait_for_code()) == ("482913", "482913")
    assert len(sent.message_uuid) == 2
    assert client.messages.get(sent.message_uuid[0]).message_state == "delivered"
    with pytest.raises(plivo.exceptions.ValidationError):
        client.messages.create(src="+15005550006", dst="12", text=TEXT)
    with pytest.raises(plivo.exceptions.AuthenticationError):
        plivo.RestClient(AUTH_ID, "none").messages.create(src="Acme", dst="+12015550123", text=TEXT)


def test_messagebird(sms: Client) -> None:
    import messagebird
    from messagebird.http_client import HttpClient

    def client(key: str) -> messagebird.Client:
        return messagebird.Client(key, http_client=HttpClient(sms.send_url("messagebird"), key, "app"))

    with sms.lease(label="virtual") as phone:
        sent = client(ADMIN_KEY).message_create("Acme", [phone.number], TEXT, {"reference": "7"})
        assert phone.wait_for_code() == "482913"
    assert (sent.body, sent.originator, sent.reference, sent.recipients["totalSentCount"]) == (TEXT, "Acme", "7", 1)
    assert client(ADMIN_KEY).message(sent.id).recipients["items"][0].status == "delivered"
    for key, recipients, code in ((ADMIN_KEY, ["12"], 9), ("none", ["+12015550123"], 2)):
        with pytest.raises(messagebird.client.ErrorException) as caught:
            client(key).message_create("Acme", recipients, TEXT)
        assert caught.value.errors[0].code == code
