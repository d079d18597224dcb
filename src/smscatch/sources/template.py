"""How a configured source signs its requests, as a table of smscatch.toml says it: read, and held against a request.

`[sources.NAME.signature]`: `signed` is a template of what is hashed, `how` by what, and where the result stands. What
the fields of a delivery mean is in signed.py.
"""

import base64
import difflib
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from smscatch.errors import BadSetting, BadSignature
from smscatch.settings.fields import refuse_unknown
from smscatch.sources.jwt import HASHES, check_times, find_time, read_jwt
from smscatch.sources.times import parse_time
from smscatch.sources.webhook import FORM, Incoming, check_age, is_one_of, parse_form
from smscatch.times import parse_age

NAMES = ("body", "url", "address", "path", "query", "sorted", "secret", "sha256:body", "sha256:url")
WITH_ARGUMENT = ("header", "field")
OF_ADDRESS = {"url", "address", "path", "sha256:url"}
OF_QUERY = {"url", "query", "sorted", "sha256:url"}
DIGESTS = ("md5", "sha1", "sha256", "sha384", "sha512")
HOWS = (*(f"hmac-{digest}" for digest in DIGESTS), *DIGESTS, "plain", "jwt")
ENCODINGS = ("hex", "base64", "base64url")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SEPARATORS = re.compile(r"[,\s]+")


class Template(NamedTuple):
    """A text with placeholders: literal bytes, and names of NAMES or of WITH_ARGUMENT with theirs."""

    pieces: tuple[bytes | str, ...]

    @property
    def names(self) -> set[str]:
        """The placeholders in it."""
        return {piece for piece in self.pieces if isinstance(piece, str)}

    def fill(self, incoming: Incoming, secret: str, without: str = "") -> bytes:
        """Return the bytes that it stands for in a request. `without` is the field of the signature itself.

        Raises BadSignature if a header or a field is missing.
        """
        return b"".join(
            piece if isinstance(piece, bytes) else _value(piece, incoming, secret, without) for piece in self.pieces
        )


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """How the requests of a source are signed; docs/signed.md has the meaning of each key.

    Raises nothing by itself: `parse_signature` makes it.
    """

    header: str | None
    field: str | None
    signed: Template
    how: str
    encoding: str
    prefix: str
    time: Template | None
    max_age: timedelta
    leeway: timedelta
    claims: Mapping[str, Template]

    @property
    def names(self) -> set[str]:
        """All placeholders that the signature is made over."""
        return self.signed.names.union(*(claim.names for claim in self.claims.values()))


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    """The table as it stands in the settings."""

    header: str | None = None
    field: str | None = None
    signed: str = "{body}"
    how: str = "hmac-sha256"
    encoding: str = "hex"
    prefix: str = ""
    time: str | None = None
    max_age: str = "5m"
    leeway: str = "1s"
    claims: dict[str, str] = {}


def parse_signature(table: Mapping[str, Any]) -> Signature:
    """Return what a table `signature` says. Raises BadSetting, naming the key, the value and what is accepted."""
    try:
        refuse_unknown("signature.", table, _Written.__struct_fields__, "smscatch.toml")
        written = msgspec.convert(table, _Written)
    except msgspec.ValidationError as error:
        raise BadSetting(f"signature: {error}.") from error
    if (written.header is None) == (written.field is None):
        raise BadSetting("signature: give header or field, that is where the signature stands, and one of them alone.")
    _refuse_other("how", written.how, HOWS)
    _refuse_other("encoding", written.encoding, ENCODINGS)
    signature = Signature(
        header=written.header,
        field=written.field,
        signed=_parse_template("signed", written.signed),
        how=written.how,
        encoding=written.encoding,
        prefix=written.prefix,
        time=None if written.time is None else _parse_template("time", written.time),
        max_age=_parse_span("max_age", written.max_age),
        leeway=_parse_span("leeway", written.leeway),
        claims={name: _parse_template(f"claims.{name}", claim) for name, claim in written.claims.items()},
    )
    _refuse_what_proves_nothing(signature)
    return signature


def check_signature(signature: Signature, incoming: Incoming, secrets: Sequence[str], now: datetime) -> None:
    """Return if a request is signed with one of the secrets, and not stale. Raises BadSignature."""
    given = _find_given(signature, incoming)
    if signature.how == "jwt":
        _check_jwt(signature, incoming, given, (secrets, now))
    elif not _fits(signature, incoming, given, secrets):
        moved = incoming._replace(url=incoming.asked_url)
        if signature.names & OF_ADDRESS and _fits(signature, moved, given, secrets):
            known, asked = (url.partition("?")[0] for url in (incoming.url, incoming.asked_url))
            raise BadSignature(f"it is signed for the address {asked}, and public_url is {known}")
        raise BadSignature(
            "no secret fits: the secret is another one, the signature is made over something else than `signed` says,"
            " or something on the way changes the body"
        )
    if signature.time is not None:
        stamp = signature.time.fill(incoming, "").decode("utf-8", "replace")
        signed_at = parse_time(stamp)
        if signed_at is None:
            raise BadSignature("the time that it was signed at is no time with a zone, and no number of seconds")
        check_age(signed_at, now, signature.max_age)


def _find_given(signature: Signature, incoming: Incoming) -> list[str]:
    """Return what may be the signature: the header or field, and of a list of several each."""
    if signature.header is not None:
        value = incoming.header(signature.header)
    else:
        value = _find_field(signature.field or "", incoming)
    bare = value.removeprefix(signature.prefix)
    return [bare, *(one.removeprefix(signature.prefix) for one in _SEPARATORS.split(bare))]


def _fits(signature: Signature, incoming: Incoming, given: Sequence[str], secrets: Sequence[str]) -> bool:
    made = [_sign(signature, incoming, secret) for secret in secrets]
    return any(is_one_of(_plain(signature, one).encode(), made) for one in given)


def _plain(signature: Signature, given: str) -> str:
    if signature.how == "plain":
        return given
    return given.lower() if signature.encoding == "hex" else given.rstrip("=")


def _sign(signature: Signature, incoming: Incoming, secret: str) -> bytes:
    signed = signature.signed.fill(incoming, secret, signature.field or "")
    if signature.how == "plain":
        return signed
    method, _, digest = signature.how.rpartition("-")
    if method:
        made = hmac.digest(secret.encode(), signed, digest)
    else:
        made = hashlib.new(digest, signed, usedforsecurity=False).digest()
    if signature.encoding == "hex":
        return made.hex().encode()
    encode = base64.b64encode if signature.encoding == "base64" else base64.urlsafe_b64encode
    return encode(made).rstrip(b"=")


def _check_jwt(
    signature: Signature, incoming: Incoming, given: Sequence[str], known: tuple[Sequence[str], datetime]
) -> None:
    secrets, now = known
    claims = read_jwt(given[0], secrets, tuple(HASHES))
    for name, template in signature.claims.items():
        wanted = template.fill(incoming, "")
        if not is_one_of(str(claims.get(name, "")).encode(), [wanted]):
            hint = "the address (public_url)" if template.names & OF_ADDRESS else "what was sent"
            raise BadSignature(f"the claim {name} of its JWT is missing, or does not fit {hint}")
    check_times(claims, now, signature.leeway)
    if find_time(claims, "exp") is None:
        signed_at = find_time(claims, "iat")
        if signed_at is None:
            raise BadSignature("its JWT says neither until when it is good (exp) nor when it was signed (iat)")
        check_age(signed_at, now, signature.max_age)


def _value(name: str, incoming: Incoming, secret: str, without: str) -> bytes:
    kind, _, argument = name.partition(":")
    if kind == "header":
        return incoming.header(argument).encode("latin-1", "replace")
    if kind == "field":
        return _find_field(argument, incoming).encode("utf-8", "surrogateescape")
    if kind == "sha256":
        return hashlib.sha256(_value(argument, incoming, secret, without)).hexdigest().encode()
    if kind == "sorted":
        pairs = sorted(set(_fields(incoming)))
        return "".join(name + value for name, value in pairs if name != without).encode()
    return {
        "body": b"" if incoming.method == "GET" else incoming.content,
        "url": incoming.url.encode(),
        "address": incoming.url.partition("?")[0].encode(),
        "path": urlsplit(incoming.url).path.encode(),
        "query": incoming.url.partition("?")[2].encode(),
        "secret": secret.encode(),
    }[kind]


def _fields(incoming: Incoming) -> list[tuple[str, str]]:
    return parse_form(incoming.content) if incoming.content_type == FORM else []


def _find_field(name: str, incoming: Incoming) -> str:
    """Return a field of the form, or of the query of the address."""
    query = parse_form(incoming.url.partition("?")[2].encode())
    for known, value in (*_fields(incoming), *query):
        if known == name and value:
            return value
    raise BadSignature(f"the field {name} is missing")


def _parse_template(key: str, text: str) -> Template:
    pieces: list[bytes | str] = []
    for place, piece in enumerate(_PLACEHOLDER.split(text)):
        if place % 2:
            _refuse_placeholder(key, piece)
            pieces.append(piece)
        elif "{" in piece or "}" in piece:
            raise BadSetting(
                f"signature.{key} = {text!r} has a brace that stands alone. Placeholders: {_placeholders()}."
            )
        else:
            pieces.append(piece.encode())
    return Template(tuple(pieces))


def _refuse_placeholder(key: str, name: str) -> None:
    kind, colon, argument = name.partition(":")
    if name in NAMES or (kind in WITH_ARGUMENT and colon and argument):
        return
    close = difflib.get_close_matches(name, [*NAMES, *WITH_ARGUMENT], n=1)
    meant = f"Did you mean {{{close[0]}}}? " if close else ""
    raise BadSetting(f"signature.{key}: there is no placeholder {{{name}}}. {meant}Placeholders: {_placeholders()}.")


def _placeholders() -> str:
    return ", ".join(_written_names())


def _written_names() -> Iterator[str]:
    yield from (f"{{{name}}}" for name in NAMES)
    yield from (f"{{{name}:NAME}}" for name in WITH_ARGUMENT)


def _refuse_other(key: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        close = difflib.get_close_matches(value, known, n=1)
        meant = f"Did you mean {close[0]!r}? " if close else ""
        raise BadSetting(f"signature.{key} = {value!r} is not accepted. {meant}Accepted: {', '.join(known)}.")


def _parse_span(key: str, value: str) -> timedelta:
    span = parse_age(value)
    if not span:
        raise BadSetting(f"signature.{key} = {value!r} is not accepted. Accepted: an age such as 30s or 5m.")
    return span


def _refuse_what_proves_nothing(signature: Signature) -> None:
    """Raise BadSetting for a table by which anybody could sign."""
    if signature.how in (*DIGESTS, "plain") and "secret" not in signature.signed.names:
        raise BadSetting(f"signature: how = {signature.how!r} needs {{secret}} in `signed`, or anybody could sign.")
    if signature.how == "jwt" and not signature.claims:
        raise BadSetting(
            'signature: how = "jwt" needs claims, such as {payload_hash = "{sha256:body}"}: without one that is over'
            " the body, a token is good for any text."
        )
    in_claims = set[str]().union(*(claim.names for claim in signature.claims.values()))
    in_time = set() if signature.time is None else signature.time.names
    if "secret" in in_claims | in_time:
        raise BadSetting("signature: {secret} has no place in time and claims.")
