"""What Telnyx posts (its documentation, "Receiving Webhooks for Messaging"); ids, numbers and keys are made up."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from nacl.signing import SigningKey

from smscatch.sources.telnyx import MAX_AGE
from smscatch.sources.webhook import JSON
from tests.sources.samples import Post, Samples, Signed

LINE, SENDER = "+447700900001", "+447700900123"
TEXT = {
    "record_type": "message",
    "direction": "inbound",
    "id": "7ee4241c-f127-47e5-9c34-3aac291f8058",
    "type": "SMS",
    "messaging_profile_id": "0f512bda-ae1e-4597-8e11-e5f5686b97d3",
    "from": {"phone_number": SENDER, "carrier": "EXAMPLE", "line_type": "Wireless"},
    "to": [{"phone_number": LINE, "status": "webhook_delivered", "carrier": "TELNYX LLC", "line_type": "VoIP"}],
    "cc": [],
    "text": "Your code is 482913 – café",
    "media": [],
    "encoding": "UCS-2",
    "parts": 1,
    "tags": [],
    "cost": None,
    "received_at": "2026-11-22T11:59:58.000+00:00",
    "sent_at": None,
    "errors": [],
}


def an_event(event_type: str = "message.received", **changed: Any) -> Post:
    return an_event_of(TEXT | changed, event_type)


def an_event_of(payload: Any, event_type: str = "message.received") -> Post:
    event = {
        "data": {
            "record_type": "event",
            "id": "bf6307bd-884d-4c1f-b6ea-c62b8c495d3c",
            "event_type": event_type,
            "occurred_at": "2026-11-22T11:59:58.574+00:00",
            "payload": payload,
        },
        "meta": {"attempt": 1, "delivered_to": "https://outside.example/sms/hook"},
    }
    return Post(json.dumps(event, ensure_ascii=False).encode(), JSON)


def key_of(secret: str) -> SigningKey:
    return SigningKey(hashlib.sha256(secret.encode()).digest())


def public_key(secret: str) -> str:
    return base64.b64encode(bytes(key_of(secret).verify_key)).decode()


def sign(post: Post, secret: str, _: str, now: datetime) -> Signed:
    return sign_with(post, secret, str(int(now.timestamp())))


def sign_with(post: Post, secret: str, stamp: str) -> Signed:
    signed = key_of(secret).sign(stamp.encode() + b"|" + post.content).signature
    return Signed("", {"telnyx-signature-ed25519": base64.b64encode(signed).decode(), "telnyx-timestamp": stamp})


SAMPLES = Samples(
    texts=(an_event(),),
    sent={
        "line": LINE,
        "sender": SENDER,
        "text": TEXT["text"],
        "parts": 1,
        "sent_at": datetime(2026, 11, 22, 11, 59, 58, tzinfo=UTC),
    },
    other=an_event(id="another"),
    malformed=an_event_of(TEXT | {"from": {}}),
    events=(an_event("message.sent", direction="outbound"), an_event("message.finalized", direction="outbound")),
    sign=sign,
    make=lambda sender, text, name: an_event(**{"from": {"phone_number": sender}, "text": text, "id": name}),
    max_age=MAX_AGE,
    configured=public_key,
)
