"""Plivo's Message API: what an application sends with Plivo's SDKs is caught, and found again as Plivo has it.

Source: Plivo's documentation, "Message API", "Send a message" and "Retrieve a message"; what its SDK for Python accepts
was tried with plivo 4.63. No `url` is called.
"""

import uuid
from collections.abc import Mapping

from smscatch.errors import BadSend, SmscatchError, Unauthorized
from smscatch.segments import count_segments
from smscatch.sending import Desk, Outgoing
from smscatch.web.compat.base import Asked, Operation, SdkAnswer, SendApi, parse_recipient, parse_sender

FIELDS = {"to": "dst", "sender": "src", "text": "text"}  # as Plivo calls ours


async def create(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Catch a text to one number, or to several with `<` between them."""
    recipients = [parse_recipient(each) for each in asked.text("dst").split("<")]
    powerpack = asked.text("powerpack_uuid")
    sender = powerpack if powerpack and not asked.text("src") else parse_sender(asked.text("src"))
    text = str(asked.fields.get("text") or "")
    if not text:
        raise BadSend.missing("text")
    facts = {"account": path["account"]}
    sent = [desk.prepare(Outgoing(to, sender, text, facts=facts)) for to in recipients]
    for each in sent:
        await desk.keep(each)
    ids = [str(uuid.UUID(each.id)) for each in sent]
    return SdkAnswer({"api_id": str(uuid.uuid4()), "message": "message(s) queued", "message_uuid": ids}, 202)


async def fetch(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return a text that was sent. Raises NotFound."""
    sent = (await desk.find(path["id"].replace("-", "").lower())).sent
    uid = str(uuid.UUID(sent.id))
    message = {
        "api_id": str(uuid.uuid4()),
        "error_code": sent.undelivered or "000",
        "from_number": sent.sender,
        "message_direction": "outbound",
        "message_state": "undelivered" if sent.undelivered else "delivered",
        "message_time": sent.received_at.strftime("%Y-%m-%d %H:%M:%S+00:00"),
        "message_type": "sms",
        "message_uuid": uid,
        "resource_uri": f"/v1/Account/{path['account']}/Message/{uid}/",
        "to_number": sent.line.removeprefix("+"),
        "total_amount": "0.00000",
        "total_rate": "0.00000",
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
