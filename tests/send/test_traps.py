"""What SDKs send and expect that nobody would guess: as each was seen to do it, one request for each.

What the SDKs themselves make of the answers is in the tests of each; here are the forms that those do not send by
themselves, or only in another version.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from smscatch import keys
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import Query
from smscatch.settings.weather import MAX_SLOW_SECONDS
from smscatch.web.app import make_app
from tests.patience import PATIENCE_SECONDS
from tests.surroundings import settings_in

TO, OTHER, FROM = "+12015550123", "+12015550124", "+15005550006"
TEXT = "Your code is 482913"
TWILIO = "/twilio/2010-04-01/Accounts/AC1/Messages.json"
SMS = {"to": TO, "from": FROM, "text": TEXT}
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


class App:
    """An application with a key, which stands where each provider's SDK puts it."""

    def __init__(self, client: httpx2.AsyncClient, inbox: Inbox, key: str) -> None:
        self.client, self.inbox, self.key = client, inbox, key

    async def post(self, path: str, content: str, media_type: str = FORM) -> httpx2.Response:
        basic = b64encode(f"AC1:{self.key}".encode()).decode()
        forms = {"telnyx": "Bearer {}", "sinch": "Bearer {}", "messagebird": "AccessKey {}"}
        authorization = forms.get(path.split("/")[1], f"Basic {basic}").format(self.key)
        headers = {"content-type": media_type, "authorization": authorization}
        return await self.client.post(path, content=content, headers=headers)

    async def kept(self) -> list[tuple[str, str]]:
        return [(each.message.line, each.message.text) for each in await self.inbox.store.after(Query(), 0, 100)]


@pytest.fixture
async def app(inbox: Inbox, leases: Leases, tmp_path: Path) -> AsyncIterator[App]:
    settings = settings_in(tmp_path)
    settings.spool.mkdir()
    _, key = await keys.add_key(inbox, "application", ("send",))
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield App(client, inbox, key)


OTHER_FIELDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "Twilio's options": (
        TWILIO,
        {"To": TO, "From": FROM, "Body": TEXT, "ValidityPeriod": 60, "ProvideFeedback": "true", "SmartEncoded": "true"},
    ),
    "Twilio's schedule": (TWILIO, {"To": TO, "MessagingServiceSid": "MG1", "Body": TEXT, "ScheduleType": "fixed"}),
    "Plivo's SDK for Python": (
        "/plivo/v1/Account/MA1/Message/",
        {"src": FROM, "dst": TO, "text": TEXT, "type": "sms", "method": "POST", "log": "true", "trackable": False},
    ),
    "Telnyx' pool of numbers": (
        "/telnyx/v2/messages/number_pool",
        {"to": TO, "messaging_profile_id": "p", "text": TEXT},
    ),
    "MessageBird's recipients as a string": (
        "/messagebird/messages",
        {"originator": "Acme", "recipients": TO.removeprefix("+"), "body": TEXT, "type": "flash", "datacoding": "auto"},
    ),
    "Vonage's Unicode": ("/vonage/sms/json", SMS | {"type": "unicode", "client-ref": "7"}),
    "Vonage's Messages": ("/vonage/v1/messages", SMS | {"channel": "sms", "message_type": "text"}),
    "Sinch's parts": (
        "/sinch/xms/v1/plan/batches",
        {"to": [TO], "from": FROM, "body": TEXT, "type": "mt_text", "truncate_concat": True, "flash_message": False},
    ),
    "SMSGate's options in the query": (
        "/smsgate/messages?skipPhoneValidation=true&deviceActiveWithin=12",
        {"phoneNumbers": [TO], "textMessage": {"text": TEXT}, "isEncrypted": False, "priority": 0, "simNumber": 1},
    ),
}


@pytest.mark.parametrize("name", OTHER_FIELDS)
async def test_fields_beside_the_text_do_no_harm(app: App, name: str) -> None:
    path, fields = OTHER_FIELDS[name]
    is_form = path == TWILIO
    answer = await app.post(path, urlencode(fields) if is_form else json.dumps(fields), FORM if is_form else JSON)
    assert answer.is_success, answer.text
    assert await app.kept() == [(TO, TEXT)]
    assert answer.headers["content-type"].startswith(JSON)  # of text npm's packages make an object of single letters


async def test_a_form_that_vonages_sdk_calls_json_is_read(app: App) -> None:
    answer = await app.post("/vonage/sms/json", urlencode(SMS), JSON)
    assert answer.json()["messages"][0]["status"] == "0"
    assert {type(value) for value in answer.json()["messages"][0].values()} == {str}  # a number would raise
    assert await app.kept() == [(TO, TEXT)]


async def test_plivos_list_that_its_sdk_for_python_writes_as_one_string_is_refused_and_not_sent_to_anybody(
    app: App,
) -> None:
    fields = {"src": FROM, "dst": str([TO, OTHER]), "text": TEXT}
    answer = await app.post("/plivo/v1/Account/MA1/Message/", json.dumps(fields), JSON)
    assert (answer.status_code, answer.json()["error"]) == (400, "dst is invalid")
    assert await app.kept() == []


async def test_one_wrong_number_of_several_is_told_before_any_text_is_sent(app: App) -> None:
    for path, fields in (
        ("/plivo/v1/Account/MA1/Message/", {"src": FROM, "dst": f"{TO}<12", "text": TEXT}),
        ("/messagebird/messages", {"originator": "Acme", "recipients": f"{TO},12", "body": TEXT}),
        ("/sinch/xms/v1/plan/batches", {"to": [TO, "12"], "from": FROM, "body": TEXT}),
        ("/smsgate/messages", {"phoneNumbers": [TO, "12"], "textMessage": {"text": TEXT}}),
    ):
        assert (await app.post(path, json.dumps(fields), JSON)).status_code in (400, 422), path
    assert await app.kept() == []


async def test_an_error_of_twilio_has_no_field_that_makes_another_exception_of_it(app: App) -> None:
    answer = await app.post(TWILIO, urlencode({"To": "12", "From": FROM, "Body": TEXT}))
    assert {*answer.json()} == {"code", "message", "more_info", "status"}
    assert isinstance(answer.json()["code"], int)


async def test_sinchs_sdk_is_not_told_that_its_token_has_expired_since_it_would_ask_again(app: App) -> None:
    app.key = "a-key-that-is-none"
    answer = await app.post("/sinch/xms/v1/plan/batches", json.dumps({"to": [TO], "from": FROM, "body": TEXT}), JSON)
    assert answer.status_code == 401
    assert "expired" not in answer.headers.get("www-authenticate", "")


async def test_a_client_that_gives_up_while_the_answer_is_slow_has_sent_its_text(app: App) -> None:
    rule = {"line": TO, "slow_seconds": MAX_SLOW_SECONDS}
    made = await app.client.post("/api/v1/weather", json=rule, headers={"authorization": f"Bearer {app.key}"})
    assert made.is_success, made.text
    sending = asyncio.create_task(app.post("/telnyx/v2/messages", json.dumps(SMS), JSON))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await app.kept():
            await asyncio.sleep(0.02)
    assert not sending.done()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert await app.kept() == [(TO, TEXT)]
