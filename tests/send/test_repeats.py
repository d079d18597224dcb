"""Texts that an SDK sends again by itself: each is kept, and all but the first are marked as repeats."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx2
import pytest

from smscatch import Client, keys
from smscatch.errors import StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import Query
from smscatch.web.app import make_app
from tests.conftest import ADMIN_KEY, Clock
from tests.surroundings import settings_in

TEXT = {"to": "+12015550123", "from": "Acme", "text": "Your code is 482913"}
CAUGHT, REPEAT = ("caught",), ("caught", "repeat")
AWS = "amz-sdk-invocation-id"
TELNYX = "x-stainless-retry-count"
NONE: Mapping[str, str] = MappingProxyType({})


class App:
    """An application with a key, which sends in plain JSON."""

    def __init__(self, client: httpx2.AsyncClient, inbox: Inbox) -> None:
        self.client, self.inbox = client, inbox

    async def send(self, key: str, headers: Mapping[str, str] = NONE, changed: Mapping[str, str] = NONE) -> int:
        headers = {"authorization": f"Bearer {key}", **headers}
        return (await self.client.post("/plain", json={**TEXT, **changed}, headers=headers)).status_code

    async def marks(self) -> list[tuple[str, ...]]:
        """The marks of all texts, the oldest first."""
        return [stored.message.marks for stored in reversed(await self.inbox.store.newest(Query(), 50))]


@pytest.fixture
async def app(inbox: Inbox, leases: Leases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[App]:
    settings = settings_in(tmp_path, "")
    settings.spool.mkdir()
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield App(client, inbox)


@pytest.fixture
async def key(inbox: Inbox) -> str:
    return (await keys.add_key(inbox, "application", ("send", "read")))[1]


async def test_the_same_text_a_moment_later_is_a_repeat_and_after_a_while_it_is_not(
    app: App, key: str, clock: Clock
) -> None:
    for seconds in (0, 20, 20, 31):
        clock.advance(seconds)
        assert await app.send(key) == 201
    assert await app.marks() == [CAUGHT, REPEAT, REPEAT, CAUGHT]


async def test_another_text_number_sender_or_key_is_no_repeat(app: App, key: str, inbox: Inbox) -> None:
    _, other = await keys.add_key(inbox, "another", ("send",))
    others: list[dict[str, str]] = [{"text": "again"}, {"to": "+12015550124"}, {"from": "Bank"}, {}]
    for changed in others:
        await app.send(key)
        await app.send(key if changed else other, changed=changed)
    assert (await app.marks())[1::2] == [CAUGHT] * 4


@pytest.mark.parametrize("header", [AWS, "idempotency-key"])
async def test_where_an_sdk_names_its_calls_the_name_alone_counts(
    app: App, key: str, clock: Clock, *, header: str
) -> None:
    for call, seconds in (("a", 0), ("b", 0), ("a", 300)):
        clock.advance(seconds)
        await app.send(key, {header: call})
    assert await app.marks() == [CAUGHT, CAUGHT, REPEAT]


async def test_where_an_sdk_counts_its_tries_what_the_application_sends_again_is_no_repeat(
    app: App, key: str, clock: Clock
) -> None:
    for count, seconds in (("0", 0), ("1", 60), ("0", 0)):
        clock.advance(seconds)
        await app.send(key, {TELNYX: count})
    assert await app.marks() == [CAUGHT, REPEAT, CAUGHT]
    await app.send(key, {TELNYX: "1"}, {"text": "of which the first try never came"})
    assert (await app.marks())[-1] == CAUGHT


async def test_what_could_not_be_kept_is_repeated_by_nothing(
    app: App, key: str, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, *, tmp_path: Path
) -> None:
    async def away(*_: object) -> int:
        raise StoreUnavailable("The database is away.")

    with monkeypatch.context() as trouble:
        trouble.setattr(inbox.store, "add", away)
        (tmp_path / "spool").rmdir()
        (tmp_path / "spool").touch()
        assert await app.send(key) == 503
    assert await app.send(key, {TELNYX: "1"}) in (201, 503)
    assert REPEAT not in await app.marks()


async def test_the_page_says_that_it_is_a_repeat_and_why(app: App, key: str) -> None:
    await app.send(key)
    await app.send(key)
    headers = {"authorization": f"Bearer {key}"}
    assert (await app.client.get("/", headers=headers)).text.count(">repeat<") == 1
    (newest,) = await app.inbox.store.newest(Query(), 1)
    page = await app.client.get(f"/messages/{newest.message.id}", headers=headers)
    assert "its SDK repeats what is answered late or with an error" in page.text


def test_an_sdk_that_is_answered_with_an_error_repeats_a_text_that_is_there(sms: Client) -> None:
    import httpx
    import telnyx

    class LosesTheFirstAnswer(httpx.HTTPTransport):
        answers = 0

        def handle_request(self, request: Any) -> Any:
            answer = super().handle_request(request)
            self.answers += 1
            return answer if self.answers > 1 else httpx.Response(503, headers={"retry-after-ms": "1"})

    with httpx.Client(transport=LosesTheFirstAnswer()) as http, sms.lease(label="virtual") as phone:
        client = telnyx.Telnyx(api_key=ADMIN_KEY, base_url=sms.send_url("telnyx"), http_client=http)
        client.messages.send(to=phone.number, from_="+15005550006", text=TEXT["text"])
        phone.wait_for_code()
        assert [text.marks for text in reversed(sms.messages(line=phone.number))] == [CAUGHT, REPEAT]
