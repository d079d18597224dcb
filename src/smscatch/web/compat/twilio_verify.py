"""Twilio's Verify API, version 2: its codes are caught texts, checked here as Twilio checks them. Errors: twilio.py.

Source: Twilio's documentation, "Verification resource", "Verification Check resource", "Service resource", "Rate limits
and timeouts" (10 minutes, 5 sendings, 5 checks), "Supported languages", errors 60200, 60202 and 60203. What the SDKs
send and accept was tried with twilio 9.13 for Python.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from smscatch.errors import BadSend
from smscatch.sending import Desk, Outgoing
from smscatch.verifying import (
    APPROVED,
    CANCELED,
    EXHAUSTED,
    PENDING,
    CodeRequest,
    Service,
    Terms,
    Verification,
    Which,
)
from smscatch.web.compat.base import Asked, Operation, SdkAnswer, parse_recipient
from smscatch.web.compat.wording import write_text

INVALID = 60200
DIGITS, FEWEST_DIGITS, MOST_DIGITS = 6, 4, 10
TERMS = Terms(lasts=timedelta(minutes=10), most_sends=5, most_checks=5, digits=DIGITS)
SENDER = "VERIFY"
UNNAMED = "App"  # a service that was made at Twilio, whose name is not known here
LONG_AGO = datetime(2016, 1, 1, tzinfo=UTC)  # and when
STATUSES = {EXHAUSTED: "max_attempts_reached"}  # all others as ours
# "Supported languages".
_LOCALES = """
    af ar ca cs da de el en en-gb es fi fr he hi hr hu id it ja ko ms nb nl pl pt pt-br ro ru sv th tl tr vi zh zh-cn
    zh-hk
"""
LOCALES = frozenset(_LOCALES.split())
_CODE = re.compile(r"[A-Za-z0-9]{4,10}")


async def start(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Send a code, or the one that is pending once more: the same verification, with the same code."""
    to, locale, custom = _number(asked), asked.text("Locale"), asked.text("CustomCode")
    _check_channel(asked)
    if locale.replace("_", "-").lower() not in ("", *LOCALES):
        raise _invalid("Locale", locale)
    if custom and not _CODE.fullmatch(custom):
        raise _invalid("CustomCode")  # which is a secret
    desk.line_of(to)
    service = await _service(desk, path)
    wanted = CodeRequest(path["service"], to, custom, {"account": _account(asked)})
    started = await desk.verifications.start(wanted, TERMS._replace(digits=service.digits))
    text = write_text(to, asked.text("CustomFriendlyName") or service.name, started.code, locale)
    if asked.text("AppHash"):
        text = f"<#> {text}\n{asked.text('AppHash')}"
    await desk.keep(desk.prepare(Outgoing(to, SENDER, text, facts={"verification": started.id})))
    return SdkAnswer(_resource(started, asked.base), 201)


async def check(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Check a code: the right one approves its verification, a wrong one leaves it pending."""
    code, sid = asked.text("Code"), asked.text("VerificationSid")
    if not _CODE.fullmatch(code):
        raise _invalid("Code")
    which = _which(path["service"], sid) if sid else Which(path["service"], to=_number(asked))
    checked = await desk.verifications.check(which, code, TERMS.most_checks)
    shown = _resource(checked, asked.base)
    if checked.status != APPROVED:
        shown["status"] = PENDING  # also after the last wrong one: the next check raises
    shown = {name: shown[name] for name in shown if name not in ("lookup", "send_code_attempts", "sna", "url")}
    return SdkAnswer(shown | {"sna_attempts_error_codes": []}, 201)


async def fetch(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return a verification by its SID or its number. Raises NotFound, as Twilio does for an approved one."""
    return SdkAnswer(_resource(await desk.verifications.find(_which(**path)), asked.base))


async def update(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Give a verification up, or approve it: where the application checks a code of its own."""
    status = asked.text("Status")
    if status not in (CANCELED, APPROVED):
        raise _invalid("Status", status)
    return SdkAnswer(_resource(await desk.verifications.settle(_which(**path), status), asked.base))


async def make_service(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Make a service, with the name in its texts and the length of its codes."""
    if not asked.text("FriendlyName"):
        raise _invalid("FriendlyName")
    name, digits = asked.text("FriendlyName"), _digits(asked)
    made = await desk.verifications.put_service(f"VA{secrets.token_hex(16)}", name, digits or DIGITS)
    return SdkAnswer(_service_resource(made, asked), 201)


async def fetch_service(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Return a service. There is one of any SID: it may have been made at Twilio."""
    return SdkAnswer(_service_resource(await _service(desk, path), asked))


async def change_service(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Change the name or the length of codes of a service."""
    before = await _service(desk, path)
    name, digits = asked.text("FriendlyName") or before.name, _digits(asked) or before.digits
    return SdkAnswer(_service_resource(await desk.verifications.put_service(before.id, name, digits), asked))


def _number(asked: Asked) -> str:
    try:
        return parse_recipient(asked.text("To"))
    except BadSend:
        raise _invalid("To", asked.text("To")) from None


def _check_channel(asked: Asked) -> None:
    if asked.text("Channel").lower() != "sms":
        raise _invalid("Channel", f"{asked.text('Channel')} (smscatch catches sms alone)")


def _digits(asked: Asked) -> int | None:
    written = asked.text("CodeLength")
    if not written:
        return None
    if not (written.isascii() and written.isdecimal() and FEWEST_DIGITS <= int(written[:3]) <= MOST_DIGITS):
        raise _invalid("CodeLength", written)
    return int(written)


def _invalid(name: str, value: str = "") -> BadSend:
    """Return the error for a parameter that is missing or wrong: Twilio has one code for all of them."""
    said = f"Invalid parameter `{name}`" + (f": {value[:40]}" if value else "")
    return BadSend(said, field=name, is_missing=not value, code=INVALID)


def _which(service: str, which: str) -> Which:
    """Return what a path names: a SID, VE and the id, or a number. What is neither is not found."""
    is_sid = re.fullmatch(r"VE[0-9a-fA-F]{32}", which) is not None
    return Which(service, id=which[2:].lower()) if is_sid else Which(service, to=which)


async def _service(desk: Desk, path: Mapping[str, str]) -> Service:
    found = await desk.verifications.find_service(path["service"])
    return found or Service(id=path["service"], name=UNNAMED, digits=DIGITS, created_at=LONG_AGO)


def _account(asked: Asked) -> str:
    """Return the account that a request names; an API key stands in its place without it."""
    name = asked.basic[0]
    return name if name.startswith("AC") else "AC" + "0" * 32


def _resource(found: Verification, base: str) -> dict[str, Any]:
    """Return the properties of a Verification resource."""
    sid = f"VE{found.id}"
    attempts = [{"attempt_sid": f"VL{each.id}", "channel": "sms", "time": _date(each.at)} for each in found.sendings]
    return {
        "sid": sid,
        "service_sid": found.scope,
        "account_sid": found.facts["account"],
        "to": found.to,
        "channel": "sms",
        "status": STATUSES.get(found.status, found.status),
        "valid": found.status == APPROVED,
        "date_created": _date(found.created_at),
        "date_updated": _date(found.updated_at),
        "lookup": {"carrier": None},
        "amount": None,
        "payee": None,
        "send_code_attempts": attempts,
        "sna": None,
        "url": f"{base}/v2/Services/{found.scope}/Verifications/{sid}",
    }


def _service_resource(service: Service, asked: Asked) -> dict[str, Any]:
    url = f"{asked.base}/v2/Services/{service.id}"
    return {
        "sid": service.id,
        "account_sid": _account(asked),
        "friendly_name": service.name,
        "code_length": service.digits,
        "lookup_enabled": False,
        "psd2_enabled": False,
        "skip_sms_to_landlines": False,
        "dtmf_input_required": True,
        "tts_name": None,
        "do_not_share_warning_enabled": False,
        "custom_code_enabled": True,
        "push": {},
        "totp": {},
        "default_template_sid": None,
        "verify_event_subscription_enabled": False,
        "date_created": _date(service.created_at),
        "date_updated": _date(service.created_at),
        "url": url,
        "links": {"verifications": f"{url}/Verifications", "verification_checks": f"{url}/VerificationCheck"},
    }


def _date(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")  # ISO 8601, where the Messages API has RFC 2822


SERVICE = r"/v2/Services/(?P<service>[A-Za-z0-9]{1,40})"
VERIFICATION = rf"{SERVICE}/Verifications/(?P<which>[A-Za-z0-9+]{{1,40}})"
OPERATIONS = (
    Operation("POST", rf"{SERVICE}/Verifications", start),
    Operation("POST", rf"{SERVICE}/VerificationCheck", check),
    Operation("GET", VERIFICATION, fetch),
    Operation("POST", VERIFICATION, update),
    Operation("POST", "/v2/Services", make_service),
    Operation("GET", SERVICE, fetch_service),
    Operation("POST", SERVICE, change_service),
)
