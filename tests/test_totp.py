"""Codes of an authenticator app, by the vectors of RFC 6238, and by the clients, whose clock is put forward by hand."""

import base64
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest

from smscatch import BadRequest, Client
from smscatch.client import calls
from smscatch.client.exchange import Conversation, Pause
from smscatch.totp import LEFT_SECONDS, parse_totp

DIGITS = b"1234567890"
SECRET = base64.b32encode(DIGITS * 2).decode()
# RFC 6238, Appendix B, with the seeds of the reference implementation: as many bytes as the digest has.
SECONDS = (59, 1111111109, 1111111111, 1234567890, 2000000000, 20000000000)
VECTORS = {
    ("SHA1", 20): "94287082 07081804 14050471 89005924 69279037 65353130",
    ("SHA256", 32): "46119246 68084774 67062674 91819424 90698825 77737706",
    ("SHA512", 64): "90693936 25091201 99943326 93441116 38618901 47863826",
}


def uri(secret: str = SECRET, **params: object) -> str:
    query = "".join(f"&{name}={value}" for name, value in params.items())
    return f"otpauth://totp/Example:alice%40example.com?secret={quote(secret)}&issuer=Example{query}"


@pytest.mark.parametrize(("algorithm", "size"), VECTORS)
def test_codes_are_those_of_the_rfc(algorithm: str, size: int) -> None:
    secret = base64.b32encode((DIGITS * 7)[:size]).decode()
    totp = parse_totp(uri(secret, algorithm=algorithm, digits=8))
    assert [totp.code(now) for now in SECONDS] == VECTORS[algorithm, size].split()


@pytest.mark.parametrize(
    "secret",
    [
        SECRET,
        SECRET.lower(),
        f" {SECRET[:4]} {SECRET[4:].lower()}\n",
        f"{SECRET[:16]}-{SECRET[16:]}",
        f"{SECRET}====",
        uri(),
        uri().replace("otpauth", "OTPAuth"),
        f"{SECRET} ==\n",
        uri(algorithm="sha-1", digits=6, period=30),
    ],
)
def test_a_secret_is_taken_as_it_is_written(secret: str) -> None:
    totp = parse_totp(secret)
    assert (totp.code(59), totp.expires(59.5)) == ("287082", 60)


def test_a_secret_that_ends_within_a_byte_is_taken_without_its_last_bits() -> None:
    assert parse_totp("GEZDGNBVG").key == parse_totp("GEZDGNBV").key == b"12345"


def test_a_period_of_its_own_is_heeded() -> None:
    totp = parse_totp(uri(period=60))
    assert totp.code(59) == totp.code(0) != totp.code(60)
    assert totp.expires(59) == 60


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("", "is empty"),
        (" - ", "is empty"),
        (None, "is NoneType"),
        ("GEZDGNBVGY3TQOJ1", "is no base32"),
        ("ÄEZDGNBV", "is no base32"),
        ("A=B", "is no base32"),
        ("A" * 2001, "has 2001 characters"),
        (uri(""), "is empty"),
        ("otpauth://hotp/x?secret=GEZDGNBV&counter=1", "of another kind"),
        ("otpauth-migration://offline?data=AAAA", "of another kind"),
        (uri(algorithm="MD5"), "another algorithm"),
        (uri(digits="zwölf"), "digits"),
        (uri(digits=0), "digits"),
        (uri(period=0), "period"),
        (uri(period="1e3"), "period"),
    ],
)
def test_a_secret_that_is_none_is_refused_without_being_repeated(secret: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why) as caught:
        parse_totp(secret)
    assert "GEZD" not in str(caught.value)


def ended(conversation: Conversation[str]) -> str:
    with pytest.raises(StopIteration) as end:
        next(conversation)
    return str(end.value.value)


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    return lambda now: monkeypatch.setattr(time, "time", lambda: now)


def test_a_code_that_is_about_to_end_is_not_given_but_the_next_one(set_clock: Callable[[float], None]) -> None:
    set_clock(56.9)
    assert ended(calls.totp(SECRET, LEFT_SECONDS)) == "287082"
    set_clock(57.5)
    asking = calls.totp(SECRET, LEFT_SECONDS)
    assert next(asking) == Pause(2.5)
    set_clock(59.99)  # who slept may wake too early
    asked = next(asking)
    assert isinstance(asked, Pause)
    assert asked.seconds == pytest.approx(0.01)
    set_clock(60)
    assert ended(asking) == "359152"
    set_clock(59.99)
    assert ended(calls.totp(SECRET, 0)) == "287082"


@pytest.mark.parametrize("left", [-1, 16, float("nan"), "3"])
def test_a_time_that_no_code_has_left_is_refused(left: float) -> None:
    with pytest.raises(BadRequest, match="left"):
        next(calls.totp(SECRET, left))


def test_a_client_needs_no_server_for_it(set_clock: Callable[[float], None]) -> None:
    set_clock(59)
    with Client("http://127.0.0.1:1", "a-key-of-sixteen-characters") as sms:
        assert sms.totp(uri(digits=8), left=0) == "94287082"
