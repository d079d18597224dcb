"""MessageBird's SMS API: what an application sends with its SDKs is caught, and found again as MessageBird has it.

Source: MessageBird's documentation, "SMS messaging API", "Handle status reports", "API errors" and "SMS Platform
Extended Error Codes" (the reasons); what its SDK for Python accepts was tried with messagebird 2.2.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from smscatch.errors import BadSend, NotFound, SmscatchError, Unauthorized
from smscatch.segments import count_segments
from smscatch.sending import Desk, Outgoing
from smscatch.sources.caught import Callback, CaughtText
from smscatch.times import format_time
from smscatch.web.compat.base import Asked, Operation, SdkAnswer, SendApi, parse_callback, parse_recipient, parse_sender
from smscatch.webhooks.messagebird import sign_status

FIELDS = {
    "to": "recipients",
    "sender": "originator",
    "text": "body",
    "callback": "reportUrl",
}  # as MessageBird calls ours
NETWORK = "00101"  # the one for tests: ITU-T E.212
CODES = {401: 2, 404: 20, 422: 9}
REFUSED = "Request not allowed (incorrect access_key)"


async def create(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Catch a text to one number, or to several with commas between them; the id is that of the first."""
    recipients = [parse_recipient(each.strip()) for each in _recipients(asked)]
    sender, text = parse_sender(asked.text("originator")), str(asked.fields.get("body") or "")
    if not text:
        raise BadSend.missing("text")
    facts = {"recipients": recipients, "reference": asked.text("reference")}
    url = parse_callback(asked.text("reportUrl"))
    sent = [await desk.foresee(desk.prepare(Outgoing(to, sender, text, facts=facts))) for to in recipients]
    for each in sent:
        told = () if url is None else _reports(url, each, sent[0].id, desk.secret)
        await desk.keep(msgspec.structs.replace(each, callbacks=told))
    return SdkAnswer(_resource(sent[0], "sent", asked.base), 201)


def _reports(url: str, sent: CaughtText, message_id: str, secret: str) -> tuple[Callback, ...]:
    """Return what the application is told of a recipient; nothing if it gave no reference, as at MessageBird."""
    if not sent.facts["reference"]:
        return ()
    failed = {"statusErrorCode": sent.undelivered} if sent.undelivered else {}
    fields = {
        "id": message_id,
        "mccmnc": NETWORK,
        "ported": "0",
        "recipient": sent.line.removeprefix("+"),
        "reference": str(sent.facts["reference"]),
        "status": _final(sent),
        "statusDatetime": sent.received_at.isoformat(timespec="seconds"),
        "statusReason": "received network error" if sent.undelivered else "successfully delivered",
    }
    return (sign_status(url, fields | failed, sent.received_at, secret),)


def _final(sent: CaughtText) -> str:
    return "delivery_failed" if sent.undelivered else "delivered"


def _recipients(asked: Asked) -> list[str]:
    given = asked.fields.get("recipients")
    return [str(each) for each in given] if isinstance(given, list) and given else asked.text("recipients").split(",")


async def fetch(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return a text that was sent. Raises NotFound."""
    sent = (await desk.find(path["id"])).sent
    return SdkAnswer(_resource(sent, _final(sent), asked.base))


async def delete(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Delete a text that was sent. Raises NotFound."""
    await desk.delete(await desk.find(path["id"]))
    return SdkAnswer(status=204)


def _resource(sent: CaughtText, status: str, base: str) -> dict[str, Any]:
    at = format_time(sent.received_at)
    recipients = sent.facts["recipients"]
    items = [{"recipient": int(each), "status": status, "statusDatetime": at} for each in recipients]
    count = len(recipients)
    return {
        "id": sent.id,
        "href": f"{base}/messages/{sent.id}",
        "direction": "mt",
        "type": "sms",
        "originator": sent.sender,
        "body": sent.text,
        "reference": sent.facts["reference"] or None,
        "validity": None,
        "gateway": 0,
        "typeDetails": {},
        "datacoding": "unicode" if count_segments(sent.text).costly else "plain",
        "mclass": 1,
        "scheduledDatetime": None,
        "createdDatetime": at,
        "recipients": {
            "totalCount": count,
            "totalSentCount": count,
            "totalDeliveredCount": count if status == "delivered" else 0,
            "totalDeliveryFailedCount": count if status == "delivery_failed" else 0,
            "items": items,
        },
    }


def find_key(asked: Asked) -> str | None:
    """Return what stands behind AccessKey in the header Authorization."""
    scheme, _, value = asked.headers.get("authorization", "").partition(" ")
    return value.strip() or None if scheme.lower() == "accesskey" else None


def refuse(error: SmscatchError, asked: Asked) -> SdkAnswer:
    """Answer as MessageBird does: its SDK for Python raises its own error for 401, 404, 405 and 422 alone."""
    status, sentence, parameter = error.status, str(error), None
    if isinstance(error, BadSend):
        status, parameter = 422, FIELDS.get(error.reason[0], error.reason[0])
        is_recipient = parameter == "recipients"
        sentence = "no (correct) recipients found" if is_recipient else f"{parameter} is missing or invalid"
    elif isinstance(error, Unauthorized):
        sentence, parameter = REFUSED, "access_key"
    elif isinstance(error, NotFound):
        sentence = "message not found"
    code = CODES.get(status, 99)
    return SdkAnswer({"errors": [{"code": code, "description": sentence, "parameter": parameter}]}, status)


API = SendApi(
    find_key,
    refuse,
    (
        Operation("POST", "/messages", create),
        Operation("GET", "/messages/(?P<id>[0-9a-f]{32})", fetch),
        Operation("DELETE", "/messages/(?P<id>[0-9a-f]{32})", delete),
    ),
)
