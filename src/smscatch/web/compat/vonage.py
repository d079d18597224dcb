"""Vonage's SMS API and Messages API: what an application sends with Vonage's SDKs is caught. Verify: vonage_verify.py.

Source: Vonage's documentation, "SMS API" (parameters, answer, "Delivery receipt" webhook), "Troubleshooting SMS" (its
statuses), "Signing messages", "Messages API". What the SDKs send and accept was tried with vonage-sms 1.2 for Python.
"""

import math
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from smscatch.errors import BadSend, BadSignature, Forbidden, SmscatchError, TooManyTries, Unauthorized
from smscatch.segments import count_segments
from smscatch.sending import Desk, Outgoing
from smscatch.sources.caught import Callback, CaughtText
from smscatch.sources.jwt import peek_claims
from smscatch.web.compat import vonage_verify
from smscatch.web.compat.base import Asked, Operation, SdkAnswer, SendApi, parse_callback, parse_recipient, parse_sender
from smscatch.webhooks.vonage import sign

SMS = "/sms/json"
FIELDS = {"to": "to", "sender": "from", "text": "text", "callback": "callback"}  # as Vonage calls ours
DELIVERED = "delivered"
SHORTEST_KEY = 16  # characters; Vonage's own API keys have eight
PRICE, BALANCE = "0.03330000", "10.00000000"
# The network of a phone, by country code and network code: one that ITU-T E.212 keeps for tests.
NETWORK = "00101"


async def create(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Catch a text. Each segment has an id of its own, and a delivery receipt if there is a `callback`."""
    prepared = desk.prepare(_outgoing(asked, asked.text("client-ref")))
    callback = parse_callback(asked.text("callback"))
    if callback is not None:
        calls = tuple(_receipt(callback, prepared, each, desk.secret) for each in _ids(prepared))
        prepared = msgspec.structs.replace(prepared, callbacks=calls)
    await desk.keep(prepared)
    return SdkAnswer(_answer([_accepted(prepared, each) for each in _ids(prepared)]))


def _outgoing(asked: Asked, reference: str) -> Outgoing:
    to, sender = parse_recipient(asked.text("to")), parse_sender(asked.text("from"))
    text = str(asked.fields.get("text") or "")
    if not text:
        raise BadSend.missing("text")
    facts = {"reference": reference, "account": asked.basic[0] or asked.text("api_key")}
    return Outgoing(to, sender, text, facts=facts)


async def create_message(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Catch a text of the Messages API: of the channel sms, and plain."""
    for field, usual in (("channel", "sms"), ("message_type", "text")):
        if asked.text(field) != usual:
            raise BadSend.wrong(field, asked.text(field), f"smscatch catches {usual} alone")
    prepared = desk.prepare(_outgoing(asked, asked.text("client_ref")))
    await desk.keep(prepared)
    return SdkAnswer({"message_uuid": str(uuid.UUID(prepared.id))}, 202)


def _ids(text: CaughtText) -> list[str]:
    """Return the id of each segment: 16 hexadecimal digits, as Vonage's are."""
    return [f"{text.id[:14]}{place:02x}".upper() for place in range(count_segments(text.text).count)]


def _accepted(text: CaughtText, message_id: str) -> dict[str, str]:
    reference = text.facts["reference"]
    return {
        "to": text.line.removeprefix("+"),
        "message-id": message_id,
        "status": "0",
        "remaining-balance": BALANCE,
        "message-price": PRICE,
        "network": NETWORK,
    } | ({"client-ref": reference} if reference else {})


def _answer(messages: list[dict[str, str]]) -> dict[str, Any]:
    """Return the answer of the SMS API. All its values are texts, or the SDK for Python raises an error of its own."""
    return {"message-count": str(len(messages)), "messages": messages}


def _receipt(url: str, text: CaughtText, message_id: str, secret: str) -> Callback:
    """Return the delivery receipt of a segment, signed with the key as with a signature secret (HMAC-MD5)."""
    reference, at = text.facts["reference"], text.received_at
    fields = {
        "msisdn": text.line.removeprefix("+"),
        "to": text.sender,
        "network-code": NETWORK,
        "messageId": message_id,
        "price": PRICE,
        "status": DELIVERED,
        "scts": at.strftime("%y%m%d%H%M"),
        "err-code": "0",
        "api-key": text.facts["account"],
        "message-timestamp": at.strftime("%Y-%m-%d %H:%M:%S"),
        "timestamp": str(math.floor(at.timestamp())),
    } | ({"client-ref": reference} if reference else {})
    return sign(url, fields, secret, DELIVERED)


def find_key(asked: Asked) -> str | None:
    """Return the API secret, of Basic or in the body; else what stands in the place of a name, as no secret travels.

    That is `api_key` where a request is signed, and the claim `application_id` of a JWT; neither signature is checked.
    """
    if asked.bearer:
        return _application_of(asked.bearer)
    name = asked.text("api_key") if asked.text("sig") else ""
    if len(name) >= SHORTEST_KEY:
        return name  # also beside Basic: the SDK for Python sends that of an earlier call again
    return asked.text("api_secret") or asked.basic[1] or name or None


def _application_of(token: str) -> str | None:
    try:
        return str(peek_claims(token).get("application_id") or "") or None
    except BadSignature:
        return None


def refuse(error: SmscatchError, asked: Asked) -> SdkAnswer:
    """Answer as Vonage does: the SMS API with 200 and a status in the body, all else with an HTTP status of its own."""
    if asked.path != SMS:
        return vonage_verify.refuse(error, asked)
    status, sentence = _judge(error)
    return SdkAnswer(_answer([{"status": status, "error-text": sentence}]))


def _judge(error: SmscatchError) -> tuple[str, str]:
    """Return the status and the sentence of the SMS API for an error."""
    if isinstance(error, BadSend):
        field, is_missing = error.reason
        name = FIELDS.get(field, field)
        if field == "sender" and not is_missing:
            return "15", "Illegal Sender Address - rejected"
        return ("2", f"Missing {name} param") if is_missing else ("3", f"Invalid {name} param")
    if isinstance(error, Unauthorized | Forbidden):
        return "4", "Bad Credentials"
    if isinstance(error, TooManyTries):
        return "1", "Throughput Rate Exceeded - please wait [ 1000 ] and retry"
    return "5", "Internal Error"


API = SendApi(
    find_key,
    refuse,
    (
        Operation("POST", SMS, create),
        Operation("GET", SMS, create),
        Operation("POST", "/v1/messages", create_message),
        *vonage_verify.OPERATIONS,
    ),
)
