"""Plivo's webhook for incoming texts: a form, signed with HMAC-SHA256 over the address and a nonce (V2).

Source: Plivo's documentation, "Message XML: request" (parameters), "Signature validation" (V2), "DND service" (words).
"""

import base64
import hmac
import secrets
import uuid
from urllib.parse import urlencode

from smscatch.sources.caught import Callback
from smscatch.sources.webhook import FORM as FORM_TYPE
from smscatch.webhooks.base import REPLY_NAME, Inbound, InboundForm, Keywords

STOP = ("stop", "end", "quit")
START = ("start", "unstop")


def write(url: str, inbound: Inbound, secret: str) -> Callback:
    """Return the request that tells of a text. The signature covers neither the query of the address nor the fields."""
    fields = {
        "From": inbound.line.removeprefix("+"),
        "MessageUUID": str(uuid.UUID(inbound.id)),
        "Text": inbound.text,
        "To": inbound.to.removeprefix("+"),
        "Type": "sms",
    }
    nonce = secrets.token_hex(10)
    signed = url.partition("?")[0] + nonce
    signature = base64.b64encode(hmac.digest(secret.encode(), signed.encode(), "sha256")).decode()
    headers = {"content-type": FORM_TYPE}
    for account in ("", "ma-"):  # the sender's own and the main account are one here
        headers[f"x-plivo-signature-{account}v2"] = signature
    headers["x-plivo-signature-v2-nonce"] = nonce
    return Callback(url=url, headers=headers, body=urlencode(fields), name=REPLY_NAME)


FORM = InboundForm(write, Keywords(frozenset(STOP), frozenset(START)))
