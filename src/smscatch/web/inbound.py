"""Deliveries over HTTP: a 200 means that the message is on disk. What their formats are is in the room sources."""

import asyncio
import secrets
import time

from starlette.requests import Request
from starlette.responses import Response

from smscatch.errors import NotFound, StoreUnavailable
from smscatch.sources import parse_delivery
from smscatch.sources.generic import SOURCE, parse_generic, write_generic
from smscatch.spool import Entry, write_entry
from smscatch.web.answers import Taken
from smscatch.web.api import value_response
from smscatch.web.bodies import read_body
from smscatch.web.endpoint import access_of, context_of, inbox_of


async def receive(request: Request) -> Response:
    """Takes a message: `{"line": "+49…", "sender": "…", "text": "…", "id"?, "sent_at"?}`.

    Answers with the message's id once it is on disk, even while the database is away. With an `id` of your own a
    repeat is a no-op: the same key, line and `id`. `line` may be written in any way; the answer has it in E.164. One
    that is none of ours is taken too, lest a text be lost, and is `unconfigured`.
    """
    source = request.path_params["source"]
    if source != SOURCE:
        raise NotFound(f"Nothing takes deliveries in the form {source!r} here; there is: {SOURCE}.")
    delivery = parse_generic(await read_body(request))
    name = f"{time.time_ns():020d}-{secrets.token_hex(8)}"
    access = access_of(request)
    entry = Entry(name, SOURCE, write_generic(delivery, inbox_of(request).now(), origin=f"key {access.owner}"))
    settings = context_of(request).settings
    (message,) = parse_delivery(entry.kind, entry.body, entry.name, settings.line_of)
    access.check_line(message.line, doing="deliver to")
    try:
        await asyncio.to_thread(write_entry, settings.spool, entry)
    except OSError as error:
        raise StoreUnavailable(f"The spool cannot be written: {error.strerror}. Nothing was kept.") from error
    return value_response(Taken(message.id, message.line, settings.is_unconfigured(message.line)))
