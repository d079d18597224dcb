"""What clients send us: reading a body, and the forms of the small JSON ones."""

import asyncio
from typing import Annotated, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from smscatch.deliverers import Secret
from smscatch.errors import BadRequest
from smscatch.letting import TtlSeconds
from smscatch.messages import TTL_SECONDS
from smscatch.sources.generic import MAX_TEXT
from smscatch.web.waiting import ClientGone

T = TypeVar("T")
MAX_BODY_BYTES = 256 * 1024  # the longest text that is taken, each character written as two \uXXXX, and more
BODY_SECONDS = 10


class Extension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a lease shall last from now on, at least."""

    ttl_seconds: TtlSeconds = TTL_SECONDS


class NewSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A secret for a source; one is made if there is none here, where the service can be told it."""

    secret: Secret = ""


class Text(msgspec.Struct, frozen=True):
    """A text in which to look for a code."""

    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]


async def parse_body(request: Request, form: type[T]) -> T:
    """Return the JSON body as a value. Raises BadRequest, naming what is wrong; an empty body is an empty object."""
    body = await read_body(request)
    try:
        return msgspec.json.decode(body or b"{}", type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        names = ", ".join(field.name for field in msgspec.structs.fields(form))  # type: ignore[arg-type]
        raise BadRequest(f"The body is not accepted: {error}. It is a JSON object with any of: {names}.") from error


async def read_body(request: Request, most_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Return the body of a request. Raises BadRequest if it is too large."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most_bytes:
                    raise BadRequest(f"The body is larger than {most_bytes} bytes.")
    except ClientDisconnect as error:
        raise ClientGone("The client hung up before its body had come.") from error
    except TimeoutError as error:
        raise BadRequest(f"The body did not come within {BODY_SECONDS} s.") from error
    return bytes(body)
