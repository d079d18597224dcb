"""Deliveries in our own JSON, one or many in a request, from whoever has a key with the scope ingest."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from smscatch.access import Access
from smscatch.errors import BadDelivery, BadRequest, SmscatchError
from smscatch.intake import Parsed, parse_entry
from smscatch.settings import Settings
from smscatch.sources import LineOf
from smscatch.sources.generic import KIND, SOURCE, split_deliveries
from smscatch.sources.webhook import Envelope, Incoming, write_envelope
from smscatch.spool import Entry, new_name
from smscatch.web.api.answers import NotTaken, Taken
from smscatch.web.api.inbound import envelope_of
from smscatch.web.bodies import MAX_BODY_BYTES, read_body
from smscatch.web.endpoint import access_of, context_of
from smscatch.web.responses import value_response

MAX_DELIVERIES = 1000  # in one request
MAX_BYTES = 4 * 1024 * 1024  # of them together


async def receive(request: Request) -> Response:
    """Takes a message: `{"line": "+49…", "sender": "…", "text": "…", "id"?, "sent_at"?}`, or a form with these fields.

    Answers with the message's id once it is on disk, even while the database is away. With an `id` of your own a
    repeat is a no-op: the same key, line and `id`. `line` may be written in any way; the answer has it in E.164. One
    that is none of ours is taken too, lest a text be lost, and is `unconfigured`.

    Many, up to 1,000 in 4 MB, come as a list, or one on each line as `application/x-ndjson`. The answer is a list with
    one for each, in their order: 200 if all are on disk, 207 if some are refused, with its error in the place of each.
    If all are refused these are the `answers` of a refusal.
    """
    access, settings = access_of(request), context_of(request).settings
    content = await read_body(request, MAX_BYTES)
    incoming = Incoming(request.method, "", "", request.headers, content)  # nothing is signed
    envelope = envelope_of(request, SOURCE, f"key {access.owner}", incoming)
    contents = split_deliveries(content, incoming.content_type)
    if contents is not None:
        return await _receive_many(request, envelope, contents)
    if len(content) > MAX_BODY_BYTES:
        raise BadRequest(f"The body is larger than {MAX_BODY_BYTES} bytes.")
    parsed = _parse(new_name(), envelope, access, settings.line_of)
    await context_of(request).committer.keep(parsed)
    return value_response(_taken(parsed, settings))


async def _receive_many(request: Request, envelope: Envelope, contents: Sequence[bytes]) -> Response:
    access, settings = access_of(request), context_of(request).settings
    if not 0 < len(contents) <= MAX_DELIVERIES:
        raise BadDelivery(f"There are {len(contents)} objects in the list; expected 1 to {MAX_DELIVERIES}.")
    # In a thread: many take time.
    read = await asyncio.to_thread(_parse_all, envelope, contents, access, cache(settings.line_of))
    parsed = {each.entry.name: each for each in read if isinstance(each, Parsed)}
    troubles = await context_of(request).committer.keep_all(list(parsed.values()))
    if troubles and troubles[0] is not None and None not in troubles:
        raise troubles[0]
    kept = dict(zip(parsed, troubles, strict=True))
    answers = [_answer(each, kept, settings) for each in read]
    if not parsed:
        raise BadDelivery("None of these can be taken; `answers` says why, for each.", answers=answers)
    return value_response(answers, 200 if len(parsed) == len(read) and not any(troubles) else 207)


def _parse_all(
    envelope: Envelope, contents: Sequence[bytes], access: Access, line_of: LineOf
) -> list[Parsed | SmscatchError]:
    name, read = new_name(), list[Parsed | SmscatchError]()
    for number, content in enumerate(contents):
        try:
            if len(content) > MAX_BODY_BYTES:
                raise BadDelivery(f"It is larger than {MAX_BODY_BYTES} bytes.")
            own = msgspec.structs.replace(envelope, content=content)
            read.append(_parse(f"{name}-{number:04d}", own, access, line_of))
        except SmscatchError as error:
            read.append(error)
    return read


def _parse(name: str, envelope: Envelope, access: Access, line_of: LineOf) -> Parsed:
    """Return what is delivered, from the bytes that are kept: what is acknowledged can be read.

    Raises BadDelivery, and Forbidden if the key may not deliver to the line.
    """
    parsed = parse_entry(Entry(name, KIND, write_envelope(envelope)), line_of)
    access.check_line(parsed.messages[0].line, doing="deliver to")
    return parsed


def _answer(
    read: Parsed | SmscatchError, kept: Mapping[str, SmscatchError | None], settings: Settings
) -> Taken | NotTaken:
    if isinstance(read, SmscatchError):
        return NotTaken(read.code, str(read))
    trouble = kept[read.entry.name]
    return _taken(read, settings) if trouble is None else NotTaken(trouble.code, str(trouble))


def _taken(parsed: Parsed, settings: Settings) -> Taken:
    message = parsed.messages[0]
    return Taken(message.id, message.line, settings.is_unconfigured(message.line))
