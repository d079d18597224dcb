"""Plivo's webhook for incoming texts: a form, signed with HMAC-SHA256 over the address and a nonce (V2).

Source: Plivo's documentation, "Message XML: request" and "Message API: message
status" (parameters), "Signature validation" (V2), "DND service" (words).
"""

import base64
import hmac
import secrets
import uuid
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlencode

from smscatch.sources.caught import Callback
from smscatch.sources.webhook import FORM as FORM_TYPE
from smscatch.webhooks.base import REPLY_NAME, Inbound, InboundForm, Keywords, with_query

STOP = ("stop", "end", "quit")
START = ("start", "unstop")


def write(url: str, inbound: Inbound, secret: str) -> Callback:
    """Return the request that tells of a text."""
    fields = {
        "From": inbound.line.removeprefix("+"),
        "MessageUUID": str(uuid.UUID(inbound.id)),
        "Text": inbound.text,
        "To": inbound.to.removeprefix("+"),
        "Type": "sms",
    }
    return sign(url, fields, secret, REPLY_NAME)


def sign(
    url: str, fields: Mapping[str, str], secret: str, name: str, *, method: Literal["POST", "GET"] = "POST"
) -> Callback:
    """Return a request called `name` with these fields, by GET in the query.

    The signature covers neither the query of the address nor the fields.
    """
    nonce = secrets.token_hex(10)
    signed = url.partition("?")[0] + nonce
    signature = base64.b64encode(hmac.digest(secret.encode(), signed.encode(), "sha256")).decode()
    headers = {f"x-plivo-signature-{account}v2": signature for account in ("", "ma-")}  # both accounts are one here
    headers["x-plivo-signature-v2-nonce"] = nonce
    if method == "GET":
        return Callback(url=with_query(url, fields), headers=headers, body="", name=name, method=method)
    return Callback(url=url, headers=headers | {"content-type": FORM_TYPE}, body=urlencode(fields), name=name)


FORM = InboundForm(write, Keywords(frozenset(STOP), frozenset(START)))
