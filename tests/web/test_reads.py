"""Who was given which message is on record, however it was given, and at no cost to the answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from smscatch import keys, reads
from smscatch.errors import StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import Query, Stored
from smscatch.reads import Reads
from smscatch.stores import Key
from smscatch.web.app import make_app
from tests.carrier import eventually
from tests.samples import LINE, NOON, a_delivery
from tests.surroundings import settings_in

KEY = Key(id="k1", name="CI", scopes=("read",), created_at=NOON)


@pytest.fixture
def record(inbox: Inbox) -> Reads:
    return Reads(inbox)


@pytest.fixture
async def client(inbox: Inbox, leases: Leases, record: Reads, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    _, secret = await keys.add_key(inbox, "CI", ("read", "lease"))
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings_in(tmp_path), record))
    headers = {"authorization": f"Bearer {secret}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client


async def a_message(inbox: Inbox) -> Stored:
    await inbox.receive([a_delivery()])
    return (await inbox.store.newest(Query(), 1))[0]


async def names(inbox: Inbox, stored: Stored) -> list[str]:
    return [read.name for read in await inbox.store.reads(stored.message.id)]


@pytest.mark.parametrize(
    "path",
    [
        "/json",
        "/api/v1/messages",
        "/api/v1/messages/latest",
        "/api/v1/messages/next?after=0",
        "/api/v1/code?after=0",
        "/",
        "/messages/{id}",
    ],
)
async def test_whoever_is_given_a_message_is_on_record(
    inbox: Inbox, client: httpx2.AsyncClient, record: Reads, path: str
) -> None:
    stored = await a_message(inbox)
    answer = await client.get(path.replace("{id}", stored.message.id))
    assert "482913" in answer.text
    await record.write()
    assert await names(inbox, stored) == ["CI"]


@pytest.mark.parametrize("what", ["next", "code", "messages"])
async def test_so_is_the_holder_of_a_lease(inbox: Inbox, client: httpx2.AsyncClient, record: Reads, what: str) -> None:
    lease = (await client.post("/api/v1/leases", json={"line": LINE})).json()
    if "id" not in lease:  # no line is known before its first message
        await a_message(inbox)
        lease = (await client.post("/api/v1/leases", json={"line": LINE})).json()
    stored = await a_message(inbox)
    assert "482913" in (await client.get(f"/api/v1/leases/{lease['id']}/{what}")).text
    await record.write()
    assert await names(inbox, stored) == ["CI"]


@pytest.mark.parametrize("path", ["/api/v1/events?after=0", "/live?after=0"])
async def test_so_is_whoever_follows(inbox: Inbox, client: httpx2.AsyncClient, record: Reads, path: str) -> None:
    stored = await a_message(inbox)
    following = asyncio.create_task(client.get(path))
    await eventually(lambda: bool(record._waiting))
    inbox.hub.close()
    assert "482913" in (await following).text
    await record.write()
    assert await names(inbox, stored) == ["CI"]


async def test_a_session_reads_for_the_key_it_was_made_from(inbox: Inbox, record: Reads) -> None:
    stored = await a_message(inbox)
    record.note(KEY, [stored])
    record.note(Key(id="s1", name="CI", scopes=("read",), created_at=NOON, parent="k1"), [stored])
    await record.write()
    assert [read.key for read in await inbox.store.reads(stored.message.id)] == ["k1"]


async def test_an_answer_does_not_wait_for_the_record_and_outlives_a_store_that_is_away(
    inbox: Inbox, record: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await a_message(inbox)

    async def away(_: object) -> None:
        raise StoreUnavailable("The database is away.")

    with monkeypatch.context() as broken:
        broken.setattr(inbox.store, "add_reads", away)
        record.note(KEY, [stored])
        await record.write()
    assert await names(inbox, stored) == []
    await record.write()
    assert await names(inbox, stored) == ["CI"]


async def test_the_record_is_complete_when_the_server_ends(inbox: Inbox, record: Reads) -> None:
    stored = await a_message(inbox)
    writing = asyncio.create_task(record.keep_writing())
    await asyncio.sleep(0)
    record.note(KEY, [stored])
    writing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await writing
    assert await names(inbox, stored) == ["CI"]


async def test_what_is_kept_in_memory_is_bounded_and_what_was_lost_is_noted_when_it_is_read_again(
    inbox: Inbox, record: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "MAX_WAITING", 2)
    monkeypatch.setattr(reads, "MAX_KNOWN", 3)
    await inbox.receive([a_delivery() for _ in range(4)])
    messages = await inbox.store.newest(Query(), 4)
    record.note(KEY, messages)
    assert (len(record._waiting), len(record._known)) == (2, 2)
    await record.write()
    assert [await names(inbox, stored) for stored in messages] == [[], [], ["CI"], ["CI"]]
    record.note(KEY, messages[:1])
    await record.write()
    assert await names(inbox, messages[0]) == ["CI"]


async def test_a_store_that_stays_away_is_told_once_until_it_is_back(
    inbox: Inbox, record: Reads, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def full(_: object) -> None:
        raise StoreUnavailable("The database failed: database or disk is full.")

    for told in (1, 2):
        record.note(KEY, [await a_message(inbox)])
        with monkeypatch.context() as patch:
            patch.setattr(inbox.store, "add_reads", full)
            for _ in range(5):
                await record.write()
        await record.write()
        assert len(caplog.records) == told
