"""Answers in JSON."""

from typing import Any

import msgspec
from starlette.responses import Response

from smscatch.messages import plain

JSON = "application/json"


def json_response(content: bytes, status: int = 200) -> Response:
    """Answer with JSON that is encoded already."""
    return Response(content, status, media_type=JSON)


def value_response(value: Any, status: int = 200) -> Response:
    """Answer with one of our values as JSON."""
    return json_response(msgspec.json.encode(plain(value)), status)
