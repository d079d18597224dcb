"""What Vonage sends for an incoming SMS (its documentation, "Inbound SMS"); ids and numbers are made up."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import jwt

from smscatch.sources.vonage import MAX_AGE
from smscatch.sources.webhook import FORM, JSON
from tests.sources.samples import Post, Samples, Signed

TEXT = {
    "msisdn": "447700900123",
    "to": "447700900001",
    "messageId": "0A0000000123ABCD1",
    "text": "Your code is 482913 – café & 1=1",
    "type": "unicode",
    "keyword": "YOUR",
    "api-key": "abcd1234",
    "message-timestamp": "2026-11-22 11:59:58",
    "timestamp": "1795348798",
    "nonce": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
}
RECEIPT = {
    "msisdn": "447700900123",
    "to": "Example",
    "network-code": "12345",
    "messageId": "0A1",
    "price": "0.03",
    "status": "delivered",
    "scts": "2611221200",
    "err-code": "0",
    "message-timestamp": "2026-11-22 12:00:00",
}


def a_form(**changed: str) -> Post:
    return Post(urlencode(TEXT | changed).encode())


def a_json(fields: Any = TEXT, **changed: Any) -> Post:
    return Post(json.dumps(fields | changed, ensure_ascii=False).encode(), JSON)


def signature_secret(secret: str) -> str:
    """A secret as long as PyJWT wants them to be, which signs here."""
    return hashlib.sha256(secret.encode()).hexdigest()


def sign(post: Post, secret: str, _: str, now: datetime) -> Signed:
    return sign_with(post.content, signature_secret(secret), iat=int(now.timestamp()))


def sign_with(content: bytes, secret: str, algorithm: str = "HS256", **claims: Any) -> Signed:
    payload_hash = hashlib.sha256(content).hexdigest()
    known = {"jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5", "iss": "Vonage", "api_key": "abcd1234"}
    token = jwt.encode(known | {"payload_hash": payload_hash} | claims, secret, algorithm)
    return Signed("", {"authorization": f"Bearer {token}"})


def make(sender: str, text: str, name: str, place: tuple[int, int] | None = None) -> Post:
    number, total = place or (0, 0)
    concat = (
        {"concat": "true", "concat-ref": "7", "concat-total": str(total), "concat-part": str(number)} if place else {}
    )
    return a_json(msisdn=sender.removeprefix("+"), text=text, messageId=name, **concat)


SAMPLES = Samples(
    texts=(a_json(), Post(a_form().content, FORM)),
    sent={
        "line": f"+{TEXT['to']}",
        "sender": f"+{TEXT['msisdn']}",
        "text": TEXT["text"],
        "parts": 1,
        "sent_at": datetime(2026, 11, 22, 11, 59, 58, tzinfo=UTC),
    },
    other=a_json(messageId="0A0000000123ABCD2"),
    malformed=a_json(messageId=""),
    events=(a_json(RECEIPT), Post(urlencode(RECEIPT).encode())),
    sign=sign,
    make=make,
    max_age=MAX_AGE,
    configured=signature_secret,
)
