"""Our own send API, in plain JSON: for what has no SDK, such as the webhook of an authentication server."""

from collections.abc import Mapping
from typing import Any

import msgspec

from smscatch.errors import BadSend, SmscatchError, Unauthorized
from smscatch.segments import count_segments
from smscatch.sending import Desk, Outgoing
from smscatch.sources.caught import CaughtText
from smscatch.times import format_time
from smscatch.web.compat.base import Asked, Operation, SdkAnswer, SendApi, parse_recipient, parse_sender

UNNAMED = "smscatch"  # the sender of a text for which none is given


async def create(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Catch a text: `to` a number, with a `text`, `from` a number or a name if that is given."""
    to, sender = parse_recipient(asked.text("to")), parse_sender(asked.text("from") or UNNAMED)
    text = asked.fields.get("text")
    if not text or not isinstance(text, str):
        raise BadSend.missing("text")
    sent = desk.prepare(Outgoing(to, sender, text))
    await desk.keep(sent)
    return SdkAnswer(_resource(sent), 201)


async def fetch(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return a text that was sent. Raises NotFound."""
    return SdkAnswer(_resource((await desk.find(path["id"])).sent))


def _resource(sent: CaughtText) -> dict[str, Any]:
    return {
        "id": sent.id,
        "to": sent.line,
        "from": sent.sender,
        "text": sent.text,
        "sent_at": format_time(sent.received_at),
        "segments": msgspec.to_builtins(count_segments(sent.text)),
    }


def find_key(asked: Asked) -> str | None:
    """Return the Bearer token, or of Basic the password, else the user name."""
    user, password = asked.basic
    return asked.bearer or password or user or None


def refuse(error: SmscatchError, asked: Asked) -> SdkAnswer:
    """Answer as our API does."""
    sentence = "This needs a key of smscatch with the scope send." if isinstance(error, Unauthorized) else str(error)
    return SdkAnswer({"error": error.code, "message": sentence, **error.details}, error.status)


API = SendApi(
    find_key,
    refuse,
    (Operation("POST", "/", create), Operation("GET", "/(?P<id>[0-9a-f]{32})", fetch)),
)
