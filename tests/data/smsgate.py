"""What SMSGate 1.6 posts (its documentation, "Webhooks"); the app itself runs on Android only, so it is signed here."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from smscatch.sources.smsgate import MAX_AGE
from smscatch.sources.webhook import JSON
from tests.sources.samples import Post, Samples, Signed

TEXT = {
    "messageId": "7b1f0a2c",
    "message": "Your code is 482913 – café",
    "sender": "+447700900123",
    "recipient": "+447700900001",
    "simNumber": 1,
    "receivedAt": "2026-11-22T18:59:58.000+07:00",
}


def an_event(payload: Any, event: str = "sms:received", **changed: str) -> Post:
    envelope = {
        "id": "Ey6ECgOkVVFjz3CL48B8C",
        "webhookId": "LreFUt-Z3sSq0JufY9uWB",
        "deviceId": "device-1",
        "event": event,
    }
    return Post(json.dumps(envelope | changed | {"payload": payload}, ensure_ascii=False).encode(), JSON)


def sign(post: Post, secret: str, _: str, now: datetime) -> Signed:
    return sign_with(post, secret, str(int(now.timestamp())))


def sign_with(post: Post, secret: str, stamp: str) -> Signed:
    signature = hmac.new(secret.encode(), post.content + stamp.encode(), hashlib.sha256).hexdigest()
    return Signed("", {"x-signature": signature, "x-timestamp": stamp})


SAMPLES = Samples(
    texts=(an_event(TEXT),),
    sent={"line": TEXT["recipient"], "sender": TEXT["sender"], "text": TEXT["message"], "parts": 1},
    other=an_event(TEXT, id="another"),
    malformed=an_event({name: value for name, value in TEXT.items() if name != "message"}),
    events=(
        an_event({"messageId": "1", "sender": "+447700900001", "recipient": "+447700900123"}, "sms:sent"),
        an_event({"health": {"status": "pass"}}, "system:ping"),
        an_event({}, "app:started"),
    ),
    sign=sign,
    make=lambda sender, text, name: an_event(TEXT | {"sender": sender, "message": text}, id=name),
    several=an_event({"messages": [TEXT, TEXT]}, "sms:batch:received"),
    max_age=MAX_AGE,
)
