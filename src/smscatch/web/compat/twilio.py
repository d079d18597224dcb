"""Twilio's Messages API: what an application sends with Twilio's SDKs is caught, and found again as Twilio has it.

Source: Twilio's documentation, "Messages resource" (parameters, properties), "Track outbound message status" (status
callbacks), "Error and warning dictionary" (codes), "Test credentials" (numbers
that fail). What the SDKs send and accept was tried with twilio 9.13 for Python.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import msgspec

from smscatch.errors import (
    BadSend,
    NotFound,
    OptedOut,
    SmscatchError,
    StoreUnavailable,
    TooManyChecks,
    TooManySends,
    TooManyTries,
    Unauthorized,
)
from smscatch.messages import Query
from smscatch.segments import count_segments
from smscatch.sending import Desk, Outgoing, SentText
from smscatch.sources.base import name_media
from smscatch.sources.caught import Callback, CaughtText
from smscatch.web.compat import twilio_verify
from smscatch.web.compat.base import Asked, Operation, SdkAnswer, SendApi, parse_callback, parse_recipient, parse_sender
from smscatch.webhooks.twilio import VERSION, sign

MAX_BODY = 1600  # characters
PAGE_SIZE, MAX_PAGE_SIZE = 50, 1000
DELIVERED = "delivered"
TOLD = ("sent", DELIVERED)  # the statuses that an application is called back with
# Code, HTTP status and sentence for what is missing or wrong in a request.
ERRORS: Mapping[tuple[str, bool], tuple[int, str]] = {
    ("to", True): (21604, "A 'To' phone number is required."),
    ("to", False): (21211, "Invalid 'To' Phone Number: {value}"),
    ("sender", True): (21603, "A 'From' phone number is required."),
    ("sender", False): (21212, "Invalid From Number (caller ID): {value}"),
    ("text", True): (21602, "Message body is required."),
    ("text", False): (21617, "The concatenated message body exceeds the 1600 character limit."),
    ("callback", False): (21609, "Invalid 'StatusCallback' URL: {value}"),
}
TOO_MANY = {
    TooManyTries.code: (20429, "Too Many Requests"),
    TooManyChecks.code: (60202, "Max check attempts reached"),
    TooManySends.code: (60203, "Max send attempts reached"),
}
UNSUBSCRIBED = "Attempt to send to unsubscribed recipient"
# Numbers that Twilio's test credentials refuse, and so do we.
MAGIC_TO = {
    "+15005550001": (21211, "Invalid 'To' Phone Number: {value}"),
    "+15005550002": (21612, "The 'To' phone number: {value}, is not currently reachable using the 'From' number."),
    "+15005550003": (21408, "Permission to send an SMS has not been enabled for the region of {value}."),
    "+15005550004": (21610, UNSUBSCRIBED),
    "+15005550009": (21614, "'To' number: {value}, is not a valid mobile number"),
}
MAGIC_FROM = {
    "+15005550001": (21212, "Invalid From Number (caller ID): {value}"),
    "+15005550007": (21606, "The From phone number {value} is not a valid, SMS-capable number for your account."),
    "+15005550008": (21611, "This 'From' number has exceeded the maximum number of queued messages."),
}


async def create(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Catch a text: with From or MessagingServiceSid, and Body, MediaUrl or ContentSid."""
    to, service = parse_recipient(asked.text("To")), asked.text("MessagingServiceSid")
    _refuse_magic(MAGIC_TO, to, "to")
    sender = service if service and not asked.text("From") else parse_sender(asked.text("From"))
    _refuse_magic(MAGIC_FROM, sender, "sender")
    media = [url for url in asked.form.get("MediaUrl", []) if url]
    facts = {"account": path["account"], "service": service, "from": asked.text("From"), "media": len(media)}
    text = _text_of(asked, media)
    prepared = desk.prepare(Outgoing(to, sender, text, marks=("mms",) if media else (), facts=facts))
    callback = parse_callback(asked.text("StatusCallback"))
    await desk.check_wanted(prepared)
    if callback is not None:
        calls = tuple(_callback(callback, prepared, status, desk.secret) for status in TOLD)
        prepared = msgspec.structs.replace(prepared, callbacks=calls)
    await desk.keep(prepared)
    return SdkAnswer(_resource(prepared, "accepted" if service else "queued"), 201)


def _text_of(asked: Asked, media: Sequence[str]) -> str:
    body = asked.fields.get("Body") or ""
    if len(body) > MAX_BODY:
        raise BadSend("The text is longer than 1600 characters.", field="text", is_missing=False)
    # What a template says is not known here; but the values that stand in it are.
    template = " ".join(filter(None, (asked.text("ContentSid"), asked.text("ContentVariables"))))
    text = body or name_media([("file", url) for url in media]) or template
    if not text:
        raise BadSend.missing("text")
    return str(text)


def _refuse_magic(magic: Mapping[str, tuple[int, str]], number: str, field: str) -> None:
    if number in magic:
        code, sentence = magic[number]
        said = sentence.format(value=number)
        raise BadSend(said, field=field, is_missing=False, value=number, code=code)


def _callback(url: str, text: CaughtText, status: str, token: str) -> Callback:
    """Return the call that tells a status, signed with the token."""
    sid = _sid(text)
    fields = {
        "AccountSid": text.facts["account"],
        "ApiVersion": VERSION,
        "From": text.facts["from"] or text.sender,
        "MessageSid": sid,
        "MessageStatus": status,
        "SmsSid": sid,
        "SmsStatus": status,
        "To": text.line,
    } | ({"MessagingServiceSid": text.facts["service"]} if text.facts["service"] else {})
    return sign(url, fields, token)


async def fetch(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return a text that was sent. Raises NotFound."""
    return SdkAnswer(_shown(await _find(desk, path)))


async def delete(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Delete a text that was sent. Raises NotFound."""
    await desk.delete(await _find(desk, path))
    return SdkAnswer(status=204)


async def list_messages(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return the newest texts that were sent, filtered by To and From; all on one page."""
    size = asked.query.get("PageSize", "")
    limit = min(int(size), MAX_PAGE_SIZE) if size.isascii() and size.isdecimal() and int(size) else PAGE_SIZE
    to, sender = asked.query.get("To"), asked.query.get("From")
    query = Query(lines=None if to is None else (parse_recipient(to),), sender=sender)
    found = await desk.newest(query, limit)
    uri = f"{_base(path['account'])}.json"
    page = {
        "first_page_uri": f"{uri}?PageSize={limit}&Page=0",
        "end": max(0, len(found) - 1),
        "previous_page_uri": None,
        "messages": [_shown(each) for each in found],
        "uri": f"{uri}?PageSize={limit}&Page=0",
        "page_size": limit,
        "start": 0,
        "next_page_uri": None,
        "page": 0,
    }
    return SdkAnswer(page)


async def _find(desk: Desk, path: Mapping[str, str]) -> SentText:
    return await desk.find(path["sid"][2:].lower())


def _base(account: str) -> str:
    return f"/{VERSION}/Accounts/{account}/Messages"


def _sid(text: CaughtText) -> str:
    return f"{'MM' if text.facts['media'] else 'SM'}{text.id}"


def _shown(found: SentText) -> dict[str, Any]:
    return _resource(found.sent, DELIVERED)


def _resource(text: CaughtText, status: str) -> dict[str, Any]:
    """Return the properties of a Message resource; all of them, or npm's SDK takes a date for now."""
    facts, sid = text.facts, _sid(text)
    path = f"{_base(facts['account'])}/{sid}"
    at = _date(text.received_at)
    return {
        "account_sid": facts["account"],
        "api_version": VERSION,
        "body": text.text,
        "date_created": at,
        "date_sent": at if status == DELIVERED else None,
        "date_updated": at,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": facts["from"] or None,
        "messaging_service_sid": facts["service"] or None,
        "num_media": str(facts["media"]),
        "num_segments": str(count_segments(text.text).count),
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": status,
        "subresource_uris": {"media": f"{path}/Media.json"},
        "tags": None,
        "to": text.line,
        "uri": f"{path}.json",
    }


def _date(time: datetime) -> str:
    return format_datetime(time.replace(microsecond=0))  # RFC 2822


def find_key(asked: Asked) -> str | None:
    """Return the password of Basic: the Auth Token, or the secret of an API key."""
    return asked.basic[1] or None


def refuse(error: SmscatchError, asked: Asked) -> SdkAnswer:
    """Answer as Twilio does. Never with a `type` or a `title`: the SDKs would raise an error of another class then."""
    status, code, sentence = _judge(error, asked)
    value = {
        "code": code,
        "message": sentence,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    headers = {"www-authenticate": 'Basic realm="Twilio API"'} if status == 401 else {}
    return SdkAnswer(value, status, headers=headers)


def _judge(error: SmscatchError, asked: Asked) -> tuple[int, int, str]:
    if isinstance(error, BadSend):
        code, sentence = ERRORS.get(error.reason, (20001, str(error)))
        given = error.details.get("code")
        return 400, given or code, str(error) if given else sentence.format(value=error.details.get("value", ""))
    if isinstance(error, OptedOut):
        return 400, 21610, UNSUBSCRIBED
    if isinstance(error, Unauthorized):
        return 401, 20003, "Authenticate"
    if isinstance(error, NotFound):
        return 404, 20404, f"The requested resource {asked.path} was not found"
    if isinstance(error, TooManyTries | TooManyChecks | TooManySends):
        return 429, *TOO_MANY[error.code]
    if isinstance(error, StoreUnavailable):
        return 503, 20503, str(error)
    return error.status, {403: 20403}.get(error.status, 20001), str(error)


MESSAGES = rf"/{VERSION}/Accounts/(?P<account>[^/]+)/Messages(?:\.json)?"
MESSAGE = rf"/{VERSION}/Accounts/(?P<account>[^/]+)/Messages/(?P<sid>[SM]M[0-9a-fA-F]{{32}})(?:\.json)?"
API = SendApi(
    find_key,
    refuse,
    (
        Operation("POST", MESSAGES, create),
        Operation("GET", MESSAGES, list_messages),
        Operation("GET", MESSAGE, fetch),
        Operation("DELETE", MESSAGE, delete),
        *twilio_verify.OPERATIONS,
    ),
)
