"""What is open follows its key: streams, waits, places in the queue and leases lose a right when their key does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import httpx2
import msgspec
import pytest

from smscatch import keys, rights, waits
from smscatch import leases as leases_module
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.settings import load_settings
from smscatch.sources import join_parts
from smscatch.stores import Key, Store, Wish, open_store
from smscatch.web import stream
from smscatch.web.app import make_app
from smscatch.web.compat import mailosaur
from tests.carrier import eventually
from tests.conftest import Clock
from tests.patience import PATIENCE_SECONDS
from tests.samples import LINE, NOON, OTHER_LINE, a_delivery

Limit = Callable[[Store, Key], Awaitable[object]]


@pytest.fixture
async def client(inbox: Inbox, leases: Leases) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(make_app(inbox, leases, load_settings(environ={})))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture
async def elsewhere(inbox: Inbox, tmp_path: Path) -> AsyncIterator[Store]:
    """The same database, as another server has it open."""
    store = await open_store(f"sqlite:///{tmp_path}/inbox.db", join_parts)
    yield store
    await store.close()


async def limit_lines(store: Store, key: Key) -> None:
    assert await store.change_key(msgspec.structs.replace(key, lines=(OTHER_LINE,)))


async def limit_scopes(store: Store, key: Key) -> None:
    assert await store.change_key(msgspec.structs.replace(key, scopes=("ingest",)))


async def revoke(store: Store, key: Key) -> None:
    assert await store.revoke_key(key.id)


LIMITS = pytest.mark.parametrize("limit", [limit_lines, limit_scopes, revoke])


async def make_key(inbox: Inbox, *scopes: str, lines: tuple[str, ...] | None = None) -> tuple[Key, dict[str, str]]:
    key, secret = await keys.add_key(inbox, "test", scopes, lines)
    return key, {"authorization": f"Bearer {secret}"}


async def ask(
    client: httpx2.AsyncClient, path: str, headers: dict[str, str], method: str = "GET"
) -> asyncio.Task[httpx2.Response]:
    """Ask for something that waits; return the answer to come, once it waits."""
    waiting = client._transport.app._app._app.state.context.house.inbox.hub  # type: ignore[attr-defined]
    before = waiting.waiting
    answer = asyncio.create_task(client.request(method, path, headers=headers))
    await eventually(lambda: waiting.waiting == before + 1)
    return answer


@LIMITS
@pytest.mark.parametrize("path", ["/api/v1/events", "/live", f"/api/v1/events?line=%2B{LINE[1:]}"])
async def test_a_stream_ends_before_the_next_text_when_its_key_is_limited(
    inbox: Inbox, client: httpx2.AsyncClient, elsewhere: Store, *, limit: Limit, path: str
) -> None:
    await inbox.receive([a_delivery(text="the first")])
    key, headers = await make_key(inbox, "read")
    answer = await ask(client, path, headers)
    await limit(elsewhere, key)
    await inbox.receive([a_delivery()])
    await eventually(answer.done)
    assert "482913" not in (await answer).text


@LIMITS
async def test_a_stream_ends_without_a_text_too(
    inbox: Inbox, client: httpx2.AsyncClient, elsewhere: Store, *, monkeypatch: pytest.MonkeyPatch, limit: Limit
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.01)
    key, headers = await make_key(inbox, "read")
    answer = await ask(client, "/api/v1/events", headers)
    await limit(elsewhere, key)
    await eventually(answer.done)
    assert (await answer).status_code == 200


@LIMITS
@pytest.mark.parametrize("path", ["/api/v1/messages/next?timeout=60", "/api/v1/code?timeout=60"])
async def test_a_wait_is_refused_the_text_when_its_key_is_limited(
    inbox: Inbox, client: httpx2.AsyncClient, elsewhere: Store, *, limit: Limit, path: str
) -> None:
    key, headers = await make_key(inbox, "read")
    answer = await ask(client, path, headers)
    await limit(elsewhere, key)
    await inbox.receive([a_delivery()])
    refused = await answer
    assert refused.status_code == (401 if limit is revoke else 403)
    assert "482913" not in refused.text


@LIMITS
async def test_a_search_of_mailosaurs_clients_that_is_held_is_refused_the_text_when_its_key_is_limited(
    inbox: Inbox, client: httpx2.AsyncClient, elsewhere: Store, *, monkeypatch: pytest.MonkeyPatch, limit: Limit
) -> None:
    monkeypatch.setattr(mailosaur, "HOLD_SECONDS", 60)
    await inbox.receive([a_delivery(text="the first", line=LINE)])
    key, headers = await make_key(inbox, "read")
    path = f"/api/messages/search?server={quote(LINE)}&itemsPerPage=1&receivedAfter=2026-11-22T12:00:01Z"
    answer = await ask(client, path, headers, "POST")
    await limit(elsewhere, key)
    await inbox.receive([a_delivery(line=LINE, received_at=NOON + timedelta(seconds=2))])
    refused = await answer
    assert refused.status_code == (401 if limit is revoke else 403)
    assert "482913" not in refused.text


@LIMITS
async def test_a_wait_ends_when_its_key_is_limited_though_nothing_comes(
    inbox: Inbox, client: httpx2.AsyncClient, elsewhere: Store, *, monkeypatch: pytest.MonkeyPatch, limit: Limit
) -> None:
    monkeypatch.setattr(rights, "RECHECK_SECONDS", 0.01)
    key, headers = await make_key(inbox, "read")
    answer = await ask(client, "/api/v1/code?timeout=300", headers)
    await limit(elsewhere, key)
    assert (await answer).status_code == (401 if limit is revoke else 403)


@LIMITS
async def test_why_nothing_came_is_not_told_to_a_key_that_was_limited(
    inbox: Inbox, client: httpx2.AsyncClient, elsewhere: Store, *, monkeypatch: pytest.MonkeyPatch, limit: Limit
) -> None:
    key, headers = await make_key(inbox, "read")
    explain = waits._explain

    async def limit_and_explain(*arguments: object) -> object:
        await limit(elsewhere, key)
        return await explain(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(waits, "_explain", limit_and_explain)
    await inbox.receive([a_delivery()])
    answer = await client.get("/api/v1/code?sender=Google&after=0&timeout=0", headers=headers)
    assert answer.status_code == (401 if limit is revoke else 403)
    assert "Authy" not in answer.text


async def test_what_asks_for_a_line_that_the_key_keeps_goes_on(
    inbox: Inbox, client: httpx2.AsyncClient, elsewhere: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "RECHECK_SECONDS", 0.01)
    await inbox.receive([a_delivery(line=OTHER_LINE)])
    key, headers = await make_key(inbox, "read")
    answer = await ask(client, f"/api/v1/code?line=%2B{OTHER_LINE[1:]}&timeout=60", headers)
    await limit_lines(elsewhere, key)
    await inbox.receive([a_delivery(line=OTHER_LINE)])
    assert (await answer).text == "482913"


@LIMITS
async def test_a_wait_on_a_lease_is_refused_the_text_when_its_key_is_limited(
    inbox: Inbox, client: httpx2.AsyncClient, elsewhere: Store, limit: Limit
) -> None:
    await inbox.receive([a_delivery()])
    key, headers = await make_key(inbox, "lease")
    lease = (await client.post("/api/v1/leases", json={"line": LINE}, headers=headers)).json()
    answer = await ask(client, f"/api/v1/leases/{lease['id']}/next?timeout=60", headers)
    await limit(elsewhere, key)
    await inbox.receive([a_delivery()])
    refused = await answer
    assert refused.status_code == (401 if limit is revoke else 403)
    assert "482913" not in refused.text


@LIMITS
async def test_a_key_that_is_limited_while_it_queues_leaves_the_queue(
    inbox: Inbox,
    client: httpx2.AsyncClient,
    elsewhere: Store,
    *,
    leases: Leases,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    limit: Limit,
) -> None:
    monkeypatch.setattr(leases_module, "CHECK_SECONDS", 0.01)
    await inbox.receive([a_delivery()])
    holder = Wish(key="another", lines=(LINE,), ttl=timedelta(seconds=60))
    await leases.acquire(holder, 0)
    key, headers = await make_key(inbox, "lease")
    body = {"line": LINE, "wait_seconds": 300, "ticket": "ticket 1"}
    answer = asyncio.create_task(client.post("/api/v1/leases", json=body, headers=headers))
    await asyncio.sleep(0)
    await limit(elsewhere, key)
    refused = await answer
    assert refused.status_code == (401 if limit is revoke else 403)
    assert "another" not in refused.text
    clock.advance(66)
    assert (await leases.acquire(holder, 0)).line == LINE


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("", f"scope=lease&reach=some&line=%2B{OTHER_LINE[1:]}"),
        ("", "scope=read&reach=all"),
        ("/revoke", ""),
    ],
)
async def test_a_lease_ends_when_its_key_loses_the_line_or_the_scope(
    inbox: Inbox, client: httpx2.AsyncClient, leases: Leases, *, path: str, form: str
) -> None:
    await inbox.receive([a_delivery(), a_delivery(line=OTHER_LINE)])
    key, headers = await make_key(inbox, "lease")
    _, others = await make_key(inbox, "lease")
    _, admin = await make_key(inbox, "admin")
    await client.post("/api/v1/leases", json={"line": LINE}, headers=headers)
    await client.post("/api/v1/leases", json={"line": OTHER_LINE}, headers=others)
    assert (await client.post(f"/keys/{key.id}{path}", content=form, headers=admin)).status_code == 303
    assert [lease.released_at is not None for lease in await leases.held()] == [True, False]


async def test_a_lease_of_a_line_that_the_key_keeps_goes_on(
    inbox: Inbox, client: httpx2.AsyncClient, leases: Leases
) -> None:
    await inbox.receive([a_delivery()])
    key, headers = await make_key(inbox, "lease", "read")
    await client.post("/api/v1/leases", json={"line": LINE}, headers=headers)
    limited = msgspec.structs.replace(key, scopes=("lease",), lines=(LINE,))
    await inbox.store.change_key(limited)
    await rights.end_forfeited(leases, inbox)
    assert [lease.released_at for lease in await leases.held()] == [None]


@LIMITS
async def test_a_lease_ends_whichever_server_limits_its_key(
    inbox: Inbox, client: httpx2.AsyncClient, elsewhere: Store, *, leases: Leases, limit: Limit
) -> None:
    await inbox.receive([a_delivery()])
    key, headers = await make_key(inbox, "lease")
    await client.post("/api/v1/leases", json={"line": LINE}, headers=headers)
    await limit(elsewhere, key)
    keeping = asyncio.create_task(rights.keep_ending_forfeited(leases, inbox, 0.01))
    await released(leases)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_a_lease_ends_with_a_key_that_expires(
    inbox: Inbox, client: httpx2.AsyncClient, leases: Leases, clock: Clock
) -> None:
    await inbox.receive([a_delivery()])
    _, secret = await keys.add_key(inbox, "brief", ("lease",), lifetime=timedelta(seconds=30))
    headers = {"authorization": f"Bearer {secret}"}
    await client.post("/api/v1/leases", json={"line": LINE, "ttl_seconds": 3600}, headers=headers)
    clock.advance(30)
    await rights.end_forfeited(leases, inbox)
    assert (await leases.held())[0].released_at == clock()


async def released(leases: Leases) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await leases.held())[0].released_at is None:
            await asyncio.sleep(0.01)
