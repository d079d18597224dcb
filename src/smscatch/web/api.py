"""The JSON API, /api/v1 and the /json of 2018. Handlers parse, call, answer; nothing is decided here."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from smscatch.codes import find_codes
from smscatch.errors import BadRequest, NoModem, NotFound, StoreUnavailable
from smscatch.messages import Line, Message, Query, Stored, join_json, plain
from smscatch.modem.health import WORKING, read_health
from smscatch.web.answers import Alive
from smscatch.web.bodies import Text, parse_body
from smscatch.web.endpoint import access_of, context_of, inbox_of, leases_of, note_reads
from smscatch.web.params import parse_choice, parse_limit, parse_query, parse_range, parse_start, parse_timeout
from smscatch.web.stream import stream_events
from smscatch.web.waiting import describe, wait_for

JSON = "application/json"
NEWEST = 50


def json_response(content: bytes, status: int = 200) -> Response:
    """Answer with JSON that is encoded already."""
    return Response(content, status, media_type=JSON)


def value_response(value: Any, status: int = 200) -> Response:
    """Answer with one of our values as JSON."""
    return json_response(msgspec.json.encode(plain(value)), status)


async def list_messages(request: Request) -> Response:
    """The newest messages first.

    `cursor` is the position up to which this answer looked: give it as `after` to see what comes later. `next` is the
    `before` of the next page, null on the last. A page of long texts may be shorter than `limit`: it has 1 MB at most.
    """
    query, limit = await parse_query(request), parse_limit(request)
    position = await inbox_of(request).position()  # first: what is committed after it is for the answer after this one
    query, bounds = parse_range(request, query, position)
    before = position + 1 if bounds.before is None else min(bounds.before, position + 1)
    shown, has_more = await inbox_of(request).newest(query, limit, before=before, after=bounds.after)
    return page_response(request, shown, position, next_page=shown[-1].position if has_more else None)


def page_response(
    request: Request, messages: Sequence[Stored], position: int, next_page: int | None = None
) -> Response:
    """Answer with messages, the position up to which was looked, and where the next page begins."""
    note_reads(request, messages)
    following = "null" if next_page is None else f'"{next_page}"'
    tail = f',"cursor":"{position}","next":{following}}}'
    return json_response(b'{"messages":' + join_json(stored.json for stored in messages) + tail.encode())


async def next_message(request: Request) -> Response:
    """Waits for a message and answers with it: the oldest match behind `after`; 404 `no_message` says why none came.

    With `newest=true` it is the newest, once it is quiet: of two codes that were asked for, the one that counts.
    Messages that belong to a lease are for its holder alone.
    """
    return json_response((await _wait(request, await parse_query(request))).json)


async def next_code(request: Request) -> Response:
    """The same wait, for a message that holds a code; answers with the code alone, as text."""
    query = msgspec.structs.replace(await parse_query(request), has_code=True)
    stored = await _wait(request, query)
    return Response(f"{stored.message.code}", media_type="text/plain")


async def _wait(request: Request, query: Query) -> Stored:
    timeout_seconds = parse_timeout(request)
    query, after = await parse_start(request, msgspec.structs.replace(query, lease=""))
    wait = inbox_of(request).next_message(query, after, timeout_seconds, choice=parse_choice(request))
    return await wait_for(request, query.lines, wait)


async def get_cursor(request: Request) -> Response:
    """The cursor of now, as text: a wait with it as `after` is never given what came before this call."""
    return Response(str(await inbox_of(request).position()), media_type="text/plain")


async def get_message(request: Request) -> Response:
    """One message, by its id; `latest` is the newest that matches the filters."""
    stored = await find_message(request)
    note_reads(request, [stored])
    return json_response(stored.json)


async def find_message(request: Request) -> Stored:
    """Return the message that the path names. Raises NotFound, also for one that the key must not see."""
    name = request.path_params["id"]
    store = inbox_of(request).store
    query = await parse_query(request)
    if name == "latest":
        newest = await store.newest(query, 1)
        found = newest[0] if newest else None
    else:
        found = await store.get(name)
    if found is None or not query.matches(found.message):
        raise NotFound(
            f"There is no message {name!r}: no such id, deleted, older than the retention, or not for this key."
        )
    return found


async def list_reads(request: Request) -> Response:
    """Who was given a message, and when first: which keys, the earliest first. Known about a second after the fact."""
    stored = await find_message(request)
    return value_response({"reads": await inbox_of(request).store.reads(stored.message.id)})


async def delete_message(request: Request) -> Response:
    """Deletes one message, by its id or `latest`."""
    await delete_found(request)
    return Response(status_code=204)


async def delete_found(request: Request) -> None:
    """Delete the message that the path names, also from the pages that show it."""
    stored = await find_message(request)
    await inbox_of(request).store.delete(stored.message.id)
    context_of(request).deletions.tell(stored.message.id, stored.message.line)


async def delete_messages(request: Request) -> Response:
    """Deletes all messages of the lines given; without a line nothing."""
    if not request.query_params.get("line"):
        raise BadRequest("Say which line's messages to delete: ?line=+49…", parameter="line")
    query = await parse_query(request)
    await inbox_of(request).store.delete_lines(query.lines or ())
    context_of(request).deletions.tell_many()
    return Response(status_code=204)


async def list_lines(request: Request) -> Response:
    """Our numbers: the configured ones, those with a modem, and those that ever received something."""
    return value_response({"lines": await lines_of(request)})


async def lines_of(request: Request) -> list[Line]:
    """Return the lines that the key of this request may see, ordered by number."""
    access = access_of(request)
    configured = context_of(request).settings.lines
    modems = read_health(context_of(request).settings.spool)
    used = {use.number: use for use in await inbox_of(request).store.lines()}
    leases = {lease.line: lease for lease in await leases_of(request).held()}
    lines = []
    for number in sorted({*configured, *used, *modems}):
        if not access.sees(number):
            continue
        line, use = configured.get(number), used.get(number)
        lines.append(
            Line(
                number=number,
                label=line.label if line else "",
                unconfigured=context_of(request).settings.is_unconfigured(number),
                device=line.device if line else None,
                phone_id=line.phone_id if line else None,
                messages=use.messages if use else 0,
                last_received_at=use.last_received_at if use else None,
                modem=plain(modems[number]) if number in modems else None,
                lease=leases.get(number),
            )
        )
    return lines


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
    """The newest 50 as MongoDB extended JSON, in the shape of the system of 2018 that smscatch grew from."""
    newest = await inbox_of(request).store.newest(await parse_query(request), NEWEST)
    note_reads(request, newest)
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
    """Whether messages come in and can be stored; 503 with the reason if not.

    503 `no_modem` if no modem works and every line has one. `modems` are the states of those that are known,
    `warnings` what makes messages late.
    """
    await inbox_of(request).store.check()
    trouble = inbox_of(request).trouble
    if trouble is not None:
        raise StoreUnavailable(trouble)
    late = inbox_of(request).store.hears_late
    warnings = [] if late is None else [late]
    answer = {"status": "ready", "waiting": inbox_of(request).hub.waiting, "warnings": warnings}
    return value_response(answer | await _modems_of_all_lines(request))


async def _modems_of_all_lines(request: Request) -> dict[str, dict[str, str]]:
    """Return the states of the modems by line, if there are any: of those lines that the key may see.

    Raises NoModem if none works. A line whose modem is not known is read by gammu-smsd or another machine, or gets its
    texts over HTTP: it may well work. So may a source that is configured.
    """
    now = inbox_of(request).now()
    modems = read_health(context_of(request).settings.spool, now)
    if not modems:
        return {}
    seen = [health for line, health in modems.items() if access_of(request).sees(line)]
    states = {health.line: health.state for health in seen}
    lines = {*context_of(request).settings.lines, *(use.number for use in await inbox_of(request).store.lines())}
    has_source = bool(context_of(request).settings.sources)
    if not has_source and lines <= {*modems} and not any(health.state in WORKING for health in modems.values()):
        how = "; ".join(describe(health, now) for health in seen) or "none of this key's lines has one"
        raise NoModem(f"No modem works: {how}. `smscatch lines` shows them.", modems=states)
    return {"modems": states}
