"""Telnyx's webhook for incoming texts: an event in JSON, signed with a private key (Ed25519).

Source: Telnyx's documentation, "Receiving webhooks for messaging" (event, signature), "Advanced opt in/out" (words).
"""

import base64
import hashlib
import importlib.util
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from smscatch.errors import BadRequest
from smscatch.segments import count_segments
from smscatch.sources.caught import Callback
from smscatch.times import format_time
from smscatch.webhooks.base import REPLY_NAME, Inbound, InboundForm, Keywords

if TYPE_CHECKING:
    from nacl.signing import SigningKey

JSON = "application/json"
STOP = ("stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit")
START = ("start", "unstop")


def write(url: str, inbound: Inbound, secret: str) -> Callback:
    """Return the request that tells of a text. Raises BadRequest if PyNaCl is missing."""
    return sign(url, Event("message.received", inbound.at, _payload(inbound)), secret, REPLY_NAME)


class Event(NamedTuple):
    """What Telnyx tells: the name of its kind, when it occurred, and of what."""

    kind: str
    at: datetime
    payload: Mapping[str, object]


def sign(url: str, told: Event, secret: str, name: str) -> Callback:
    """Return a request called `name` with an event, signed. Raises BadRequest if PyNaCl is missing."""
    body, stamp = _write_event(url, told), str(int(told.at.timestamp()))
    signature = _key_of(secret).sign(f"{stamp}|{body}".encode()).signature
    headers = {
        "content-type": JSON,
        "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
        "telnyx-timestamp": stamp,
    }
    return Callback(url=url, headers=headers, body=body, name=name)


def tell(url: str, told: Event, secret: str, name: str) -> Callback:
    """Do as `sign` does; without PyNaCl return a request that is not signed: no text is refused for want of that."""
    try:
        return sign(url, told, secret, name)
    except BadRequest:
        return Callback(url=url, headers={"content-type": JSON}, body=_write_event(url, told), name=name)


def _write_event(url: str, told: Event) -> str:
    event = {
        "data": {
            "event_type": told.kind,
            "id": str(uuid.uuid4()),
            "occurred_at": format_time(told.at),
            "payload": told.payload,
            "record_type": "event",
        },
        "meta": {"attempt": 1, "delivered_to": url},
    }
    return msgspec.json.encode(event).decode()


def _payload(inbound: Inbound) -> dict[str, object]:
    segments = count_segments(inbound.text)
    return {
        "cc": [],
        "cost": None,
        "direction": "inbound",
        "encoding": segments.encoding,
        "errors": [],
        "from": {"carrier": "", "line_type": "Wireless", "phone_number": inbound.line},
        "id": str(uuid.UUID(inbound.id)),
        "media": [],
        "messaging_profile_id": inbound.service or None,
        "parts": segments.count,
        "received_at": format_time(inbound.at),
        "record_type": "message",
        "sent_at": None,
        "tags": [],
        "text": inbound.text,
        "to": [{"carrier": "", "line_type": "", "phone_number": inbound.to, "status": "webhook_delivered"}],
        "type": "SMS",
    }


def find_public_key(secret: str) -> str:
    """Return the key that belongs to a secret, as Telnyx's portal shows one. Raises BadRequest if PyNaCl is missing."""
    return base64.b64encode(bytes(_key_of(secret).verify_key)).decode()


def _key_of(secret: str) -> "SigningKey":
    if importlib.util.find_spec("nacl") is None:
        raise BadRequest("Telnyx signs by Ed25519, for which PyNaCl is missing here: pip install 'smscatch[telnyx]'")
    from nacl.signing import SigningKey  # noqa: PLC0415 - few need it, and it takes 4 MB of memory

    return SigningKey(hashlib.sha256(secret.encode()).digest())


FORM = InboundForm(write, Keywords(frozenset(STOP), frozenset(START)), find_public_key)
