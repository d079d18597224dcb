"""MessageBird's webhook for incoming texts: JSON, with a signed token (JWT) that has the hashes of address and body.

Source: MessageBird's documentation, "Receive messages" and "Verify HTTP requests". It knows no words that end texts.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta

import msgspec

from smscatch.sources.caught import Callback
from smscatch.times import format_time
from smscatch.webhooks.base import REPLY_NAME, Inbound, InboundForm

# A token is signed once, and a request tried again for as long as it takes.
GOOD_BEFORE, GOOD_AFTER = timedelta(seconds=10), timedelta(days=3)


def write(url: str, inbound: Inbound, secret: str) -> Callback:
    """Return the request that tells of a text."""
    message = {
        "body": inbound.text,
        "createdDatetime": format_time(inbound.at),
        "id": inbound.id,
        "originator": inbound.line.removeprefix("+"),
        "recipient": inbound.to.removeprefix("+"),
    }
    body = msgspec.json.encode(message)
    claims = {
        "exp": int((inbound.at + GOOD_AFTER).timestamp()),
        "iss": "MessageBird",
        "jti": secrets.token_hex(16),
        "nbf": int((inbound.at - GOOD_BEFORE).timestamp()),
        "payload_hash": hashlib.sha256(body).hexdigest(),
        "url_hash": hashlib.sha256(url.encode()).hexdigest(),
    }
    headers = {"content-type": "application/json", "messagebird-signature-jwt": _write_jwt(claims, secret)}
    return Callback(url=url, headers=headers, body=body.decode(), name=REPLY_NAME)


def _write_jwt(claims: dict[str, object], secret: str) -> str:
    """Return a token signed with a shared secret (RFC 7515, 3.1; RFC 7518, 3.2)."""
    signed = b".".join(_encode(msgspec.json.encode(part)) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return (signed + b"." + _encode(hmac.digest(secret.encode(), signed, "sha256"))).decode()


def _encode(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


FORM = InboundForm(write)
