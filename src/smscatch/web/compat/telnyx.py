"""Telnyx's Messages API: what an application sends with Telnyx's SDKs is caught, and found again as Telnyx has it.

Source: Telnyx's documentation, "Send a message", "Retrieve a message", "Receiving webhooks for messaging" and "API
Errors"; what its SDK for Python accepts was tried with telnyx 4.189.
"""

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from smscatch.errors import BadSend, NotFound, OptedOut, SmscatchError, Unauthorized
from smscatch.segments import count_segments
from smscatch.sending import Desk, Outgoing
from smscatch.sources.caught import Callback, CaughtText
from smscatch.times import format_time
from smscatch.web.compat.base import Asked, Operation, SdkAnswer, SendApi, parse_callback, parse_recipient, parse_sender
from smscatch.webhooks.telnyx import Event, tell

FIELDS = {"to": "to", "sender": "from", "text": "text", "callback": "webhook_url"}  # as Telnyx calls ours
SENT = "sent"


async def create(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Catch a text, from a number, a name, or the pool of a messaging profile."""
    to, profile = parse_recipient(asked.text("to")), asked.text("messaging_profile_id")
    sender = profile if profile and not asked.text("from") else parse_sender(asked.text("from"))
    text = str(asked.fields.get("text") or "")
    if not text:
        raise BadSend.missing("text")
    url = parse_callback(asked.text("webhook_url"))
    sent = desk.prepare(Outgoing(to, sender, text, facts={"profile": profile, "webhook": url}))
    sent = await desk.clear(sent)
    await desk.keep(sent if url is None else msgspec.structs.replace(sent, callbacks=_events(url, sent, desk.secret)))
    return SdkAnswer({"data": _resource(sent, "queued")})


def _events(url: str, sent: CaughtText, secret: str) -> tuple[Callback, ...]:
    """Return what the application is told: that a text is sent, and what became of it."""
    steps = (("message.sent", SENT), ("message.finalized", _final(sent)))
    return tuple(
        tell(url, Event(kind, sent.received_at, _resource(sent, status)), secret, status) for kind, status in steps
    )


def _final(sent: CaughtText) -> str:
    return "delivery_failed" if sent.undelivered else "delivered"


async def fetch(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return a text that was sent. Raises NotFound."""
    found = await desk.find(path["id"].replace("-", "").lower())
    return SdkAnswer({"data": _resource(found.sent, _final(found.sent))})


def _resource(sent: CaughtText, status: str) -> dict[str, Any]:
    segments, at = count_segments(sent.text), format_time(sent.received_at)
    is_over = status not in ("queued", SENT)
    failed = [] if status != "delivery_failed" else [{"code": sent.undelivered, "title": "Undeliverable"}]
    return {
        "record_type": "message",
        "direction": "outbound",
        "id": str(uuid.UUID(sent.id)),
        "type": "SMS",
        "messaging_profile_id": sent.facts["profile"] or None,
        "from": {"phone_number": sent.sender, "carrier": "", "line_type": ""},
        "to": [{"phone_number": sent.line, "status": status, "carrier": "", "line_type": ""}],
        "text": sent.text,
        "webhook_url": sent.facts.get("webhook"),
        "media": [],
        "encoding": segments.encoding,
        "parts": segments.count,
        "tags": [],
        "cost": None,
        "received_at": at,
        "sent_at": None if status == "queued" else at,
        "completed_at": at if is_over else None,
        "valid_until": None,
        "errors": failed,
    }


def find_key(asked: Asked) -> str | None:
    """Return the Bearer token, Telnyx's API key."""
    return asked.bearer or None


def refuse(error: SmscatchError, asked: Asked) -> SdkAnswer:
    """Answer as Telnyx does. Its SDKs send again after 409, 429 and 5xx."""
    status, code, title = error.status, "10007", "Unexpected error"
    pointer: dict[str, Any] = {}
    if isinstance(error, BadSend):
        field, is_missing = error.reason
        status, code = 422, "10004" if is_missing else "40310" if field == "to" else "10015"
        title = "Missing required parameter" if is_missing else f"Invalid '{FIELDS.get(field, field)}'"
        pointer = {"source": {"pointer": f"/{FIELDS.get(field, field)}"}}
    elif isinstance(error, Unauthorized):
        code, title = "10009", "Authentication failed"
    elif isinstance(error, OptedOut):
        code, title = "40300", "Blocked due to STOP message"
    elif isinstance(error, NotFound):
        code, title = "10005", "Resource not found"
    detail = "No key found matching the ID." if status == Unauthorized.status else str(error)
    return SdkAnswer({"errors": [{"code": code, "title": title, "detail": detail, **pointer}]}, status)


API = SendApi(
    find_key,
    refuse,
    (
        Operation("POST", r"(?:/v2)?/messages(?:/number_pool)?", create),
        Operation("GET", r"(?:/v2)?/messages/(?P<id>[0-9a-fA-F-]{32,36})", fetch),
    ),
)
