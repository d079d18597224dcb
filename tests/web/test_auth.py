"""Keys that end: what they opened, sessions and streams, ends with them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import msgspec
import pytest

from smscatch import keycache, keys
from smscatch.errors import StoreUnavailable, Unauthorized
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.stores import Key
from smscatch.web import auth, stream
from smscatch.web.app import make_app
from tests.carrier import eventually
from tests.conftest import Clock
from tests.patience import PATIENCE_SECONDS
from tests.samples import LINE, NOON, a_delivery
from tests.surroundings import settings_in


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "FAILURE_SECONDS", 0)


async def is_good(inbox: Inbox, secret: str) -> bool:
    try:
        await keys.start_session(inbox, secret)
    except Unauthorized:
        return False
    return True


async def test_a_new_configured_key_ends_the_old_one_and_its_sessions(inbox: Inbox) -> None:
    assert await keys.ensure_admin_key(inbox, "old") is None
    session = await keys.start_session(inbox, "old")
    assert await keys.ensure_admin_key(inbox, "new") is None
    assert [await is_good(inbox, secret) for secret in ("old", session, "new")] == [False, False, True]


async def test_the_same_configured_key_keeps_its_sessions(inbox: Inbox) -> None:
    await keys.ensure_admin_key(inbox, "same")
    session = await keys.start_session(inbox, "same")
    await keys.ensure_admin_key(inbox, "same")
    assert await is_good(inbox, session)


async def test_a_key_that_is_configured_no_longer_ends_and_another_is_made_if_it_was_the_only_one(inbox: Inbox) -> None:
    await keys.ensure_admin_key(inbox, "old")
    session = await keys.start_session(inbox, "old")
    made = await keys.ensure_admin_key(inbox, None)
    assert made is not None
    assert [await is_good(inbox, secret) for secret in ("old", session, made)] == [False, False, True]
    assert await keys.ensure_admin_key(inbox, None) is None


async def test_a_key_that_is_configured_no_longer_is_not_replaced_if_there_is_another(inbox: Inbox) -> None:
    _, secret = await keys.add_key(inbox, "mine", ("admin",))
    await keys.ensure_admin_key(inbox, "old")
    assert await keys.ensure_admin_key(inbox, None) is None
    assert [await is_good(inbox, secret) for secret in ("old", secret)] == [False, True]


async def test_a_key_that_gets_configured_leaves_no_session_of_its_former_self(inbox: Inbox) -> None:
    _, secret = await keys.add_key(inbox, "reader", ("read",))
    session = await keys.start_session(inbox, secret)
    await keys.ensure_admin_key(inbox, secret)
    assert not await is_good(inbox, session)
    assert [key.name for key in await inbox.store.keys()] == ["admin (configured)"]


@pytest.fixture
async def client(inbox: Inbox, leases: Leases, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings_in(tmp_path)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def open_stream(inbox: Inbox, client: httpx2.AsyncClient) -> tuple[asyncio.Task[httpx2.Response], str]:
    """Follow with a session; return the answer to come, and the id of the key that the session was made from."""
    key, secret = await keys.add_key(inbox, "reader", ("read",))
    cookie = {"cookie": f"{auth.COOKIE}={await keys.start_session(inbox, secret)}"}
    answer = asyncio.create_task(client.get("/api/v1/events", headers=cookie))
    await eventually(lambda: inbox.hub.waiting == 1)
    return answer, key.id


async def revoke(inbox: Inbox, key_id: str) -> None:
    await inbox.store.revoke_key(key_id)


async def expire(inbox: Inbox, key_id: str) -> None:
    inbox.now = lambda: NOON + keys.SESSION + timedelta(seconds=1)


@pytest.mark.parametrize("end", [revoke, expire])
async def test_a_stream_ends_before_the_next_text_when_its_key_does(
    inbox: Inbox, client: httpx2.AsyncClient, end: Callable[[Inbox, str], Awaitable[None]]
) -> None:
    answer, key_id = await open_stream(inbox, client)
    await end(inbox, key_id)
    await inbox.receive([a_delivery()])
    await eventually(answer.done)
    assert "482913" not in (await answer).text


@pytest.mark.parametrize("end", [revoke, expire])
async def test_a_stream_ends_at_the_next_heartbeat_when_its_key_does(
    inbox: Inbox,
    client: httpx2.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[[Inbox, str], Awaitable[None]],
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.01)
    answer, key_id = await open_stream(inbox, client)
    await end(inbox, key_id)
    await eventually(answer.done)
    assert (await answer).status_code == 200


async def test_a_stream_ends_while_the_store_cannot_say_whether_the_key_is_good(
    inbox: Inbox, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: bytes) -> None:
        raise StoreUnavailable("The database is away.")

    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.01)
    answer, _ = await open_stream(inbox, client)
    monkeypatch.setattr(inbox.store, "find_key", away)
    await eventually(answer.done)
    assert (await answer).status_code == 200


def deliver(client: httpx2.AsyncClient, secret: str) -> Awaitable[httpx2.Response]:
    delivery = {"line": LINE, "sender": "Authy", "text": "Your code is 482913"}
    return client.post("/api/v1/inbound/generic", json=delivery, headers={"authorization": f"Bearer {secret}"})


@pytest.fixture
async def spooling(inbox: Inbox, leases: Leases, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a server with a spool and a configured key."""
    (tmp_path / "spool").mkdir()
    settings = settings_in(tmp_path, admin_key=CONFIGURED_KEY)
    await keys.ensure_admin_key(inbox, CONFIGURED_KEY)
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


CONFIGURED_KEY = "a-configured-key-of-the-tests"


class Away:
    """Takes the store away, for keys and texts."""

    def __init__(self, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
        self._inbox, self._monkeypatch = inbox, monkeypatch

    def __call__(self) -> None:
        async def away(_: object) -> None:
            raise StoreUnavailable("The database is away.")

        for name in ("find_key", "add"):
            self._monkeypatch.setattr(self._inbox.store, name, away)


@pytest.fixture
def take_away(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> Away:
    return Away(inbox, monkeypatch)


async def test_while_the_store_is_away_a_delivery_needs_a_key_that_was_good_just_before(
    inbox: Inbox, spooling: httpx2.AsyncClient, take_away: Away, tmp_path: Path
) -> None:
    (_, used), (_, unused), (_, reader) = [
        await keys.add_key(inbox, name, (scope,)) for name, scope in (("a", "ingest"), ("b", "ingest"), ("c", "read"))
    ]
    assert [(await deliver(spooling, secret)).status_code for secret in (used, reader)] == [200, 403]
    spooled = set((tmp_path / "spool").glob("*.sms"))  # by a busy machine, whose store seemed silent
    take_away()
    secrets = (used, CONFIGURED_KEY, unused, reader, "unknown")
    assert [(await deliver(spooling, secret)).status_code for secret in secrets] == [200, 200, 503, 403, 503]
    assert len(set((tmp_path / "spool").glob("*.sms")) - spooled) == 2


@pytest.mark.parametrize("path", ["/openapi.json", "/readyz", "/api/v1/messages", "/api/v1/lines"])
async def test_while_the_store_is_away_no_key_opens_anything_else(
    spooling: httpx2.AsyncClient, take_away: Away, path: str
) -> None:
    assert (await deliver(spooling, CONFIGURED_KEY)).status_code == 200
    take_away()
    assert (await spooling.get(path, headers={"authorization": f"Bearer {CONFIGURED_KEY}"})).status_code == 503


async def test_a_key_that_was_revoked_or_has_expired_is_not_good_while_the_store_is_away(
    inbox: Inbox, clock: Clock, spooling: httpx2.AsyncClient, take_away: Away
) -> None:
    revoked, secret = await keys.add_key(inbox, "revoked", ("ingest",))
    _, admin = await keys.add_key(inbox, "an administrator", ("admin",))
    _, brief = await keys.add_key(inbox, "brief", ("ingest",), lifetime=timedelta(minutes=1))
    assert (await deliver(spooling, secret)).status_code == 200
    assert (await deliver(spooling, brief)).status_code == 200
    for id_ in (revoked.id, keys.CONFIGURED):
        answer = await spooling.post(f"/keys/{id_}/revoke", headers={"authorization": f"Bearer {admin}"})
        assert answer.status_code == 303
    take_away()
    assert [(await deliver(spooling, key)).status_code for key in (secret, CONFIGURED_KEY, brief)] == [503, 503, 200]
    clock.advance(60)
    assert (await deliver(spooling, brief)).status_code == 401


async def test_what_the_store_said_long_ago_or_of_a_session_counts_for_nothing(
    inbox: Inbox, spooling: httpx2.AsyncClient, take_away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = await keys.add_key(inbox, "ingest", ("ingest",))
    session = await keys.start_session(inbox, secret)
    assert (await deliver(spooling, session)).status_code == 200
    monkeypatch.setattr(keycache, "REMEMBERED_SECONDS", 0)
    assert (await deliver(spooling, secret)).status_code == 200
    take_away()
    assert [(await deliver(spooling, key)).status_code for key in (secret, session)] == [503, 503]


class Silence:
    """A store's `find_key` that says nothing until it is told what."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: asyncio.Future[Key | None] = asyncio.get_running_loop().create_future()

    async def __call__(self, _: bytes) -> Key | None:
        self.asked += 1
        return await asyncio.shield(self.answer)


async def test_a_delivery_with_a_key_that_was_good_just_before_waits_for_no_answer_of_the_store(
    inbox: Inbox, spooling: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = await keys.add_key(inbox, "ingest", ("ingest",))
    assert (await deliver(spooling, secret)).status_code == 200
    silence = Silence()
    monkeypatch.setattr(inbox.store, "find_key", silence)
    async with asyncio.timeout(PATIENCE_SECONDS):
        answers = await asyncio.gather(*(deliver(spooling, secret) for _ in range(20)))
        configured = await deliver(spooling, CONFIGURED_KEY)
    assert {answer.status_code for answer in (*answers, configured)} == {200}
    assert silence.asked == 2  # one question for all who bring the same key
    waiting = asyncio.ensure_future(deliver(spooling, "unknown"))
    await eventually(lambda: silence.asked == 3)
    silence.answer.set_result(None)  # all are revoked
    assert [(await deliver(spooling, key)).status_code for key in (secret, CONFIGURED_KEY)] == [401, 401]
    assert (await waiting).status_code == 401


async def test_who_asks_after_a_key_was_changed_gets_no_answer_from_before(inbox: Inbox) -> None:
    memory = keycache.KeyCache()
    silence = Silence()
    store: Any = SimpleNamespace(find_key=silence)
    before = asyncio.ensure_future(memory.ask(store, b"hash"))
    await eventually(lambda: silence.asked == 1)
    memory.forget("any")
    after = asyncio.ensure_future(memory.ask(store, b"hash"))
    await eventually(lambda: silence.asked == 2)
    silence.answer.set_result(None)
    assert [await before, await after] == [None, None]


async def test_what_was_looked_up_while_a_key_was_revoked_is_not_remembered(inbox: Inbox) -> None:
    memory = keycache.KeyCache()
    key, _ = await keys.add_key(inbox, "ingest", ("ingest",))
    changes = memory.changes
    memory.note(b"another", msgspec.structs.replace(key, id="another"), changes)
    memory.forget(key.id)
    memory.note(b"hash", key, changes)
    assert memory.find(b"hash") is None
    assert memory.find(b"another") is not None
