"""Twilio's webhooks: a form, signed with HMAC-SHA1 over the address and the sorted fields.

Source: Twilio's documentation, "Messaging webhooks" (parameters), "Webhooks security" (signature), "Twilio support for
opt-out keywords (SMS STOP filtering)" (words).
"""

import base64
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

from smscatch.segments import count_segments
from smscatch.sources.caught import Callback
from smscatch.sources.webhook import FORM as FORM_TYPE
from smscatch.webhooks.base import REPLY_NAME, Inbound, InboundForm, Keywords

VERSION = "2010-04-01"
NO_ACCOUNT = "AC" + "0" * 32
PLACES = ("FromCity", "FromCountry", "FromState", "FromZip", "ToCity", "ToCountry", "ToState", "ToZip")
STOP = ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout")
START = ("start", "yes", "unstop")


def sign(url: str, fields: Mapping[str, str], token: str, name: str) -> Callback:
    """Return a request with these fields, signed with an Auth Token; `name` as Callback has it."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    signature = base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()
    headers = {"content-type": FORM_TYPE, "x-twilio-signature": signature}
    return Callback(url=url, headers=headers, body=urlencode(fields), name=name)


def write(url: str, inbound: Inbound, secret: str) -> Callback:
    """Return the request that tells of a text; where a number lies is not known, so those fields are empty."""
    sid = f"SM{inbound.id}"
    fields = dict.fromkeys(PLACES, "") | {
        "AccountSid": inbound.account or NO_ACCOUNT,
        "ApiVersion": VERSION,
        "Body": inbound.text,
        "From": inbound.line,
        "MessageSid": sid,
        "NumMedia": "0",
        "NumSegments": str(count_segments(inbound.text).count),
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": inbound.to,
    }
    service = {"MessagingServiceSid": inbound.service} if inbound.service else {}
    return sign(url, fields | service, secret, REPLY_NAME)


FORM = InboundForm(write, Keywords(frozenset(STOP), frozenset(START)))
