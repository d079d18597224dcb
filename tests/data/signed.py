"""A service that smscatch does not know, by a table of the settings; it signs body, nonce and time, as Sinch does."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from smscatch.sources.webhook import FORM, JSON
from tests.sources.samples import Post, Samples, Signed

TABLES = {
    "fields": '{ line = "to", sender = "from", text = "body", id = "id", time = "received_at", only = "type=mo_text" }',
    "signature": """{ header = "x-signature", signed = "{body}.{header:x-nonce}.{header:x-timestamp}",
        how = "hmac-sha256", encoding = "base64", time = "{header:x-timestamp}" }""".replace("\n", " "),
}
TEXT = {
    "id": "01XXXXX21XXXXX119Z8P1XXXXX",
    "from": "447700900123",
    "to": "447700900001",
    "body": "Your code is 482913 – café",
    "type": "mo_text",
    "received_at": "2026-11-22T11:59:58.000Z",
}


def a_json(fields: Any = TEXT, **changed: Any) -> Post:
    return Post(json.dumps(fields | changed, ensure_ascii=False).encode(), JSON)


def sign(post: Post, secret: str, _: str, now: datetime) -> Signed:
    nonce, stamp = "aHVzaA==", str(int(now.timestamp()))
    signed = post.content + f".{nonce}.{stamp}".encode()
    signature = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
    return Signed("", {"x-signature": signature, "x-nonce": nonce, "x-timestamp": stamp})


SAMPLES = Samples(
    texts=(a_json(), Post(urlencode(TEXT).encode(), FORM)),
    sent={
        "line": f"+{TEXT['to']}",
        "sender": f"+{TEXT['from']}",
        "text": TEXT["body"],
        "sent_at": datetime(2026, 11, 22, 11, 59, 58, tzinfo=UTC),
        "parts": 1,
    },
    other=a_json(id="another"),
    malformed=a_json(id=""),
    events=(a_json({"type": "delivery_report_sms", "batch_id": "1", "statuses": []}), a_json({})),
    sign=sign,
    make=lambda sender, text, name: a_json(**{"from": sender, "body": text, "id": name}),
    max_age=timedelta(minutes=5),
    tables=TABLES,
)
