"""Mailosaur's forms: what a search asks for, as our queries, and our messages as Mailosaur's clients read them. No I/O.

Source: Mailosaur's API documentation ("Messages", "Find messages"), and its clients mailosaur 8.1 for Python and 11.1
for npm, which were run: what they break on stands beside the field.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from smscatch.access import Access
from smscatch.boxes import Box, short_name
from smscatch.errors import BadRequest, NotFound
from smscatch.messages import Line, Message, Query
from smscatch.times import format_time

ALL, ANY = "ALL", "ANY"
DEFAULT_ITEMS, MAX_ITEMS = 50, 1000
MAX_DEPTH = 10_000  # messages, in which pages are counted
_ID = re.compile("[0-9a-f]{32}")
MAX_SUMMARY = 200  # characters of a text in a list


class Criteria(msgspec.Struct, frozen=True, rename="camel"):
    """What a search asks for. A text message has no subject."""

    sent_from: str | None = None
    sent_to: str | None = None
    subject: str | None = None
    body: str | None = None
    match: str | None = None


class ListPart(msgspec.Struct, frozen=True):
    """Which part of a list is asked for: `items` messages behind the first `skip`; `since` None is from the beginning.

    `is_received` is False where only messages are meant that were sent from Mailosaur: there are none.
    """

    skip: int
    items: int
    since: datetime | None
    is_received: bool


def parse_criteria(body: bytes) -> Criteria:
    """Return what the body of a search asks for. Raises BadRequest."""
    try:
        criteria = msgspec.json.decode(body or b"{}", type=Criteria)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The search criteria are not accepted: {error}.", parameter="criteria") from error
    if (criteria.match or ALL).upper() not in (ALL, ANY):
        raise BadRequest(f"match = {criteria.match!r} is not accepted: give ALL or ANY.", parameter="match")
    return criteria


def parse_part(given: dict[str, str]) -> ListPart:
    """Return what the query of a list or a search asks for. Raises BadRequest."""
    page = _parse_number(given, "page", 0, range(MAX_DEPTH + 1))
    items = _parse_number(given, "itemsPerPage", DEFAULT_ITEMS, range(1, MAX_ITEMS + 1))
    if page * items > MAX_DEPTH:
        raise BadRequest(f"Only the newest {MAX_DEPTH} messages can be paged through.", parameter="page")
    direction = given.get("dir") or "Received"
    if direction not in ("Received", "Sent"):
        raise BadRequest(f"dir = {direction[:40]!r} is not accepted: give Received or Sent.", parameter="dir")
    return ListPart(page * items, items, _parse_time(given.get("receivedAfter") or ""), direction == "Received")


def _parse_number(given: dict[str, str], name: str, default: int, taken: range) -> int:
    value = given.get(name) or str(default)
    if not (value.isascii() and value.isdecimal() and len(value) < 9 and int(value) in taken):
        raise BadRequest(
            f"{name} = {value[:40]!r} is not accepted: give a number from {taken[0]} to {taken[-1]}.", parameter=name
        )
    return int(value)


def _parse_time(value: str) -> datetime | None:
    if not value:
        return None
    try:
        # A '+' that nobody escaped arrives as a blank: 2026-11-22T18:00:00 01:00
        time = datetime.fromisoformat(re.sub(r" (\d\d:?\d\d)$", r"+\1", value))
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(
            f"receivedAfter = {value[:40]!r} is not accepted: give a time such as 2026-11-22T18:00:00Z.",
            parameter="receivedAfter",
        ) from None


async def to_queries(criteria: Criteria, box: Box, part: ListPart, access: Access) -> list[Query]:
    """Return the queries of which one must ask for a message, none if no message can be meant. Raises BadRequest."""
    if not part.is_received:
        return []
    given = {name: value for name, value in msgspec.structs.asdict(criteria).items() if value and name != "match"}
    wants_any = (criteria.match or ALL).upper() == ANY
    each = [{name: value} for name, value in given.items()] if wants_any and given else [given]
    found = [await _to_query(one, box, access) for one in each]
    return [msgspec.structs.replace(query, since=part.since) for query in found if query is not None]


async def _to_query(given: dict[str, str], box: Box, access: Access) -> Query | None:
    if "subject" in given:
        return None
    lines = box.lines
    if "sent_to" in given:
        number = access.house.settings.line_named(given["sent_to"])
        if not box.has(number) or not access.sees(number):
            return None
        lines = (number,)
    query = await access.query((), given.get("sent_from"), given.get("body"))
    return msgspec.structs.replace(query, lines=lines, lease=box.lease)


def parse_id(written: str) -> str:
    """Return the id of a message, as UUID or as we write it. Raises NotFound if it is none."""
    plain = written.replace("-", "").lower()
    if not _ID.fullmatch(plain):
        raise NotFound(f"There is no message {written[:40]!r}: it is no id.")
    return plain


def write_id(plain: str) -> str:
    """Return the id of a message as Mailosaur writes ids: as a UUID (RFC 9562, 4)."""
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))


def to_message(message: Message, server: str) -> dict[str, Any]:
    """Return a message in full."""
    text = {
        "body": message.text,
        "links": [{"href": link, "text": link} for link in message.links],
        "codes": [{"value": code.value} for code in message.codes],  # the likeliest first
    }
    # No null: npm's client breaks on one in html, text and metadata.
    return _common(message, server) | {"text": text, "html": {}, "attachments": [], "metadata": {"headers": []}}


def to_summary(message: Message, server: str) -> dict[str, Any]:
    """Return a message as it stands in a list."""
    return _common(message, server) | {"summary": message.text[:MAX_SUMMARY], "attachments": 0}  # a count here


def _common(message: Message, server: str) -> dict[str, Any]:
    return {
        "id": write_id(message.id),
        "type": "SMS",
        "server": server,
        # Lists, never null: Python's client goes through each.
        "from": _addresses(message.sender),
        "to": _addresses(message.line),
        "cc": [],
        "bcc": [],
        "received": format_time(message.received_at),
        "subject": "",
    }


def _addresses(number: str) -> Sequence[dict[str, str]]:
    """Return the list of one address. Mailosaur writes numbers without the plus; a sender's name is its `phone` too."""
    return [{"phone": number.removeprefix("+")}]


def to_servers(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Return lines as servers, ordered by name: those of one label are one; a line without one has its number's end."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        name = short_name(line.number, line.label)
        server = {"id": name, "name": line.label or line.number, "users": [], "messages": 0}
        found.setdefault(name, server)["messages"] += line.messages
    return sorted(found.values(), key=lambda server: str(server["name"]))


def server_of(message: Message, access: Access) -> str:
    """Return a server that a message is in, where nobody asked for one."""
    return short_name(message.line, access.house.lines.label(message.line))
