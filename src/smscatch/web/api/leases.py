"""Leases over HTTP. Handlers parse, call, answer."""

from collections.abc import Sequence
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from smscatch import letting
from smscatch.errors import BadRequest
from smscatch.messages import Lease, LeaseGroup, Stored
from smscatch.web.api.messages import page_response
from smscatch.web.bodies import Extension, parse_body
from smscatch.web.endpoint import access_of
from smscatch.web.params import parse_wait
from smscatch.web.responses import json_response, value_response
from smscatch.web.waiting import ClientGone, is_gone, unless_gone


async def acquire(request: Request) -> Response:
    """Leases a line: by number, any with a label, or any; 409 `no_free_line` says who has them.

    While a lease lasts, what comes to its line is for its holder alone. With `wait_seconds` it waits for a free line,
    first come, first served. The answer's `cursor` is where the lease began. With a `count` it leases so many lines at
    once, or none, and answers a group: `leases` has one for each line, whose id is used to wait for its messages; the
    group's own `id` extends and releases them all.
    """
    access, asked = access_of(request), await parse_body(request, letting.LeaseRequest)
    leases = await unless_gone(request, letting.acquire(access, asked))
    if asked.ticket is None and is_gone(request):  # nobody could ask for it again
        await access.house.leases.release(*leases)
        raise ClientGone("The client hung up before its lease was made.")
    return _answer(leases, 201)


def _answer(leases: Sequence[Lease], status: int = 200) -> Response:
    """Answer a group, or the one lease of none."""
    return value_response(LeaseGroup.of(leases) if leases[0].group else leases[0], status)


async def give_up(request: Request) -> Response:
    """Gives up a request for a line: leaves the queue, and ends the lease that it got, if it got one."""
    ticket = request.query_params.get("ticket")
    if not ticket:
        raise BadRequest("Say which request to give up: ?ticket=…", parameter="ticket")
    await letting.give_up(access_of(request), ticket)
    return Response(status_code=204)


async def list_leases(request: Request) -> Response:
    """Who has which line, and until when; a line that rests after a lease stands here too."""
    return value_response({"leases": await letting.held(access_of(request))})


async def get_lease(request: Request) -> Response:
    """One lease, or a group, also when it is over."""
    return _answer(await letting.find(access_of(request), request.path_params["id"]))


async def release(request: Request) -> Response:
    """Ends a lease, or all of a group: its line rests, and is free then. One that is over already stays so."""
    await letting.release(access_of(request), request.path_params["id"])
    return Response(status_code=204)


async def extend(request: Request) -> Response:
    """Lets a lease last for `ttl_seconds` from now, if that is longer; 410 `lease_ended` if it is over.

    Of a group all leases that were not released on their own.
    """
    ttl = timedelta(seconds=(await parse_body(request, Extension)).ttl_seconds)
    return _answer(await letting.extend(access_of(request), request.path_params["id"], ttl))


async def list_lease_messages(request: Request) -> Response:
    """What the line received since the lease began, newest first, what came late too; up to 500, or 1 MB."""
    return page_response(await letting.page(access_of(request), request.path_params["id"]))


async def next_lease_message(request: Request) -> Response:
    """Waits for a message of this lease alone: the oldest behind `after`, which is its beginning if not given.

    With `newest=true` it is the newest, once it is quiet. Nothing from before the lease is returned, whatever `after`.
    404 `no_message` says why none came, 410 `lease_ended` that the lease was over before the timeout.
    """
    return json_response((await _wait(request)).json)


async def next_lease_code(request: Request) -> Response:
    """The same wait, for a message that holds a code; answers with the code alone, as text."""
    stored = await _wait(request, has_code=True)
    return Response(f"{stored.message.code}", media_type="text/plain")


async def _wait(request: Request, *, has_code: bool = False) -> Stored:
    asked = await parse_wait(request, has_code=has_code)
    return await unless_gone(request, letting.wait(access_of(request), request.path_params["id"], asked))
