"""Sinch's SMS API (XMS): the batches that an application sends with Sinch's SDKs are caught, and found again.

Source: Sinch's documentation, "SMS API", "Batches", "Delivery reports", "Status codes"; what its SDK for Python accepts
was tried with sinch 2.3, which wants a type in each answer. Groups and binary texts are not taken.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from smscatch.errors import BadSend, NotFound, SmscatchError, Unauthorized
from smscatch.sending import Desk, Outgoing
from smscatch.sources.caught import CaughtText
from smscatch.times import format_time
from smscatch.web.compat.base import Asked, Operation, SdkAnswer, SendApi, parse_callback, parse_recipient, parse_sender
from smscatch.webhooks.sinch import sign

TEXT = "mt_text"
MAX_BODY = 2000  # characters
FIELDS = {
    "to": "to",
    "sender": "from",
    "text": "body",
    "callback": "callback_url",
    "type": "type",
}  # as Sinch calls ours
OF_BATCH, OF_RECIPIENT = ("summary", "full"), ("per_recipient", "per_recipient_final")  # kinds of delivery reports
TOKEN_SECONDS = 3600
_PARAMETER = re.compile(r"\$\{([^}]+)\}")


async def give_token(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return a token for a project's key: the key itself (OAuth 2.0, client credentials)."""
    token = {"access_token": desk.secret, "expires_in": TOKEN_SECONDS, "scope": "", "token_type": "bearer"}
    return SdkAnswer(token)


async def create(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Catch a batch: a text to each recipient, its parameters filled in; the id is that of the first."""
    fields = asked.fields
    if fields.get("type", TEXT) != TEXT:
        raise BadSend.wrong("type", str(fields["type"]), f"only {TEXT} is sent")
    given = fields.get("to")
    recipients = [parse_recipient(str(each)) for each in given] if isinstance(given, list) else []
    if not recipients:
        raise BadSend.missing("to")
    sender, body = parse_sender(asked.text("from")), str(fields.get("body") or "")
    if not body:
        raise BadSend.missing("text")
    if len(body) > MAX_BODY:
        raise BadSend.wrong("text", "", f"it is longer than {MAX_BODY} characters")
    parameters = _parameters(fields.get("parameters") or {})
    facts = {
        "batch": {
            name: fields[name] for name in ("delivery_report", "client_reference", "parameters") if name in fields
        },
        "body": body,
        "callback": parse_callback(asked.text("callback_url")),
        "recipients": recipients,
    }
    sent = [desk.prepare(Outgoing(to, sender, _fill(body, parameters, to), facts=facts)) for to in recipients]
    for each in _with_reports(sent, desk.secret):
        await desk.keep(each)
    return SdkAnswer(_batch(sent[0]), 201)


def _parameters(given: Any) -> dict[str, dict[str, str]]:
    """Return the values of each parameter by number. Raises BadSend."""
    try:
        return msgspec.convert(given, dict[str, dict[str, str]])
    except msgspec.ValidationError as error:
        raise BadSend.wrong("parameters", "", str(error)) from error


def _fill(body: str, parameters: Mapping[str, Mapping[str, str]], to: str) -> str:
    """Return a text with the values for one recipient in it; what has neither value nor default stays."""

    def value(found: re.Match[str]) -> str:
        values = parameters.get(found[1], {})
        return values.get(to, values.get(to.removeprefix("+"), values.get("default", found[0])))

    return _PARAMETER.sub(value, body)


def _with_reports(sent: Sequence[CaughtText], secret: str) -> list[CaughtText]:
    """Return the texts of a batch with the delivery reports that are called back: one for all, or one for each."""
    url, kind = sent[0].facts["callback"], sent[0].facts["batch"].get("delivery_report", "none")
    if url is None or kind not in (*OF_BATCH, *OF_RECIPIENT):
        return list(sent)
    told = sent[:1] if kind in OF_BATCH else sent
    reports = {
        each.id: _report(each, kind == "full") if kind in OF_BATCH else _recipient_report(sent[0], each.line)
        for each in told
    }
    calls = {id_: sign(url, it, sent[0].received_at, secret, name="Delivered") for id_, it in reports.items()}
    return [msgspec.structs.replace(each, callbacks=(calls[each.id],) if each.id in calls else ()) for each in sent]


async def fetch(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return a batch that was sent. Raises NotFound."""
    return SdkAnswer(_batch((await desk.find(path["id"])).sent))


async def report(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return the delivery report of a batch: all are delivered. Raises NotFound."""
    sent = (await desk.find(path["id"])).sent
    return SdkAnswer(_report(sent, asked.query.get("type") == "full"))


async def report_recipient(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return the delivery report of one recipient. Raises NotFound."""
    sent, to = (await desk.find(path["id"])).sent, parse_recipient(path["to"])
    if to not in sent.facts["recipients"]:
        raise NotFound(f"The batch was not sent to {to}.")
    return SdkAnswer(_recipient_report(sent, to))


def _batch(sent: CaughtText) -> dict[str, Any]:
    at = format_time(sent.received_at)
    return {
        "id": sent.id,
        "type": TEXT,
        "to": sent.facts["recipients"],
        "from": sent.sender,
        "body": sent.facts["body"],
        "canceled": False,
        "created_at": at,
        "modified_at": at,
        "delivery_report": "none",
        "flash_message": False,
        **sent.facts["batch"],
        **({"callback_url": sent.facts["callback"]} if sent.facts["callback"] else {}),
    }


def _report(sent: CaughtText, names_recipients: bool) -> dict[str, Any]:
    recipients = sent.facts["recipients"]
    status = {"code": 0, "status": "Delivered", "count": len(recipients)}
    return {
        "type": "delivery_report_sms",
        "batch_id": sent.id,
        "total_message_count": len(recipients),
        "statuses": [status | ({"recipients": recipients} if names_recipients else {})],
        **_reference(sent),
    }


def _recipient_report(sent: CaughtText, to: str) -> dict[str, Any]:
    return {
        "type": "recipient_delivery_report_sms",
        "batch_id": sent.id,
        "recipient": to,
        "code": 0,
        "status": "Delivered",
        "at": format_time(sent.received_at),
        **_reference(sent),
    }


def _reference(sent: CaughtText) -> dict[str, str]:
    given = sent.facts["batch"].get("client_reference")
    return {"client_reference": given} if given else {}


def find_key(asked: Asked) -> str | None:
    """Return the Bearer token, that of a service plan or one that was given; of a project's key the secret (Basic)."""
    return asked.bearer or asked.basic[1] or None


def refuse(error: SmscatchError, asked: Asked) -> SdkAnswer:
    """Answer as Sinch does."""
    code, sentence = error.code, str(error)
    if isinstance(error, BadSend):
        field, is_missing = error.reason
        code = "syntax_constraint_violation" if is_missing else "syntax_invalid_parameter_format"
        code = "syntax_invalid_json" if field == "body" else code
        name = FIELDS.get(field, field)
        sentence = f"{name} is missing" if is_missing else f"{name}: {error.details.get('value', '')!r} is not valid"
    elif isinstance(error, Unauthorized):
        sentence = "The credentials are not valid"
    return SdkAnswer({"code": code, "text": sentence}, error.status)


BATCHES = r"/xms/v1/[^/]+/batches"
BATCH = rf"{BATCHES}/(?P<id>[0-9a-f]{{32}})"
API = SendApi(
    find_key,
    refuse,
    (
        Operation("POST", "/oauth2/token", give_token),
        Operation("POST", BATCHES, create),
        Operation("GET", BATCH, fetch),
        Operation("GET", f"{BATCH}/delivery_report", report),
        Operation("GET", rf"{BATCH}/delivery_report/(?P<to>\+?[0-9]+)", report_recipient),
    ),
)
