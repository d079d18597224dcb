"""/json of the system of 2018 that smscatch grew from: the newest messages as MongoDB extended JSON."""

import json
from datetime import datetime
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response

from smscatch.messages import decode_message
from smscatch.web.endpoint import access_of
from smscatch.web.params import parse_query
from smscatch.web.responses import json_response

NEWEST = 50


async def json_of_2018(request: Request) -> Response:
    """The newest 50 as MongoDB extended JSON, in the shape of the system of 2018 that smscatch grew from.

    Of long texts they are fewer: 1 MB at most.
    """
    newest = await access_of(request).newest(await parse_query(request), NEWEST)
    # Byte for byte what bson.json_util.dumps wrote: separators ", " and ": ", ASCII only.
    return json_response(f"[{', '.join(_document_of_2018(stored.json) for stored in newest)}]".encode())


@lru_cache(2 * NEWEST)  # who polls is given the same ones again and again
def _document_of_2018(encoded: bytes) -> str:
    message = decode_message(encoded)
    time = {"$date": _bson_time(message.received_at)}
    return json.dumps({"number": message.sender, "text": message.text, "timestamp": time})


def _bson_time(time: datetime) -> str:
    """Return a time as bson.json_util does in its ISO 8601 representation: milliseconds only if there are any."""
    text = time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return text.replace(".000Z", "Z")
