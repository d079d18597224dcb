"""Replies as the handset: what the application is told and how it is signed, and what STOP does to the next text."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import httpx2
import pytest
import twilio.rest
from messagebird.request_validator import RequestValidator as MessageBirdValidator
from plivo.utils import validate_signature
from sinch.domains.sms.sinch_events.v1.sms_sinch_event import SmsSinchEvent
from telnyx.lib.webhook_verification import verify_webhook_signature
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from vonage_http_client.auth import Auth

from smscatch import Client, NoApplication, NoMessage, keys
from smscatch.clock import utc_now
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import NOBODY, Query
from smscatch.sources.caught import Callback
from smscatch.stores import Wish
from smscatch.web.app import make_app
from smscatch.webhooks import FORMS, Inbound, find_form
from smscatch.webhooks.telnyx import find_public_key
from tests import plain
from tests.conftest import ADMIN_KEY, Server
from tests.data import telnyx
from tests.samples import LINE
from tests.send.conftest import Application
from tests.surroundings import settings_in

SECRET = "an-auth-token-of-32-characters-00"
HOOK = "http://app.example/sms?shop=7"
NUMBER = "+15005550006"


def test_an_application_is_told_of_stop_and_its_next_text_is_refused_until_start(
    catcher: Server, sms: Client, application: Application
) -> None:
    sdk = twilio.rest.Client("AC" + "1" * 32, ADMIN_KEY)
    sdk.api.base_url = f"{catcher.url}/twilio"
    url = f"{application.url}/sms?shop=7"
    with sms.lease() as phone:
        sent = sdk.messages.create(from_=NUMBER, to=phone.number, body="Your code is 482913")
        assert phone.wait_for_code() == "482913"
        stopped = phone.reply("Stop", url=url)
        told = application.next_call()
        assert RequestValidator(ADMIN_KEY).validate(url, told.form, told.headers["x-twilio-signature"])
        assert (told.form["From"], told.form["To"], told.form["Body"]) == (phone.number, NUMBER, "Stop")
        assert (told.form["AccountSid"], told.form["SmsStatus"]) == ("AC" + "1" * 32, "received")
        assert (stopped.opted_out, stopped.to, f"SM{stopped.answers}") == (True, NUMBER, sent.sid)
        with pytest.raises(TwilioRestException) as refused:
            sdk.messages.create(from_=NUMBER, to=phone.number, body="hello?")
        assert (refused.value.status, refused.value.code) == (400, 21610)
        sdk.messages.create(from_="+15005550010", to=phone.number, body="from another number it goes on")
        assert not phone.reply("START", to=NUMBER, url=url).opted_out
        assert application.next_call().form["Body"] == "START"
        sdk.messages.create(from_=NUMBER, to=phone.number, body="welcome back")
        assert phone.wait_for_message(contains="welcome").sender == NUMBER


def test_a_reply_is_given_to_no_wait_and_stands_on_the_line(catcher: Server, sms: Client) -> None:
    with sms.lease() as phone:
        reply = phone.reply("STOP", to=NUMBER, provider="twilio")
        assert reply.url is None  # nobody is told, but the opt-out holds
        with pytest.raises(NoMessage, match="is a reply"):
            phone.wait_for_message(timeout=0)
        with pytest.raises(NoMessage):
            sms.wait_for_message(line=phone.number, after="10m", timeout=0)
        (shown,) = sms.messages(line=phone.number)
        assert (shown.id, shown.to, shown.marks, phone.messages()) == (reply.id, NUMBER, ("reply",), [])


def test_each_callback_and_webhook_is_seen_beside_its_text_with_its_attempts_and_its_signature(
    catcher: Server, sms: Client, application: Application
) -> None:
    sdk = twilio.rest.Client("AC" + "1" * 32, ADMIN_KEY)
    sdk.api.base_url = f"{catcher.url}/twilio"
    application.answers += [503, 404]  # the first status is refused for now, then for good; all else is taken
    with sms.lease() as phone:
        sent = sdk.messages.create(
            from_=NUMBER, to=phone.number, body="hi", status_callback=f"{application.url}/status"
        )
        calls = [application.next_call() for _ in range(3)]
        reply = phone.reply("hello", url=f"{application.url}/sms")
        told = application.next_call()
    assert [call.form["MessageStatus"] for call in calls] == ["sent", "sent", "delivered"]

    def beside() -> dict[str, Any] | None:
        url = f"{catcher.url}/api/v1/messages/{(sent.sid or '')[2:]}/calls"
        shown: dict[str, Any] = plain.get(url, auth=(ADMIN_KEY, "")).json()
        waits = [call for call in (*shown["calls"], *shown["replies"][0]["calls"]) if call["state"] == "waiting"]
        return None if waits else shown

    while (shown := beside()) is None:  # settled a moment after the application has answered; pytest ends a hang
        pass
    tried = [(call["name"], call["state"], [one["status"] for one in call["attempts"]]) for call in shown["calls"]]
    assert tried == [("sent", "refused", [503, 404]), ("delivered", "taken", [204])]
    assert shown["calls"][1]["signature"] == {"x-twilio-signature": calls[2].headers["x-twilio-signature"]}
    (beside_it,) = shown["replies"]
    (call,) = beside_it["calls"]
    assert (beside_it["id"], beside_it["text"], call["state"], call["url"]) == (reply.id, "hello", "taken", reply.url)
    assert call["signature"] == {"x-twilio-signature": told.headers["x-twilio-signature"]}
    page = plain.get(f"{catcher.url}/messages/{(sent.sid or '')[2:]}", auth=(ADMIN_KEY, ""))
    for part in ("refused", "HTTP 503", calls[2].headers["x-twilio-signature"].replace("+", "&#43;"), "hello"):
        assert part in page.text.replace("+", "&#43;"), part


def test_a_reply_that_nobody_would_hear_of_is_refused_and_says_what_to_set(sms: Client) -> None:
    with sms.lease() as phone, pytest.raises(NoApplication, match=r"\[applications\.NAME\]"):
        phone.reply("yes please", to=NUMBER, provider="twilio")


def is_signed(provider: str, call: Callback) -> bool:
    """Return whether a provider's own package takes a request for one of theirs."""
    if provider == "twilio":
        signature = call.headers["x-twilio-signature"]
        form = dict(parse_qsl(call.body, keep_blank_values=True))
        return bool(RequestValidator(SECRET).validate(call.url, form, signature))
    if provider == "plivo":
        nonce, signature = call.headers["x-plivo-signature-v2-nonce"], call.headers["x-plivo-signature-v2"]
        return bool(validate_signature(call.url, nonce, signature, SECRET))
    if provider == "messagebird":
        token = call.headers["messagebird-signature-jwt"]
        return bool(MessageBirdValidator(SECRET).validate_signature(token, call.url, call.body.encode()))
    if provider == "vonage":
        return bool(Auth(api_key="app", signature_secret=SECRET).check_signature(json.loads(call.body)))
    if provider == "sinch":
        return bool(SmsSinchEvent(SECRET).validate_authentication_header(call.headers, call.body))
    key = find_public_key(SECRET)
    assert key == telnyx.public_key(SECRET)
    verify_webhook_signature(call.body, call.headers, key)
    return True


@pytest.mark.parametrize("provider", FORMS)
def test_what_an_application_is_told_is_signed_as_the_providers_own_package_has_it(provider: str) -> None:
    form = find_form(provider)
    assert form is not None
    text = "café & “more” +1 😀"
    call = form.write(HOOK, Inbound("0a" * 16, LINE, NUMBER, text, utc_now(), "AC1", "MG1"), SECRET)
    assert (call.url, is_signed(provider, call)) == (HOOK, True)
    if call.headers["content-type"] == "application/json":
        told = json.loads(call.body)
        flat = {**told, **told.get("data", {}).get("payload", {})}
        assert text in flat.values()
    else:
        assert [text] in parse_qs(call.body).values()


class House:
    """A server in this process, of which one key sends as through Telnyx, and replies."""

    def __init__(self, client: httpx2.AsyncClient, secret: str) -> None:
        self.client, self.headers = client, {"authorization": f"Bearer {secret}"}

    async def send(self, to: str = LINE) -> httpx2.Response:
        body = {"from": NUMBER, "to": to, "text": "hello"}
        return await self.client.post("/telnyx/v2/messages", json=body, headers=self.headers)

    async def reply(self, text: str, **more: str) -> httpx2.Response:
        body = {"line": LINE, "text": text, **more}
        return await self.client.post("/api/v1/replies", json=body, headers=self.headers)


@pytest.fixture
async def house(inbox: Inbox, leases: Leases, tmp_path: Path) -> AsyncIterator[House]:
    table = '[applications.shop]\nprovider = "telnyx"\nurl = "http://app.example/hook"\nsecret = "s"\n'
    settings = settings_in(tmp_path, table)
    settings.spool.mkdir()
    _, secret = await keys.add_key(inbox, "test", ("send",))
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield House(client, secret)


async def test_the_settings_say_where_an_application_hears_of_replies_and_telnyx_blocks_after_stop(
    house: House,
) -> None:
    assert (await house.send()).is_success
    told = (await house.reply("stop all")).json()
    assert (told["url"], told["provider"], told["opted_out"]) == ("http://app.example/hook", "telnyx", True)
    assert told["public_key"] == telnyx.public_key("s")
    refused = await house.send()
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "40300")
    await house.reply("UNSTOP")
    assert (await house.send()).is_success


async def test_a_line_that_another_key_has_leased_is_not_replied_from(house: House, leases: Leases) -> None:
    await leases.acquire(Wish(key="another", lines=(LINE,), ttl=timedelta(seconds=60)), 0)
    await house.send()
    refused = await house.reply("STOP")
    assert (refused.status_code, refused.json()["error"]) == (403, "forbidden")


async def test_a_reply_that_is_asked_for_twice_is_one(house: House, inbox: Inbox) -> None:
    await house.send()
    first, second = [(await house.reply("hello", id="made-up")).json()["id"] for _ in range(2)]
    assert first == second
    assert len(await inbox.store.newest(Query(lines=(LINE,), lease=NOBODY), 10)) == 1


async def test_a_name_is_not_replied_to_and_who_never_sent_must_be_named(house: House) -> None:
    assert (await house.reply("hello")).json()["parameter"] == "to"
    assert "is a name" in (await house.reply("hello", to="Acme", provider="telnyx")).json()["message"]
    assert (await house.reply("hello", to=NUMBER, provider="nobody")).json()["parameter"] == "provider"
    assert (await house.reply("hello", to=NUMBER, url="mailto:x")).json()["parameter"] == "url"
