"""The webhooks of SMSGate (SMS Gateway for Android): an old phone hands on its texts, signed, one or several at a time.

Source: the app's documentation, "Webhooks", and its source for what that leaves open: a request is signed anew at each
try, `id` names the event at all of them, and `receivedAt` is the time of the SMSC.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from smscatch.errors import BadDelivery, BadSignature
from smscatch.messages import Message
from smscatch.sources.base import LineOf, find_ascii, is_plausible, make_message, name_delivery
from smscatch.sources.webhook import Envelope, Incoming, Webhook, check_age, is_one_of, parse_epoch
from smscatch.times import Time

T = TypeVar("T")

KIND = "smsgate"
MAX_AGE = timedelta(minutes=5)  # as the app's documentation advises
SINGLE, BATCH = ("sms:received", "sms:data-received"), ("sms:batch:received", "sms:batch:data-received")


class _Text(msgspec.Struct, frozen=True, rename="camel"):
    """A text in a payload. Older apps call the sender `phoneNumber`; of a data message there is no `message`."""

    received_at: Time
    sender: str | None = None
    phone_number: str | None = None
    recipient: str | None = None
    sim_number: int | None = None
    message: str | None = None
    data: str | None = None


class _Texts(msgspec.Struct, frozen=True):
    messages: list[_Text]


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    event: str
    device_id: str
    payload: msgspec.Raw
    id: str = ""


def check_smsgate(incoming: Incoming, secrets: Sequence[str], now: datetime) -> None:
    """Return if a request is signed with one of the app's signing keys, less than MAX_AGE ago. Raises BadSignature."""
    given = incoming.header("X-Signature").lower().encode()
    stamp = incoming.header("X-Timestamp")
    signed = incoming.content + stamp.encode()
    wanted = [hmac.digest(secret.encode(), signed, "sha256").hex().encode() for secret in secrets]
    if not is_one_of(given, wanted):
        raise BadSignature("no secret fits: the app has another signing key, or something on the way changes the body")
    check_age(parse_epoch(stamp, "the header X-Timestamp"), now, MAX_AGE)


def read_smsgate(envelope: Envelope, name: str, line_of: LineOf) -> list[Message]:
    """Return the texts of an event; none of one that tells of something else.

    Where the phone does not know its number, `line_of` gets DEVICE/SIM. Raises BadDelivery, naming what is missing.
    """
    event = _decode(envelope.content, _Event)
    if event.event in SINGLE:
        texts = [_decode(event.payload, _Text)]
    elif event.event in BATCH:
        texts = _decode(event.payload, _Texts).messages
    else:
        return []
    # messageId is made from the content: two equal texts have the same.
    given = event.id or hashlib.sha256(envelope.content).hexdigest()
    found = []
    for place, text in enumerate(texts):
        sim = "" if text.sim_number is None else f"/{text.sim_number}"
        line = line_of(text.recipient or f"{event.device_id}{sim}")
        delivery = name_delivery(envelope.origin or "", line, f"{given}/{place}")
        found.append(_message(text, delivery, line, envelope.received_at))
    return found


SOURCE = Webhook(KIND, check_smsgate, read_smsgate, is_secret_ours=True)


def _decode(content: bytes | msgspec.Raw, form: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadDelivery(f"This is no event of SMSGate: {error}.") from error


def _message(text: _Text, delivery: str, line: str, received_at: datetime) -> Message:
    sender = text.sender or text.phone_number
    if sender is None or (text.message is None and text.data is None):
        raise BadDelivery("The event has no sender, or neither message nor data.")
    content, marks = (text.message, ()) if text.message is not None else _read_data(text.data or "")
    return make_message(
        KIND,
        delivery,
        line=line,
        sender=sender,
        text=content,
        received_at=received_at,
        sent_at=text.received_at if is_plausible(text.received_at) else None,
        marks=marks,
    )


def _read_data(encoded: str) -> tuple[str, tuple[str, ...]]:
    """Return the text and the marks of a data message, which is for a port of the phone, as those of a PDU are."""
    try:
        found = find_ascii(base64.b64decode(encoded, validate=True))
    except binascii.Error as error:
        raise BadDelivery("The data of the event are not base64.") from error
    return ("", ("application", "undecodable")) if found is None else (found, ("application", "data"))
