"""SMSGate's inbox: what came in, newest first, as its client lists it. What was sent and caught is not in it.

Source: android-sms-gateway 4.3 for Python (`list_inbox_messages`), which was run. It has no codes.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from smscatch.errors import BadRequest
from smscatch.messages import CAUGHT, Message
from smscatch.sending import PAGE, Desk
from smscatch.times import format_time
from smscatch.web.compat.base import Asked, SdkAnswer

SMS, MMS = "SMS", "MMS_DOWNLOADED"
LIMIT, MAX_LIMIT, MAX_OFFSET = 50, 500, 2000


async def list_inbox(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return the texts from `offset` on, up to `limit`, between `from` and `to`. Raises BadRequest."""
    kind, skip = asked.query.get("type", ""), _parse_number(asked, "offset", 0, MAX_OFFSET)
    end = skip + _parse_number(asked, "limit", LIMIT, MAX_LIMIT)
    query = await desk.query("", "")
    query = msgspec.structs.replace(query, since=_parse_time(asked, "from"), until=_parse_time(asked, "to"))
    found, before = list[Message](), None
    while True:
        kept, before = await desk.page(query, PAGE, before=before)
        came = [each.message for each in kept if CAUGHT not in each.message.marks]
        found += [message for message in came if kind in ("", _kind(message))]
        if before is None or len(found) >= end:
            return SdkAnswer([_shown(message) for message in found[skip:end]])


def _kind(message: Message) -> str:
    return MMS if "mms" in message.marks else SMS


def _shown(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "type": _kind(message),
        "sender": message.sender,
        "recipient": message.line,
        "contentPreview": message.text,
        "createdAt": format_time(message.received_at),
    }


def _parse_number(asked: Asked, name: str, default: int, most: int) -> int:
    given = asked.query.get(name) or str(default)
    if given.isascii() and given.isdecimal() and len(given) < 9 and int(given) <= most:
        return int(given)
    raise BadRequest(f"{name} = {given[:40]!r} is not accepted: give a number up to {most}.", parameter=name)


def _parse_time(asked: Asked, name: str) -> datetime | None:
    given = asked.query.get(name)
    if not given:
        return None
    try:
        time = datetime.fromisoformat(given)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(
            f"{name} = {given[:40]!r} is not accepted: give a time such as 2026-11-28T10:00:00Z.", parameter=name
        ) from None
