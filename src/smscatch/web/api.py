"""The JSON API, /api/v1 and the /json of 2018. Handlers parse, call, answer; nothing is decided here."""

import asyncio
import json
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from smscatch.access import Listed
from smscatch.codes import find_codes
from smscatch.errors import BadRequest
from smscatch.messages import Message, Stored, join_json
from smscatch.web.answers import Alive
from smscatch.web.bodies import Text, parse_body
from smscatch.web.endpoint import access_of, context_of, inbox_of
from smscatch.web.params import parse_limit, parse_query, parse_wait, place_of
from smscatch.web.responses import json_response, value_response
from smscatch.web.stream import stream_events
from smscatch.web.waiting import unless_gone

NEWEST = 50


async def list_messages(request: Request) -> Response:
    """The newest messages first.

    `cursor` is the position up to which this answer looked: give it as `after` to see what comes later. `next` is the
    `before` of the next page, null on the last. A page of long texts may be shorter than `limit`: it has 1 MB at most.
    """
    query, limit = await parse_query(request), parse_limit(request)
    return page_response(await access_of(request).page(query, limit, *place_of(request)))


def page_response(page: Listed) -> Response:
    """Answer with messages, the position up to which was looked, and where the next page begins."""
    following = "null" if page.next is None else f'"{page.next}"'
    tail = f',"cursor":"{page.position}","next":{following}}}'
    return json_response(b'{"messages":' + join_json(stored.json for stored in page.messages) + tail.encode())


async def next_message(request: Request) -> Response:
    """Waits for a message and answers with it: the oldest match behind `after`; 404 `no_message` says why none came.

    With `newest=true` it is the newest, once it is quiet: of two codes that were asked for, the one that counts.
    Messages that belong to a lease are for its holder alone.
    """
    return json_response((await _wait(request)).json)


async def next_code(request: Request) -> Response:
    """The same wait, for a message that holds a code; answers with the code alone, as text."""
    stored = await _wait(request, has_code=True)
    return Response(f"{stored.message.code}", media_type="text/plain")


async def _wait(request: Request, *, has_code: bool = False) -> Stored:
    asked = await parse_wait(request, has_code=has_code)
    return await unless_gone(request, access_of(request).wait(asked))


async def get_cursor(request: Request) -> Response:
    """The cursor of now, as text: a wait with it as `after` is never given what came before this call."""
    return Response(str(await inbox_of(request).position()), media_type="text/plain")


async def get_message(request: Request) -> Response:
    """One message, by its id; `latest` is the newest that matches the filters."""
    stored = await find_message(request)
    access_of(request).note([stored])
    return json_response(stored.json)


async def find_message(request: Request) -> Stored:
    """Return the message that the path names. Raises NotFound, also for one that the key must not see."""
    return await access_of(request).find(request.path_params["id"], await parse_query(request))


async def list_reads(request: Request) -> Response:
    """Who was given a message, and when first: which keys, the earliest first. Known about a second after the fact."""
    stored = await find_message(request)
    return value_response({"reads": await access_of(request).reads(stored.message.id)})


async def delete_message(request: Request) -> Response:
    """Deletes one message, by its id or `latest`."""
    await access_of(request).delete(await find_message(request))
    return Response(status_code=204)


async def delete_messages(request: Request) -> Response:
    """Deletes all messages of the lines given; without a line nothing."""
    if not request.query_params.get("line"):
        raise BadRequest("Say which line's messages to delete: ?line=+49…", parameter="line")
    query = await parse_query(request)
    await access_of(request).delete_lines(query.lines or ())
    return Response(status_code=204)


async def list_lines(request: Request) -> Response:
    """Our numbers: the configured ones, those with a modem, and those that ever received something."""
    return value_response({"lines": await access_of(request).lines()})


async def list_sinks(request: Request) -> Response:
    """Where messages are sent to: how far each sink is, what waits, and the dead letters with their reasons.

    For a key that sees all lines: the ids of the messages are of any line.
    """
    return value_response(await access_of(request).sinks())


async def events(request: Request) -> Response:
    """Server-Sent Events: each message as it comes, as `updated` when parts that were missing have come.

    `Last-Event-ID` resumes with nothing missed.
    """

    async def as_json(stored: Stored) -> tuple[str, str]:
        return "updated" if stored.message.revision else "message", stored.json.decode()

    return await stream_events(request, as_json)


async def explain(request: Request) -> Response:
    """Which code a text holds and why: the chosen one, the others, and what was rejected for which reason."""
    text = (await parse_body(request, Text)).text
    return value_response(await asyncio.to_thread(find_codes, text))


async def json_of_2018(request: Request) -> Response:
    """The newest 50 as MongoDB extended JSON, in the shape of the system of 2018 that smscatch grew from.

    Of long texts they are fewer: 1 MB at most.
    """
    newest = await access_of(request).newest(await parse_query(request), NEWEST)
    # Byte for byte what bson.json_util.dumps wrote: separators ", " and ": ", ASCII only.
    return json_response(json.dumps([_document_of_2018(stored.message) for stored in newest]).encode())


def _document_of_2018(message: Message) -> dict[str, Any]:
    return {"number": message.sender, "text": message.text, "timestamp": {"$date": _bson_time(message.received_at)}}


def _bson_time(time: datetime) -> str:
    """Return a time as bson.json_util does in its ISO 8601 representation: milliseconds only if there are any."""
    text = time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return text.replace(".000Z", "Z")


async def health(request: Request) -> Response:
    """Whether the process answers, and what its clock shows; needs no key."""
    return value_response(Alive("ok", inbox_of(request).now()))


async def readiness(request: Request) -> Response:
    """Whether messages come in and can be kept, in the spool and in the store; 503 with the reason if not.

    503 `no_modem` if no modem works and every line has one. `modems` are the states of those that are known,
    `warnings` what makes messages late.
    """
    inbox = inbox_of(request)
    await asyncio.to_thread(context_of(request).spool.check)
    warnings, modems = await inbox.check(), await access_of(request).modem_states()
    answer = {"status": "ready", "waiting": inbox.hub.waiting, "warnings": warnings}
    return value_response(answer if modems is None else answer | {"modems": modems})
