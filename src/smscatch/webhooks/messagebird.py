"""MessageBird's webhook for incoming texts: JSON, with a signed token (JWT) that has the hashes of address and body.

Source: MessageBird's documentation, "Receive messages", "Handle status reports" and "Verify HTTP requests". It knows no
words that end texts.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from smscatch.sources.caught import Callback
from smscatch.times import format_time
from smscatch.webhooks.base import REPLY_NAME, Inbound, InboundForm, with_query

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
    headers = {"content-type": "application/json", **_sign(url, body, inbound.at, secret)}
    return Callback(url=url, headers=headers, body=body.decode(), name=REPLY_NAME)


def sign_status(url: str, fields: Mapping[str, str], at: datetime, secret: str) -> Callback:
    """Return the request that tells of a `status`: a GET, with all in its query."""
    whole = with_query(url, fields)
    headers = _sign(whole, b"", at, secret)
    return Callback(url=whole, headers=headers, body="", name=fields["status"], method="GET")


def _sign(url: str, body: bytes, at: datetime, secret: str) -> dict[str, str]:
    """Return the header that signs a request; where there is no body there is no hash of it."""
    claims: dict[str, object] = {
        "exp": int((at + GOOD_AFTER).timestamp()),
        "iss": "MessageBird",
        "jti": secrets.token_hex(16),
        "nbf": int((at - GOOD_BEFORE).timestamp()),
        "url_hash": hashlib.sha256(url.encode()).hexdigest(),
    }
    if body:
        claims["payload_hash"] = hashlib.sha256(body).hexdigest()
    return {"messagebird-signature-jwt": _write_jwt(claims, secret)}


def _write_jwt(claims: dict[str, object], secret: str) -> str:
    """Return a token signed with a shared secret (RFC 7515, 3.1; RFC 7518, 3.2)."""
    signed = b".".join(_encode(msgspec.json.encode(part)) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return (signed + b"." + _encode(hmac.digest(secret.encode(), signed, "sha256"))).decode()


def _encode(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


FORM = InboundForm(write)
