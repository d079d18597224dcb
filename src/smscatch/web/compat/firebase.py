"""The codes that came, by number, in the form in which Firebase's emulator lists the codes that it would have sent.

Source: Firebase's documentation, "Auth Emulator REST API", emulator.projects.verificationCodes.list. Nothing else of
Firebase is here: its emulator sends no texts.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from smscatch.web.endpoint import access_of
from smscatch.web.params import parse_query
from smscatch.web.responses import value_response

NEWEST = 200


class VerificationCode(msgspec.Struct, rename="camel"):
    """A code, the number that it came to, and the id of its message."""

    phone_number: str
    session_info: str
    code: str


class VerificationCodes(msgspec.Struct, rename="camel"):
    """Codes, the oldest first."""

    verification_codes: list[VerificationCode]


async def list_codes(request: Request) -> Response:
    """The codes of the newest 200 texts that have one, the oldest first, as Firebase's emulator lists them.

    The project may be any. Of long texts they are fewer: 1 MB at most.
    """
    query = msgspec.structs.replace(await parse_query(request), has_code=True)
    newest = [stored.message for stored in await access_of(request).newest(query, NEWEST)]
    codes = [VerificationCode(one.line, one.id, one.code or "") for one in reversed(newest)]
    return value_response(VerificationCodes(codes))
