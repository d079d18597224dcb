"""Vonage's Verify API, version 2: its codes are caught texts, checked here as Vonage checks them; errors in its form.

Source: Vonage's documentation, "Verify v2 API" and "API errors"; the sentences of the errors are those in the tests of
Vonage's own SDKs. What they send and accept was tried with vonage-verify 2.2 for Python.
"""

import re
import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from smscatch.errors import BadSend, NotFound, SmscatchError, TooManyChecks, TooManySends, TooManyTries, Unauthorized
from smscatch.sending import Desk, Outgoing
from smscatch.verifying import APPROVED, CANCELED, EXHAUSTED, CodeRequest, Terms, Verification, Which
from smscatch.web.compat.base import Asked, Operation, SdkAnswer, parse_recipient, parse_sender
from smscatch.web.compat.wording import write_text

PROBLEM = "application/problem+json"  # RFC 9457
SENDER = "VERIFY"
MAX_BRAND = 16  # characters
DIGITS, FEWEST_DIGITS, MOST_DIGITS = 4, 4, 10
TIMEOUT, SHORTEST, LONGEST = 300, 15, 900  # seconds of one event of a workflow
MOST_CHECKS = 3  # the third wrong code ends a request
ANYWHERE = ""  # a number has one request at a time, whatever its brand
GENERAL, OF_VERIFY = "https://developer.vonage.com/api-errors#", "https://www.developer.vonage.com/api-errors/verify#"
_CODE = re.compile(r"[A-Za-z0-9]{4,10}")


async def start(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Send a code by the first event of a workflow. Raises TooManySends while the number has another request."""
    brand, code, events = asked.text("brand"), asked.text("code"), _events(asked)
    if not brand:
        raise BadSend.missing("brand")
    if len(brand) > MAX_BRAND:
        raise BadSend.wrong("brand", brand, f"it has up to {MAX_BRAND} characters")
    if code and not _CODE.fullmatch(code):
        raise BadSend("The code is not accepted: give 4 to 10 letters and digits.", field="code", is_missing=False)
    digits = _number(asked, "code_length", DIGITS, (FEWEST_DIGITS, MOST_DIGITS))
    seconds = _number(asked, "channel_timeout", TIMEOUT, (SHORTEST, LONGEST)) * len(events)
    facts = {"brand": brand, "locale": asked.text("locale"), "events": events}
    for event in events:
        desk.line_of(event["to"])
    terms = Terms(lasts=timedelta(seconds=seconds), most_sends=1, most_checks=MOST_CHECKS, digits=digits)
    started = await desk.verifications.start(CodeRequest(ANYWHERE, events[0]["to"], code, facts), terms)
    await _send(desk, started)
    return SdkAnswer({"request_id": _request_id(started.id)}, 202)


def _events(asked: Asked) -> list[dict[str, str]]:
    """Return the numbers and senders of a workflow's events that send an SMS; of no other channel anything is caught.

    Raises BadSend if the first one is of another channel.
    """
    workflow = asked.fields.get("workflow")
    events = [each for each in workflow if isinstance(each, dict)] if isinstance(workflow, list) else []
    if not events:
        raise BadSend.missing("workflow")
    if events[0].get("channel") != "sms":
        channel = str(events[0].get("channel", ""))
        raise BadSend.wrong("workflow", channel, "smscatch catches the channel sms alone, which has to come first")
    return [
        {"to": parse_recipient(str(each.get("to") or "")), "from": parse_sender(str(each.get("from") or SENDER))}
        for each in events
        if each.get("channel") == "sms"
    ]


def _number(asked: Asked, name: str, usual: int, ends: tuple[int, int]) -> int:
    written = asked.text(name)
    if not written:
        return usual
    if not (written.isascii() and written.isdecimal() and ends[0] <= int(written[:6]) <= ends[1]):
        raise BadSend.wrong(name, written, f"give a number from {ends[0]} to {ends[1]}")
    return int(written)


async def _send(desk: Desk, verification: Verification) -> None:
    """Send the code by the event that its last sending stands for."""
    facts = verification.facts
    event = facts["events"][len(verification.sendings) - 1]
    text = write_text(event["to"], facts["brand"], verification.code, facts["locale"])
    sent = Outgoing(event["to"], event["from"], text, facts={"verification": verification.id})
    await desk.keep(desk.prepare(sent))


async def check(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Check a code: the right one completes a request, the third wrong one ends it."""
    code = asked.text("code")
    if not code:
        raise BadSend.missing("code")
    checked = await desk.verifications.check(_which(path), code, MOST_CHECKS)
    if checked.status == APPROVED:
        return SdkAnswer({"request_id": _request_id(checked.id), "status": "completed"})
    if checked.status == EXHAUSTED:
        return _ended()
    sentence = "The code you provided does not match the expected value."
    return _problem(400, "Invalid Code", f"{OF_VERIFY}invalid-code", sentence)


async def cancel(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Give a request up. Raises NotFound."""
    await desk.verifications.settle(_which(path), CANCELED)
    return SdkAnswer(status=204)


async def next_event(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Send the code by the next event. Raises TooManySends after the last one, NotFound."""
    found = await desk.verifications.find(_which(path))
    await _send(desk, await desk.verifications.send_again(_which(path), len(found.facts["events"])))
    return SdkAnswer()


def _which(path: Mapping[str, str]) -> Which:
    return Which(ANYWHERE, path["id"].replace("-", "").lower())


def _request_id(verification_id: str) -> str:
    return str(uuid.UUID(verification_id))


def refuse(error: SmscatchError, asked: Asked) -> SdkAnswer:
    """Answer an error as the newer APIs of Vonage do."""
    if isinstance(error, BadSend):
        return _invalid(error)
    if isinstance(error, Unauthorized):
        return _problem(401, "Unauthorized", f"{GENERAL}unauthorized", "You did not provide correct credentials.")
    if isinstance(error, NotFound):
        return _problem(404, "Not Found", f"{GENERAL}not-found", _not_found(asked.path))
    if isinstance(error, TooManyChecks):
        return _ended()
    if isinstance(error, TooManySends):
        return _conflict(error, is_start=asked.path == REQUESTS)
    if isinstance(error, TooManyTries):
        return _problem(429, "Rate Limit Hit", f"{GENERAL}throttled", "Please wait, then retry your request")
    title = {403: "Forbidden", 503: "Service Unavailable"}.get(error.status, "Error")
    return _problem(error.status, title, f"{GENERAL}{error.code.replace('_', '-')}", str(error))


def _invalid(error: BadSend) -> SdkAnswer:
    invalid = [{"name": error.details["field"], "reason": str(error)}]
    sentence = "The value of one or more parameters is invalid."
    return _problem(422, "Invalid params", f"{GENERAL}invalid-params", sentence, invalid_parameters=invalid)


def _not_found(path: str) -> str:
    if not path.startswith(f"{REQUESTS}/"):
        return "The requested resource does not exist, or you do not have access to it."
    request_id = path.removeprefix(f"{REQUESTS}/").partition("/")[0]
    return f"Request {request_id} was not found or it has been verified already."


def _ended() -> SdkAnswer:
    sentence = "An incorrect code has been provided too many times. Workflow terminated."
    return _problem(410, "Invalid Code", f"{OF_VERIFY}expired", sentence)


def _conflict(error: TooManySends, *, is_start: bool) -> SdkAnswer:
    kind = f"{OF_VERIFY}conflict"
    if not is_start:
        return _problem(409, "Conflict", kind, "There are no more events left to trigger.")
    sentence = "Concurrent verifications to the same number are not allowed."
    return _problem(409, "Conflict", kind, sentence, request_id=_request_id(error.details["id"]))


def _problem(status: int, title: str, kind: str, sentence: str, **more: Any) -> SdkAnswer:
    value = {"title": title, "type": kind, "detail": sentence, "instance": secrets.token_hex(16)}
    return SdkAnswer(value | more, status, PROBLEM)


REQUESTS = "/v2/verify"
REQUEST = rf"{REQUESTS}/(?P<id>[0-9a-fA-F-]{{32,36}})"
OPERATIONS: Sequence[Operation] = (
    Operation("POST", REQUESTS, start),
    Operation("POST", REQUEST, check),
    Operation("DELETE", REQUEST, cancel),
    Operation("POST", rf"{REQUEST}/next[-_]workflow", next_event),
)
