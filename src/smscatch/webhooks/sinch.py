"""Sinch's webhooks of its SMS API: JSON, signed with HMAC-SHA256 over the body, a nonce and the time.

Source: Sinch's documentation, "SMS API", "Inbound messages", "Callbacks"; sinch 2.3 for Python, `SmsSinchEvent`. No
words are known here that end texts: at Sinch that is by agreement.
"""

import base64
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime

import msgspec

from smscatch.sources.caught import Callback
from smscatch.times import format_time
from smscatch.webhooks.base import REPLY_NAME, Inbound, InboundForm

ALGORITHM = "HmacSHA256"


def write(url: str, inbound: Inbound, secret: str) -> Callback:
    """Return the request that tells of a text."""
    message = {
        "type": "mo_text",
        "id": inbound.id,
        "from": inbound.line.removeprefix("+"),
        "to": inbound.to.removeprefix("+"),
        "body": inbound.text,
        "operator_id": "00101",  # the network for tests: ITU-T E.212
        "received_at": format_time(inbound.at),
        "sent_at": format_time(inbound.at),
    }
    return sign(url, message, inbound.at, secret, name=REPLY_NAME)


def sign(url: str, event: Mapping[str, object], at: datetime, secret: str, *, name: str) -> Callback:
    """Return a request called `name` with an event."""
    body, nonce, stamp = msgspec.json.encode(event).decode(), secrets.token_hex(16), str(int(at.timestamp()))
    signature = hmac.digest(secret.encode(), f"{body}.{nonce}.{stamp}".encode(), "sha256")
    headers = {
        "content-type": "application/json",
        "x-sinch-webhook-signature": base64.b64encode(signature).decode(),
        "x-sinch-webhook-signature-algorithm": ALGORITHM,
        "x-sinch-webhook-signature-nonce": nonce,
        "x-sinch-webhook-signature-timestamp": stamp,
    }
    return Callback(url=url, headers=headers, body=body, name=name)


FORM = InboundForm(write)
