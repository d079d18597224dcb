"""Mailosaur's Messages API over our messages: its clients read a line of ours when only their base URL is changed.

What a "server" is here, is said in boxes.py; the forms are in mailosaur_forms.py. Rights are those of /api/v1.
"""

from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from smscatch.boxes import find_box
from smscatch.errors import BadRequest, NotFound, SmscatchError, Unauthorized
from smscatch.messages import Query
from smscatch.web.bodies import read_body
from smscatch.web.compat.mailosaur_forms import (
    Criteria,
    ListPart,
    parse_criteria,
    parse_id,
    parse_part,
    server_of,
    to_message,
    to_queries,
    to_servers,
    to_summary,
)
from smscatch.web.endpoint import access_of, inbox_of
from smscatch.web.responses import json_response
from smscatch.web.waiting import unless_gone

# A search for one message is a wait: clients' `get` makes it again and again until its timeout is over. So long it is
# held, and woken by the message. Clients have no limit for a request, but Cypress, which cuts one at 10 s.
HOLD_SECONDS = 1.0
# Milliseconds that a client waits between searches in vain, also by its own clock: it gives up when the next one would
# begin behind its timeout, so a long one would cut a wait short. Whole numbers, or Python's client raises ValueError.
DELAYS, DELAYS_WHEN_HELD = "100,200,300,500", "50"


class MessageSearch(NamedTuple):
    """What a list or a search asks for: any of the queries, which part of what they find, and in which server."""

    queries: list[Query]
    part: ListPart
    server: str


async def list_messages(request: Request) -> Response:
    """GET /api/messages?server=&page=&itemsPerPage=&receivedAfter=&dir="""
    return _items(await _find(request, await _parse(request, Criteria())))


async def search(request: Request) -> Response:
    """POST /api/messages/search?server=…: what a list has, of those that fit the criteria in the body."""
    wanted = await _parse(request, parse_criteria(await read_body(request)))
    position = await inbox_of(request).position()
    found = await _find(request, wanted)
    is_wait = (wanted.part.items, wanted.part.skip) == (1, 0)
    if is_wait and not found:
        await unless_gone(request, access_of(request).wait_for_any(wanted.queries, position, HOLD_SECONDS))
        found = await _find(request, wanted)
    return _items(found, DELAYS_WHEN_HELD if is_wait else DELAYS)


async def _parse(request: Request, criteria: Criteria) -> MessageSearch:
    given, access = dict(request.query_params), access_of(request)
    part, server = parse_part(given), given.get("server", "")
    return MessageSearch(await to_queries(criteria, await find_box(access, server), part, access), part, server)


async def _find(request: Request, wanted: MessageSearch) -> list[dict[str, Any]]:
    found = access_of(request).any_of(wanted.queries, wanted.part.skip, wanted.part.items)
    return [to_summary(stored.message, wanted.server) async for stored in found]


def _items(found: list[dict[str, Any]], delays: str = DELAYS) -> Response:
    # Also where there are none: any other status, 204 too, ends a client's wait with an error.
    response = json_response(msgspec.json.encode({"items": found}))
    response.headers["x-ms-delay"] = delays
    return response


async def get_message(request: Request) -> Response:
    """GET /api/messages/{id}"""
    access = access_of(request)
    stored = await access.find(parse_id(request.path_params["id"]), await access.query())
    access.note([stored])
    return json_response(msgspec.json.encode(to_message(stored.message, server_of(stored.message, access))))


async def delete_message(request: Request) -> Response:
    """DELETE /api/messages/{id}"""
    access = access_of(request)
    await access.delete(await access.find(parse_id(request.path_params["id"]), await access.query()))
    return Response(status_code=204)


async def delete_messages(request: Request) -> Response:
    """DELETE /api/messages?server="""
    access = access_of(request)
    box = await find_box(access, request.query_params.get("server", ""))
    if box.lines is not None and box.lease is None:
        await access.delete_lines(box.lines)
    else:
        await access.delete_found(box.query, await inbox_of(request).position())
    return Response(status_code=204)


async def list_servers(request: Request) -> Response:
    """GET /api/servers: what the lines that the key sees are called as servers."""
    return _items(await _servers(request))


async def get_server(request: Request) -> Response:
    """GET /api/servers/{id}"""
    named = request.path_params["id"]
    found = [server for server in await _servers(request) if server["id"] == named]
    if not found:
        raise NotFound(f"There is no server {named[:40]!r} in the list of them.")
    return json_response(msgspec.json.encode(found[0]))


async def _servers(request: Request) -> list[dict[str, Any]]:
    return to_servers(await access_of(request).lines())


async def refuse_action(request: Request) -> Response:
    """POST /api/messages, and what else is asked of a message: to be sent, forwarded, answered, shown as a picture."""
    raise BadRequest("smscatch receives text messages: none is created, forwarded, replied to or previewed here.")


async def list_email_clients(request: Request) -> Response:
    """GET /api/screenshots/clients: the clients for e-mail that a message could be shown in, so none."""
    return _items([])


def refuse(request: Request, error: SmscatchError) -> Response:
    """Answer an error so that Mailosaur's clients raise theirs, whose type goes by the status.

    They show the sentence of a 400 alone; of others it is in the answer that the error of the client has with it.
    """
    told: dict[str, Any] = {"error": error.code, "message": str(error)}
    if error.status == BadRequest.status:
        field = error.details.get("parameter", "request")
        told["errors"] = [{"field": field, "detail": [{"description": str(error)}]}]
    response = json_response(msgspec.json.encode(told), error.status)
    if error.status == Unauthorized.status:
        response.headers["www-authenticate"] = 'Basic realm="smscatch"'
    return response
