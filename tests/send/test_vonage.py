"""Vonage's SDK, pointed at smscatch by the line that is printed: what it is told, raises, is called back with."""

import json
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from vonage_http_client.auth import Auth
from vonage_http_client.errors import NotFoundError
from vonage_http_client.http_client import HttpClient, HttpClientOptions
from vonage_sms import Sms, SmsMessage
from vonage_sms.errors import SmsError

from smscatch import Client
from smscatch.redirecting import redirect_lines
from tests.conftest import ADMIN_KEY, Server
from tests.send.conftest import Application

TEXT = "Your code is 482913 – now"
GOOD = {"to": "12015550123", "from_": "Acme", "text": TEXT}


def pointed_at(catcher: Server, key: str = ADMIN_KEY, **credentials: str) -> Any:
    """Return the client that the printed line makes, where it stands for the package's Vonage; or one that signs."""

    def make(auth: Auth, options: HttpClientOptions) -> Any:
        http = HttpClient(Auth(**credentials) if credentials else auth, options)
        return SimpleNamespace(http_client=http, sms=Sms(http))

    line = redirect_lines(catcher.url, key, "vonage")[0].removeprefix("Python vonage: ")
    names: dict[str, Any] = {"Vonage": make, "Auth": Auth, "HttpClientOptions": HttpClientOptions}
    exec(line, names)
    return names["client"]


@pytest.fixture
def sdk(catcher: Server) -> Any:
    return pointed_at(catcher)


def send(sdk: Any, **change: Any) -> Any:
    return sdk.sms.send(SmsMessage(**(GOOD | change)))


def test_the_code_of_a_text_reaches_the_test_and_the_answer_is_all_texts(sdk: Any, sms: Client) -> None:
    with sms.lease(label="virtual") as phone:
        sent = send(sdk, to=phone.number, client_ref="order 7")
        assert phone.wait_for_code() == "482913"
        (message,) = phone.messages()
        assert sms.caught(phone.number).provider == "vonage"
    assert (message.text, message.sender, message.marks) == (TEXT, "Acme", ("caught",))
    (part,) = sent.messages
    assert (sent.message_count, part.status, part.to, part.client_ref) == ("1", "0", phone.number[1:], "order 7")
    assert len(part.message_id) == 16


def test_a_long_text_has_an_id_for_each_segment_and_is_kept_as_one(sdk: Any, sms: Client) -> None:
    with sms.lease() as phone:
        sent = send(sdk, to=phone.number, text="é" * 200)
        assert phone.wait_for_message().text == "é" * 200
    assert (sent.message_count, len({part.message_id for part in sent.messages})) == ("2", 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"to": ""}, "error code 2: Missing to param"),
        ({"to": "12"}, "error code 3: Invalid to param"),
        ({"from_": ""}, "error code 2: Missing from param"),
        ({"from_": "a name too long"}, "error code 15: Illegal Sender Address - rejected"),
        ({"text": ""}, "error code 2: Missing text param"),
        ({"callback": "mailto:x"}, "error code 3: Invalid callback param"),
    ],
)
def test_what_vonage_refuses_raises_its_error(sdk: Any, change: dict[str, Any], said: str) -> None:
    with pytest.raises(SmsError, match=said):
        send(sdk, **change)


def test_a_wrong_secret_raises_what_vonage_raises(catcher: Server) -> None:
    with pytest.raises(SmsError, match="error code 4: Bad Credentials"):
        send(pointed_at(catcher, "a-key-that-is-none"))
    sdk = pointed_at(catcher)
    with pytest.raises(NotFoundError):
        sdk.http_client.post(sdk.http_client.rest_host, "/no/such/thing", {}, "basic")


def test_a_signed_request_is_known_by_its_api_key(catcher: Server, sms: Client) -> None:
    signing = pointed_at(catcher, api_key=ADMIN_KEY, signature_secret="whatever it is")
    with sms.lease() as phone:
        assert send(signing, to=phone.number).messages[0].status == "0"
        assert phone.wait_for_code() == "482913"


def test_key_and_secret_may_stand_in_the_body_and_all_in_the_query(catcher: Server, sms: Client) -> None:
    url = f"{catcher.url}/vonage/sms/json"
    with sms.lease(count=2) as (one, two):
        fields = {"api_key": "app", "api_secret": ADMIN_KEY, "from": "Acme", "text": TEXT}
        in_body = httpx2.post(url, json=fields | {"to": one.number})
        in_query = httpx2.get(url, params=fields | {"to": two.number})
        assert [answer.json()["messages"][0]["status"] for answer in (in_body, in_query)] == ["0", "0"]
        assert (one.wait_for_code(), two.wait_for_code()) == ("482913", "482913")


def test_each_segment_has_its_receipt_signed_as_the_sdk_checks_it(
    sdk: Any, sms: Client, application: Application
) -> None:
    with sms.lease() as phone:
        sent = send(sdk, to=phone.number, text="é" * 200, client_ref="a&b=c", callback=f"{application.url}/receipt")
        calls = [application.next_call(), application.next_call()]
    receipts = [json.loads(call.body) for call in calls]
    assert [receipt["messageId"] for receipt in receipts] == [part.message_id for part in sent.messages]
    for call, receipt in zip(calls, receipts, strict=True):
        assert (call.path, call.headers["content-type"]) == ("/receipt", "application/json")
        assert (receipt["msisdn"], receipt["to"], receipt["status"]) == (phone.number[1:], "Acme", "delivered")
        assert (receipt["client-ref"], receipt["api-key"]) == ("a&b=c", "app")
        assert Auth(api_key="app", signature_secret=ADMIN_KEY).check_signature(receipt)
