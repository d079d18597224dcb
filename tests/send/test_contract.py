"""What every send API promises, whichever provider's it is: a loop over the registry; one without a sample fails."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx2
import pytest
from standardwebhooks import Webhook

from smscatch import keys
from smscatch.errors import StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import Query
from smscatch.redirecting import TARGETS, hook_secret, redirect_lines, send_url
from smscatch.web import auth
from smscatch.web.app import make_app
from smscatch.web.compat import SEND_APIS
from smscatch.web.compat.base import Asked, Url
from smscatch.web.compat.sigv4 import sign
from tests.samples import LINE, NOON
from tests.surroundings import settings_in

TO = "+12015550123"
SENDER = "+15005550006"
TEXT = "Your code is 482913 – “now”"
# Of each provider: path; names of recipient, sender and text; status of a wrong key, of a wrong field, of a key that
# may not send. Vonage's SMS API says what is wrong in the body alone.
SAMPLES = {
    "messagebird": ("/messages", ("recipients", "originator", "body"), (401, 422, 403)),
    "plain": ("/", ("to", "from", "text"), (401, 400, 403)),
    "plivo": ("/v1/Account/MA1/Message/", ("dst", "src", "text"), (401, 400, 403)),
    "sinch": ("/xms/v1/plan/batches", ("to", "from", "body"), (401, 400, 403)),
    "smsgate": ("/3rdparty/v1/messages", ("phoneNumbers", "", "textMessage"), (401, 400, 403)),
    "sns": ("/", ("PhoneNumber", "MessageAttributes.entry.1.Value.StringValue", "Message"), (403, 400, 403)),
    "supabase": ("/KEY", ("user", "", "sms"), (401, 400, 403)),
    "telnyx": ("/v2/messages", ("to", "from", "text"), (401, 422, 403)),
    "twilio": ("/2010-04-01/Accounts/AC1/Messages.json", ("To", "From", "Body"), (401, 400, 403)),
    "vonage": ("/sms/json", ("to", "from", "text"), (200, 200, 200)),
}
UNNAMED = {"smsgate": "SMSGate", "supabase": "Supabase"}  # the senders where no request names one
SENTENCE = "Your code is "  # in which Supabase's code is put
# Whose bodies are forms, with these fields in each; those of the others are JSON.
FORMS: dict[str, dict[str, str]] = {
    "sns": {"Action": "Publish", "MessageAttributes.entry.1.Name": "AWS.MM.SMS.OriginationNumber"},
    "twilio": {},
}


def credentials(provider: str, key: str, path: str, content: bytes) -> dict[str, str]:
    """Return the headers in which a provider's SDK sends a key, or what it signs with it."""
    if provider == "supabase":
        signature = (
            Webhook(hook_secret(key).removeprefix("v1,")).sign("1", NOON, content.decode("utf-8", "replace"))
            if key
            else ""
        )
        return {"webhook-id": "1", "webhook-timestamp": str(int(NOON.timestamp())), "webhook-signature": signature}
    basic = base64.b64encode(f"AC1:{key}".encode()).decode()
    other = {"messagebird": f"AccessKey {key}", "sinch": f"Bearer {key}", "sns": "", "telnyx": f"Bearer {key}"}
    if provider == "sns":
        asked = Asked("POST", Url("", "", "", f"/sns{path}"), {"host": "test"}, content)
        scope = "20261129/us-east-1/sns/aws4_request"
        signature = sign(asked, scope, "host", key)
        signed = f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders=host, Signature={signature}"
        other["sns"] = signed if key else ""
    return {"authorization": other.get(provider, f"Basic {basic}")}


class Sdk:
    """Sends as a provider's SDK does."""

    def __init__(self, provider: str, client: httpx2.AsyncClient, key: str) -> None:
        self.path, self.names, self.refused = SAMPLES[provider]
        self.provider, self.client, self.key = provider, client, key
        self.kept = (TO, UNNAMED.get(provider, SENDER), TEXT)

    def body(self, to: str = TO, text: str = TEXT) -> bytes:
        fields: dict[str, Any] = dict(zip(self.names, (to, SENDER, text), strict=True))
        if self.provider == "supabase":
            fields = {"user": {"phone": to}, "sms": {"otp": text.removeprefix(SENTENCE)}}
        elif self.provider == "smsgate":
            fields = {"phoneNumbers": [to], "textMessage": {"text": text}}
        elif self.provider == "sinch":
            fields["to"] = [to] if to else []
        if self.provider in FORMS:
            return urlencode(FORMS[self.provider] | fields).encode()
        return json.dumps(fields).encode()

    async def send(
        self, body: bytes | None = None, *, path: str = "", key: str | None = None, media_type: str = ""
    ) -> httpx2.Response:
        content, key = self.body() if body is None else body, self.key if key is None else key
        path = (path or self.path).replace("KEY", key)
        headers = credentials(self.provider, key, path, content)
        headers["content-type"] = media_type or "application/x-www-form-urlencoded"
        return await self.client.post(f"/{self.provider}{path}", content=content, headers=headers)


@pytest.fixture(params=SEND_APIS)
async def sdk(  # noqa: PLR0917 - pytest's fixtures
    request: pytest.FixtureRequest, inbox: Inbox, leases: Leases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Sdk]:
    monkeypatch.setattr(auth, "FAILURE_SECONDS", 0)
    settings = settings_in(tmp_path, f'[lines."{LINE}"]\nlabel = "one"\n')
    settings.spool.mkdir()
    _, secret = await keys.add_key(inbox, "application", ("send",))
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield Sdk(request.param, client, secret)


async def kept(inbox: Inbox) -> list[tuple[str, str, str]]:
    found = await inbox.store.newest(Query(), 10)
    return [(one.message.line, one.message.sender, one.message.text) for one in found]


async def test_a_text_is_kept_whole_and_marked_on_the_line_of_its_number(sdk: Sdk, inbox: Inbox) -> None:
    assert (await sdk.send()).is_success
    assert await kept(inbox) == [sdk.kept]
    (stored,) = await inbox.store.newest(Query(), 1)
    assert (stored.message.marks, stored.message.provider, stored.message.code) == (("caught",), sdk.provider, "482913")


async def test_what_a_text_would_cost_and_that_it_was_caught_is_told_by_the_api_and_on_its_page(
    sdk: Sdk, inbox: Inbox
) -> None:
    await sdk.send(sdk.body(text="Your code is don’t tell anybody 123456, " + "x" * 60))
    (stored,) = await inbox.store.newest(Query(), 1)
    _, secret = await keys.add_key(inbox, "reader", ("read",))
    reader = {"authorization": f"Bearer {secret}"}
    told = (await sdk.client.get(f"/api/v1/messages/{stored.message.id}", headers=reader)).json()
    costly = [{"character": "’", "place": 17}]
    assert told["segments"] == {"encoding": "UCS-2", "count": 2, "units": 100, "costly": costly, "parts_in_gsm": 1}
    assert (told["marks"], told["provider"], told["parts"]) == (["caught"], sdk.provider, 2)
    page = (await sdk.client.get(f"/messages/{stored.message.id}", headers=reader)).text
    for part in ("2 SMS in UCS-2", "It would be 1 without", "at 17", ">caught<", f"caught ({sdk.provider})"):
        assert part in page, part


async def test_a_wrong_key_is_refused_in_the_form_of_the_provider_and_nothing_is_kept(sdk: Sdk, inbox: Inbox) -> None:
    _, reading = await keys.add_key(inbox, "reader", ("read", "lease", "ingest"))
    for key, status in (("", sdk.refused[0]), ("wrong", sdk.refused[0]), (reading, sdk.refused[2])):
        answer = await sdk.send(key=key)
        assert answer.status_code == status, answer.text
        assert "smscatch keys" not in answer.text
    assert await kept(inbox) == []


@pytest.mark.parametrize("field", [0, 2])
async def test_a_missing_or_wrong_field_is_refused_and_nothing_is_kept(sdk: Sdk, inbox: Inbox, field: int) -> None:
    for body in (sdk.body("", TEXT), sdk.body("12", TEXT)) if field == 0 else (sdk.body(TO, ""),):
        assert (await sdk.send(body)).status_code == sdk.refused[1]
    assert await kept(inbox) == []


async def test_slashes_too_many_or_too_few_do_no_harm(sdk: Sdk, inbox: Inbox) -> None:
    for path in (f"/{sdk.path}", f"{sdk.path}/", sdk.path.rstrip("/"), sdk.path.replace("/", "//")):
        assert (await sdk.send(path=path)).is_success, path
    assert len(await kept(inbox)) == 4


async def test_the_body_is_read_whatever_its_content_type_says(sdk: Sdk, inbox: Inbox) -> None:
    for media_type in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
        assert (await sdk.send(media_type=media_type)).is_success
    assert len(await kept(inbox)) == 3


async def test_values_of_other_types_and_what_is_no_body_break_nothing(sdk: Sdk) -> None:
    for junk in (b"{", b"[1]", b'{"a": ' + b"[" * 50_000, b"\xff=\xff", b'{"a": "\\ud800"}'):
        assert (await sdk.send(junk)).status_code < 500, junk[:20]
    good = json.loads(sdk.body()) if sdk.provider not in FORMS else dict(parse_qsl(sdk.body().decode()))
    for name in [*good, "parameters", "MessageAttributes.entry.1.Value.StringValue"]:
        for value in (None, 5, True, [], {}, [5], {"a": 5}):
            answer = await sdk.send(json.dumps(good | {name: value}).encode())
            assert answer.status_code < 500, (name, value)


async def test_a_text_sent_again_is_another_text(sdk: Sdk, inbox: Inbox) -> None:
    for _ in range(2):
        assert (await sdk.send()).is_success
    assert await kept(inbox) == [sdk.kept] * 2


async def test_what_is_sent_to_a_number_of_ours_is_kept_aside(sdk: Sdk, inbox: Inbox) -> None:
    assert (await sdk.send(sdk.body(LINE))).is_success
    (stored,) = await inbox.store.newest(Query(), 1)
    assert (stored.message.line, stored.message.marks) == (LINE, ("caught", "aside"))


async def test_while_the_store_is_away_a_text_is_on_disk_before_it_is_acknowledged(
    sdk: Sdk, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await sdk.send()).is_success  # so the key is known

    async def away(*_: object) -> int:
        raise StoreUnavailable("The database is away.")

    monkeypatch.setattr(inbox.store, "add", away)
    assert (await sdk.send()).is_success
    (entry,) = (tmp_path / "spool").glob("*.sms")
    assert b"482913" in entry.read_bytes()


async def test_an_unknown_path_is_not_found_and_a_key_without_the_line_is_refused(sdk: Sdk, inbox: Inbox) -> None:
    # Of Supabase the path is the key.
    assert (await sdk.send(path="/no/such/thing")).status_code == (401 if sdk.provider == "supabase" else 404)
    _, limited = await keys.add_key(inbox, "limited", ("send",), (LINE,))
    assert (await sdk.send(key=limited)).status_code == sdk.refused[2]
    assert await kept(inbox) == []


def test_each_provider_has_the_line_that_points_its_sdk_here() -> None:
    assert {*TARGETS} == {*SEND_APIS}
    for provider in TARGETS:
        assert send_url("http://host", provider).startswith(f"http://host/{provider}")
        for line in redirect_lines("http://host", "a-key", provider):
            assert "host/" in line
            assert "a-key" in line
