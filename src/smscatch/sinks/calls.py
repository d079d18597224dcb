"""What is seen beside a text: each request that told an application of it, or of a reply, and what came of it."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from smscatch.messages import NOBODY, Query, Stored
from smscatch.sinks.base import PASSING, TAKEN
from smscatch.sinks.callbacks import NAME
from smscatch.sources.caught import Callback, parse_callbacks
from smscatch.stores import Job, Store
from smscatch.stores.jobs import OPEN
from smscatch.times import Time

MOST_REPLIES = 200  # of a line, among which those to a text are looked for
CallState = Literal["waiting", "taken", "refused", "given_up"]


class CallAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try to make a request: when, and the HTTP status; that is null, and `reason` says why, if nobody answered."""

    at: Time
    status: int | None
    reason: str


class WebhookCall(msgspec.Struct, frozen=True, kw_only=True):
    """A request to an application, mostly a POST: `name` is the status that it tells, or `reply`.

    `signature` are those of its `headers` that sign it, or what does so in its body. It is waiting until it was taken,
    refused for good, or given up after too many tries; while it waits, it is tried at `due_at`.
    """

    name: str
    method: str
    url: str
    headers: Mapping[str, str]
    signature: Mapping[str, str]
    body: str
    state: CallState
    due_at: Time | None
    attempts: list[CallAttempt]


class ReplyView(msgspec.Struct, frozen=True, kw_only=True):
    """A reply to a text, by the id of its message, and the requests that bring it to the application."""

    id: str
    text: str
    to: str
    received_at: Time
    calls: list[WebhookCall]


class CallList(msgspec.Struct, frozen=True, kw_only=True):
    """What an application was told of a text, in order, and the replies to it, the oldest first."""

    calls: list[WebhookCall]
    replies: list[ReplyView]


async def list_calls(store: Store, stored: Stored) -> CallList:
    """Return what stands beside a message."""
    line = Query(lines=(stored.message.line,), lease=NOBODY)
    newest = await store.newest(line, MOST_REPLIES, after=stored.position)
    replies = [
        ReplyView(
            id=each.id,
            text=each.message.text,
            to=each.message.to or "",
            received_at=each.message.received_at,
            calls=await calls_of(store, each),
        )
        for each in reversed(newest)
        if each.message.answers == stored.id
    ]
    return CallList(calls=await calls_of(store, stored), replies=replies)


async def calls_of(store: Store, stored: Stored) -> list[WebhookCall]:
    """Return the requests that tell of one message, in their order."""
    raw = await store.raw(stored.id) if stored.message.provider else None
    callbacks = () if raw is None else parse_callbacks(raw)
    job = await store.job(NAME, stored.position) if callbacks else None
    return [_call(place, callback, job) for place, callback in enumerate(callbacks)]


def _call(place: int, callback: Callback, job: Job | None) -> WebhookCall:
    tries = [
        (attempt.at, answered)
        for attempt in (job.attempts if job else ())
        for answered in attempt.answers
        if answered.request == place
    ]
    state = _state(tries[-1][1].verdict if tries else PASSING, job)
    return WebhookCall(
        name=callback.name,
        method=callback.method,
        url=callback.url,
        headers=callback.headers,
        signature={name: value for name, value in callback.headers.items() if "signature" in name} | callback.signed,
        body=callback.body,
        state=state,
        due_at=job.due_at if job is not None and state == "waiting" else None,
        attempts=[CallAttempt(at=at, status=answered.status, reason=answered.reason) for at, answered in tries],
    )


def _state(verdict: str, job: Job | None) -> CallState:
    if verdict != PASSING:
        return "taken" if verdict == TAKEN else "refused"
    return "waiting" if job is None or job.state == OPEN else "given_up"
