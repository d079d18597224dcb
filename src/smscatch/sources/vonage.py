"""Vonage's webhooks for incoming messages: of its SMS API, which hands on long texts in parts, and of its Messages API.

Source: Vonage's documentation, "Inbound SMS", "Signing Messages", "Inbound Message" (Messages API), "Signed Webhooks".
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from smscatch.errors import BadDelivery, BadSignature
from smscatch.messages import Message, Part
from smscatch.numbers import with_plus
from smscatch.sources.base import LineOf, find_ascii, is_plausible, join_kept, make_message, name_delivery
from smscatch.sources.jwt import check_times, find_time, read_jwt
from smscatch.sources.webhook import FORM, Envelope, Incoming, Webhook, check_age, is_one_of, parse_epoch, parse_form

KIND = "vonage"
# Vonage delivers for 24 hours what it got no answer for, and does not say whether it signs that anew.
MAX_AGE = timedelta(hours=25)
EARLY = timedelta(minutes=1)
HMACS = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}  # by the digits of a `sig`; "MD5 HASH" has 32 as well
MAX_PARTS = 255  # 3GPP TS 23.040, 9.2.3.24.1
Fields = Mapping[str, str]


def check_vonage(incoming: Incoming, secrets: Sequence[str], now: datetime) -> None:
    """Return if a request is signed with the account's signature secret, by a JWT or by the parameter `sig`.

    Raises BadSignature.
    """
    scheme, _, token = incoming.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        _check_jwt(incoming, token.strip(), secrets, now)
    else:
        _check_sig(incoming, secrets, now)


def _check_jwt(incoming: Incoming, token: str, secrets: Sequence[str], now: datetime) -> None:
    claims = read_jwt(token, secrets)
    if incoming.method == "GET":
        raise BadSignature("its JWT does not cover the query of a GET: choose POST, in the console")
    wanted = hashlib.sha256(incoming.content).hexdigest()
    if not is_one_of(str(claims.get("payload_hash", "")).lower().encode(), [wanted.encode()]):
        raise BadSignature("its body is not the one whose payload_hash the JWT has: something on the way changes it")
    check_times(claims, now, EARLY)
    signed_at = find_time(claims, "iat")
    if signed_at is None:
        raise BadSignature("its JWT does not say when it was signed (iat)")
    check_age(signed_at, now, MAX_AGE, EARLY)


def _check_sig(incoming: Incoming, secrets: Sequence[str], now: datetime) -> None:
    try:
        fields = _parse(incoming.content, incoming.content_type)
    except BadDelivery as error:
        raise BadSignature("it has neither a JWT (Authorization: Bearer) nor fields, of which sig is one") from error
    if not fields.get("sig"):
        raise BadSignature(
            "it has neither a JWT (Authorization: Bearer) nor the field sig: signed webhooks are off in the console"
        )
    signed = "".join(
        f"&{name}={value.replace('&', '_').replace('=', '_')}"
        for name, value in sorted(fields.items())
        if name != "sig"
    )
    given = fields["sig"].lower()
    # Half an emoji, at the end of a part, has no bytes in UTF-8 proper.
    signed_bytes, given_bytes = (text.encode("utf-8", "surrogatepass") for text in (signed, given))
    if not is_one_of(given_bytes, _sign(signed_bytes, len(given), secrets)):
        raise BadSignature("no secret fits: the signature secret is another account's, or it is not Vonage")
    if "timestamp" not in fields:
        raise BadSignature("the field timestamp is missing")
    check_age(parse_epoch(fields["timestamp"], "the field timestamp"), now, MAX_AGE, EARLY)


def _sign(signed: bytes, digits: int, secrets: Sequence[str]) -> list[bytes]:
    """Return what a `sig` of so many digits may be: which method an account has, its requests do not say."""
    method = HMACS.get(digits)
    if method is None:
        return []
    made = [hmac.digest(secret.encode(), signed, method).hex() for secret in secrets]
    if method == "md5":
        made += [hashlib.md5(signed + secret.encode(), usedforsecurity=False).hexdigest() for secret in secrets]
    return [one.encode() for one in made]


def read_vonage(envelope: Envelope, name: str, line_of: LineOf) -> list[Message | Part]:
    """Return the message of an incoming SMS, or the part of a long one that it is; none of what is no SMS.

    Raises BadDelivery, naming the field that is missing.
    """
    fields = _parse(envelope.content, envelope.content_type)
    is_of_messages_api = "message_uuid" in fields
    has_text = any(name in fields for name in ("text", "data"))
    if (not has_text and "status" in fields) or (is_of_messages_api and fields.get("channel") != "sms"):
        return []
    read = _read_messages_api if is_of_messages_api else _read_sms_api
    return [read(envelope, fields, line_of(with_plus(_find(fields, "to"))))]


def _read_messages_api(envelope: Envelope, fields: Fields, line: str) -> Message:
    return make_message(
        KIND,
        name_delivery(envelope.origin or "", line, _find(fields, "message_uuid")),
        line=line,
        sender=with_plus(_find(fields, "from")),
        text=_join([_find(fields, "text", may_be_empty=True)]),
        received_at=envelope.received_at,
        sent_at=_find_time(fields.get("timestamp", "")),
    )


def _read_sms_api(envelope: Envelope, fields: Fields, line: str) -> Message | Part:
    sender, given = with_plus(_find(fields, "msisdn")), _find(fields, "messageId")
    marks: tuple[str, ...] = ()
    if "text" not in fields and "data" in fields:
        text, marks = _read_data(fields["data"])
    else:
        text = _find(fields, "text", may_be_empty=True)
    message = make_message(
        KIND,
        name_delivery(envelope.origin or "", line, given),
        line=line,
        sender=sender,
        text=_join([text]),
        received_at=envelope.received_at,
        sent_at=_find_time(fields.get("message-timestamp", "")),
        marks=marks,
    )
    place = None if marks else _find_place(fields)
    # With its id the content is equal only in what is one delivery.
    return message if place is None else _part_of(message, place, json.dumps([given, text]))


def _part_of(message: Message, place: tuple[int, int, int], content: str) -> Part:
    reference, total, number = place
    return Part(
        id=message.id,
        source=KIND,
        line=message.line,
        sender=message.sender,
        reference=reference,
        wide=reference > 0xFF,
        total=total,
        number=number,
        content=content,
        received_at=message.received_at,
        sent_at=message.sent_at,
    )


def join_vonage(parts: Sequence[Part]) -> Message:
    """Return the message of parts that belong together, as Source has it, its text still unread."""
    return join_kept(KIND, parts, _read_parts)


def _read_parts(parts: Sequence[Part]) -> tuple[str, tuple[str, ...]]:
    return _join([json.loads(part.content)[1] for part in sorted(parts, key=lambda part: part.number)]), ()


SOURCE = Webhook(KIND, check_vonage, read_vonage, methods=("POST", "GET"), join=join_vonage)


def _join(texts: Sequence[str]) -> str:
    """Return the texts of parts as one: an emoji may begin in one part and end in the next."""
    return "".join(texts).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _parse(content: bytes, content_type: str) -> Fields:
    """Return the fields of a delivery by name; of several values the first. Raises BadDelivery."""
    if content_type == FORM:
        return dict(reversed(parse_form(content)))
    try:  # not msgspec: half an emoji, at the end of a part, is no text to it
        fields = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadDelivery(f"The delivery is neither a form nor JSON: {error}.") from error
    if not isinstance(fields, dict):
        raise BadDelivery("The JSON of the delivery is no object.")
    return {name: _write(value) for name, value in fields.items() if value is not None}


def _write(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _find(fields: Fields, name: str, *, may_be_empty: bool = False) -> str:
    value = fields.get(name)
    if value is None or not (value.strip() or may_be_empty):
        raise BadDelivery(f"The field {name} is missing: is this Vonage's request for an incoming SMS?")
    return value if may_be_empty else _join([value])


def _find_place(fields: Fields) -> tuple[int, int, int] | None:
    """Return reference, total and number of a part of a long text; None for a whole one."""
    if fields.get("concat", "").lower() not in ("true", "1"):
        return None
    values = [fields.get(f"concat-{name}", "") for name in ("ref", "total", "part")]
    if not all(value.isascii() and value.isdecimal() and len(value) <= 5 for value in values):
        return None
    reference, total, number = map(int, values)
    return (reference, total, number) if 1 < total <= MAX_PARTS and 1 <= number <= total else None


def _find_time(written: str) -> datetime | None:
    """Return when a text was sent, which is in UTC if nothing else stands there."""
    try:
        time = datetime.fromisoformat(written)
    except ValueError:
        return None
    known = time.replace(tzinfo=UTC) if time.tzinfo is None else time
    return known if is_plausible(known) else None


def _read_data(digits: str) -> tuple[str, tuple[str, ...]]:
    """Return the text and the marks of a binary message, which is for a program, as those of a PDU are."""
    try:
        found = find_ascii(bytes.fromhex(digits))
    except ValueError as error:
        raise BadDelivery("The field data is not in hexadecimal digits.") from error
    return ("", ("application", "undecodable")) if found is None else (found, ("application", "data"))
