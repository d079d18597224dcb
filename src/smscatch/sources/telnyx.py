"""Telnyx's webhook for incoming messages: JSON, signed with a private key of theirs (Ed25519). Texts come whole.

Source: Telnyx's documentation, "Receiving Webhooks for Messaging" and "Inbound Message".
"""

import base64
import binascii
import importlib.util
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from smscatch.errors import BadDelivery, BadSetting, BadSignature
from smscatch.messages import Message
from smscatch.settings import SourceSettings
from smscatch.sources.base import LineOf, is_plausible, make_message, name_delivery, name_media
from smscatch.sources.webhook import Envelope, Incoming, Webhook, check_age, parse_epoch
from smscatch.times import Time

T = TypeVar("T")

KIND = "telnyx"
SIGNATURE, TIMESTAMP = "Telnyx-Signature-Ed25519", "Telnyx-Timestamp"
KEY_BYTES = 32  # RFC 8032, 5.1
MAX_AGE = timedelta(minutes=5)  # as Telnyx's own packages have it
RECEIVED, OURS = "message.received", "webhook_delivered"


class _Number(msgspec.Struct, frozen=True):
    phone_number: str
    status: str | None = None


class _Media(msgspec.Struct, frozen=True):
    url: str | None = None
    content_type: str | None = None


class _Text(msgspec.Struct, frozen=True):
    id: str
    sender: _Number = msgspec.field(name="from")
    to: list[_Number]
    text: str | None = None
    type: str | None = None
    received_at: Time | None = None
    parts: int | None = None
    media: list[_Media] | None = None


class _Data(msgspec.Struct, frozen=True):
    event_type: str
    payload: msgspec.Raw = msgspec.Raw()


class _Event(msgspec.Struct, frozen=True):
    data: _Data


def check_telnyx(incoming: Incoming, secrets: Sequence[str], now: datetime) -> None:
    """Return if a request is signed, less than MAX_AGE ago, for one of the public keys that stand as `secrets`.

    Raises BadSignature.
    """
    given, stamp = incoming.header(SIGNATURE), incoming.header(TIMESTAMP)
    signed = stamp.encode() + b"|" + incoming.content
    if not any(_is_signed(signed, given, key) for key in secrets):
        raise BadSignature(
            "no secret fits: the public key is another account's, or something on the way changes the body"
        )
    check_age(parse_epoch(stamp, f"the header {TIMESTAMP}"), now, MAX_AGE)


def _is_signed(signed: bytes, given: str, key: str) -> bool:
    # PyNaCl comes with the extra `telnyx`: few need it, and it takes 4 MB of memory.
    from nacl.exceptions import CryptoError  # noqa: PLC0415 - see above
    from nacl.signing import VerifyKey  # noqa: PLC0415 - see above

    try:
        VerifyKey(base64.b64decode(key)).verify(signed, base64.b64decode(given, validate=True))
    except (ValueError, CryptoError):
        return False
    return True


def fit_telnyx(webhook: Webhook, configured: SourceSettings) -> Webhook:
    """Return the webhook as it is. Raises BadSetting if PyNaCl is missing, or a secret is no public key."""
    if importlib.util.find_spec("nacl") is None:
        raise BadSetting("telnyx signs by Ed25519, for which PyNaCl is missing: pip install 'smscatch[telnyx]'")
    for key in configured.secrets:
        try:
            is_key = len(base64.b64decode(key, validate=True)) == KEY_BYTES
        except binascii.Error:
            is_key = False
        if not is_key:
            raise BadSetting(
                "secrets: for telnyx this is the account's public key, 44 characters of base64 that end in =; it is"
                " in the portal under Account Settings, Keys & Credentials, Public Key. The API key (KEY…) is another."
            )
    return webhook


def read_telnyx(envelope: Envelope, name: str, line_of: LineOf) -> list[Message]:
    """Return the message of an incoming text or MMS; none of an event that tells of something else.

    Raises BadDelivery, naming what is missing.
    """
    data = _decode(envelope.content, _Event).data
    if data.event_type != RECEIVED:
        return []
    text = _decode(data.payload, _Text)
    if not text.to or not text.id:
        raise BadDelivery("This is no event of Telnyx: `to` or `id` is empty.")
    line = line_of(next((to for to in text.to if to.status == OURS), text.to[0]).phone_number)
    media = [(one.content_type or "?", one.url or "") for one in text.media or ()]
    message = make_message(
        KIND,
        name_delivery(envelope.origin or "", line, text.id),
        line=line,
        sender=text.sender.phone_number,
        text=text.text or name_media(media),
        received_at=envelope.received_at,
        sent_at=text.received_at if text.received_at and is_plausible(text.received_at) else None,
        parts=text.parts if text.parts in range(1, 256) else 1,
        marks=("mms",) if media or text.type == "MMS" else (),
    )
    return [message]


SOURCE = Webhook(KIND, check_telnyx, read_telnyx, fit=fit_telnyx)


def _decode(content: bytes | msgspec.Raw, form: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadDelivery(f"This is no event of Telnyx: {error}.") from error
