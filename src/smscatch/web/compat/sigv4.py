"""AWS Signature Version 4: whose key signed a request, and whether it did. The secret never travels: we must know it.

Source: AWS's documentation, "AWS Signature Version 4 for API requests", "Create a signed AWS API request". What SDKs
sign was tried with boto3 1.44.
"""

import hashlib
import hmac
import re
from typing import NamedTuple
from urllib.parse import quote

from smscatch.web.compat.base import Asked

ALGORITHM = "AWS4-HMAC-SHA256"
_HEADER = re.compile(
    rf"{ALGORITHM}\s+Credential=(?P<key_id>.+)/(?P<scope>[^/,]+/[^/,]+/[^/,]+/aws4_request),"
    r"\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})\s*"
)


class RequestSignature(NamedTuple):
    """What the header Authorization says: the id of the key, the scope, the names of the headers, and the signature.

    The scope is date, region, service and a constant, with slashes between them; the names have semicolons.
    """

    key_id: str
    scope: str
    headers: str
    signature: str


def find_signature(asked: Asked) -> RequestSignature | None:
    """Return the signature of a request, None if it has none, or one of another kind."""
    found = _HEADER.fullmatch(asked.headers.get("authorization", ""))
    return None if found is None else RequestSignature(**found.groupdict())


def is_signed(asked: Asked, signature: RequestSignature, secret: str) -> bool:
    """Return whether a request was signed with a secret. How old it is, is not looked at."""
    signed = sign(asked, signature.scope, signature.headers, secret)
    return hmac.compare_digest(signed, signature.signature)


def sign(asked: Asked, scope: str, headers: str, secret: str) -> str:
    """Return the signature that a secret makes of a request, in hexadecimal."""
    canonical = hashlib.sha256(_canonical(asked, headers).encode()).hexdigest()
    date = asked.headers.get("x-amz-date", "")
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, f"{ALGORITHM}\n{date}\n{scope}\n{canonical}".encode(), "sha256").hex()


def _canonical(asked: Asked, headers: str) -> str:
    """Return the canonical request: the path is encoded once more than it came, and has single slashes."""
    path = quote(re.sub("/+", "/", asked.sent_path), safe="/~") or "/"
    query = "&".join(sorted(part if "=" in part else f"{part}=" for part in asked.sent_query.split("&") if part))
    named = "".join(f"{name}:{' '.join(asked.headers.get(name, '').split())}\n" for name in headers.split(";"))
    body = hashlib.sha256(asked.content).hexdigest()
    return f"{asked.method}\n{path}\n{query}\n{named}\n{headers}\n{body}"
