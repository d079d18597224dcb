"""The tables of docs/signed.md as they stand there, judged beside the services' own packages; what a table may say."""

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec
import pytest
from messagebird.error import ValidationError
from messagebird.request_validator import RequestValidator
from plivo.utils import validate_signature

from smscatch.errors import BadDelivery, BadSetting, BadSignature
from smscatch.messages import Message
from smscatch.sources import open_sources, parse_delivery
from smscatch.sources.webhook import FORM, JSON, Envelope, Incoming, Provider, write_envelope
from tests.data.signed import TABLES
from tests.samples import LINE, NOON, OTHER_LINE
from tests.surroundings import settings_in

PAGE = Path(__file__).parent.parent.parent / "docs" / "signed.md"
SECRET = "a secret of the tests, which is long enough"


def printed(heading: str) -> str:
    """The table under a heading of the page, with a secret in place of the file's name."""
    _, _, section = PAGE.read_text("utf-8").partition(f"## {heading}\n")
    found = re.search(r"```toml\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return re.sub(r"secrets(_file)? = .*", f'secrets = "{SECRET}"', found[1])


def provider(tmp_path: Path, table: str) -> Provider:
    (found,) = open_sources(settings_in(tmp_path, table)).values()
    return found


def accepts(source: Provider, request: Incoming, now: datetime) -> bool:
    assert source.webhook.check is not None
    try:
        source.webhook.check(request, ("an older secret of the tests, also long", *source.secrets), now)
    except BadSignature:
        return False
    return True


def read(source: Provider, content: bytes, content_type: str = JSON) -> list[Message]:
    envelope = Envelope(
        received_at=NOON,
        address="",
        content_type=content_type,
        origin="source x",
        content=content,
        fields=source.webhook.fields,
    )
    return [one for one in source.webhook.read(envelope, "entry", lambda line: line) if isinstance(one, Message)]


def facts(message: Message) -> tuple[str, str, str]:
    return message.line, message.sender, message.text


TEXT = "Your code is 482913 – café"
EXPECTED = (LINE, "+447700900123", TEXT)
SENT = datetime(2026, 11, 22, 11, 59, 58, tzinfo=UTC)
SINCH = {
    "type": "mo_text",
    "from": "447700900123",
    "to": LINE.removeprefix("+"),
    "id": "01XXXXX21XXXXX119Z8P1XXXXX",
    "body": TEXT,
    "operator_id": "24001",
    "received_at": "2026-11-22T11:59:58.000",
    "sent_at": "2026-11-22T11:59:57.000Z",
}


def test_sinchs_table_judges_as_sinchs_package_does(tmp_path: Path) -> None:
    # Here, since it takes two seconds, which whoever only collects this test need not spend.
    from sinch.domains.sms.sinch_events.v1.sms_sinch_event import SmsSinchEvent

    source = provider(tmp_path, printed("Sinch"))
    body = json.dumps(SINCH, ensure_ascii=False).encode()
    signed = body + f".nonce.{int(NOON.timestamp())}".encode()
    headers = {
        "content-type": JSON,
        "x-sinch-webhook-signature": base64.b64encode(hmac.digest(SECRET.encode(), signed, "sha256")).decode(),
        "x-sinch-webhook-signature-nonce": "nonce",
        "x-sinch-webhook-signature-timestamp": str(int(NOON.timestamp())),
        "x-sinch-webhook-signature-algorithm": "HmacSHA256",
    }
    theirs = SmsSinchEvent(SECRET)
    for changed, sent, is_good in (
        ({}, body, True),
        ({}, body.replace(b"482913", b"482914"), False),
        ({"x-sinch-webhook-signature-nonce": "other"}, body, False),
        ({"x-sinch-webhook-signature-timestamp": "1"}, body, False),
        ({"x-sinch-webhook-signature": "AAAA"}, body, False),
    ):
        request = Incoming("POST", "", "", headers | changed, sent)
        judged = theirs.validate_authentication_header(headers | changed, sent)
        assert (accepts(source, request, NOON), judged) == (is_good, is_good)
    assert not accepts(source, Incoming("POST", "", "", headers, body), NOON + timedelta(minutes=6))
    (message,) = read(source, body)
    event = theirs.parse_event(body)
    assert (message.line, message.sender, message.text) == (f"+{event.to}", f"+{event.from_}", event.body)
    assert message.sent_at == SENT
    assert read(source, json.dumps({"type": "delivery_report_sms", "batch_id": "1"}).encode()) == []


def test_messagebirds_table_judges_as_messagebirds_package_does(tmp_path: Path) -> None:
    source = provider(tmp_path, printed("MessageBird"))
    url = f"{source.public_url}?team=a"
    body = json.dumps(
        {
            "id": "1",
            "recipient": LINE.removeprefix("+"),
            "originator": "447700900123",
            "body": TEXT,
            "createdDatetime": "2026-11-22T11:59:58+00:00",
        }
    ).encode()
    now = datetime.now(UTC)  # theirs knows no other clock
    second = int(now.timestamp())
    claims = {
        "iss": "MessageBird",
        "nbf": second - 10,
        "exp": second + 600,
        "jti": "b7c2",
        "url_hash": hashlib.sha256(url.encode()).hexdigest(),
        "payload_hash": hashlib.sha256(body).hexdigest(),
    }
    for changed, algorithm, is_good in (
        ({}, "HS256", True),
        ({}, "HS384", True),
        ({"exp": second - 60}, "HS256", False),
        ({"nbf": second + 6000}, "HS256", False),
        ({"iss": "Another"}, "HS256", False),
        ({"url_hash": "00"}, "HS256", False),
        ({"payload_hash": "00"}, "HS256", False),
    ):
        token = jwt.encode(claims | changed, SECRET.ljust(64, "."), algorithm)
        request = Incoming("POST", url, url, {"content-type": JSON, "messagebird-signature-jwt": token}, body)
        try:
            judged = bool(RequestValidator(SECRET.ljust(64, ".")).validate_signature(token, url, body))
        except ValidationError:
            judged = False
        ours = accepts(source._replace(secrets=(SECRET.ljust(64, "."),)), request, now)
        assert (ours, judged) == (is_good, is_good), changed
    (message,) = read(source, body)
    assert (facts(message), message.sent_at) == (EXPECTED, SENT)


def test_plivos_table_judges_as_plivos_package_does(tmp_path: Path) -> None:
    source = provider(tmp_path, printed("Plivo"))
    fields = {
        "From": "447700900123",
        "To": LINE.removeprefix("+"),
        "Text": TEXT,
        "Type": "sms",
        "MessageUUID": "5b40a428-bfc7-4daf-9d06-726c558bf3b8",
    }
    body = urlencode(fields).encode()
    url = f"{source.public_url}?team=a"
    nonce = "12345678901234567890"
    made = hmac.digest(SECRET.encode(), f"{source.public_url}{nonce}".encode(), "sha256")
    headers = {
        "content-type": FORM,
        "x-plivo-signature-v2": base64.b64encode(made).decode(),
        "x-plivo-signature-v2-nonce": nonce,
    }
    for changed, is_good in (
        ({}, True),
        ({"x-plivo-signature-v2-nonce": "1"}, False),
        ({"x-plivo-signature-v2": "AA=="}, False),
    ):
        given = headers | changed
        judged = validate_signature(url, given["x-plivo-signature-v2-nonce"], given["x-plivo-signature-v2"], SECRET)
        assert (accepts(source, Incoming("POST", url, url, given, body), NOON), judged) == (is_good, is_good)
    moved = Incoming("POST", "https://other.example/x", url, headers, body)
    assert source.webhook.check is not None
    with pytest.raises(BadSignature, match=r"signed for the address https://sms\.example/api/v1/inbound/plivo, and"):
        source.webhook.check(moved, (SECRET,), NOON)
    (message,) = read(source, body, FORM)
    assert (facts(message), message.sent_at) == (EXPECTED, None)


@pytest.mark.parametrize(
    ("charset", "data", "read_as"),
    [
        ("UTF-8", TEXT.encode(), (TEXT,)),
        ("UTF-16BE", "Код 482913 🙂".encode("utf-16-be"), ("Код 482913 🙂",)),
        ("8-BIT", b"Hello", ("Hello", "application", "data")),
        ("8-BIT", b"\xff\x00", ("", "application", "undecodable")),
    ],
)
def test_kannels_table_reads_each_charset(tmp_path: Path, charset: str, data: bytes, read_as: tuple[str, ...]) -> None:
    source = provider(tmp_path, printed("Kannel"))
    query = urlencode(
        {
            "secret": SECRET,
            "from": "+447700900123",
            "to": LINE,
            "text": data,
            "charset": charset,
            "time": int(SENT.timestamp()),
            "id": "u-1",
        }
    )
    url = f"http://127.0.0.1:7672/api/v1/inbound/kannel?{query}"
    request = Incoming("GET", url, url, {}, query.encode())
    assert "GET" in source.webhook.methods
    assert accepts(source, request, NOON)
    wrong = query.replace("secret=a", "secret=b")
    assert not accepts(source, request._replace(url=url.replace("secret=a", "secret=b"), content=wrong.encode()), NOON)
    (message,) = read(source, query.encode(), FORM)
    assert (message.line, message.text, *message.marks, message.sent_at) == (LINE, *read_as, SENT)


OWN = f'''
[sources.own]
kind = "signed"
secrets = "{SECRET}"
public_url = "https://sms.example/x"
fields = {TABLES["fields"]}
'''


def own(tmp_path: Path, signature: str) -> Provider:
    return provider(tmp_path, f"{OWN}signature = {{ {signature} }}")


@pytest.mark.parametrize(
    ("signature", "given"),
    [
        ('header = "x-s"', hmac.new(SECRET.encode(), b"a=1&b=2", "sha256").hexdigest()),
        ('header = "x-s"', hmac.new(SECRET.encode(), b"a=1&b=2", "sha256").hexdigest().upper()),
        ('header = "x-s", prefix = "v1="', "v1=00,v1=" + hmac.new(SECRET.encode(), b"a=1&b=2", "sha256").hexdigest()),
        (
            'header = "x-s", how = "sha256", signed = "{body}{secret}"',
            hashlib.sha256(b"a=1&b=2" + SECRET.encode()).hexdigest(),
        ),
        (
            'header = "x-s", how = "hmac-sha1", signed = "{url}{sorted}", encoding = "base64url"',
            base64.urlsafe_b64encode(
                hmac.new(SECRET.encode(), b"https://sms.example/x?q=1a1b2", "sha1").digest()
            ).decode(),
        ),
        (
            'header = "x-s", how = "hmac-md5", signed = "POST {path} {query} {sha256:body} {field:b}"',
            hmac.new(
                SECRET.encode(), f"POST /x q=1 {hashlib.sha256(b'a=1&b=2').hexdigest()} 2".encode(), "md5"
            ).hexdigest(),
        ),
        ('header = "authorization", how = "plain", signed = "Token {secret}"', f"Token {SECRET}"),
    ],
)
def test_a_signature_is_made_as_its_table_says(tmp_path: Path, signature: str, given: str) -> None:
    source = own(tmp_path, signature)
    url = "https://sms.example/x?q=1"
    request = Incoming("POST", url, url, {"content-type": FORM, "x-s": given, "authorization": given}, b"a=1&b=2")
    assert accepts(source, request, NOON)
    assert not accepts(source._replace(secrets=("another",)), request, NOON)
    if "{body}" in signature or "{sorted}" in signature or "sha256" in signature:
        assert not accepts(source, request._replace(content=b"a=1&b=3"), NOON)


def test_a_signature_in_a_field_is_not_over_itself(tmp_path: Path) -> None:
    source = own(tmp_path, 'field = "sign", signed = "{sorted}"')
    made = hmac.new(SECRET.encode(), b"a1b2", "sha256").hexdigest()
    content = f"b=2&sign={made}&a=1".encode()
    assert accepts(source, Incoming("POST", "u", "u", {"content-type": FORM}, content), NOON)
    assert not accepts(source, Incoming("POST", "u", "u", {"content-type": FORM}, content + b"&c=3"), NOON)


def test_what_is_signed_over_the_body_alone_does_not_come_by_get(tmp_path: Path) -> None:
    assert own(tmp_path, 'header = "x"').webhook.methods == ("POST",)
    assert own(tmp_path, 'header = "x", signed = "{sorted}"').webhook.methods == ("POST", "GET")


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        ("", "signature is missing"),
        ('head = "x"', "there is no setting 'signature.head'. Did you mean 'header'?"),
        ('signed = "{body}"', "give header or field"),
        ('header = "x", field = "y"', "one of them alone"),
        (
            'header = "x", how = "hmac-sha265"',
            "signature.how = 'hmac-sha265' is not accepted. Did you mean 'hmac-sha256'",
        ),
        ('header = "x", encoding = "base46"', "Did you mean 'base64'? Accepted: hex, base64, base64url"),
        ('header = "x", signed = "{bdoy}"', "signature.signed: there is no placeholder {bdoy}. Did you mean {body}?"),
        ('header = "x", signed = "{header}"', "there is no placeholder {header}"),
        ('header = "x", signed = "{body"', "has a brace that stands alone"),
        ('header = "x", time = "{stamp}"', "signature.time: there is no placeholder {stamp}"),
        ('header = "x", max_age = "5 minutes"', "signature.max_age = '5 minutes' is not accepted"),
        ('header = "x", how = "sha256"', "needs {secret} in `signed`, or anybody could sign"),
        ('header = "x", how = "plain", signed = "ok"', "or anybody could sign"),
        ('header = "x", how = "jwt"', "needs claims"),
        ('header = "x", claims = { a = "{x}" }', "signature.claims.a: there is no placeholder {x}"),
        ('header = "x", claims = { a = "{secret}" }', "{secret} has no place"),
        ('header = { a = "b" }', "signature: Expected `str | null`, got `object` - at `$.header`"),
    ],
)
def test_a_signature_that_is_none_is_told_which_key_is_wrong(tmp_path: Path, signature: str, said: str) -> None:
    with pytest.raises(BadSetting) as caught:
        own(tmp_path, signature)
    assert said in str(caught.value)
    assert "sources.own" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ('{ line = "to", sender = "from" }', "fields.text is missing"),
        ('{ sender = "from", text = "t" }', "fields.line is missing: where does our number stand?"),
        ('{ lien = "to" }', "there is no setting 'fields.lien'. Did you mean 'line'?"),
        ('{ line = "to", sender = "f", text = "t", zone = "CET" }', "fields.zone = 'CET' is not accepted"),
        ('{ line = "to", sender = "f", text = "t", only = "type" }', "fields.only = 'type' is not accepted"),
    ],
)
def test_fields_that_are_none_are_told_which_is_wrong(tmp_path: Path, fields: str, said: str) -> None:
    table = OWN.replace(TABLES["fields"], fields) + 'signature = { header = "x" }'
    with pytest.raises(BadSetting) as caught:
        provider(tmp_path, table)
    assert said in str(caught.value)


def test_fields_of_another_kind_are_refused(tmp_path: Path) -> None:
    table = OWN.replace('"signed"', '"smsgate"') + 'signature = { header = "x" }'
    with pytest.raises(BadSetting, match="fields and signature are for the kind signed; smsgate knows its own"):
        provider(tmp_path, table)


def with_fields(tmp_path: Path, fields: str, lines: str = "") -> Provider:
    table = OWN.replace(TABLES["fields"], f"{{ {fields} }}") + f'signature = {{ header = "x" }}\n{lines}'
    return provider(tmp_path, table)


def test_several_texts_in_one_delivery_are_several_messages(tmp_path: Path) -> None:
    source = with_fields(tmp_path, 'list = "data.all", line = "to.0.number", sender = "f", text = "t"')
    texts = [{"to": [{"number": LINE}], "f": 12345, "t": f"code {code}"} for code in (482913, 482913)]
    one, other = read(source, json.dumps({"data": {"all": texts}}).encode())
    assert [facts(message) for message in (one, other)] == [(LINE, "12345", "code 482913")] * 2
    assert one.id != other.id
    wrong: Any
    for wrong in ({"data": {}}, {"data": {"all": {}}}, {"data": {"all": [{"to": []}]}}, [], {"data": {"all": [1]}}):
        with pytest.raises(BadDelivery, match="is missing"):
            read(source, json.dumps(wrong).encode())


def test_json_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    source = with_fields(tmp_path, 'line = "l", sender = "f", text = "t"')
    with pytest.raises(BadDelivery, match="neither a form nor JSON"):
        read(source, b"[" * 200_000)


def test_without_a_field_for_it_the_line_is_the_one_of_the_source(tmp_path: Path) -> None:
    source = with_fields(tmp_path, 'sender = "f", text = "t"', f'lines = "{OTHER_LINE}"')
    assert [message.line for message in read(source, b"f=Authy&t=", FORM)] == [OTHER_LINE]


@pytest.mark.parametrize(
    ("written", "zone", "sent_at"),
    [
        ("2026-11-22T12:59:58+01:00", "", SENT),
        ("2026-11-22T11:59:58", "", None),
        ("2026-11-22 11:59:58", ', zone = "UTC"', SENT),
        (int(SENT.timestamp()), "", SENT),
        (str(int(SENT.timestamp()) * 1000), "", SENT),
        ("yesterday", "", None),
        ("9" * 30, "", None),
        ("0001-01-01T00:00:00+14:00", "", None),
        (True, "", None),
        (None, "", None),
    ],
)
def test_a_time_is_read_where_its_zone_is_known(
    tmp_path: Path, written: object, zone: str, sent_at: datetime | None
) -> None:
    source = with_fields(tmp_path, f'line = "l", sender = "f", text = "t", time = "at"{zone}')
    delivery: dict[str, Any] = {"l": LINE, "f": "Authy", "t": "x", "at": written}
    assert [message.sent_at for message in read(source, json.dumps(delivery).encode())] == [sent_at]


def test_a_delivery_that_waited_is_read_by_the_fields_that_it_was_taken_with(tmp_path: Path) -> None:
    source = with_fields(tmp_path, 'line = "l", sender = "f", text = "t"')
    content = json.dumps({"l": LINE, "f": "Authy", "t": "482913"}).encode()
    envelope = Envelope(
        received_at=NOON,
        address="",
        content_type=JSON,
        origin="source x",
        content=content,
        fields=source.webhook.fields,
    )
    (message,) = parse_delivery("signed", write_envelope(envelope), "entry", lambda line: line)
    assert isinstance(message, Message)
    assert facts(message) == (LINE, "Authy", "482913")
    bare = write_envelope(msgspec.structs.replace(envelope, fields={}))
    with pytest.raises(BadDelivery, match="Nothing says which field of it is what"):
        parse_delivery("signed", bare, "entry", lambda line: line)
