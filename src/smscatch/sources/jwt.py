"""JSON Web Tokens that are signed with a shared secret (RFC 7515, 7518 3.2, 7519): read and judged.

PyJWT would do it, takes 22 MB of memory with what it loads, and judges times by the machine's clock alone.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from smscatch.errors import BadSignature
from smscatch.sources.webhook import is_one_of

HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_NUMBER = int | float


class _Header(msgspec.Struct, frozen=True):
    alg: str


def read_jwt(token: str, secrets: Sequence[str], algorithms: Sequence[str] = ("HS256",)) -> dict[str, Any]:
    """Return the claims of a token that is signed with one of the secrets, by one of the algorithms.

    Raises BadSignature. Its times are not judged: `check_times` does that.
    """
    signed, _, signature = token.rpartition(".")
    head, _, claims = signed.partition(".")
    try:
        algorithm = msgspec.json.decode(_decode(head), type=_Header).alg
        given = _decode(signature)
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise BadSignature("what should be a JWT is none") from error
    if algorithm not in algorithms:  # "none" and the algorithms of public keys among them
        raise BadSignature(f"its JWT is signed by {algorithm[:40]!r}; taken are {', '.join(algorithms)}")
    wanted = [hmac.digest(secret.encode(), signed.encode(), HASHES[algorithm]) for secret in secrets]
    if not is_one_of(given, wanted):
        raise BadSignature("no secret fits: its JWT is signed with another account's, or by somebody else")
    return _parse_claims(claims)


def peek_claims(token: str) -> dict[str, Any]:
    """Return what a token claims, whoever signed it: prove it otherwise. Raises BadSignature."""
    return _parse_claims(token.rpartition(".")[0].partition(".")[2])


def _parse_claims(claims: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(_decode(claims), type=dict[str, Any])
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise BadSignature("the claims of its JWT are no JSON") from error


def find_time(claims: Mapping[str, Any], name: str) -> datetime | None:
    """Return the time that is claimed, if there is one. Raises BadSignature if it is none."""
    value = claims.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, _NUMBER) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise BadSignature(f"the claim {name} of its JWT is no time")


def check_times(claims: Mapping[str, Any], now: datetime, leeway: timedelta) -> None:
    """Return if a token is good now: not before `nbf` nor `iat`, not after `exp`, of which it may have none.

    Raises BadSignature.
    """
    for name in ("nbf", "iat"):
        begin = find_time(claims, name)
        if begin is not None and begin - leeway > now:
            raise BadSignature(f"its JWT is good from {(begin - now).total_seconds():.0f} s after our clock ({name})")
    end = find_time(claims, "exp")
    if end is not None and end + leeway < now:
        raise BadSignature(f"its JWT was good until {(now - end).total_seconds():.0f} s before our clock (exp)")


def _decode(part: str) -> bytes:
    """Return what is written in base64url without padding (RFC 7515, 2). Raises ValueError."""
    if not part.isascii():
        raise ValueError(part)
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(part) from error
