"""What Twilio posts for an incoming message (its documentation, "Messaging Webhooks"); ids and numbers are made up."""

import hashlib
import json
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlencode

from twilio.request_validator import RequestValidator

from smscatch.sources.webhook import FORM, JSON
from tests.sources.samples import Post, Samples, Signed

MESSAGE = {
    "ToCountry": "GB",
    "ToState": "",
    "SmsMessageSid": "SM00000000000000000000000000000001",
    "NumMedia": "0",
    "ToCity": "",
    "SmsSid": "SM00000000000000000000000000000001",
    "SmsStatus": "received",
    "Body": "Your code is 482913 – café & más",
    "To": "+447700900001",
    "NumSegments": "1",
    "MessageSid": "SM00000000000000000000000000000001",
    "AccountSid": "AC00000000000000000000000000000001",
    "From": "+447700900123",
    "ApiVersion": "2010-04-01",
}


def a_form(**changed: Any) -> Post:
    return Post(urlencode(MESSAGE | changed, doseq=True).encode())


def sign(post: Post, secret: str, url: str, _: datetime) -> Signed:
    """Sign as Twilio's own package for Python does."""
    params: Any = {}
    query = ""
    if post.method == "GET":
        query = post.content.decode()
    elif post.content_type == JSON:
        query = f"bodySHA256={hashlib.sha256(post.content).hexdigest()}"
    elif post.content_type == FORM:
        params = Fields(parse_qs(post.content.decode(), keep_blank_values=True))
    signed = RequestValidator(secret).compute_signature(f"{url}?{query}" if query else url, params)
    return Signed(query, {"x-twilio-signature": signed})


class Fields(dict[str, list[str]]):
    """A form as web frameworks have it, which the package looks for."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


SAMPLES = Samples(
    texts=(
        a_form(),
        Post(json.dumps(MESSAGE).encode(), JSON),
        Post(urlencode(MESSAGE).encode(), method="GET"),
    ),
    sent={"line": MESSAGE["To"], "sender": MESSAGE["From"], "text": MESSAGE["Body"], "sent_at": None, "parts": 1},
    other=a_form(MessageSid="SM00000000000000000000000000000002"),
    malformed=a_form(MessageSid=""),
    events=(
        Post(b"SmsSid=SM1&SmsStatus=delivered&MessageStatus=delivered&To=%2B447700900001&MessageSid=SM1&From=%2B44"),
    ),
    sign=sign,
    make=lambda sender, text, name: a_form(From=sender, Body=text, MessageSid=name),
)
