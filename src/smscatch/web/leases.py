"""Leases over HTTP. Handlers parse, call, answer."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from smscatch.errors import BadRequest, SmscatchError, UnknownLease, UnknownLine
from smscatch.inbox import within_bytes
from smscatch.leases import Request as Asked
from smscatch.messages import Lease, LeaseGroup, Query, Stored
from smscatch.modem.health import WORKING, read_health
from smscatch.web.api import json_response, page_response, value_response
from smscatch.web.bodies import Extension, LeaseRequest, parse_body
from smscatch.web.endpoint import access_of, context_of, inbox_of, key_of, leases_of
from smscatch.web.params import MAX_LIMIT, check_line, parse_choice, parse_query, parse_start, parse_timeout
from smscatch.web.waiting import ClientGone, unless_gone, wait_for


async def acquire(request: Request) -> Response:
    """Leases a line: by number, any with a label, or any; 409 `no_free_line` says who has them.

    While a lease lasts, what comes to its line is for its holder alone. With `wait_seconds` it waits for a free line,
    first come, first served. The answer's `cursor` is where the lease began. With a `count` it leases so many lines at
    once, or none, and answers a group: `leases` has one for each line, whose id is used to wait for its messages; the
    group's own `id` extends and releases them all.
    """
    body = await parse_body(request, LeaseRequest)
    asked = Asked(
        key=access_of(request).owner,
        lines=await _lines_asked_for(request, body),
        ttl=timedelta(seconds=body.ttl_seconds),
        holder=body.holder,
        ticket=body.ticket,
        count=body.count,
    )

    async def check() -> None:
        await access_of(request).check_still(asked.lines)

    leases = await unless_gone(request, leases_of(request).acquire_all(asked, body.wait_seconds, check))
    _check_ticket(request, body, leases)
    try:
        await check()
    except SmscatchError:
        await leases_of(request).release(*leases)
        raise
    if body.ticket is None and await request.is_disconnected():  # nobody could ask for it again
        await leases_of(request).release(*leases)
        raise ClientGone("The client hung up before its lease was made.")
    return _answer(request, leases, 201)


def _answer(request: Request, leases: Sequence[Lease], status: int = 200) -> Response:
    """Answer a group, or the one lease of none."""
    labelled = [_labelled(request, lease) for lease in leases]
    return value_response(LeaseGroup.of(labelled) if labelled[0].group else labelled[0], status)


def _check_ticket(request: Request, body: LeaseRequest, leases: Sequence[Lease]) -> None:
    """Raise BadRequest if a ticket brought the leases that an earlier request for something else got."""
    another_line = body.line is not None and leases[0].line != context_of(request).settings.line_named(body.line)
    another_label = body.label is not None and any(_labelled(request, lease).label != body.label for lease in leases)
    another_count = body.count != (len(leases) if leases[0].group else None)
    if another_line or another_label or another_count:
        got = " and ".join(lease.line for lease in leases)
        raise BadRequest(
            f"The ticket {body.ticket!r} is of another request, which got {got}. Make up a new one for each.",
            parameter="ticket",
        )


async def _lines_asked_for(request: Request, body: LeaseRequest) -> tuple[str, ...]:
    """Return the lines that will do. Of a pool, those whose modem is out of order only if the others are too few."""
    size = body.count or 1
    if body.line is not None:
        if size > 1:
            raise BadRequest(f"{body.line} is one line, not {size}. Give a label, or leave it out.", parameter="count")
        if body.label is not None:
            raise BadRequest("Give a line or a label, not both: a label stands for all lines that have it.")
        line = context_of(request).settings.line_named(body.line)
        await check_line(request, line)
        return (line,)
    lines = await _pool(request, body.label)
    if len(lines) < size:
        which = "" if body.label is None else f" with the label {body.label!r}"
        raise UnknownLine(
            f"There will never be {size} free lines: this key may lease {len(lines)}{which}. Add lines, or ask for"
            " fewer.",
            parameter="count",
        )
    health = read_health(context_of(request).settings.spool)
    working = [line for line in lines if line not in health or health[line].state in WORKING]
    return tuple(lines if len(working) < size else working)


async def _pool(request: Request, label: str | None) -> Sequence[str]:
    configured, access = context_of(request).settings.lines, access_of(request)
    if not configured:
        await inbox_of(request).catch_up()  # a line's first text may be in the spool still
    numbers = list(configured) or [use.number for use in await inbox_of(request).store.lines()]
    lines = [
        number
        for number in numbers
        if (label is None or (number in configured and configured[number].label == label)) and access.sees(number)
    ]
    if not lines:
        what = "line" if label is None else f"line with the label {label!r}"
        raise UnknownLine(f"There is no {what} that this key may lease. GET /api/v1/lines lists them.", label=label)
    return lines


def _labelled(request: Request, lease: Lease) -> Lease:
    line = context_of(request).settings.lines.get(lease.line)
    return msgspec.structs.replace(lease, label=line.label if line else "")


async def give_up(request: Request) -> Response:
    """Gives up a request for a line: leaves the queue, and ends the lease that it got, if it got one."""
    ticket = request.query_params.get("ticket")
    if not ticket:
        raise BadRequest("Say which request to give up: ?ticket=…", parameter="ticket")
    await leases_of(request).give_up(access_of(request).owner, ticket)
    return Response(status_code=204)


async def list_leases(request: Request) -> Response:
    """Who has which line, and until when; a line that rests after a lease stands here too."""
    held = await leases_of(request).held(key_of(request).lines)
    return value_response({"leases": [_labelled(request, lease) for lease in held]})


async def get_lease(request: Request) -> Response:
    """One lease, or a group, also when it is over."""
    return _answer(request, await _seen(request))


async def _seen(request: Request) -> list[Lease]:
    """Return the lease that the path names, or those of a group.

    Raises UnknownLease, also for one on a line that the key must not see.
    """
    leases = await leases_of(request).get_all(request.path_params["id"])
    for lease in leases:
        access_of(request).check_lease(lease)
    return leases


async def _own_all(request: Request) -> list[Lease]:
    """Return what `_seen` does. Raises Forbidden if another key holds it, unless this is an admin's."""
    leases = await leases_of(request).get_all(request.path_params["id"])
    for lease in leases:
        access_of(request).check_own(lease)
    return leases


async def _own(request: Request) -> Lease:
    """Return the lease that the path names. Raises UnknownLease for a group, whose lines have messages of their own."""
    id_, leases = request.path_params["id"], await _own_all(request)
    if leases[0].id != id_:
        each = ", ".join(f"{lease.id} of {lease.line}" for lease in leases)
        raise UnknownLease(f"{id_} is a group of leases. Name the one whose messages you want: {each}.")
    return leases[0]


async def release(request: Request) -> Response:
    """Ends a lease, or all of a group: its line rests, and is free then. One that is over already stays so."""
    await leases_of(request).release(*await _own_all(request))
    return Response(status_code=204)


async def extend(request: Request) -> Response:
    """Lets a lease last for `ttl_seconds` from now, if that is longer; 410 `lease_ended` if it is over.

    Of a group all leases that were not released on their own.
    """
    body = await parse_body(request, Extension)
    longer = await leases_of(request).extend_all(await _own_all(request), timedelta(seconds=body.ttl_seconds))
    return _answer(request, longer)


async def list_lease_messages(request: Request) -> Response:
    """What the line received since the lease began, newest first, what came late too; up to 500, or 1 MB."""
    lease = await _own(request)
    position = await inbox_of(request).position()
    found: list[Stored] = []
    # Its own whenever they were received, and those of nobody until the line had rested.
    for query in (Query(lease=lease.id), Query(lines=(lease.line,), lease="", until=lease.rests_until)):
        some, _ = await inbox_of(request).newest(query, MAX_LIMIT, before=position + 1, after=int(lease.cursor))
        found += some
    found.sort(key=lambda stored: stored.position, reverse=True)
    return page_response(request, within_bytes(found[:MAX_LIMIT]), position)


async def next_lease_message(request: Request) -> Response:
    """Waits for a message of this lease alone: the oldest behind `after`, which is its beginning if not given.

    With `newest=true` it is the newest, once it is quiet. Nothing from before the lease is returned, whatever `after`.
    404 `no_message` says why none came, 410 `lease_ended` that the lease was over before the timeout.
    """
    return json_response((await _wait(request, await parse_query(request))).json)


async def next_lease_code(request: Request) -> Response:
    """The same wait, for a message that holds a code; answers with the code alone, as text."""
    stored = await _wait(request, msgspec.structs.replace(await parse_query(request), has_code=True))
    return Response(f"{stored.message.code}", media_type="text/plain")


async def _wait(request: Request, query: Query) -> Stored:
    lease = await _own(request)
    timeout_seconds = parse_timeout(request)
    query, after = await parse_start(request, query, request.query_params.get("after") or lease.cursor)
    wait = leases_of(request).next_message(lease, query, after, timeout_seconds, choice=parse_choice(request))
    return await wait_for(request, (lease.line,), wait)
