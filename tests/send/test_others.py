"""The SDKs of other providers, pointed at smscatch: what they are told, and what they raise."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from smscatch import Client
from tests.conftest import ADMIN_KEY
from tests.send.conftest import Application

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


def test_sinch(sms: Client, application: Application) -> None:
    import sinch
    from sinch.core.exceptions import SinchException
    from sinch.domains.sms.sinch_events.v1.sms_sinch_event import SmsSinchEvent

    def client(key: str) -> Any:
        made = sinch.SinchClient(service_plan_id="any", sms_api_token=key)
        made.configuration.sms_origin_with_service_plan_id = sms.send_url("sinch")
        return made.sms.batches

    with sms.lease(label="virtual", count=2) as (one, two):
        numbers = [one.number, two.number]
        sent = client(ADMIN_KEY).send_sms(
            to=numbers,
            from_="+15005550006",
            body="${name}: your code is 482913",
            parameters={"name": {one.number: "Ann", "default": "You"}},
            delivery_report="full",
            callback_url=f"{application.url}/report",
        )
        assert (one.wait_for_code(), two.wait_for_code()) == ("482913", "482913")
        assert [sms.caught(number).text.partition(":")[0] for number in numbers] == ["Ann", "You"]
    assert (type(sent).__name__, sent.to, sent.from_, sent.canceled) == ("TextResponse", numbers, "+15005550006", False)
    assert client(ADMIN_KEY).get(sent.id).id == sent.id
    reports = client(ADMIN_KEY)._sinch.sms.delivery_reports
    assert reports.get(sent.id).statuses[0].count == 2
    assert reports.get_for_number(sent.id, two.number).status == "Delivered"
    called = application.next_call()
    assert (called.path, json.loads(called.body)["statuses"][0]["recipients"]) == ("/report", numbers)
    events = SmsSinchEvent(ADMIN_KEY)
    assert events.validate_authentication_header(called.headers, called.body)
    assert events.parse_event(called.body).batch_id == sent.id
    one.reply("yes", url=f"{application.url}/in")
    told = application.next_call()
    assert events.validate_authentication_header(told.headers, told.body)
    read = events.parse_event(told.body)
    assert (read.body, read.from_, read.to) == ("yes", one.number[1:], "15005550006")
    for key, to in ((ADMIN_KEY, ["12"]), (ADMIN_KEY, []), ("none", numbers)):
        with pytest.raises(SinchException):
            client(key).send_sms(to=to, from_="Acme", body="x")


def test_sinch_with_a_key_of_a_project(sms: Client) -> None:
    import sinch

    client = sinch.SinchClient(project_id="any", key_id="any", key_secret=ADMIN_KEY)
    client.configuration.sms_origin = client.configuration.auth_origin = sms.send_url("sinch")
    with sms.lease(label="virtual") as phone:
        client.sms.batches.send_sms(to=[phone.number], from_="Acme", body=TEXT)
        assert phone.wait_for_code() == "482913"


def test_the_inbox_of_smsgate_has_what_came_in(sms: Client) -> None:
    from android_sms_gateway import client, domain, errors

    began, line = datetime.now(UTC), "+447700900555"
    for text in ("one", "two", "three"):
        delivery = {"line": line, "sender": "Authy", "text": text}
        sms._http.post("/api/v1/inbound/generic", json=delivery).raise_for_status()
    while len(kept := sms.messages(line=line)) < 3:  # they may be in the spool still
        pass
    with client.APIClient("any", ADMIN_KEY, base_url=sms.send_url("smsgate")) as gate:
        gate.send(domain.Message(phone_numbers=["+12015550123"], text_message=domain.TextMessage(text=TEXT)))
        since = domain.InboxQueryFilter(message_type="SMS", from_=began)
        found = [each for each in gate.list_inbox_messages(inbox_filter=since) if each.recipient == line]
        assert [(each.id, each.sender, each.content_preview) for each in found] == [
            (each.id, "Authy", each.text) for each in kept
        ]
        assert all(each.created_at >= began.replace(microsecond=0) for each in found)
        texts = [each.content_preview for each in gate.list_inbox_messages(inbox_filter=since)]
        assert TEXT not in texts
        paged = gate.list_inbox_messages(inbox_filter=since, pagination=domain.QueryPagination(limit=2, offset=1))
        assert [each.content_preview for each in paged] == texts[1:3]
        assert gate.list_inbox_messages(inbox_filter=domain.InboxQueryFilter(message_type="DATA_SMS")) == []
        with pytest.raises(errors.BadRequestError):
            gate.list_inbox_messages(pagination=domain.QueryPagination(limit=-1))


def test_smsgate(sms: Client) -> None:
    from android_sms_gateway import client, domain, errors

    def send(to: str, key: str = ADMIN_KEY, text: str = TEXT, id_: str | None = None) -> domain.MessageState:
        with client.APIClient("any", key, base_url=sms.send_url("smsgate")) as gate:
            message = domain.Message(phone_numbers=[to], text_message=domain.TextMessage(text=text), id=id_)
            sent = gate.send(message, skip_phone_validation=True)
            assert gate.get_state(sent.id).state.value == "Delivered"
            assert sent.id in [each.id for each in gate.get_messages()]
            return sent

    with sms.lease(label="virtual") as phone:
        sent = send(phone.number)
        assert phone.wait_for_code() == "482913"
    assert (sent.state.value, sent.recipients[0].phone_number) == ("Pending", phone.number)
    assert send("+12015550123", id_="my own").id == "my own"
    for wrong, refused in (
        ({"to": "12"}, errors.BadRequestError),
        ({"to": "+12015550123", "text": ""}, errors.BadRequestError),
        ({"to": "+12015550123", "key": "none"}, errors.UnauthorizedError),
    ):
        with pytest.raises(refused):
            send(**wrong)
