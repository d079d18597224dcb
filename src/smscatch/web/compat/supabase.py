"""Supabase's hook for sending SMS: the codes that Supabase Auth has sent are caught. We are the hook.

Source: Supabase's documentation, "Send SMS hook"; its source (github.com/supabase/auth, internal/hooks) for how it
signs, what it makes of an answer, and the number of a user who changes it; the specification of Standard Webhooks.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from smscatch.errors import BadSend, SmscatchError, Unauthorized
from smscatch.redirecting import hook_secret
from smscatch.sending import Desk, Outgoing
from smscatch.web.compat.base import Asked, Operation, SdkAnswer, SendApi, parse_recipient

SENDER = "Supabase"  # a request names none
TEXT = "Your code is {code}"
MAX_AGE_SECONDS = 300  # either way, as its libraries have it
SIGNED_WITH = ("webhook-id", "webhook-timestamp", "webhook-signature")


async def create(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Catch a code, as a sentence. Raises Unauthorized if it is not signed with the key."""
    _check_signature(asked, desk)
    user, sms = _part(asked, "user"), _part(asked, "sms")
    # While a user changes the number, the new one is in `sms`.
    to, code = parse_recipient(str(sms.get("phone") or user.get("phone") or "")), str(sms.get("otp") or "")
    if not code:
        raise BadSend.missing("text")
    await desk.keep(desk.prepare(Outgoing(to, SENDER, TEXT.format(code=code))))
    return SdkAnswer({})


def _part(asked: Asked, name: str) -> Mapping[str, Any]:
    value = asked.fields.get(name)
    return value if isinstance(value, dict) else {}


def _check_signature(asked: Asked, desk: Desk) -> None:
    """Raise Unauthorized unless one of the signatures is made with the key, and not long ago."""
    id_, timestamp, signatures = (asked.headers.get(name, "") for name in SIGNED_WITH)
    signed = f"{id_}.{timestamp}.".encode() + asked.content
    secret = base64.b64decode(hook_secret(desk.secret).rpartition("_")[2])
    good = "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    # With several secrets Supabase writes a comma behind each signature but the last.
    if not any(hmac.compare_digest(good, each.rstrip(",")) for each in signatures.split()):
        raise Unauthorized("The signature is not made with the secret of this hook.", is_signature=True)
    is_number = timestamp.isascii() and timestamp.isdecimal()
    if not is_number or abs(int(timestamp) - desk.now().timestamp()) > MAX_AGE_SECONDS:
        raise Unauthorized("The signature is too old, or of a time that is yet to come.", is_signature=True)


def find_key(asked: Asked) -> str | None:
    """Return the key, which is in the address that Supabase calls."""
    return asked.path.removeprefix("/") or None


def refuse(error: SmscatchError, asked: Asked) -> SdkAnswer:
    """Answer so that Supabase refuses to send: it hides from its user what was wrong, and logs it."""
    is_key = isinstance(error, Unauthorized) and "is_signature" not in error.details
    sentence = (
        "The address of this hook does not end in a key of smscatch with the scope send." if is_key else str(error)
    )
    return SdkAnswer({"error": {"http_code": error.status, "message": sentence}}, error.status)


API = SendApi(find_key, refuse, (Operation("POST", "/.+", create),))
