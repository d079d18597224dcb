"""Twilio's Messages API: what an application sends with Twilio's SDKs is caught.

How it is found again, is in twilio_messages.py.

Source: Twilio's documentation, "Messages resource" (parameters, properties), "Track outbound message status" (status
callbacks), "Error and warning dictionary" (codes), "Test credentials" (numbers
that fail). What the SDKs send and accept was tried with twilio 9.13 for Python.
"""

from collections.abc import Mapping, Sequence

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
from smscatch.sending import Desk, Outgoing
from smscatch.sources.base import name_media
from smscatch.sources.caught import Callback, CaughtText
from smscatch.web.compat import twilio_messages, twilio_verify
from smscatch.web.compat.base import Asked, Operation, SdkAnswer, SendApi, parse_callback, parse_recipient, parse_sender
from smscatch.web.compat.twilio_messages import MESSAGES, final_status, sent_resource, sid_of
from smscatch.webhooks.twilio import VERSION, sign

MAX_BODY = 1600  # characters
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
    prepared = await desk.clear(prepared)
    if callback is not None:
        told = ("sent", final_status(prepared))
        calls = tuple(_callback(callback, prepared, status, desk.secret) for status in told)
        prepared = msgspec.structs.replace(prepared, callbacks=calls)
    await desk.keep(prepared)
    return SdkAnswer(sent_resource(prepared, "accepted" if service else "queued"), 201)


def _text_of(asked: Asked, media: Sequence[str]) -> str:
    body = str(asked.fields.get("Body") or "")
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
    sid = sid_of(text)
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
    if text.undelivered and status != "sent":
        fields["ErrorCode"] = text.undelivered
    return sign(url, fields, token, status)


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


API = SendApi(
    find_key, refuse, (Operation("POST", MESSAGES, create), *twilio_messages.OPERATIONS, *twilio_verify.OPERATIONS)
)
