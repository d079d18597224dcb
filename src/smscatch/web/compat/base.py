"""What all send APIs share: a request as an SDK makes it, an operation, an answer. No provider's own form here.

SDKs of real providers are the clients, and they are particular: a body is read as what it is, whatever its Content-Type
says, since one SDK labels its forms as JSON; a path is taken with doubled slashes and with or without one at its end.
"""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import msgspec

from smscatch.errors import BadSend, SmscatchError
from smscatch.keys import SEND
from smscatch.numbers import is_e164
from smscatch.repeats import SdkCall
from smscatch.sending import Desk
from smscatch.settings.forms import parse_http
from smscatch.web.responses import JSON

MAX_ALPHANUMERIC = 11  # characters of a sender that is a name: 3GPP TS 23.040, 9.1.2.5
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &_+-]{1,11}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")


class Url(NamedTuple):
    """The address that an SDK calls: our own, the path at the provider, and the query.

    `sent_path` is the whole path as it was sent, still encoded, as signatures want it.
    """

    base: str
    path: str
    query: str
    sent_path: str = ""


class Asked:
    """A request of an SDK: `path` is that at the provider, with single slashes and none at the end; `base` our address.

    The names of `headers` are in lower case.
    """

    def __init__(self, method: str, url: Url, headers: Mapping[str, str], content: bytes) -> None:
        self.method = method
        self.base = url.base
        self.path = "/" + "/".join(filter(None, url.path.split("/")))
        self.sent_path, self.sent_query = url.sent_path, url.query
        self.query = dict(parse_qsl(url.query, keep_blank_values=True))
        self.headers = headers
        self.content = content

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """The fields of the body, a JSON object or a form; those of the query if there is no body.

        Of several values of a form it is the first. Raises BadSend for a body that is neither.
        """
        if not self.content:
            return self.query
        if self.content.lstrip()[:1] in (b"{", b"["):
            try:
                return msgspec.json.decode(self.content, type=dict[str, Any])
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise BadSend.wrong("body", str(error), "expected a JSON object") from error
        return {name: values[0] for name, values in self.form.items()}

    @cached_property
    def form(self) -> Mapping[str, list[str]]:
        """The fields of a form, each with all its values (WHATWG URL, 5.1)."""
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.content.decode("utf-8", "replace"), keep_blank_values=True):
            found.setdefault(name, []).append(value)
        return found

    def text(self, name: str) -> str:
        """Return a field as a text, "" if it is not there or has no text."""
        value = self.fields.get(name)
        return value.strip() if isinstance(value, str) else str(value) if type(value) is int else ""

    @property
    def call(self) -> SdkCall:
        """What the SDK says of its own repeats.

        AWS's have an id for each call (amz-sdk-invocation-id), those that Stainless makes, such as Telnyx's, count
        (x-stainless-retry-count, from 0 on); Idempotency-Key is a draft of the IETF
        (draft-ietf-httpapi-idempotency-key-header).
        """
        named = (self.headers.get(name) for name in ("amz-sdk-invocation-id", "idempotency-key"))
        count = re.fullmatch("[0-9]{1,4}", self.headers.get("x-stainless-retry-count", ""))
        return SdkCall(next(filter(None, named), None), None if count is None else int(count[0]) + 1)

    @property
    def basic(self) -> tuple[str, str]:
        """The user name and the password of Basic credentials (RFC 7617); empty ones if there are none."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        try:
            decoded = base64.b64decode(value, validate=True).decode() if scheme.lower() == "basic" else ""
        except (binascii.Error, UnicodeDecodeError):
            decoded = ""
        user, _, password = decoded.partition(":")
        return user, password

    @property
    def bearer(self) -> str:
        """The token of Bearer credentials (RFC 6750), or ""."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else ""


class SdkAnswer(NamedTuple):
    """What an SDK is answered: a value that is JSON, bytes of another `media_type`, or nothing."""

    value: Any = None
    status: int = 200
    media_type: str = JSON
    headers: Mapping[str, str] = {}

    @property
    def content(self) -> bytes:
        """The body."""
        if isinstance(self.value, bytes):
            return self.value
        return b"" if self.value is None else msgspec.json.encode(self.value)


# Does what was asked, given what the path says in the groups of its pattern.
Handle = Callable[[Asked, Desk, Mapping[str, str]], Awaitable[SdkAnswer]]


class Operation(NamedTuple):
    """What a provider does for a method and the paths that fit a pattern in full, for a key with one of the scopes."""

    method: str
    pattern: str
    handle: Handle
    scopes: tuple[str, ...] = (SEND,)


class SendApi(NamedTuple):
    """The API of a provider as far as an application sends with it.

    `find_key` returns which key of ours a request brings, in the place where the SDK puts the provider's, or None.
    `refuse` answers an error as the provider does, so that the SDK raises what it would raise. `operations` are tried
    in their order.
    """

    find_key: Callable[[Asked], str | None]
    refuse: Callable[[SmscatchError, Asked], SdkAnswer]
    operations: Sequence[Operation]


def parse_recipient(written: str, field: str = "to") -> str:
    """Return a number in E.164, of which the plus may be missing. Raises BadSend."""
    if not written:
        raise BadSend.missing(field)
    number = re.sub(r"[ ()./-]", "", written)
    number = number if number.startswith("+") else f"+{number.removeprefix('00')}"
    if not is_e164(number):
        raise BadSend.wrong(field, written, "give a number in E.164, such as +12015550123")
    return number


def parse_sender(written: str, field: str = "sender") -> str:
    """Return a sender: a number, a short code, or a name of up to MAX_ALPHANUMERIC characters. Raises BadSend."""
    if not written:
        raise BadSend.missing(field)
    plain = re.sub(r"[ ()./-]", "", written)
    if is_e164(plain) or _SHORT_CODE.fullmatch(plain) or is_e164(f"+{plain}"):
        return plain
    if not _NAME.fullmatch(written):
        raise BadSend.wrong(field, written, f"give a number, or a name of up to {MAX_ALPHANUMERIC} letters and digits")
    return written


def parse_callback(written: str) -> str | None:
    """Return the address that an application wants to be called at, None if it wants none. Raises BadSend."""
    if not written:
        return None
    try:
        return parse_http(written)
    except ValueError:
        raise BadSend.wrong("callback", urlsplit(written).netloc, "give an address with http or https") from None
