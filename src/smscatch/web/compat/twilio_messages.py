"""Twilio's Message resource, as its SDKs read it: what an application sent, and what came in, told apart by direction.

Source: Twilio's documentation, "Messages resource" (properties, "Read multiple Message resources"), "Media
subresource". What the SDKs accept was tried with twilio 9.13 for Python and 6.3 for npm.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from smscatch.errors import BadRequest
from smscatch.keys import READ, SEND
from smscatch.messages import CAUGHT, Message, Query
from smscatch.segments import count_segments
from smscatch.sending import Desk, KeptText
from smscatch.sources.caught import CaughtText
from smscatch.web.compat.base import Asked, Operation, SdkAnswer
from smscatch.webhooks.twilio import VERSION

PAGE_SIZE, MAX_PAGE_SIZE = 50, 1000
DELIVERED, UNDELIVERED, RECEIVED = FINAL = "delivered", "undelivered", "received"
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
_DATE_SENT = re.compile("DateSent([<>]?)(.*)")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TOKEN = re.compile("PA([0-9]{1,18})")


async def fetch(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return a text. Raises NotFound."""
    return SdkAnswer(_shown(await _find(desk, path), path["account"]))


async def delete(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Delete a text that the key sent; an administrator's any that it sees. Raises NotFound, Forbidden."""
    await desk.delete_kept(await _find(desk, path))
    return SdkAnswer(status=204)


async def list_media(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return the files of a text: none, since none is kept. Raises NotFound."""
    found = await _find(desk, path)
    uri = f"{base_of(path['account'])}/{_sid(found)}/Media.json"
    return SdkAnswer({"media_list": [], **_paging(uri, {}, size=PAGE_SIZE, page=0, count=0)})


async def list_messages(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return a page of the texts that the key sees, newest first: to To, from From, sent at DateSent, in any form."""
    given = {name: value for name, value in asked.query.items() if name in ("To", "From") or _DATE_SENT.match(name)}
    size = _parse_number(asked, "PageSize", PAGE_SIZE) or PAGE_SIZE
    page, before = _parse_number(asked, "Page", 0), _parse_token(asked.query.get("PageToken", ""))
    query = await desk.query(given.get("To", ""), given.get("From", ""))
    found, following = await desk.page(limit_dates(query, given), min(size, MAX_PAGE_SIZE), before=before)
    uri = f"{base_of(path['account'])}.json"
    paging = _paging(uri, given, size=min(size, MAX_PAGE_SIZE), page=page, count=len(found))
    if following is not None:
        after = given | {"PageSize": str(paging["page_size"]), "Page": str(page + 1), "PageToken": f"PA{following}"}
        paging["next_page_uri"] = f"{uri}?{urlencode(after)}"
    # Beside the keys of the paging there must be one alone, or the SDK for Python finds no list.
    return SdkAnswer({"messages": [_shown(each, path["account"]) for each in found], **paging})


def limit_dates(query: Query, given: Mapping[str, str]) -> Query:
    """Return a query limited to the times given as DateSent, DateSent< and DateSent>, each in UTC. Raises BadRequest.

    A day stands for all of it, a time for its second. SDKs write a day as its midnight, which as DateSent is the day.
    """
    for name, value in given.items():
        found = _DATE_SENT.fullmatch(name)
        written = value or (found[2].lstrip("=") if found else "")  # typed by hand it may be DateSent<2026-11-28
        if found is None or not written:
            continue
        start, end = _parse_date(written, is_exact=not found[1])
        if found[1] != "<":
            query = msgspec.structs.replace(query, since=max(start, query.since or start))
        if found[1] != ">":
            query = msgspec.structs.replace(query, until=min(end, query.until or end))
    return query


def _parse_date(value: str, *, is_exact: bool) -> tuple[datetime, datetime]:
    """Return when a day or a second begins and ends."""
    try:
        time = datetime.fromisoformat(value)
        start = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        is_midnight = start == start.replace(hour=0, minute=0, second=0, microsecond=0)
        is_day = _DAY.fullmatch(value) is not None or (is_exact and is_midnight)
        return start, start + (DAY if is_day else SECOND)
    except (ValueError, OverflowError):
        raise BadRequest(
            f"DateSent = {value[:40]!r} is not accepted: give 2026-11-28 or 2026-11-28T10:00:00Z.", parameter="DateSent"
        ) from None


def _parse_number(asked: Asked, name: str, default: int) -> int:
    given = asked.query.get(name, "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 9 else default


def _parse_token(given: str) -> int | None:
    found = _TOKEN.fullmatch(given)
    if given and found is None:
        raise BadRequest(f"PageToken = {given[:40]!r} is not accepted: follow next_page_uri.", parameter="PageToken")
    return int(found[1]) if found else None


def _paging(uri: str, given: Mapping[str, str], *, size: int, page: int, count: int) -> dict[str, Any]:
    first = f"{uri}?{urlencode({**given, 'PageSize': size, 'Page': 0})}"
    return {
        "first_page_uri": first,
        "end": page * size + max(0, count - 1),
        "previous_page_uri": None,
        "uri": first if page == 0 else f"{uri}?{urlencode({**given, 'PageSize': size, 'Page': page})}",
        "page_size": size,
        "start": page * size,
        "next_page_uri": None,
        "page": page,
    }


async def _find(desk: Desk, path: Mapping[str, str]) -> KeptText:
    return await desk.read(path["sid"][2:].lower())


def base_of(account: str) -> str:
    """Return the path of an account's messages."""
    return f"/{VERSION}/Accounts/{account}/Messages"


def sid_of(text: CaughtText) -> str:
    """Return the sid of a text that was sent."""
    return _write_sid(text.id, has_media=bool(text.facts["media"]))


def _sid(found: KeptText) -> str:
    return _write_sid(found.message.id, has_media="mms" in found.message.marks)


def _write_sid(id_: str, *, has_media: bool) -> str:
    return f"{'MM' if has_media else 'SM'}{id_}"


def _shown(found: KeptText, account: str) -> dict[str, Any]:
    if found.sent is not None:
        return sent_resource(found.sent, final_status(found.sent))
    return _kept_resource(found.message, account)


def final_status(text: CaughtText) -> str:
    """Return what became of a text in the end."""
    return UNDELIVERED if text.undelivered else DELIVERED


def find_error_code(text: CaughtText) -> int | None:
    """Return the code of Twilio for why a text was not delivered, None if it was."""
    code = text.undelivered
    return int(code) if code.isascii() and code.isdecimal() else None


def sent_resource(text: CaughtText, status: str) -> dict[str, Any]:
    """Return the resource of a text that an application sent through this API."""
    facts = text.facts
    return _resource(facts["account"], sid_of(text), text.received_at) | {
        "body": text.text,
        "date_sent": write_date(text.received_at) if status in FINAL else None,
        "error_code": find_error_code(text) if status in FINAL else None,
        "direction": "outbound-api",
        "from": facts["from"] or None,
        "messaging_service_sid": facts["service"] or None,
        "num_media": str(facts["media"]),
        "num_segments": str(count_segments(text.text).count),
        "status": status,
        "to": text.line,
    }


def _kept_resource(message: Message, account: str) -> dict[str, Any]:
    """Return the resource of a text that came in, or that an application sent through another API."""
    is_sent, has_media = CAUGHT in message.marks, "mms" in message.marks
    sid = _write_sid(message.id, has_media=has_media)
    return _resource(account, sid, message.received_at) | {
        "body": message.text,
        "direction": "outbound-api" if is_sent else "inbound",
        "from": message.sender,
        "num_media": "1" if has_media else "0",
        "num_segments": str(message.parts),
        "status": DELIVERED if is_sent else RECEIVED,
        "to": message.to or message.line,  # of a reply of the handset it is the application's
    }


def _resource(account: str, sid: str, at: datetime) -> dict[str, Any]:
    """Return what all Message resources have; each property, or npm's SDK takes a date for now."""
    path, date = f"{base_of(account)}/{sid}", write_date(at)
    return {
        "account_sid": account,
        "api_version": VERSION,
        "date_created": date,
        "date_sent": date,
        "date_updated": date,
        "error_code": None,
        "error_message": None,
        "messaging_service_sid": None,
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "subresource_uris": {"media": f"{path}/Media.json"},
        "tags": None,
        "uri": f"{path}.json",
    }


def write_date(time: datetime) -> str:
    """Return a time as Twilio writes it (RFC 2822)."""
    return format_datetime(time.replace(microsecond=0))


MESSAGES = rf"/{VERSION}/Accounts/(?P<account>[^/]+)/Messages(?:\.json)?"
MESSAGE = rf"/{VERSION}/Accounts/(?P<account>[^/]+)/Messages/(?P<sid>[SM]M[0-9a-fA-F]{{32}})"
READERS = (READ, SEND)  # a key that may only send sees what it sent
OPERATIONS: Sequence[Operation] = (
    Operation("GET", MESSAGES, list_messages, READERS),
    Operation("GET", rf"{MESSAGE}(?:\.json)?", fetch, READERS),
    Operation("GET", rf"{MESSAGE}/Media(?:\.json)?", list_media, READERS),
    Operation("DELETE", rf"{MESSAGE}(?:\.json)?", delete),
)
