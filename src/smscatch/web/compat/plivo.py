"""Plivo's Message API: what an application sends with Plivo's SDKs is caught, and found again as Plivo has it.

Source: Plivo's documentation, "Message API", "Send a message", "Retrieve a message" and "Message Status Callbacks";
what its SDK for Python accepts was tried with plivo 4.63.
"""

import uuid
from collections.abc import Mapping
from typing import Literal

import msgspec

from smscatch.errors import BadSend, SmscatchError, Unauthorized
from smscatch.segments import count_segments
from smscatch.sending import Desk, Outgoing
from smscatch.sources.caught import Callback, CaughtText
from smscatch.web.compat.base import Asked, Operation, SdkAnswer, SendApi, parse_callback, parse_recipient, parse_sender
from smscatch.webhooks.plivo import sign

FIELDS = {"to": "dst", "sender": "src", "text": "text", "callback": "url"}  # as Plivo calls ours
RATE = "0.00000"


async def create(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Catch a text to one number, or to several with `<` between them."""
    recipients = [parse_recipient(each) for each in asked.text("dst").split("<")]
    powerpack = asked.text("powerpack_uuid")
    sender = powerpack if powerpack and not asked.text("src") else parse_sender(asked.text("src"))
    text = str(asked.fields.get("text") or "")
    if not text:
        raise BadSend.missing("text")
    facts = {"account": path["account"]}
    url = parse_callback(asked.text("url"))
    sent = [await desk.foresee(desk.prepare(Outgoing(to, sender, text, facts=facts))) for to in recipients]
    method: Literal["POST", "GET"] = "GET" if asked.text("method").upper() == "GET" else "POST"
    for each in sent:
        told = () if url is None else _statuses(url, each, desk.secret, method=method)
        await desk.keep(msgspec.structs.replace(each, callbacks=told))
    ids = [str(uuid.UUID(each.id)) for each in sent]
    return SdkAnswer({"api_id": str(uuid.uuid4()), "message": "message(s) queued", "message_uuid": ids}, 202)


def _statuses(url: str, sent: CaughtText, secret: str, *, method: Literal["POST", "GET"]) -> tuple[Callback, ...]:
    """Return what the application is told: that a text is sent, and what became of it; a long one whole."""
    at = sent.received_at.strftime("%Y-%m-%d %H:%M:%S.%f")
    uid = str(uuid.UUID(sent.id))
    fields = {
        "From": sent.sender,
        "To": sent.line.removeprefix("+"),
        "Type": "sms",
        "MessageUUID": uid,
        "ParentMessageUUID": uid,
        "Units": str(count_segments(sent.text).count),
        "TotalRate": RATE,
        "TotalAmount": RATE,
        "MCC": "001",  # of the network for tests: ITU-T E.212
        "MNC": "01",
        "MessageTime": at,
        "QueuedTime": at,
        "SentTime": at,
    }
    failed = {"ErrorCode": sent.undelivered} if sent.undelivered else {}
    steps: tuple[tuple[str, dict[str, str]], ...] = (("sent", {}), (_final(sent), {"DeliveryReportTime": at} | failed))
    return tuple(
        sign(url, fields | more | {"Status": status, "Sequence": str(number)}, secret, status, method=method)
        for number, (status, more) in enumerate(steps, 1)
    )


def _final(sent: CaughtText) -> str:
    return "undelivered" if sent.undelivered else "delivered"


async def fetch(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return a text that was sent. Raises NotFound."""
    sent = (await desk.find(path["id"].replace("-", "").lower())).sent
    uid = str(uuid.UUID(sent.id))
    message = {
        "api_id": str(uuid.uuid4()),
        "error_code": sent.undelivered or "000",
        "from_number": sent.sender,
        "message_direction": "outbound",
        "message_state": _final(sent),
        "message_time": sent.received_at.strftime("%Y-%m-%d %H:%M:%S+00:00"),
        "message_type": "sms",
        "message_uuid": uid,
        "resource_uri": f"/v1/Account/{path['account']}/Message/{uid}/",
        "to_number": sent.line.removeprefix("+"),
        "total_amount": RATE,
        "total_rate": RATE,
        "units": count_segments(sent.text).count,
    }
    return SdkAnswer(message)


def find_key(asked: Asked) -> str | None:
    """Return the password of Basic, the Auth Token; the Auth ID has a form of its own, which no key of ours fits."""
    return asked.basic[1] or None


def refuse(error: SmscatchError, asked: Asked) -> SdkAnswer:
    """Answer as Plivo does."""
    sentence = str(error)
    if isinstance(error, BadSend):
        field, is_missing = error.reason
        name = FIELDS.get(field, field)
        sentence = f"{name} parameter not present" if is_missing else f"{name} is invalid"
    elif isinstance(error, Unauthorized):
        sentence = "authentication failed"
    return SdkAnswer({"api_id": str(uuid.uuid4()), "error": sentence}, error.status)


ACCOUNT = r"(?:/v1/Account)?/(?P<account>[^/]+)/Message"
API = SendApi(
    find_key,
    refuse,
    (Operation("POST", ACCOUNT, create), Operation("GET", rf"{ACCOUNT}/(?P<id>[0-9a-fA-F-]{{32,36}})", fetch)),
)
