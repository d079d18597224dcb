"""Vonage's SDK, pointed at smscatch by the line that is printed: what it is told, raises, is called back with."""

import json
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from vonage_http_client.auth import Auth
from vonage_http_client.errors import AuthenticationError, HttpRequestError, NotFoundError
from vonage_http_client.http_client import HttpClient, HttpClientOptions
from vonage_sms import Sms, SmsMessage
from vonage_sms.errors import SmsError
from vonage_verify import SmsChannel, Verify, VerifyRequest, VoiceChannel

from smscatch import Client
from smscatch.redirecting import redirect_lines
from tests import plain
from tests.conftest import ADMIN_KEY, Server
from tests.send.conftest import Application

TEXT = "Your code is 482913 – now"
GOOD = {"to": "12015550123", "from_": "Acme", "text": TEXT}


def pointed_at(catcher: Server, key: str = ADMIN_KEY, **credentials: str) -> Any:
    """Return the client that the printed line makes, where it stands for the package's Vonage; or one that signs."""

    def make(auth: Auth, options: HttpClientOptions) -> Any:
        http = HttpClient(Auth(**credentials) if credentials else auth, options)
        return SimpleNamespace(http_client=http, sms=Sms(http), verify=Verify(http))

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
    signing = pointed_at(catcher, api_key=ADMIN_KEY, api_secret="none of ours", signature_secret="whatever it is")
    with pytest.raises(AuthenticationError):  # after a call with Basic the SDK sends that with each
        signing.verify.check_code("0" * 32, "1234")
    with sms.lease() as phone:
        assert send(signing, to=phone.number).messages[0].status == "0"
        assert phone.wait_for_code() == "482913"


def test_key_and_secret_may_stand_in_the_body_and_all_in_the_query(catcher: Server, sms: Client) -> None:
    url = f"{catcher.url}/vonage/sms/json"
    with sms.lease(count=2) as (one, two):
        fields = {"api_key": "app", "api_secret": ADMIN_KEY, "from": "Acme", "text": TEXT}
        in_body = plain.post(url, json=fields | {"to": one.number})
        in_query = plain.get(url, params=fields | {"to": two.number})
        assert [answer.json()["messages"][0]["status"] for answer in (in_body, in_query)] == ["0", "0"]
        assert (one.wait_for_code(), two.wait_for_code()) == ("482913", "482913")


def test_each_segment_has_its_receipt_signed_as_the_sdk_checks_it(
    catcher: Server, sdk: Any, sms: Client, application: Application
) -> None:
    with sms.lease() as phone:
        sent = send(sdk, to=phone.number, text="é" * 200, client_ref="a&b=c", callback=f"{application.url}/receipt")
        calls = [application.next_call(), application.next_call()]
        shown = plain.get(
            f"{catcher.url}/api/v1/messages/{phone.wait_for_message().id}/calls", auth=(ADMIN_KEY, "")
        ).json()["calls"]
    receipts = [json.loads(call.body) for call in calls]
    assert [(call["name"], call["signature"]) for call in shown] == [
        ("delivered", {"sig": receipt["sig"]}) for receipt in receipts
    ]
    assert [receipt["messageId"] for receipt in receipts] == [part.message_id for part in sent.messages]
    for call, receipt in zip(calls, receipts, strict=True):
        assert (call.path, call.headers["content-type"]) == ("/receipt", "application/json")
        assert (receipt["msisdn"], receipt["to"], receipt["status"]) == (phone.number[1:], "Acme", "delivered")
        assert (receipt["client-ref"], receipt["api-key"]) == ("a&b=c", "app")
        assert Auth(api_key="app", signature_secret=ADMIN_KEY).check_signature(receipt)


def test_the_messages_api_takes_plain_texts_of_the_channel_sms(sdk: Any, sms: Client) -> None:
    # What the package of the Messages API posts.
    plain = {"channel": "sms", "message_type": "text", "from": "Acme", "text": TEXT}
    send_by = partial(sdk.http_client.post, sdk.http_client.api_host, "/v1/messages", auth_type="basic")
    with sms.lease() as phone:
        sent = send_by(plain | {"to": phone.number[1:]})
        assert len(sent["message_uuid"]) == 36
        assert phone.wait_for_code(sender="Acme") == "482913"
    for change in ({"to": ""}, {"channel": "whatsapp"}, {"message_type": "image"}, {"text": ""}):
        assert raised(send_by, plain | {"to": "12015550123"} | change)[0] == 422


def ask(sdk: Any, *events: Any, **more: Any) -> str:
    started: str = sdk.verify.start_verification(VerifyRequest(brand="Acme", workflow=events, **more)).request_id
    return started


def raised(call: Any, *given: Any) -> tuple[int, str]:
    """The status and the sentence of the SDK's error, whose form is that of problem+json."""
    with pytest.raises(HttpRequestError) as caught:
        call(*given)
    response = caught.value.response
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["detail"]


def test_a_request_is_completed_by_the_code_of_its_text_and_is_spent_then(sdk: Any, sms: Client) -> None:
    with sms.lease(label="virtual") as phone:
        request = ask(sdk, SmsChannel(to=phone.number[1:], from_="AcmeInc"), locale="fr-fr", code_length=5)
        code = phone.wait_for_code(sender="AcmeInc")
        assert phone.messages()[0].text == f"Votre code de vérification Acme est : {code}"
        assert raised(sdk.verify.check_code, request, "nope") == (
            400,
            "The code you provided does not match the expected value.",
        )
        done = sdk.verify.check_code(request, code)
        assert (done.request_id, done.status, len(code)) == (request, "completed", 5)
        gone = (404, f"Request {request} was not found or it has been verified already.")
        assert raised(sdk.verify.check_code, request, code) == gone
        assert raised(sdk.verify.cancel_verification, request) == gone


def test_the_third_wrong_code_ends_a_request(sdk: Any, sms: Client) -> None:
    with sms.lease() as phone:
        request = ask(sdk, SmsChannel(to=phone.number[1:]))
        assert [raised(sdk.verify.check_code, request, "nope")[0] for _ in range(4)] == [400, 400, 410, 410]
        assert raised(sdk.verify.check_code, request, phone.wait_for_code())[0] == 410
        assert ask(sdk, SmsChannel(to=phone.number[1:])) != request


def test_a_number_has_one_request_until_it_is_given_up(sdk: Any, sms: Client) -> None:
    with sms.lease() as phone:
        request = ask(sdk, SmsChannel(to=phone.number[1:]))
        with pytest.raises(HttpRequestError) as caught:
            ask(sdk, SmsChannel(to=phone.number[1:]))
        assert (caught.value.response.status_code, caught.value.response.json()["request_id"]) == (409, request)
        sdk.verify.cancel_verification(request)
        assert ask(sdk, SmsChannel(to=phone.number[1:]), code="AB12cd") != request
        assert "AB12cd" in phone.wait_for_message(contains="AB12cd").text


def test_the_next_event_of_a_workflow_sends_the_code_again(sdk: Any, sms: Client) -> None:
    with sms.lease() as phone:
        to = phone.number[1:]
        request = ask(sdk, SmsChannel(to=to), SmsChannel(to=to, from_="Second"), VoiceChannel(to=to))
        sdk.verify.trigger_next_workflow(request)
        code = phone.wait_for_code(sender="Second")
        assert raised(sdk.verify.trigger_next_workflow, request) == (409, "There are no more events left to trigger.")
        assert sdk.verify.check_code(request, code).status == "completed"


def test_what_vonage_refuses_of_a_verification_raises(catcher: Server, sdk: Any) -> None:
    good = {"brand": "Acme", "workflow": [{"channel": "sms", "to": "12015550123"}]}
    wrong: list[dict[str, Any]] = [
        {"brand": ""},
        {"brand": "a name that is too long"},
        {"workflow": []},
        {"workflow": [{"channel": "voice", "to": "12015550123"}]},
        {"workflow": [{"channel": "sms", "to": "12"}]},
        {"code": "1"},
        {"code_length": 3},
        {"channel_timeout": 5},
    ]
    for change in wrong:
        assert raised(sdk.http_client.post, sdk.http_client.api_host, "/v2/verify", good | change, "basic")[0] == 422
    with pytest.raises(AuthenticationError):
        ask(pointed_at(catcher, "a-key-that-is-none"), SmsChannel(to="12015550123"))


def test_a_jwt_is_known_by_its_application(catcher: Server, sms: Client) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    sdk = pointed_at(catcher, application_id=ADMIN_KEY, private_key=pem)
    with sms.lease() as phone:
        request = ask(sdk, SmsChannel(to=phone.number[1:]))
        assert sdk.verify.check_code(request, phone.wait_for_code()).status == "completed"
