"""What is peculiar to the MongoDB store: replica sets, failover, change streams, several instances at once."""

import asyncio
import itertools
import os
import signal
import socket
import sys
import traceback
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pymongo
import pytest
from dns.resolver import NXDOMAIN
from dns.rrset import from_text
from pymongo.asynchronous import srv_resolver

from smscatch.errors import BadSetting, CannotStart, SmscatchError, StoreUnavailable
from smscatch.messages import Query
from smscatch.sources import join_parts
from smscatch.stores import Read, Store, open_store
from smscatch.stores.mongo import listening, locking, schema
from smscatch.stores.mongo.database import Database
from smscatch.stores.mongo.locking import locked
from tests.patience import PATIENCE_SECONDS, until_well
from tests.ports import free_port
from tests.samples import LINE, NOON, a_delivery
from tests.servers import mongo
from tests.stores.conftest import MakeUrl
from tests.stores.test_leases import a_wish, claim

_numbers = itertools.count(1)
ALL = Query()
PASSWORD = "s3cret"
# Adds its deliveries one by one and prints each that was acknowledged.
WRITER = """
import asyncio, sys
from smscatch.errors import StoreUnavailable
from smscatch.sources import join_parts
from smscatch.stores import open_store
from tests.samples import a_delivery

async def main(url, name, count):
    store = await open_store(url, join_parts)
    for n in range(int(count)):
        delivery = a_delivery(delivery=f"{name} {n}")
        await store.add([delivery])
        print(delivery.message.id, flush=True)
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def a_writer(url: str, name: str, count: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, url, name, str(count)),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )


async def ids(store: Store) -> list[str]:
    return [stored.message.id for stored in await store.after(ALL, 0, 10_000)]


def everything_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


@pytest.fixture
def mongo_url(new_mongodb: MakeUrl) -> str:
    return new_mongodb()


@pytest.fixture
async def mongo_store(mongo_url: str) -> AsyncIterator[Store]:
    opened = await open_store(mongo_url, join_parts)
    yield opened
    await opened.close()


@pytest.fixture
async def other_store(mongo_url: str) -> AsyncIterator[Store]:
    """A second instance on the same database."""
    opened = await open_store(mongo_url, join_parts)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def own_set() -> Iterator[mongo.MongoSet]:
    """A server of these tests' own, of one node, which they may break for a while."""
    with mongo.a_folder() as folder:
        server = mongo.MongoSet(folder, size=1)
        try:
            yield server.start()
        finally:
            server.kill()


@pytest.fixture
def own_url(own_set: mongo.MongoSet) -> str:
    """A database in it that was never used."""
    return own_set.url(f"own{next(_numbers)}")


@pytest.fixture
def three_nodes() -> Iterator[mongo.MongoSet]:
    with mongo.a_folder() as folder:
        server = mongo.MongoSet(folder, size=3)
        try:
            yield server.start()
        finally:
            server.kill()


class Listening:
    """Whether an instance has been woken."""

    def __init__(self, store: Store) -> None:
        self._heard = asyncio.Event()
        self._task = asyncio.create_task(store.listen(self._heard.set))

    async def wait(self) -> None:
        """Wait until it is, and forget it."""
        await asyncio.wait_for(self._heard.wait(), PATIENCE_SECONDS)
        self._heard.clear()

    async def stop(self) -> None:
        assert not self._task.done()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


# Starting


@pytest.mark.parametrize(
    "url",
    [
        f"mongodb://user:{PASSWORD}/x@host/db",
        f"mongodb://user:{PASSWORD}@x@host/db",
        f"mongodb://user:{PASSWORD}@host:port/db",
        f"mongodb://user:12/{PASSWORD}@host",
        f"mongodb://user:{PASSWORD}@/db",
        f"mongodb+srv://user:{PASSWORD}@a.example.org:1/db",
        f"mongodb://user:{PASSWORD}@host/db?tls=maybe",
        f"mongodb://user:{PASSWORD}@host/db?datetime_conversion=x",
    ],
)
async def test_a_url_that_cannot_be_read_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(BadSetting) as caught:
        await open_store(url, join_parts)
    assert PASSWORD not in everything_of(caught.value)


async def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    host = f"127.0.0.1:{free_port()}"
    with pytest.raises(StoreUnavailable, match=f"smscatch at {host}.*Start it") as caught:
        await open_store(f"mongodb://user:{PASSWORD}@{host}", join_parts)
    assert PASSWORD not in everything_of(caught.value)


async def test_an_address_of_atlas_is_looked_up(own_set: mongo.MongoSet, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def resolve(name: str, kind: str, **_: Any) -> Any:
        asked.append((kind, name))
        if name.endswith("unknown.db.test"):
            raise NXDOMAIN
        lines = {"SRV": f"0 0 {own_set.nodes[0].port} node0.db.test.", "TXT": '"replicaSet=rs0"'}
        return from_text(name, 60, "IN", kind, lines[kind])

    look_up = socket.getaddrinfo
    monkeypatch.setattr(srv_resolver, "_resolve", resolve)
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **options: look_up("127.0.0.1", *more, **options))
    store = await open_store("mongodb+srv://cluster0.db.test/?tls=false&retryWrites=true&w=majority", join_parts)
    assert await store.add([a_delivery()]) == 1
    await store.close()
    assert asked[:2] == [("SRV", "_mongodb._tcp.cluster0.db.test"), ("TXT", "cluster0.db.test")]
    with pytest.raises(CannotStart, match=r"smscatch at unknown\.db\.test") as caught:
        await open_store(f"mongodb+srv://user:{PASSWORD}@unknown.db.test/", join_parts)
    assert PASSWORD not in everything_of(caught.value)


async def test_a_server_without_transactions_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with mongo.a_folder() as folder:
        node = mongo.Node(folder, set_name=None).start()
        try:
            with pytest.raises(CannotStart, match="--replSet"):
                await open_store(f"mongodb://{node.address}/x", join_parts)
        finally:
            node.kill()


async def test_a_wrong_password_is_said_but_not_repeated() -> None:
    with mongo.a_folder() as folder:
        node = mongo.Node(folder, set_name=None).start("--auth")
        try:
            with pytest.raises(CannotStart, match="Authentication failed") as caught:
                await open_store(f"mongodb://user:{PASSWORD}@{node.address}/x", join_parts)
        finally:
            node.kill()
    assert PASSWORD not in everything_of(caught.value)


async def test_of_instances_that_start_at_once_one_migrates(
    mongo_databases: mongo.Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = mongo_databases.new()
    taken = []

    async def step(database: Any) -> None:
        taken.append(database.name)
        await schema._make_all(database)

    monkeypatch.setattr(schema, "STEPS", (step,))
    stores = await asyncio.gather(*(open_store(url, join_parts) for _ in range(6)))
    assert len(taken) == 1
    await asyncio.gather(*(until_well(partial(store.add, [a_delivery()])) for store in stores))
    assert len(await ids(stores[0])) == 6
    for store in stores:
        await store.close()


async def test_a_database_of_a_newer_schema_is_refused(mongo_databases: mongo.Databases) -> None:
    url = mongo_databases.new()
    await (await open_store(url, join_parts)).close()
    with mongo_databases.database(url) as database:
        database["schema"].update_one({}, {"$inc": {"version": 1}})
    with pytest.raises(CannotStart, match="newer smscatch"):
        await open_store(url, join_parts)


async def test_senders_that_were_indexed_with_a_plus_are_found_as_they_came(mongo_databases: mongo.Databases) -> None:
    url, senders = mongo_databases.new(), ("491701234567", "+491701234567", "Authy")
    store = await open_store(url, join_parts)
    await store.add([a_delivery(text=sender, sender=sender) for sender in senders])
    await store.close()
    with mongo_databases.database(url) as database:
        database["messages"].update_one({"sender": senders[0]}, {"$set": {"folded.sender": senders[1]}})
        database["schema"].update_one({}, {"$set": {"version": 1}})
    store = await open_store(url, join_parts)
    for sender in senders:
        query = Query(sender=sender, as_sent=True)
        assert [stored.message.text for stored in await store.newest(query, 9)] == [sender]
    await store.close()


async def test_reads_of_deleted_messages_that_a_version_before_left_are_dropped(
    mongo_databases: mongo.Databases,
) -> None:
    url, delivery = mongo_databases.new(), a_delivery()
    store = await open_store(url, join_parts)
    await store.add([delivery])
    await store.add_reads([Read(message=delivery.message.id, key="k", name="ci", at=NOON)])
    await store.close()
    with mongo_databases.database(url) as database:
        for kept in database["reads"].find({}, {"_id": False}):
            database["reads"].insert_one(kept | {"message": "gone"})
        database["schema"].update_one({}, {"$set": {"version": 3}})
    store = await open_store(url, join_parts)
    assert (len(await store.reads("gone")), len(await store.reads(delivery.message.id))) == (0, 1)
    await store.close()


async def test_what_the_smscatch_of_2018_left_stays_and_is_not_shown(mongo_databases: mongo.Databases) -> None:
    url = mongo_databases.new()
    with mongo_databases.database(url) as database:
        seed = [{"number": "+49", "text": str(n), "timestamp": NOON} for n in range(3)]
        database["messages"].insert_many(seed)
        store = await open_store(url, join_parts)
        await store.add([a_delivery()])
        assert len(await store.newest(ALL, 10)) == 1
        assert await store.delete_lines([LINE]) == 1
        await store.prune(NOON, NOON + timedelta(days=1), up_to=9)
        await store.close()
        assert database["messages"].count_documents({}) == 3


# Several instances


async def test_a_writer_that_was_killed_is_in_nobodys_way(mongo_store: Store, mongo_url: str) -> None:
    writer = await a_writer(mongo_url, "victim", 10_000)
    assert writer.stdout is not None
    acknowledged = [(await writer.stdout.readline()).decode().strip() for _ in range(20)]
    writer.kill()  # in the middle of a transaction, as good as always
    await writer.wait()
    await mongo_store.add([a_delivery()])
    assert set(acknowledged) <= set(await ids(mongo_store))


async def test_a_message_and_a_lease_at_once_agree_who_was_first(mongo_store: Store, other_store: Store) -> None:
    for n in range(30):
        now = NOON + timedelta(seconds=100 * n)
        delivery = a_delivery(received_at=now + timedelta(milliseconds=1))
        claimed, _ = await asyncio.gather(claim(mongo_store, a_wish(f"{n}"), now), other_store.add([delivery]))
        (lease,) = claimed.leases
        found = await mongo_store.get(delivery.message.id)
        assert found is not None
        assert (found.message.lease == lease.id) == (found.position > int(lease.cursor))


async def test_what_is_added_at_once_is_told_apart(mongo_store: Store) -> None:
    bad = a_delivery()._replace(message=msgspec.structs.replace(a_delivery().message, text="\ud800"))
    repeated = a_delivery()
    requests = [[a_delivery(), a_delivery()], [repeated], [bad], [repeated, a_delivery()], []]
    results = await asyncio.gather(*(mongo_store.add(request) for request in requests), return_exceptions=True)
    assert isinstance(results.pop(2), UnicodeEncodeError)
    assert results == [2, 1, 1, 0]
    assert len(await ids(mongo_store)) == 4


async def test_who_gives_up_does_not_take_the_others_along(mongo_store: Store) -> None:
    adding = [asyncio.create_task(mongo_store.add([a_delivery()])) for _ in range(5)]
    await asyncio.sleep(0)
    adding[0].cancel()
    assert await asyncio.gather(*adding[1:]) == [1] * 4


async def test_two_instances_may_note_one_read_at_once(mongo_store: Store, other_store: Store) -> None:
    deliveries = [a_delivery() for _ in range(50)]
    await mongo_store.add(deliveries)
    for read in [Read(message=each.message.id, key="k", name="ci", at=NOON) for each in deliveries]:
        await asyncio.gather(mongo_store.add_reads([read]), other_store.add_reads([read]))
        assert await mongo_store.reads(read.message) == [read]


async def test_only_one_instance_prunes(mongo_store: Store, mongo_url: str) -> None:
    await mongo_store.add([a_delivery()])
    other = Database.of(mongo_url)
    await other.connect()
    async with locked(other, "prune") as is_ours:
        assert is_ours
        assert await mongo_store.prune(NOON, NOON + timedelta(days=1), up_to=1) is None
    assert await mongo_store.prune(NOON, NOON + timedelta(days=1), up_to=1) == 1
    await other.close()


async def test_a_lock_is_renewed_while_its_holder_lives_and_expires_when_he_does_not(
    mongo_store: Store, mongo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, other = Database.of(mongo_url), Database.of(mongo_url)
    renewals = 0

    async def count(*given: Any) -> None:
        nonlocal renewals
        await renew(*given)
        renewals += 1

    renew = locking._renew
    monkeypatch.setattr(locking, "_renew", count)
    monkeypatch.setattr(locking, "HELD", timedelta(seconds=1))
    async with locked(database, "work") as is_ours:
        assert is_ours
        taken = await taken_until(mongo_url)
        while renewals < 3:
            await asyncio.sleep(0.01)
        assert await taken_until(mongo_url) > taken
    monkeypatch.setattr(locking, "_keep_renewing", do_nothing)  # as if killed
    async with locked(database, "work"):
        while True:
            async with locked(other, "work") as is_ours:
                if is_ours:
                    break
            await asyncio.sleep(0.02)
    for opened in (database, other):
        await opened.close()


async def taken_until(url: str) -> Any:
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        (lock,) = client.get_default_database()["locks"].find({"_id": "work"})
    return lock["until"]


async def do_nothing(*_: Any) -> None:
    pass


async def test_who_waits_for_a_migration_says_for_whom(
    mongo_databases: mongo.Databases, caplog: pytest.LogCaptureFixture
) -> None:
    url = mongo_databases.new()
    other = Database.of(url)
    await other.connect()
    async with locked(other, "migration"):
        opening = asyncio.create_task(open_store(url, join_parts))
        while "waiting for process" not in caplog.text:
            await asyncio.sleep(0.01)
        assert not opening.done()
    await (await opening).close()
    await other.close()
    assert f"waiting for process {os.getpid()} of {socket.gethostname()}" in caplog.text


async def test_messages_that_lost_their_indexes_are_not_read_but_kept_and_a_start_heals(
    mongo_databases: mongo.Databases,
) -> None:
    url = mongo_databases.new()
    store = await open_store(url, join_parts)
    await store.add([a_delivery()])
    with mongo_databases.database(url) as database:
        database["messages"].rename("elsewhere")
    assert await store.add([a_delivery()]) == 1
    with pytest.raises(StoreUnavailable, match=r"an index is missing.*Start smscatch again"):
        await store.newest(ALL, 10)
    again = await open_store(url, join_parts)
    assert [stored.position for stored in await again.newest(ALL, 10)] == [2]
    assert (await claim(again, a_wish("first"))).leases
    with mongo_databases.database(url) as database:
        database["counters"].drop()
    with pytest.raises(StoreUnavailable, match="counter of positions is gone"):
        await again.add([a_delivery()])
    healed = await open_store(url, join_parts)
    assert await healed.add([a_delivery()]) == 1
    assert await healed.position() == 3
    (second,) = (await claim(healed, a_wish("second"), NOON + timedelta(hours=1))).leases
    assert await healed.leases(NOON + timedelta(hours=1)) == [second]
    for opened in (store, again, healed):
        await opened.close()


async def test_a_server_that_takes_no_writes_is_not_ready(own_url: str) -> None:
    store = await open_store(own_url, join_parts)
    await store.check()
    with pymongo.MongoClient[dict[str, Any]](own_url) as client:
        client.admin.command("fsync", lock=True)
        try:
            assert await store.position() == 0
            with pytest.raises(StoreUnavailable):
                await store.check()
        finally:
            client.admin.command("fsyncUnlock")
    await until_well(store.check)
    await store.close()


async def test_many_messages_are_deleted_in_several_transactions(
    mongo_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smscatch.stores.mongo.deleting.BATCH", 10)
    await mongo_store.add([a_delivery() for _ in range(35)])
    assert await mongo_store.prune(NOON, NOON + timedelta(days=1), up_to=12) == 12
    assert await mongo_store.delete_lines([LINE]) == 23
    assert await mongo_store.lines() == []


# What a direct reader relies on


async def test_a_document_has_the_fields_of_a_message_and_those_of_2018(
    mongo_store: Store, mongo_url: str, mongo_databases: mongo.Databases
) -> None:
    await mongo_store.add([a_delivery(sent_at=NOON)])
    (stored,) = await mongo_store.newest(ALL, 1)
    with mongo_databases.database(mongo_url) as database:
        (document,) = database["messages"].find({}, {"json": 0, "raw": 0, "folded": 0})
    time_then = NOON.replace(tzinfo=None)
    assert document == {
        **{"_id": stored.message.id, "position": 1, "cursor": "1", "line": LINE, "sender": "Authy", "source": "gammu"},
        **{"text": "Your Authy code is 482913", "code": "482913", "received_at": time_then, "sent_at": time_then},
        **{
            "codes": [{"value": "482913", "score": stored.message.codes[0].score, "rule": stored.message.codes[0].rule}]
        },
        **{
            "links": [],
            "bound_hosts": [],
            "parts": 1,
            "complete": True,
            "marks": [],
            "reader": None,
            "lease": None,
            "provider": None,
        },
        **{
            "segments": None,
            "to": None,
            "answers": None,
            "revision": 0,
            "first_cursor": "",
            "number": "Authy",
            "timestamp": time_then,
        },
    }


@pytest.mark.parametrize("text", ['{"$gt": ""}', "$where", ".*", "[a-z]+", "(?i)authy", "$$ROOT", "\\", "^", "a\0b"])
async def test_what_a_client_sends_is_never_an_operator_or_a_pattern(mongo_store: Store, text: str) -> None:
    await mongo_store.add([a_delivery()])
    for query in (Query(sender=text), Query(contains=text), Query(lines=(text,)), Query(lease=text)):
        assert await mongo_store.newest(query, 10) == []
    assert await mongo_store.get(text) is None
    assert not await mongo_store.delete(text)
    assert not await mongo_store.revoke_key(text)
    assert await mongo_store.lease(text) is None
    assert (await claim(mongo_store, a_wish(text, lines=(text,)))).leases
    odd = a_delivery(text=text, sender=text, line=text)
    await mongo_store.add([odd])
    for query in (Query(sender=text), Query(contains=text), Query(lines=(text,))):
        assert [stored.message.id for stored in await mongo_store.newest(query, 10)] == [odd.message.id]
    assert [use.messages for use in await mongo_store.lines() if use.number == text] == [1]


@pytest.fixture(scope="module")
def profiled_url(mongo_databases: mongo.Databases) -> str:
    """A database of 200 messages that notes each question and how it was answered."""
    url = mongo_databases.new()

    async def fill() -> None:
        store = await open_store(url, join_parts)
        await store.add([a_delivery() for _ in range(200)])
        await store.close()

    asyncio.run(fill())
    with mongo_databases.database(url) as database:
        database.command("profile", 2)
    return url


@pytest.mark.parametrize(
    ("query", "index"),
    [
        pytest.param(ALL, "position: 1", id="all"),
        pytest.param(Query(lines=(LINE, "other")), "line: 1, position: 1", id="lines"),
        pytest.param(Query(sender="Authy"), "folded.sender: 1, position: 1", id="sender"),
        pytest.param(Query(lease=""), "position: 1", id="no lease"),
        pytest.param(Query(lease="l1"), "lease: 1, position: 1", id="lease"),
        pytest.param(Query(contains="code"), "position: 1, folded.text: 1", id="contains"),
        pytest.param(Query(contains="absent"), "position: 1, folded.text: 1", id="contains nothing"),
    ],
)
async def test_a_question_reads_no_more_messages_than_it_answers(
    profiled_url: str, mongo_databases: mongo.Databases, query: Query, index: str
) -> None:
    store = await open_store(profiled_url, join_parts)
    with mongo_databases.database(profiled_url) as database:
        questions = {"ns": f"{database.name}.messages", "op": "query"}
        before = database["system.profile"].count_documents(questions)
        await store.newest(query, 10, before=150)
        (found,) = list(database["system.profile"].find(questions))[before:]
    assert f"{{ {index} }}" in found["planSummary"]
    assert found["docsExamined"] <= 10
    await store.close()


# When the database is away


async def test_a_server_that_stands_still_is_given_up_and_is_well_again_afterwards(
    own_set: mongo.MongoSet, own_url: str
) -> None:
    store = await open_store(own_url, join_parts)
    await store.add([a_delivery()])
    own_set.nodes[0].send_signal(signal.SIGSTOP)
    try:
        asked = (store.add([a_delivery()]), store.add([a_delivery()]), store.position(), store.newest(ALL, 1))
        async with asyncio.timeout(PATIENCE_SECONDS):
            answers = await asyncio.gather(*asked, return_exceptions=True)
    finally:
        own_set.nodes[0].send_signal(signal.SIGCONT)
    for answer in answers:
        assert isinstance(answer, StoreUnavailable)
        assert f"{own_url.partition('?')[0].rpartition('/')[2]} at 127.0.0.1" in str(answer)
    delivery = a_delivery()
    await until_well(lambda: store.add([delivery]))
    assert delivery.message.id in await ids(store)
    await store.close()


async def test_a_server_that_was_killed_and_started_again_has_what_was_acknowledged(
    own_set: mongo.MongoSet, own_url: str
) -> None:
    store = await open_store(own_url, join_parts)
    await store.add([a_delivery()])
    own_set.nodes[0].kill()
    try:
        with pytest.raises(StoreUnavailable) as caught:
            await store.add([a_delivery()])
        assert isinstance(caught.value, SmscatchError)
    finally:
        own_set.nodes[0].start()
    await until_well(lambda: store.add([a_delivery()]))
    assert await store.position() >= 2
    await store.close()


async def test_what_is_acknowledged_outlives_the_primary_and_is_there_once_and_another_instance_is_woken(
    three_nodes: mongo.MongoSet,
) -> None:
    store, other = [await open_store(three_nodes.url("x"), join_parts) for _ in range(2)]
    listening = Listening(other)
    await listening.wait()
    deliveries = [a_delivery() for _ in range(150)]
    done = asyncio.Event()

    async def write(some: list[Any]) -> None:
        for delivery in some:
            await until_well(partial(store.add, [delivery]))
            if delivery is deliveries[50]:
                done.set()

    writing = asyncio.gather(*(write(deliveries[n::3]) for n in range(3)))
    await done.wait()
    three_nodes.primary().kill()
    await writing
    await until_well(other.check)
    while len(await ids(other)) < len(deliveries):
        await listening.wait()
    kept = await store.after(ALL, 0, 1000)
    assert sorted(stored.message.id for stored in kept) == sorted(d.message.id for d in deliveries)
    assert [stored.position for stored in kept] == list(range(1, 151))
    await store.add([a_delivery()])
    await listening.wait()
    await listening.stop()
    for opened in (store, other):
        await opened.close()


# Listening


async def test_another_instance_is_woken(mongo_store: Store, other_store: Store) -> None:
    listening = Listening(other_store)
    await listening.wait()  # connected
    for _ in range(3):
        await mongo_store.add([a_delivery()])
        await listening.wait()
    await listening.stop()


@pytest.mark.parametrize("code", [286, 280, 136, 13])
async def test_a_stream_that_cannot_go_on_begins_anew(own_url: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "AWAIT_SECONDS", 0.2)
    store = await open_store(own_url, join_parts)
    listener = Listening(store)
    await listener.wait()
    await store.add([a_delivery()])
    await listener.wait()
    with pymongo.MongoClient[dict[str, Any]](own_url) as client:
        failing = {"failCommands": ["getMore"], "errorCode": code}
        client.admin.command("configureFailPoint", "failCommand", mode={"times": 1}, data=failing)
    await listener.wait()  # it was lost, so there may be something
    await store.add([a_delivery()])
    await listener.wait()
    await listener.stop()
    await store.close()


async def test_a_listener_outlives_its_server_and_its_collection(own_set: mongo.MongoSet, own_url: str) -> None:
    store = await open_store(own_url, join_parts)
    listener = Listening(store)
    await listener.wait()
    own_set.nodes[0].kill()
    own_set.nodes[0].start()
    await listener.wait()
    with pymongo.MongoClient[dict[str, Any]](own_url) as client:
        client.get_default_database()["messages"].drop()
    await listener.wait()
    await listener.stop()
    await store.close()
