"""Messages over HTTP: lists, waits, streams, one by one. Handlers parse, call, answer; nothing is decided here."""

from starlette.requests import Request
from starlette.responses import Response

from smscatch.access import Listed
from smscatch.errors import BadRequest
from smscatch.messages import Stored, join_json
from smscatch.web.endpoint import access_of, inbox_of
from smscatch.web.params import parse_limit, parse_query, parse_wait, place_of
from smscatch.web.responses import json_response, value_response
from smscatch.web.stream import stream_events
from smscatch.web.waiting import unless_gone


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


async def list_calls(request: Request) -> Response:
    """What the application was told of a text: each callback and webhook, signed, with its state and its attempts.

    `replies` are those to the text, each with its own.
    """
    return value_response(await access_of(request).calls(await find_message(request)))


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


async def events(request: Request) -> Response:
    """Server-Sent Events: each message as it comes, as `updated` when parts that were missing have come.

    `Last-Event-ID` resumes with nothing missed.
    """

    async def as_json(stored: Stored) -> tuple[str, str]:
        return "updated" if stored.message.revision else "message", stored.json.decode()

    return await stream_events(request, as_json)
