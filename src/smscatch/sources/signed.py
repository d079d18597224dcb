"""Any signed JSON or form, by what the source's table in smscatch.toml says of it: which field is what, how it signs.

docs/signed.md has tables for services that need no more. How a signature is judged is in template.py.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from smscatch.errors import BadDelivery, BadSetting, BadSignature
from smscatch.messages import Message
from smscatch.numbers import with_plus
from smscatch.settings import SourceSettings
from smscatch.settings.fields import refuse_unknown
from smscatch.sources.base import LineOf, find_ascii, make_message, name_delivery
from smscatch.sources.template import OF_ADDRESS, OF_QUERY, check_signature, parse_signature
from smscatch.sources.times import parse_time
from smscatch.sources.webhook import FORM, Envelope, Incoming, Webhook

KIND = "signed"
# Paths into a delivery; `only`, `zone` and `number` are none.
FIELDS = ("line", "sender", "text", "id", "time", "list", "charset", "only", "zone")
NEEDED = ("sender", "text")
TEXT_CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "utf-16be": "utf-16-be", "ucs-2": "utf-16-be", "us-ascii": "ascii"}
Fields = Mapping[str, str]


def fit_signed(webhook: Webhook, configured: SourceSettings) -> Webhook:
    """Return the webhook that checks by the table's signature, and reads by its fields.

    Raises BadSetting for what is missing, and for names that there are not.
    """
    fields = _parse_fields(configured)
    if not configured.signature:
        raise BadSetting(
            "signature is missing: a table that says how requests are signed. docs/signed.md has examples."
        )
    signature = parse_signature(configured.signature)
    return webhook._replace(
        check=partial(check_signature, signature),
        methods=("POST", "GET") if signature.names & OF_QUERY or signature.how == "plain" else ("POST",),
        signs_url=bool(signature.names & OF_ADDRESS),
        fields=fields,
    )


def _parse_fields(configured: SourceSettings) -> Fields:
    fields = dict(configured.fields)
    refuse_unknown("fields.", fields, FIELDS, "smscatch.toml")
    missing = [name for name in NEEDED if not fields.get(name)]
    if missing:
        raise BadSetting(f"fields.{missing[0]} is missing: where in a delivery does the {missing[0]} stand?")
    if not fields.get("line"):
        if len(configured.lines) != 1:
            raise BadSetting("fields.line is missing: where does our number stand? Or name one number in lines.")
        fields["number"] = configured.lines[0]
    if fields.get("zone", "UTC") != "UTC":
        raise BadSetting(f"fields.zone = {fields['zone']!r} is not accepted. Accepted: UTC, or none at all.")
    if "only" in fields and "=" not in fields["only"]:
        raise BadSetting(f"fields.only = {fields['only']!r} is not accepted. Accepted: FIELD=VALUE or FIELD=ONE|OTHER.")
    return fields


def refuse_unfitted(incoming: Incoming, secrets: Sequence[str], now: datetime) -> None:
    """Raise BadSignature: without its table nothing says how the kind is signed."""
    raise BadSignature("no table says how it is signed")


def read_signed(envelope: Envelope, name: str, line_of: LineOf) -> list[Message]:
    """Return the texts in a delivery by `envelope.fields`, with which it was taken; none of what `only` leaves out.

    Raises BadDelivery, naming the field that is missing.
    """
    fields = envelope.fields
    if not fields:
        raise BadDelivery("Nothing says which field of it is what: it was not taken by a source of this kind.")
    content = _parse(envelope)
    texts = _find(content, fields["list"]) if fields.get("list") else [content]
    if not isinstance(texts, list):
        raise BadDelivery(f"The field {fields['list']} is missing, or no list.")
    return [
        _read(text, envelope, f"{name}/{place}" if place else name, line_of)
        for place, text in enumerate(texts)
        if _is_meant(text, fields.get("only", ""))
    ]


def _read(text: Any, envelope: Envelope, name: str, line_of: LineOf) -> Message:
    fields = envelope.fields
    line = line_of(with_plus(_need(text, fields["line"])) if "number" not in fields else fields["number"])
    if "id" in fields:
        name = name_delivery(envelope.origin or "", line, _need(text, fields["id"]))
    written, marks = _read_text(text, envelope)
    sent_at = _text_of(_find(text, fields["time"])) if "time" in fields else None
    return make_message(
        KIND,
        name,
        line=line,
        sender=with_plus(_need(text, fields["sender"])),
        text=written,
        received_at=envelope.received_at,
        sent_at=parse_time(sent_at, assume_utc=fields.get("zone") == "UTC") if sent_at else None,
        marks=marks,
    )


SOURCE = Webhook(KIND, refuse_unfitted, read_signed, fit=fit_signed, is_secret_ours=True)


def _parse(envelope: Envelope) -> Any:
    if envelope.content_type == FORM:
        return envelope.form()
    try:
        return msgspec.json.decode(envelope.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadDelivery(f"The delivery is neither a form nor JSON: {error}.") from error


def _find(content: Any, path: str) -> Any:
    """Return what stands at a path such as data.to.0.number; None if nothing does. A name may have dots, at the top."""
    if isinstance(content, dict) and path in content:
        return content[path]
    for step in path.split("."):
        if isinstance(content, dict):
            content = content.get(step)
        elif isinstance(content, list) and step.isascii() and step.isdecimal():
            content = content[int(step)] if int(step) < len(content) else None
        else:
            return None
    return content


def _text_of(value: Any) -> str | None:
    """Return a text or a number as a text; None for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _need(text: Any, path: str, *, may_be_empty: bool = False) -> str:
    value = _text_of(_find(text, path))
    if value is None or not (value.strip() or may_be_empty):
        raise BadDelivery(f"The field {path} is missing, or neither a text nor a number.")
    return value


def _is_meant(text: Any, only: str) -> bool:
    path, _, values = only.partition("=")
    return not only or _text_of(_find(text, path)) in values.split("|")


def _read_text(text: Any, envelope: Envelope) -> tuple[str, tuple[str, ...]]:
    """Return the text and the marks of a delivery; what its charset makes of the bytes, where it names one."""
    fields = envelope.fields
    charset = _text_of(_find(text, fields["charset"])) if "charset" in fields else None
    if charset is None or envelope.content_type != FORM:
        return _need(text, fields["text"], may_be_empty=True), ()
    data = _bytes_of(envelope.content, fields["text"])
    known = TEXT_CHARSETS.get(charset.lower())
    if known is not None:
        return data.decode(known, "replace"), ()
    found = find_ascii(data)  # 8-bit data, for a program
    return ("", ("application", "undecodable")) if found is None else (found, ("application", "data"))


def _bytes_of(content: bytes, name: str) -> bytes:
    """Return the bytes of a field of a form, in whatever charset they are (WHATWG URL, 5.1)."""
    for pair in content.split(b"&"):
        known, _, value = pair.replace(b"+", b" ").partition(b"=")
        if unquote_to_bytes(known) == name.encode():
            return unquote_to_bytes(value)
    raise BadDelivery(f"The field {name} is missing.")
