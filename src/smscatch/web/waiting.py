"""Waiting over HTTP: long-polls that end with their client or its key, and say how the modems are when nothing came."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any, TypeVar

from starlette.requests import Request

from smscatch.errors import LeaseEnded, NoMessage, SmscatchError
from smscatch.messages import Stored, plain
from smscatch.modem.health import Health, read_health
from smscatch.web.endpoint import access_of, context_of, inbox_of, note_reads

T = TypeVar("T")
CLIENT_CLOSED_REQUEST = 499  # nginx's number for it; nobody reads it


async def wait_for(request: Request, lines: Sequence[str] | None, wait: Coroutine[Any, Any, Stored]) -> Stored:
    """Return the message that `wait` brings. `lines` are those whose modems matter if none comes."""
    try:
        stored = await unless_gone(request, access_of(request).guard(wait, lines))
    except (NoMessage, LeaseEnded) as error:
        raise _with_modems(error, request, lines) from None
    note_reads(request, [stored])
    return stored


def _with_modems(error: SmscatchError, request: Request, lines: Sequence[str] | None) -> SmscatchError:
    """Return the error with how the modems of these lines are."""
    now = inbox_of(request).now()
    found = read_health(context_of(request).settings.spool, now)
    modems = [health for line, health in found.items() if lines is None or line in lines]
    states = "; ".join(describe(health, now) for health in modems)
    reason = "; ".join(filter(None, (error.details.get("reason"), states)))
    sentence = str(error).removesuffix(".")
    details = error.details | {"reason": reason, "modems": plain(modems)}
    return type(error)(f"{sentence}; {states}." if states else str(error), **details)


def describe(health: Health, now: datetime) -> str:
    """Return half a sentence on a modem: its state, when it was last heard, what it receives."""
    state = health.state.replace("_", " ")
    seen = "" if health.last_contact_at is None else f", last seen {_ago(now, health.last_contact_at)} ago"
    signal = "" if health.signal_percent is None else f", signal {health.signal_percent} %"
    trouble = "" if health.error is None else f" ({health.error.removesuffix('.')})"
    return f"the modem of {health.line} is {state}{trouble}{seen}{signal}"


def _ago(now: datetime, then: datetime) -> str:
    seconds = max(0, round((now - then).total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"


class ClientGone(SmscatchError):
    """The client hung up; there is nobody to answer."""

    status, code = CLIENT_CLOSED_REQUEST, "client_gone"


async def unless_gone(request: Request, wait: Coroutine[Any, Any, T]) -> T:
    """Return what `wait` returns, or cancel it and raise ClientGone as soon as the client hangs up.

    Without this a wait would go on until its timeout: nothing tells a handler that merely awaits.
    """
    waiting = asyncio.ensure_future(wait)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        raise ClientGone("The client hung up.")
    finally:
        for task in (waiting, leaving):
            task.cancel()
        await asyncio.gather(waiting, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
