"""SMSGate (android-sms-gateway), as an application sends with it: what it hands to the phone is caught instead.

Source: SMSGate's documentation, "API", "Sending messages" and "Message status"; what its client for Python accepts was
tried with android-sms-gateway 4.3. Data messages and MMS are not taken.
"""

from collections.abc import Mapping
from typing import Any

from smscatch.errors import BadSend, NotFound, SmscatchError, Unauthorized
from smscatch.keys import READ
from smscatch.sending import Desk, Outgoing
from smscatch.sources.caught import CaughtText
from smscatch.times import format_time
from smscatch.web.compat.base import Asked, Operation, SdkAnswer, SendApi, parse_recipient
from smscatch.web.compat.smsgate_inbox import list_inbox

DEVICE = "smscatch"
SENDER = "SMSGate"  # a text is sent from the number of the phone, which no request names
STEPS = ("Pending", "Processed", "Sent", "Delivered")
FIELDS = {"to": "phoneNumbers", "text": "textMessage.text"}  # as SMSGate calls ours
PAGE = 50


async def create(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Catch a text to each of its numbers; the id is the application's own, or that of the first."""
    fields = asked.fields
    given = fields.get("phoneNumbers")
    recipients = [parse_recipient(str(each)) for each in given] if isinstance(given, list) else []
    if not recipients:
        raise BadSend.missing("to")
    message = fields.get("textMessage")
    # `message` is how versions before 1.40 of the app had it.
    text = message.get("text") if isinstance(message, dict) else fields.get("message")
    if not text:
        raise BadSend.missing("text")
    facts = {"recipients": recipients, "id": asked.text("id"), "encrypted": fields.get("isEncrypted") is True}
    sent = [desk.prepare(Outgoing(to, SENDER, str(text), facts=facts)) for to in recipients]
    for each in sent:
        await desk.keep(each)
    return SdkAnswer(_state(sent[0], STEPS[:1]), 202)


async def fetch(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return the state of a text that was sent: it is delivered. Raises NotFound."""
    return SdkAnswer(_state(await _find(desk, path["id"]), STEPS))


async def list_messages(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return the states of the newest texts that were sent, each with all its numbers."""
    found = {_id(sent): sent for sent in reversed(await _newest(desk))}
    return SdkAnswer([_state(sent, STEPS) for sent in reversed(found.values())])


async def _newest(desk: Desk) -> list[CaughtText]:
    kept, _ = await desk.page(await desk.query("", ""), PAGE, before=None)
    return [each.sent for each in kept if each.is_own and each.sent is not None]


async def _find(desk: Desk, name: str) -> CaughtText:
    """Return a text by its id, or by the one that the application gave it. Raises NotFound."""
    try:
        return (await desk.find(name)).sent
    except NotFound:
        named = next((sent for sent in await _newest(desk) if sent.facts["id"] == name), None)
        if named is None:
            raise
        return named


def _id(sent: CaughtText) -> str:
    return str(sent.facts["id"] or sent.id)


def _state(sent: CaughtText, steps: tuple[str, ...]) -> dict[str, Any]:
    at, state = format_time(sent.received_at), steps[-1]
    return {
        "id": _id(sent),
        "deviceId": DEVICE,
        "state": state,
        "isHashed": False,
        "isEncrypted": sent.facts["encrypted"],
        "recipients": [{"phoneNumber": each, "state": state} for each in sent.facts["recipients"]],
        "states": dict.fromkeys(steps, at),
        "createdAt": at,
    }


def find_key(asked: Asked) -> str | None:
    """Return the password of Basic, or the Bearer token."""
    return asked.basic[1] or asked.bearer or None


def refuse(error: SmscatchError, asked: Asked) -> SdkAnswer:
    """Answer as SMSGate does."""
    sentence = str(error)
    if isinstance(error, BadSend):
        field, is_missing = error.reason
        name = FIELDS.get(field, field)
        sentence = f"{name} is required" if is_missing else f"{name}: invalid phone number or value"
    elif isinstance(error, Unauthorized):
        sentence = "Unauthorized"
    return SdkAnswer({"message": sentence}, error.status)


# The app itself has it at the root, its server under /3rdparty/v1, with /api before that at the public one.
ROOT = "(?:/api)?(?:/3rdparty/v1)?"
MESSAGES = f"{ROOT}/messages?"
API = SendApi(
    find_key,
    refuse,
    (
        Operation("POST", MESSAGES, create),
        Operation("GET", MESSAGES, list_messages),
        Operation("GET", f"{MESSAGES}/(?P<id>[^/]+)", fetch),
        Operation("GET", f"{ROOT}/inbox", list_inbox, (READ,)),
    ),
)
