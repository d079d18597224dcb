"""One-time passwords of an authenticator app (TOTP), from the secret that an application shows. No clock here.

Sources: RFC 6238 (TOTP), RFC 4226, 5.3 (how a number is made of the digest), RFC 4648, 6 (base32), and the "Key Uri
Format" of Google Authenticator, which is what a QR code holds.
"""

import base64
import hmac
import re
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from smscatch.errors import BadRequest

ALGORITHMS = ("sha1", "sha256", "sha512")
DIGITS, PERIOD_SECONDS = 6, 30
LEFT_SECONDS = 3.0  # that a code is good for at least when a client gives it: time to type it
MOST_DIGITS, MOST_PERIOD_SECONDS = 10, 3600
MAX_SECRET = 2000  # characters
_BASE32 = re.compile("[A-Z2-7]+")


class Totp(NamedTuple):
    """What an authenticator app keeps of an account; the key is a secret."""

    key: bytes
    algorithm: str = ALGORITHMS[0]
    digits: int = DIGITS
    period_seconds: int = PERIOD_SECONDS

    def code(self, now: float) -> str:
        """Return the code at a time, in seconds since 1970 UTC."""
        counter = int(now // self.period_seconds)
        digest = hmac.digest(self.key, counter.to_bytes(8, "big"), self.algorithm)
        start = digest[-1] & 15
        number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
        return f"{number % 10**self.digits:0{self.digits}d}"

    def expires(self, now: float) -> int:
        """Return when the code of a time is over and the next one begins, in seconds since 1970 UTC."""
        return (int(now // self.period_seconds) + 1) * self.period_seconds


def parse_totp(secret: object) -> Totp:
    """Return what a secret stands for: base32 in any case, with blanks, hyphens or padding; or an otpauth:// address.

    Raises BadRequest, which never repeats the secret.
    """
    if not isinstance(secret, str):
        raise _refused(f"is {type(secret).__name__}, and not text")
    if len(secret) > MAX_SECRET:
        raise _refused(f"has {len(secret)} characters; {MAX_SECRET} are taken")
    if not re.match(r"\s*otpauth", secret, re.IGNORECASE):
        return Totp(_parse_key(secret))
    scheme, kind, _, query, _ = urlsplit(secret.strip())
    if (scheme.lower(), kind.lower()) != ("otpauth", "totp"):
        raise _refused("is an address of another kind; one that begins with otpauth://totp/ is taken")
    given = {name: values[0] for name, values in parse_qs(query).items()}
    algorithm = given.get("algorithm", ALGORITHMS[0]).lower().replace("-", "")
    if algorithm not in ALGORITHMS:
        raise _refused(f"names another algorithm than {', '.join(ALGORITHMS).upper()}")
    return Totp(
        _parse_key(given.get("secret", "")),
        algorithm,
        _parse_number(given, "digits", DIGITS, MOST_DIGITS),
        _parse_number(given, "period", PERIOD_SECONDS, MOST_PERIOD_SECONDS),
    )


def _parse_key(written: str) -> bytes:
    plain = re.sub(r"[\s-]", "", written).rstrip("=").upper()
    if not plain:
        raise _refused("is empty")
    if not _BASE32.fullmatch(plain):
        raise _refused("is no base32: it has other characters than A-Z and 2-7")
    # Bits that fill no byte are dropped, as apps do: some services cut a secret anywhere.
    whole = len(plain) * 5 // 8
    return base64.b32decode(plain + "A" * (-len(plain) % 8))[:whole]


def _parse_number(given: dict[str, str], name: str, default: int, most: int) -> int:
    value = given.get(name, str(default))
    if not (value.isascii() and value.isdecimal() and len(value) < 5 and 1 <= int(value) <= most):
        raise _refused(f"names {name} that are no number from 1 to {most}")
    return int(value)


def _refused(why: str) -> BadRequest:
    return BadRequest(
        f"The secret {why}. Give what the application shows: base32, or what its QR code holds.",
        parameter="secret",
    )
