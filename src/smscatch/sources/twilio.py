"""Twilio's webhook for incoming messages, a signed form or JSON. Texts come whole; nothing says when they were sent.

Source: Twilio's documentation, "Messaging Webhooks" (parameters of the request) and "Webhooks Security" (signature).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from smscatch.errors import BadDelivery, BadSignature
from smscatch.messages import REDACTED, Message
from smscatch.sources.base import LineOf, make_message, name_delivery, name_media
from smscatch.sources.webhook import FORM, JSON, Answer, Envelope, Incoming, Webhook, is_one_of, parse_form

KIND = "twilio"
SIGNATURE = "X-Twilio-Signature"
SETTINGS = "X-Twilio-Webhooks-Signature-Settings"  # of what is signed with a SharedKey: key=ID,algorithm=HMAC_SHA256
HASHES = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
TWIML = Answer(b'<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml")  # says: send nothing back
_URL = re.compile(r"(https?)://(\[[^\]/?#]*\]|[^/?#:\[]*)(?::([0-9]*))?(.*)", re.IGNORECASE | re.DOTALL)
_HASH_OF_BODY = "bodySHA256"
FILTERED = "30038"  # Twilio's documentation, "Error 30038: OTP Message Body Filtered"
# That page does not say what stands in place of a passcode. A word, or signs that hide it, are looked for; not signs
# with digits beside them, which name a card.
_HIDDEN = re.compile(r"\bredacted\b|(?<![\w*•●█])(?:[*•●█]{3,}|x{4,})(?![\w*•●█])", re.IGNORECASE)
_MAY_BE_CODE = re.compile(r"(?<![0-9*•●█])[0-9]{4,8}(?![0-9*•●█])")


def check_twilio(incoming: Incoming, secrets: Sequence[str], now: datetime) -> None:
    """Return if a request is signed with an Auth Token, or with a SharedKey's secret. Nothing signs a time: `now`.

    Raises BadSignature. As strict as the stricter of Twilio's own validators for Python and Node.
    """
    given = incoming.header(SIGNATURE).encode()
    settings = _settings_of(incoming)
    algorithm = settings.get("algorithm") or "HMAC_SHA1"
    method = HASHES.get(algorithm.upper())
    if method is None:
        raise BadSignature(f"it is signed by {algorithm[:40]!r}; known are {', '.join(HASHES)}")

    def fits(url: str, fields: str) -> bool:
        wanted = [_sign(secret, each + fields, method) for secret in secrets for each in _with_and_without_port(url)]
        return is_one_of(given, wanted)

    fields = _signed_fields(incoming)
    if fits(incoming.url, fields):
        return
    for url in _similar(incoming):
        if fits(url, fields):
            raise BadSignature(f"it is signed for the address {_bare(url)}, and public_url is {_bare(incoming.url)}")
    if fields and fits(incoming.url, ""):
        raise BadSignature("the address and the secret are right, but the form is not the one that was signed")
    who = f"the SharedKey {settings['key'][:80]!r}" if settings.get("key") else "the account's Auth Token"
    raise BadSignature(f"no secret fits: {who} is not among them, or its sender is not Twilio")


def _settings_of(incoming: Incoming) -> dict[str, str]:
    parts = (part.partition("=") for part in incoming.headers.get(SETTINGS.lower(), "").split(","))
    return {name.strip(): value.strip() for name, _, value in parts}


def _signed_fields(incoming: Incoming) -> str:
    """Return what follows the address in the string that is signed: of a form each name with each of its values.

    The parameters of a GET stand in the address, and so does the hash of a body of JSON.
    """
    if incoming.method == "GET" or not incoming.content:
        return ""
    if incoming.content_type == FORM:
        return "".join(name + value for name, value in sorted(set(parse_form(incoming.content))))
    hashes = [value for name, value in parse_form(incoming.url.partition("?")[2].encode()) if name == _HASH_OF_BODY]
    if not hashes:
        raise BadSignature(f"its body is no form, and the parameter {_HASH_OF_BODY} of the address is missing")
    if not hmac.compare_digest(hashes[0].encode(), hashlib.sha256(incoming.content).hexdigest().encode()):
        raise BadSignature(f"its body is not the one whose {_HASH_OF_BODY} stands in the address")
    return ""


def _sign(secret: str, signed: str, method: str) -> bytes:
    return base64.b64encode(hmac.digest(secret.encode(), signed.encode("utf-8", "replace"), method))


def _with_and_without_port(url: str) -> Iterator[str]:
    """Yield both forms of an address: Twilio signs either."""
    scheme, host, port, rest = _split(url)
    standard = "443" if scheme.lower() == "https" else "80"
    yield f"{scheme}://{host}{rest}"
    yield f"{scheme}://{host}:{port or standard}{rest}"


def _split(url: str) -> tuple[str, str, str, str]:
    found = _URL.fullmatch(url)
    return (found[1], found[2], found[3] or "", found[4]) if found else ("https", "", "", url)


def _similar(incoming: Incoming) -> Iterator[str]:
    """Yield addresses that may be meant instead: that of the request, another scheme, a slash more or less."""
    yield incoming.asked_url
    path, mark, query = incoming.url.partition("?")
    scheme, rest = path.split("://", 1) if "://" in path else ("", path)
    yield f"{'http' if scheme == 'https' else 'https'}://{rest}{mark}{query}"
    yield f"{path.removesuffix('/') if path.endswith('/') else path + '/'}{mark}{query}"


def _bare(url: str) -> str:
    """Return an address without its query, which may hold secrets."""
    return url.partition("?")[0]


def read_twilio(envelope: Envelope, name: str, line_of: LineOf) -> list[Message]:
    """Return the message of an incoming text or MMS; none for what became of one that was sent (status callbacks).

    That Twilio filtered an incoming one is a message too, marked, perhaps without text. Raises BadDelivery, naming the
    parameter that is missing.
    """
    fields = _fields_of(envelope)
    is_filtered = fields.get("ErrorCode") == FILTERED
    if "Body" not in fields and "MessageStatus" in fields and not is_filtered:
        return []
    body = fields.get("Body", "") if is_filtered else _find(fields, "Body", may_be_empty=True)
    line = line_of(_find(fields, "To"))
    media = _find_media(fields)
    message = make_message(
        KIND,
        name_delivery(envelope.origin or "", line, _find(fields, "MessageSid")),
        line=line,
        sender=_find(fields, "From"),
        text=body or name_media(media),
        received_at=envelope.received_at,
        parts=_count(fields.get("NumSegments", "")),
        marks=(*(("mms",) if media else ()), *((REDACTED,) if is_filtered or _is_redacted(body) else ())),
    )
    return [message]


SOURCE = Webhook(KIND, check_twilio, read_twilio, TWIML, methods=("POST", "GET"), signs_url=True)


def _fields_of(envelope: Envelope) -> Mapping[str, str]:
    if envelope.content_type != JSON:
        return envelope.form()
    try:
        fields = msgspec.json.decode(envelope.content, type=dict[str, str | int | float | bool | None])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadDelivery(f"The JSON of the delivery is not that of a message: {error}.") from error
    return {name: str(value) for name, value in fields.items() if value is not None}


def _find(fields: Mapping[str, str], name: str, *, may_be_empty: bool = False) -> str:
    value = fields.get(name)
    if value is None or not (value.strip() or may_be_empty):
        raise BadDelivery(f"The parameter {name} is missing: is this Twilio's request for an incoming message?")
    return value


def _is_redacted(body: str) -> bool:
    """Return whether something is hidden in a text, and no digits stand in it that may be a code: they stood there.

    Whether they are one takes longer to find out than a request may.
    """
    return _HIDDEN.search(body) is not None and _MAY_BE_CODE.search(body) is None


def _find_media(fields: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the type and the address of each thing that an MMS has attached."""
    urls = [value for name, value in fields.items() if re.fullmatch(r"MediaUrl[0-9]+", name)]
    return [(fields.get(f"MediaContentType{number}", "?"), url) for number, url in enumerate(urls)]


def _count(segments: str) -> int:
    return int(segments) if segments in map(str, range(1, 256)) else 1
