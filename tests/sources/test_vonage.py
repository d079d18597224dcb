"""Vonage's signatures, judged beside Vonage's own packages, and the parts of a long text."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode

import jwt
import pytest
from vonage_http_client.auth import Auth
from vonage_jwt.errors import VonageVerifyJwtError
from vonage_jwt.verify_jwt import verify_signature

from smscatch.errors import BadDelivery, BadSignature
from smscatch.inbox import Inbox
from smscatch.messages import Message, Part, Query
from smscatch.sources import join_parts
from smscatch.sources.vonage import check_vonage, read_vonage
from smscatch.sources.webhook import FORM, JSON, Envelope, Incoming
from smscatch.stores import Delivery
from tests.data.vonage import RECEIPT, TEXT, a_json, sign_with, signature_secret
from tests.samples import NOON
from tests.sources.samples import Post

SECRET = signature_secret("vonage")
DEEP = base64.urlsafe_b64encode(b'{"alg": ' + b"[" * 30_000).decode().rstrip("=")
METHODS = ("md5", "sha1", "sha256", "sha512")


class Token(NamedTuple):
    """A JWT with some claims, and whether Vonage's package and we accept it."""

    name: str
    theirs: bool
    ours: bool
    claims: Mapping[str, Any] = MappingProxyType({})
    secret: str = SECRET
    algorithm: str = "HS256"
    cut: int = 0


def seconds_from_now(seconds: int) -> int:
    """A time by the machine's own clock, which Vonage's package knows alone."""
    return int(datetime.now(UTC).timestamp()) + seconds


TOKENS = (
    Token("as it is", True, True),
    Token("of another account", False, False, secret=signature_secret("another")),
    Token("by another algorithm", False, False, algorithm="HS512"),
    Token("cut", False, False, cut=3),
    Token("which has ended", False, False, claims={"exp": 1}),
    Token("of the far future", False, False, claims={"iat": seconds_from_now(90_000)}),
    Token("of the far future, by nbf", False, False, claims={"nbf": seconds_from_now(90_000)}),
    Token("of another body, which their package leaves to others", True, False, claims={"payload_hash": "00"}),
    Token("without the hash of the body", True, False, claims={"payload_hash": None}),
    Token("which is old, on which their package says nothing", True, False, claims={"iat": 1}),
)


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token.name)
def test_a_jwt_is_judged_as_vonages_own_package_does_or_more_strictly(token: Token) -> None:
    post = a_json()
    claims = {"iat": seconds_from_now(0)} | dict(token.claims)
    written = sign_with(post.content, token.secret, token.algorithm, **claims).headers["authorization"]
    written = written[: len(written) - token.cut]
    try:
        theirs = verify_signature(written.removeprefix("Bearer "), SECRET)
    except VonageVerifyJwtError:
        theirs = False
    assert (theirs, accepts(incoming(post, authorization=written))) == (token.theirs, token.ours)


def incoming(post: Post, **headers: str) -> Incoming:
    return Incoming(post.method, "", "", {"content-type": post.content_type} | headers, post.content)


def accepts(request: Incoming, now: datetime | None = None) -> bool:
    try:
        check_vonage(request, ("an older secret", SECRET), now or datetime.now(UTC))
    except BadSignature:
        return False
    return True


def test_a_jwt_that_nobody_signed_is_refused() -> None:
    post = a_json()
    claims = {"payload_hash": hashlib.sha256(post.content).hexdigest(), "iat": int(NOON.timestamp())}
    unsigned = jwt.encode(claims, "", "none")
    assert not accepts(incoming(post, authorization=f"Bearer {unsigned}"), NOON)


def signed(method: str, **changed: str) -> dict[str, str]:
    """The fields of a text with `sig`, as Vonage's package computes it."""
    fields = TEXT | {"timestamp": str(int(NOON.timestamp())), "text": "a=1&b=2 é"} | changed
    auth = Auth(api_key="k", api_secret="s", signature_secret=SECRET, signature_method=method)
    return fields | {"sig": auth.sign_params(dict(fields))}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("form", ["GET", "POST", "JSON"])
def test_a_sig_is_judged_as_vonages_own_package_does(method: str, form: str) -> None:
    fields = signed(method)
    auth = Auth(api_key="k", api_secret="s", signature_secret=SECRET, signature_method=method)
    for changed, is_good in (({}, True), ({"text": "a=1&b=3 é"}, False), ({"to": "447700900002"}, False)):
        given = fields | changed
        content = json.dumps(given) if form == "JSON" else urlencode(given)
        post = Post(content.encode(), JSON if form == "JSON" else FORM, "GET" if form == "GET" else "POST")
        assert (accepts(incoming(post), NOON), auth.check_signature(dict(given))) == (is_good, is_good)


def test_a_sig_may_be_the_md5_of_fields_and_secret() -> None:
    fields = TEXT | {"timestamp": str(int(NOON.timestamp())), "text": "x"}
    written = "".join(f"&{name}={value}" for name, value in sorted(fields.items()))
    sig = hashlib.md5((written + SECRET).encode()).hexdigest()
    assert accepts(incoming(Post(urlencode(fields | {"sig": sig.upper()}).encode())), NOON)
    assert not accepts(incoming(Post(urlencode(fields | {"sig": sig, "text": "y"}).encode())), NOON)


@pytest.mark.parametrize(
    ("post", "headers", "reason"),
    [
        (Post(urlencode(signed("sha256") | {"sig": "0" * 64}).encode()), {}, "no secret fits: the signature secret"),
        (Post(urlencode(signed("sha256", timestamp="1")).encode()), {}, "s behind our clock"),
        (Post(urlencode(signed("sha256", timestamp="soon")).encode()), {}, "the field timestamp is no time"),
        (Post(urlencode(TEXT).encode()), {}, "nor the field sig"),
        (Post(b"[", JSON), {}, "nor fields, of which sig is one"),
        (Post(b"[" * 200_000, JSON), {}, "nor fields, of which sig is one"),
        (Post(b'{"sig": "\\ud83d", "text": "\\ud83d"}', JSON), {}, "no secret fits"),
        (a_json(), {"authorization": f"Bearer {DEEP}.e30.AA"}, "what should be a JWT is none"),
        (a_json(), {"authorization": "Bearer x.y.z"}, "what should be a JWT is none"),
        (a_json(), {"authorization": "Bearer " + jwt.encode({}, SECRET, "HS384")}, "its JWT is signed by 'HS384'"),
        (a_json(), sign_with(b"{}", SECRET).headers, "its body is not the one whose payload_hash"),
        (a_json(), sign_with(a_json().content, SECRET).headers, "does not say when it was signed"),
        (a_json(), sign_with(a_json().content, SECRET, iat=True).headers, "the claim iat of its JWT is no time"),
        (Post(b"to=1", FORM, "GET"), sign_with(b"", SECRET).headers, "does not cover the query of a GET"),
    ],
)
def test_an_administrator_is_told_which_part_differs(post: Post, headers: dict[str, str], reason: str) -> None:
    with pytest.raises(BadSignature, match=reason):
        check_vonage(incoming(post, **headers), (SECRET,), NOON)


def test_what_was_repeated_for_a_day_is_taken_and_what_is_older_is_not() -> None:
    post = Post(urlencode(signed("sha256")).encode())
    assert accepts(incoming(post), NOON + timedelta(hours=24, minutes=30))
    assert not accepts(incoming(post), NOON + timedelta(hours=26))
    assert not accepts(incoming(post), NOON - timedelta(minutes=2))


def read(post: Post) -> list[Message | Part]:
    envelope = Envelope(
        received_at=NOON, address="", content_type=post.content_type, origin="source x", content=post.content
    )
    return read_vonage(envelope, "entry", lambda line: line)


def a_part(number: int, text: str, total: int = 2, **changed: str) -> Part:
    place = {"concat": "true", "concat-ref": "54", "concat-total": str(total), "concat-part": str(number)}
    escaped = json.dumps(TEXT | {"messageId": f"part {number}", "text": text} | place | changed)
    (part,) = read(Post(escaped.encode(), JSON))
    assert isinstance(part, Part)
    return part


async def test_a_long_text_is_joined_from_its_parts_in_whatever_order_they_come(inbox: Inbox) -> None:
    parts = [a_part(2, "\ude00 482913"), a_part(1, "Your code is \ud83d")]
    for part in (*parts, parts[0]):
        await inbox.receive([Delivery(part, b"")])
    (stored,) = await inbox.store.after(Query(), 0, 10)
    message = stored.message
    assert (message.text, message.code, message.parts, message.complete) == (
        "Your code is 😀 482913",
        "482913",
        2,
        True,
    )
    assert (message.sender, message.source) == ("+447700900123", "vonage")


def test_half_an_emoji_is_signed_too_and_never_reaches_the_store_as_it_is() -> None:
    fields = TEXT | {"timestamp": str(int(NOON.timestamp())), "text": "code \ud83d", "msisdn": "A\ud83d"}
    written = "".join(f"&{name}={value}" for name, value in sorted(fields.items()))
    sig = hmac.new(SECRET.encode(), written.encode("utf-8", "surrogatepass"), "sha256").hexdigest()
    post = Post(json.dumps(fields | {"sig": sig}).encode(), JSON)
    assert accepts(incoming(post), NOON)
    (message,) = read(post)
    assert isinstance(message, Message)
    assert (message.text, message.sender) == ("code �", "A�")


def test_a_part_alone_is_an_incomplete_message() -> None:
    message = join_parts([a_part(1, "Your code \ud83d", total=3)])
    assert (message.text, message.complete, message.parts) == ("Your code �", False, 1)


def test_an_equal_part_of_another_text_is_no_repeat() -> None:
    one, other = a_part(1, "Your "), a_part(1, "Your ", messageId="later")
    assert (one.id == other.id, one.content == other.content) == (False, False)


@pytest.mark.parametrize(
    "place",
    [
        {"concat": "false"},
        {"concat": "true"},
        {"concat": "true", "concat-ref": "1", "concat-total": "1", "concat-part": "1"},
        {"concat": "true", "concat-ref": "1", "concat-total": "2", "concat-part": "3"},
        {"concat": "true", "concat-ref": "x", "concat-total": "2", "concat-part": "1"},
    ],
)
def test_what_says_of_itself_that_it_is_a_part_and_is_none_is_a_text(place: dict[str, str]) -> None:
    (message,) = read(a_json(**place))
    assert isinstance(message, Message)
    assert (message.text, message.complete) == (TEXT["text"], True)


@pytest.mark.parametrize("sender", ["447700900123456789", "12345", "Authy", "0770090012345"])
def test_a_sender_that_is_no_international_number_stays_as_it_is(sender: str) -> None:
    assert [message.sender for message in read(a_json(msisdn=sender))] == [sender]


def test_binary_messages_are_messages_too() -> None:
    binary = {name: value for name, value in TEXT.items() if name != "text"} | {"type": "binary", "udh": "060504"}
    (data,) = read(a_json(binary, data="48656c6c6f"))
    (unread,) = read(a_json(binary, data="FF00"))
    assert isinstance(data, Message)
    assert isinstance(unread, Message)
    assert (data.text, data.marks) == ("Hello", ("application", "data"))
    assert (unread.text, unread.marks) == ("", ("application", "undecodable"))
    with pytest.raises(BadDelivery, match="not in hexadecimal digits"):
        read(a_json(binary, data="x"))


def test_the_messages_api_is_read_too() -> None:
    inbound = {
        "channel": "sms",
        "message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
        "to": "447700900001",
        "from": "447700900123",
        "timestamp": "2026-11-22T11:59:58.000Z",
        "text": "Your code is 482913",
        "message_type": "text",
        "sms": {"num_messages": "1", "keyword": "YOUR"},
    }
    (message,) = read(a_json(inbound))
    assert (message.line, message.sender, message.sent_at) == (
        "+447700900001",
        "+447700900123",
        datetime(2026, 11, 22, 11, 59, 58, tzinfo=UTC),
    )
    status = {"message_uuid": "1", "to": "447700900001", "status": "delivered", "channel": "sms"}
    assert (read(a_json(inbound, channel="whatsapp")), read(a_json(status)), read(a_json(RECEIPT))) == ([], [], [])
