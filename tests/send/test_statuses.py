"""What an application is told of its texts: the providers' status webhooks, judged by the providers' own packages."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from messagebird.request_validator import RequestValidator as MessageBirdValidator
from plivo.utils import validate_signature
from telnyx.lib.webhook_verification import verify_webhook_signature

from smscatch import Client, keys
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.web.app import make_app
from smscatch.webhooks import telnyx
from tests import plain
from tests.conftest import ADMIN_KEY
from tests.send.conftest import Application
from tests.surroundings import settings_in

TO, NUMBER, OTHER = "+12015550123", "+15005550006", "+12015550124"
HOOK = "http://app.example/status?shop=7"
Call = Mapping[str, Any]


class House:
    """A server in this process, and what it is about to tell an application."""

    def __init__(self, client: httpx2.AsyncClient, secret: str) -> None:
        self._client, self.secret = client, secret

    async def send(self, path: str, authorization: str, **body: Any) -> httpx2.Response:
        headers = {"authorization": authorization.format(self.secret)}
        return await self._client.post(path, json=body, headers=headers)

    async def make_weather(self, **rule: Any) -> None:
        headers = {"authorization": f"Bearer {self.secret}"}
        (await self._client.post("/api/v1/weather", json=rule, headers=headers)).raise_for_status()

    async def calls(self, message_id: str) -> list[Call]:
        headers = {"authorization": f"Bearer {self.secret}"}
        answer = await self._client.get(f"/api/v1/messages/{message_id.replace('-', '')}/calls", headers=headers)
        calls: list[Call] = answer.raise_for_status().json()["calls"]
        return calls

    async def page_of_newest(self) -> str:
        headers = {"authorization": f"Bearer {self.secret}"}
        newest = (await self._client.get("/api/v1/messages/latest", headers=headers)).json()["id"]
        return (await self._client.get(f"/messages/{newest}", headers=headers)).text

    async def by_telnyx(self, **more: Any) -> list[Call]:
        body = {"from": NUMBER, "to": TO, "text": "hello", **more}
        sent = (await self.send("/telnyx/v2/messages", "Bearer {}", **body)).raise_for_status()
        return await self.calls(sent.json()["data"]["id"])

    async def by_plivo(self, **more: Any) -> list[list[Call]]:
        body = {"src": NUMBER, "dst": TO, "text": "hello", **more}
        basic = httpx2.BasicAuth("MA", self.secret)._auth_header
        sent = (await self.send("/plivo/v1/Account/MA/Message/", basic, **body)).raise_for_status()
        return [await self.calls(each) for each in sent.json()["message_uuid"]]

    async def by_messagebird(self, **more: Any) -> list[Call]:
        body = {"originator": NUMBER, "recipients": TO[1:], "body": "hello", **more}
        sent = (await self.send("/messagebird/messages", "AccessKey {}", **body)).raise_for_status()
        return await self.calls(sent.json()["id"])


@pytest.fixture
async def house(inbox: Inbox, leases: Leases, tmp_path: Path) -> AsyncIterator[House]:
    settings = settings_in(tmp_path)
    settings.spool.mkdir()
    _, secret = await keys.add_key(inbox, "test", ("send", "read"))
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield House(client, secret)


async def test_telnyx_tells_that_a_text_is_sent_and_what_became_of_it(house: House) -> None:
    calls = await house.by_telnyx(webhook_url=HOOK)
    events = [json.loads(call["body"])["data"] for call in calls]
    assert [event["event_type"] for event in events] == ["message.sent", "message.finalized"]
    assert [event["payload"]["to"][0]["status"] for event in events] == ["sent", "delivered"]
    assert [event["payload"]["completed_at"] is None for event in events] == [True, False]
    for call in calls:
        assert (call["url"], call["method"], sorted(call["signature"])) == (HOOK, "POST", ["telnyx-signature-ed25519"])


def test_telnyx_signs_so_that_its_package_takes_it(sms: Client, application: Application) -> None:
    body = {"from": NUMBER, "to": TO, "text": "hello", "webhook_url": f"{application.url}/status"}
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    plain.post(f"{sms.send_url('telnyx')}/messages", json=body, headers=headers)
    for _ in range(2):
        call = application.next_call()
        verify_webhook_signature(call.body, call.headers, telnyx.find_public_key(ADMIN_KEY))


async def test_without_pynacl_telnyx_is_unsigned_and_the_text_is_sent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert [call["signature"] for call in await house.by_telnyx(webhook_url=HOOK)] == [{}, {}]


async def test_plivo_tells_of_each_recipient(house: House) -> None:
    told = await house.by_plivo(dst=f"{TO}<{OTHER}", url=HOOK, method="POST")
    forms = [[dict(parse_qsl(call["body"])) for call in calls] for calls in told]
    assert [[form["Status"] for form in each] for each in forms] == [["sent", "delivered"]] * 2
    assert [{form["To"] for form in each} for each in forms] == [{TO[1:]}, {OTHER[1:]}]
    assert all(form["ParentMessageUUID"] == form["MessageUUID"] for each in forms for form in each)
    assert [form["Sequence"] for form in forms[0]] == ["1", "2"]
    for call in (call for calls in told for call in calls):
        headers = call["headers"]
        nonce, signature = headers["x-plivo-signature-v2-nonce"], headers["x-plivo-signature-v2"]
        assert (call["method"], validate_signature(HOOK, nonce, signature, house.secret)) == ("POST", True)


async def test_plivo_tells_it_in_the_query_where_that_is_asked_for(house: House) -> None:
    ((sent, delivered),) = await house.by_plivo(url=HOOK, method="GET")
    for call in (sent, delivered):
        headers = call["headers"]
        nonce, signature = headers["x-plivo-signature-v2-nonce"], headers["x-plivo-signature-v2"]
        assert (call["method"], call["body"]) == ("GET", "")
        assert validate_signature(call["url"], nonce, signature, house.secret)
    query = dict(parse_qsl(urlsplit(delivered["url"]).query))
    assert (query["shop"], query["Status"], query["From"]) == ("7", "delivered", NUMBER)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # the key of the tests is short
def test_messagebird_reports_by_get_signed_as_its_package_has_it(sms: Client, application: Application) -> None:
    url = f"{application.url}/report?shop=7"
    body = {"originator": "Acme", "recipients": TO[1:], "body": "hello", "reference": "order 7&8", "reportUrl": url}
    headers = {"authorization": f"AccessKey {ADMIN_KEY}"}
    sent = plain.post(f"{sms.send_url('messagebird')}messages", json=body, headers=headers).json()
    called = application.next_call()
    told = called.form
    assert (told["shop"], told["id"], told["recipient"]) == ("7", sent["id"], TO[1:])
    assert (told["status"], told["reference"]) == ("delivered", "order 7&8")
    token = called.headers["messagebird-signature-jwt"]
    assert MessageBirdValidator(ADMIN_KEY).validate_signature(token, application.url + called.path, b"")


async def test_messagebird_reports_nothing_without_a_reference(house: House) -> None:
    assert await house.by_messagebird(reportUrl=HOOK) == []
    assert len(await house.by_messagebird(reportUrl=HOOK, reference="7")) == 1


async def test_the_weather_is_in_what_they_tell(house: House) -> None:
    await house.make_weather(line=TO, undelivered="470")
    telnyx_told = json.loads((await house.by_telnyx(webhook_url=HOOK))[1]["body"])["data"]["payload"]
    assert (telnyx_told["to"][0]["status"], telnyx_told["errors"][0]["code"]) == ("delivery_failed", "470")
    plivo_told = dict(parse_qsl((await house.by_plivo(url=HOOK))[0][1]["body"]))
    assert (plivo_told["Status"], plivo_told["ErrorCode"]) == ("undelivered", "470")
    (messagebird_told,) = await house.by_messagebird(reportUrl=HOOK, reference="7")
    query = dict(parse_qsl(urlsplit(messagebird_told["url"]).query))
    assert (query["status"], query["statusErrorCode"]) == ("delivery_failed", "470")


@pytest.mark.parametrize(
    ("path", "authorization", "body"),
    [
        ("/telnyx/v2/messages", "Bearer {}", {"from": NUMBER, "to": TO, "text": "x", "webhook_url": "mailto:x"}),
        (
            "/messagebird/messages",
            "AccessKey {}",
            {"originator": NUMBER, "recipients": TO[1:], "body": "x", "reportUrl": "mailto:x"},
        ),
    ],
)
async def test_an_address_that_is_none_is_refused(
    house: House, path: str, authorization: str, body: dict[str, str]
) -> None:
    answer = await house.send(path, authorization, **body)
    assert answer.status_code == 422
    assert "webhook_url" in answer.text or "reportUrl" in answer.text


async def test_the_page_of_a_text_says_how_a_report_was_made(house: House) -> None:
    await house.by_messagebird(reportUrl=HOOK, reference="7")
    page = await house.page_of_newest()
    assert f"<small>GET {HOOK}&amp;id=" in page
