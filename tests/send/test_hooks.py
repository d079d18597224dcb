"""Supabase's hook, signed by the library that Supabase's own server signs with, and our plain JSON."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from smscatch import Client
from smscatch.redirecting import hook_secret
from tests import plain
from tests.conftest import ADMIN_KEY


def ask_hook(sms: Client, to: str, key: str = ADMIN_KEY, *, age: timedelta = timedelta(), others: str = "") -> int:
    """Return the status; `others` are signatures with other secrets, as Supabase writes them in front."""
    body = json.dumps({"user": {"phone": to.removeprefix("+")}, "sms": {"otp": "482913"}})
    at = datetime.now(UTC) - age
    signature = Webhook(hook_secret(key).removeprefix("v1,")).sign("msg_1", at, body)
    headers = {
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": others + signature,
    }
    answer = plain.post(f"{sms.send_url('supabase')}/{ADMIN_KEY}", content=body, headers=headers)
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code


def test_a_code_that_supabase_sends_comes_as_a_sentence(sms: Client) -> None:
    with sms.lease(label="virtual") as phone:
        assert ask_hook(sms, phone.number, others="v1,AAAA, ") == 200
        assert phone.wait_for_code() == "482913"
        assert sms.caught(phone.number).text == "Your code is 482913"


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_what_is_not_signed_just_now_with_the_key_is_refused(sms: Client, age: timedelta) -> None:
    assert ask_hook(sms, "+12015550123", key="another-key-that-is-long") == 401
    assert ask_hook(sms, "+12015550123", age=age) == 401


def test_plain_json_needs_no_sdk(sms: Client) -> None:
    url, key = sms.send_url("plain"), {"authorization": f"Bearer {ADMIN_KEY}"}
    with sms.lease(label="virtual") as phone:
        sent = plain.post(url, json={"to": phone.number, "text": "Your code is 482913"}, headers=key)
        assert phone.wait_for_code() == "482913"
    assert (sent.status_code, sent.json()["from"], sent.json()["segments"]["count"]) == (201, "smscatch", 1)
    assert plain.get(f"{url}/{sent.json()['id']}", headers=key).json() == sent.json()
    refused = plain.post(url, json={"to": "12", "text": "x"}, headers=key)
    assert (refused.status_code, refused.json()["error"], refused.json()["field"]) == (400, "bad_send", "to")
