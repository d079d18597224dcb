"""What MessageBird posts for an incoming SMS, by the table of docs/signed.md; ids and numbers are made up."""

import hashlib
import json
from datetime import datetime

import jwt

from smscatch.sources.webhook import JSON
from tests.sources.samples import Post, Samples, Signed

TABLES = {
    "fields": '{ line = "recipient", sender = "originator", text = "body", id = "id", time = "createdDatetime" }',
    "signature": '{ header = "MessageBird-Signature-JWT", how = "jwt", claims = { iss = "MessageBird",'
    ' url_hash = "{sha256:url}", payload_hash = "{sha256:body}" } }',
}
TEXT = {
    "id": "1",
    "recipient": "447700900001",
    "originator": "447700900123",
    "body": "Your code is 482913",
    "createdDatetime": "2026-11-22T11:59:58+00:00",
}


def signing_key(secret: str) -> str:
    """A secret as long as PyJWT wants them to be, which signs here."""
    return hashlib.sha256(secret.encode()).hexdigest()


def sign(post: Post, secret: str, url: str, now: datetime) -> Signed:
    second = int(now.timestamp())
    claims = {
        "iss": "MessageBird",
        "nbf": second - 10,
        "exp": second + 600,
        "jti": "b7c2",
        "url_hash": hashlib.sha256(url.encode()).hexdigest(),
        "payload_hash": hashlib.sha256(post.content).hexdigest(),
    }
    return Signed("", {"messagebird-signature-jwt": jwt.encode(claims, signing_key(secret), "HS256")})


def a_json(**changed: str) -> Post:
    return Post(json.dumps(TEXT | changed).encode(), JSON)


SAMPLES = Samples(
    texts=(a_json(),),
    sent={"line": f"+{TEXT['recipient']}", "sender": f"+{TEXT['originator']}", "text": TEXT["body"]},
    other=a_json(id="2"),
    malformed=a_json(id=""),
    events=(),
    sign=sign,
    make=lambda sender, text, name: a_json(originator=sender, body=text, id=name),
    configured=signing_key,
    tables=TABLES,
)
