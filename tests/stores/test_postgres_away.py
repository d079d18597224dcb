"""A PostgreSQL that is killed, stands still, hangs up or refuses: nothing is lost, nobody learns the password."""

import asyncio
import contextlib
import signal
import traceback
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from smscatch.errors import BadSetting, CannotStart, SmscatchError, StoreUnavailable
from smscatch.keys import hash_secret
from smscatch.messages import Query
from smscatch.sources import join_parts
from smscatch.stores import Delivery, Key, Store, open_store, postgres
from smscatch.stores.postgres import listening, session
from tests import plain
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.samples import LINE, NOON, a_delivery
from tests.servers.postgres import PASSWORD, PostgresServer, a_server, run

SECRETS = ("s3cret", "@:word", PASSWORD)


@pytest.fixture(scope="module")
def durable_server() -> Iterator[PostgresServer]:
    with a_server(is_durable=True) as server:
        yield server


@pytest.fixture
def server(durable_server: PostgresServer) -> PostgresServer:
    """A server with an empty database, which a test may kill."""
    run(durable_server.url("template1"), "DROP DATABASE IF EXISTS smscatch WITH (FORCE)")
    run(durable_server.url("template1"), "CREATE DATABASE smscatch")
    return durable_server


@pytest.fixture
async def away(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """A store on that server, which waits less long for an answer than usual."""
    monkeypatch.setattr(postgres, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(session, "CONNECT_SECONDS", 1)
    monkeypatch.setattr(listening, "FIRST_DELAY_SECONDS", 0.05)
    store = await open_store(server.url("smscatch"), join_parts)
    yield store
    await store.close()


async def keep_adding(store: Store, deliveries: list[Delivery], refused: asyncio.Event) -> None:
    """Add each delivery until it is acknowledged, as the spool does; tell when the store was away."""
    for delivery in deliveries:
        while True:
            try:
                await store.add([delivery])
                break
            except StoreUnavailable:
                refused.set()
                await asyncio.sleep(0.01)


async def test_what_is_added_while_the_server_is_killed_is_kept_once(away: Store, server: PostgresServer) -> None:
    batches = [[a_delivery(text=f"{name} {n}") for n in range(120)] for name in "abc"]
    refused = asyncio.Event()
    adding = [asyncio.create_task(keep_adding(away, batch, refused)) for batch in batches]
    for kept_so_far in (40, 100, 160):
        while await newest_position(away) < kept_so_far:
            await asyncio.sleep(0.01)
        refused.clear()
        server.kill()
        await refused.wait()
        server.start()
    await asyncio.gather(*adding)
    kept = await away.after(Query(), 0, 1000)
    assert [stored.position for stored in kept] == list(range(1, 361))
    assert {stored.message.id for stored in kept} == {d.message.id for batch in batches for d in batch}


async def test_a_webhook_is_taken_while_the_server_is_killed_and_stored_afterwards(
    server: PostgresServer, make_server: Callable[[], Server]
) -> None:
    smscatch = make_server().start(SMSCATCH_STORE=server.url("smscatch"))
    store = await open_store(server.url("smscatch"), join_parts)
    ingest, unused = (Key(id=name, name=name, scopes=("ingest",), created_at=NOON) for name in ("ingest", "unused"))
    for key in (ingest, unused):
        await store.add_key(key, hash_secret(key.id))
    await store.close()

    def deliver(text: str, key: str) -> int:
        delivery = {"line": LINE, "sender": "Authy", "text": text}
        headers = {"authorization": f"Bearer {key}"}
        return plain.post(
            f"{smscatch.url}/api/v1/inbound/generic", json=delivery, headers=headers, timeout=PATIENCE_SECONDS
        ).status_code

    assert deliver("before", ingest.id) == 200
    server.kill()
    with smscatch.client() as client:
        assert client._http.get("/readyz").status_code == 503
        assert [deliver("while away", key) for key in (ingest.id, ADMIN_KEY)] == [200, 200]
        assert [deliver("refused", key) for key in (unused.id, "another")] == [503, 503]
        assert client._http.get("/openapi.json").status_code == 503  # needs no store, but a key
        server.start()
        while client._http.get("/readyz").status_code != 200:
            await asyncio.sleep(0.1)
        page = client._http.get("/api/v1/messages").json()
    assert [message["text"] for message in page["messages"]] == ["while away", "while away", "before"]


async def newest_position(store: Store) -> int:
    with contextlib.suppress(StoreUnavailable):
        return await store.position()
    return 0


async def test_after_a_restart_idle_connections_fail_nobody(away: Store, server: PostgresServer) -> None:
    await asyncio.gather(*(away.position() for _ in range(8)), away.add([a_delivery()]))
    server.kill()
    server.start()
    await asyncio.gather(*(away.position() for _ in range(8)), away.add([a_delivery()]))
    assert await away.position() == 2


async def test_a_server_that_stands_still_is_given_up_in_time_and_heals(away: Store, server: PostgresServer) -> None:
    await away.add([a_delivery(text="before")])
    server.send_signal(signal.SIGSTOP)
    try:
        asked = [away.add([a_delivery()]), away.position(), away.newest(Query(), 5), *(away.position() for _ in "abcd")]
        async with asyncio.timeout(PATIENCE_SECONDS):
            answers = await asyncio.gather(*asked, return_exceptions=True)
    finally:
        server.send_signal(signal.SIGCONT)
    assert {type(answer) for answer in answers} == {StoreUnavailable}
    assert "did not answer in time" in str(answers[0])
    await away.add([a_delivery(text="after")])
    assert (await away.newest(Query(), 1))[0].message.text == "after"


async def test_a_cut_connection_is_one_that_failed_and_the_next_one_works(away: Store, server: PostgresServer) -> None:
    await away.position()
    run(server.url("smscatch"), HANG_UP_ON_ALL)
    assert await away.add([a_delivery()]) == 1


HANG_UP_ON_ALL = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'smscatch'
"""
LISTENERS = "SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN smscatch'"


class Ear:
    """Counts what `listen` hears."""

    def __init__(self) -> None:
        self.count = 0
        self._heard = asyncio.Event()

    def __call__(self) -> None:
        self.count += 1
        self._heard.set()

    async def heard(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._heard.wait()
        self._heard.clear()


@contextlib.asynccontextmanager
async def listener(store: Store) -> AsyncIterator[Ear]:
    ear = Ear()
    listening_task = asyncio.create_task(store.listen(ear))
    yield ear
    assert not listening_task.done()
    listening_task.cancel()
    await asyncio.gather(listening_task, return_exceptions=True)


async def test_one_instance_hears_of_what_another_commits_also_after_the_connection_was_lost(
    away: Store, server: PostgresServer
) -> None:
    other = await open_store(server.url("smscatch"), join_parts)
    try:
        async with listener(away) as ear:
            await ear.heard()  # now it listens
            await other.add([a_delivery()])
            await ear.heard()
            run(server.url("smscatch"), HANG_UP_ON_ALL)
            await ear.heard()  # once after the loss: something may have been missed
            await other.add([a_delivery()])
            await ear.heard()
    finally:
        await other.close()


async def test_what_changes_nothing_wakes_nobody(away: Store) -> None:
    delivery = a_delivery()
    async with listener(away) as ear:
        await ear.heard()
        await away.add([delivery])
        await ear.heard()
        await away.add([delivery])
        await away.delete(delivery.message.id)
        await away.add([a_delivery()])
        await ear.heard()
        assert ear.count == 3


async def test_listening_outlives_a_server_that_is_away_and_tells_why(
    away: Store, server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with listener(away) as ear:
        await ear.heard()
        server.kill()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "refused" not in caplog.text:
                await asyncio.sleep(0.02)
        server.start()
        await ear.heard()
    assert not any(secret in caplog.text for secret in SECRETS)


async def test_a_store_that_is_away_names_the_database_and_not_the_password(
    away: Store, server: PostgresServer
) -> None:
    server.kill()
    try:
        with pytest.raises(
            StoreUnavailable, match=rf"smscatch at 127\.0\.0\.1:{server.port} failed: .*refused"
        ) as raised:
            await away.position()
        assert_no_secret(raised.value)
    finally:
        server.start()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda url: url.replace("s3cret", "s3cret-wrong"), "password authentication failed"),
        (lambda url: url.replace("/smscatch", "/absent"), 'database "absent" does not exist'),
    ],
)
async def test_a_database_that_cannot_be_opened_is_refused_with_the_reason(
    server: PostgresServer, change: Callable[[str], str], expected: str
) -> None:
    with pytest.raises(CannotStart, match=expected) as raised:
        await open_store(change(server.url("smscatch")), join_parts)
    assert_no_secret(raised.value)


async def test_a_host_that_no_name_server_knows_may_come() -> None:
    with pytest.raises(StoreUnavailable, match=r"smscatch at absent\.invalid:5432 cannot be opened"):
        await open_store("postgresql://u:s3cret@absent.invalid/smscatch", join_parts)


async def test_nobody_there_is_refused_with_the_reason() -> None:
    with pytest.raises(StoreUnavailable, match=r"at 127\.0\.0\.1:\d+ cannot be opened: .*refused"):
        await open_store(f"postgresql://u:s3cret@127.0.0.1:{free_port()}/x", join_parts)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:s3cret@:word@host/db",
        "postgresql://user:s3cret/@:word@host/db",
        "postgresql://user:s3cret?@:word@host/db",
        "postgresql://user:s3cret",
        "postgresql://user:p@host:s3cret/db",
        "postgresql://user:s3cret@host/db?sslmod=disable",
        "postgresql://user:s3cret@[host/db",
        "postgresql://user:s3cret%zz@host/db",
    ],
)
async def test_an_address_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(BadSetting, match=r"Accepted: postgresql://USER:PASSWORD@HOST:PORT/DATABASE") as raised:
        await open_store(url, join_parts)
    assert_no_secret(raised.value)


def assert_no_secret(error: SmscatchError) -> None:
    told = "".join(traceback.format_exception(error, limit=0))
    assert not any(secret in told for secret in SECRETS)
    assert "  " not in str(error)
    assert str(error).endswith(".")
