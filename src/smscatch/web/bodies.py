"""What clients send us: reading a body, and the forms of the small JSON ones."""

import asyncio
from typing import Annotated, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from smscatch.errors import BadRequest
from smscatch.messages import MAX_LINES_LEASED, MAX_NAME, MAX_TTL_SECONDS, MIN_TTL_SECONDS, TTL_SECONDS
from smscatch.sources.generic import MAX_TEXT
from smscatch.web.params import MAX_TIMEOUT_SECONDS
from smscatch.web.waiting import ClientGone

T = TypeVar("T")
MAX_BODY_BYTES = 256 * 1024  # the longest text that is taken, each character written as two \uXXXX, and more
BODY_SECONDS = 10

Name = Annotated[str, msgspec.Meta(max_length=MAX_NAME)]
TtlSeconds = Annotated[float, msgspec.Meta(ge=MIN_TTL_SECONDS, le=MAX_TTL_SECONDS)]
WaitSeconds = Annotated[float, msgspec.Meta(ge=0, le=MAX_TIMEOUT_SECONDS)]


class LeaseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants which line for how long: a `line`, any with a `label`, or any at all.

    With a `count` so many lines are leased at once, all or none, for a test with several users; they are answered as a
    group, also if it is of one.

    `holder` is what the asker calls itself. Waits up to `wait_seconds` for a line to become free. `ticket` is a name
    that the asker makes up for this request: asking again with it, after an answer that got lost or a wait that was
    too short, gives the lease that it got, or keeps its place in the queue for 10 s.
    """

    line: Name | None = None
    label: Name | None = None
    holder: Name = ""
    ttl_seconds: TtlSeconds = TTL_SECONDS
    wait_seconds: WaitSeconds = 0
    ticket: Annotated[str, msgspec.Meta(min_length=8, max_length=MAX_NAME)] | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_LINES_LEASED)] | None = None


class Extension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a lease shall last from now on, at least."""

    ttl_seconds: TtlSeconds = TTL_SECONDS


class Text(msgspec.Struct, frozen=True):
    """A text in which to look for a code."""

    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]


async def parse_body(request: Request, form: type[T]) -> T:
    """Return the JSON body as a value. Raises BadRequest, naming what is wrong; an empty body is an empty object."""
    body = await read_body(request)
    try:
        return msgspec.json.decode(body or b"{}", type=form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        names = ", ".join(field.name for field in msgspec.structs.fields(form))  # type: ignore[arg-type]
        raise BadRequest(f"The body is not accepted: {error}. It is a JSON object with any of: {names}.") from error


async def read_body(request: Request) -> bytes:
    """Return the body of a request. Raises BadRequest if it is larger than MAX_BODY_BYTES."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise BadRequest(f"The body is larger than {MAX_BODY_BYTES} bytes.")
    except ClientDisconnect as error:
        raise ClientGone("The client hung up before its body had come.") from error
    except TimeoutError as error:
        raise BadRequest(f"The body did not come within {BODY_SECONDS} s.") from error
    return body
