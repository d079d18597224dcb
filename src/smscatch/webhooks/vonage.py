"""Vonage's webhook for incoming texts of its SMS API: JSON, with a `sig` over its fields (HMAC-MD5).

Source: Vonage's documentation, "Inbound SMS", "Signing messages". A long text is told whole, and not in its parts, and
no words end texts: at Vonage that differs by country and by number.
"""

import hmac
import secrets
from collections.abc import Mapping

import msgspec

from smscatch.sources.caught import Callback
from smscatch.webhooks.base import REPLY_NAME, Inbound, InboundForm

JSON = "application/json"


def write(url: str, inbound: Inbound, secret: str) -> Callback:
    """Return the request that tells of a text."""
    fields = {
        "api-key": inbound.account,
        "msisdn": inbound.line.removeprefix("+"),
        "to": inbound.to.removeprefix("+"),
        "messageId": inbound.id[:16].upper(),
        "text": inbound.text,
        "type": "text" if inbound.text.isascii() else "unicode",
        "keyword": (inbound.text.split() or [""])[0].upper(),
        "message-timestamp": inbound.at.strftime("%Y-%m-%d %H:%M:%S"),
        "timestamp": str(int(inbound.at.timestamp())),
    }
    return sign(url, fields, secret, REPLY_NAME)


def sign(url: str, fields: Mapping[str, str], secret: str, name: str) -> Callback:
    """Return a request called `name` with these fields, a nonce, and the `sig` that a secret makes of all of them."""
    signed = {**fields, "nonce": secrets.token_hex(16)}
    plain = {name: value.replace("&", "_").replace("=", "_") for name, value in signed.items()}
    joined = "".join(f"&{name}={plain[name]}" for name in sorted(plain))
    signature = {"sig": hmac.digest(secret.encode(), joined.encode(), "md5").hex()}
    body = msgspec.json.encode(signed | signature).decode()
    return Callback(url=url, headers={"content-type": JSON}, body=body, name=name, signed=signature)


FORM = InboundForm(write)
