"""Telnyx's signature, judged beside Telnyx's own package, and what of its events the contract does not say."""

import importlib.util
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from smscatch.errors import BadSetting, BadSignature
from smscatch.messages import Message
from smscatch.sources import open_sources
from smscatch.sources.telnyx import check_telnyx, read_telnyx
from smscatch.sources.webhook import JSON, Envelope, Incoming
from tests.data.telnyx import LINE, an_event, public_key, sign_with
from tests.samples import NOON
from tests.sources.samples import Post
from tests.surroundings import settings_in

SECRET = "the-private-key-of-the-tests"


@pytest.fixture(scope="module")
def official() -> ModuleType:
    """Telnyx's own check, from its file alone: the package around it takes seconds to load."""
    package = importlib.util.find_spec("telnyx")
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "lib" / "webhook_verification.py"
    spec = importlib.util.spec_from_file_location("webhook_verification", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Case(NamedTuple):
    """A request that is signed `off` seconds from now, and what becomes of it on its way."""

    name: str
    is_good: bool
    off: int = 0
    secret: str = SECRET
    content: bytes | None = None
    cut: int = 0
    without: str = ""
    stamp: str | None = None


CASES = (
    Case("as it is", True),
    Case("nearly too old", True, off=-290),
    Case("nearly too new", True, off=290),
    Case("too old", False, off=-310),
    Case("too new", False, off=310),
    Case("another key", False, secret="another"),
    Case("another text", False, content=an_event(text="Your code is 482914").content),
    Case("a signature that is cut", False, cut=4),
    Case("no signature", False, without="telnyx-signature-ed25519"),
    Case("no time", False, without="telnyx-timestamp"),
    Case("a time that is none", False, stamp="soon"),
)


def incoming(case: Case, now: datetime) -> Incoming:
    post = an_event()
    headers = sign_with(post, case.secret, case.stamp or str(int(now.timestamp()) + case.off)).headers
    given = headers["telnyx-signature-ed25519"]
    headers["telnyx-signature-ed25519"] = given[: len(given) - case.cut]
    kept = {name: value for name, value in headers.items() if name != case.without}
    return Incoming("POST", "", "", kept, post.content if case.content is None else case.content)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_signature_is_judged_as_telnyxs_own_package_does(
    official: ModuleType, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    now = NOON.astimezone(UTC)
    monkeypatch.setattr(official.time, "time", now.timestamp)
    request = incoming(case, now)
    try:
        official.verify_webhook_signature(request.content, request.headers, public_key(SECRET))
        theirs = True
    except official.WebhookVerificationError:
        theirs = False
    try:
        check_telnyx(request, (public_key("older"), public_key(SECRET)), now)
        ours = True
    except BadSignature:
        ours = False
    assert (ours, theirs) == (case.is_good, case.is_good)


def test_an_administrator_is_told_which_part_differs() -> None:
    for case, reason in (
        (Case("", False, secret="x"), "no secret fits: the public key is another account's"),
        (Case("", False, off=-310), "310 s behind our clock"),
        (Case("", False, stamp="soon"), "the header Telnyx-Timestamp is no time"),
        (Case("", False, without="telnyx-timestamp"), "the header Telnyx-Timestamp is missing"),
    ):
        with pytest.raises(BadSignature, match=reason):
            check_telnyx(incoming(case, NOON), (public_key(SECRET),), NOON)


@pytest.mark.parametrize("secret", ["KEY0123456789ABCDEF_an_api_key", "c2hvcnQ="])
def test_a_secret_that_is_no_public_key_is_refused_at_the_start(tmp_path: Path, secret: str) -> None:
    settings = settings_in(tmp_path, f'[sources.rented]\nkind = "telnyx"\nsecrets = "{secret}"\n')
    with pytest.raises(BadSetting, match=r"sources\.rented: secrets: for telnyx this is the account's public key"):
        open_sources(settings)


def test_without_pynacl_the_command_that_installs_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in(tmp_path, f'[sources.rented]\nkind = "telnyx"\nsecrets = "{public_key(SECRET)}"\n')
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadSetting, match=r"pip install 'smscatch\[telnyx\]'"):
        open_sources(settings)


def read(post: Post) -> list[Message]:
    envelope = Envelope(received_at=NOON, address="", content_type=JSON, origin="source x", content=post.content)
    return read_telnyx(envelope, "entry", lambda line: line)


def test_of_several_recipients_the_line_is_the_one_that_is_ours() -> None:
    others = [{"phone_number": "+447700900555", "status": "delivered"}]
    (message,) = read(an_event(to=[*others, {"phone_number": LINE, "status": "webhook_delivered"}]))
    assert message.line == LINE
    (message,) = read(an_event(to=others))
    assert message.line == "+447700900555"


def test_an_mms_is_named_and_a_blank_text_is_a_text() -> None:
    (mms,) = read(an_event(type="MMS", text="", media=[{"url": "https://x.example/1", "content_type": "image/png"}]))
    assert (mms.text, mms.marks) == ("MMS: image/png https://x.example/1", ("mms",))
    (blank,) = read(an_event(text=None, parts=None))
    assert (blank.text, blank.marks, blank.parts) == ("", (), 1)


def test_a_time_that_no_text_was_sent_at_loses_no_text() -> None:
    early = datetime(1, 1, 1, tzinfo=UTC) + timedelta(days=1)
    (message,) = read(an_event(received_at=early.isoformat()))
    assert (message.sent_at, message.code) == (None, None)
