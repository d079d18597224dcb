"""What is peculiar to the PostgreSQL store: tables, rights, addresses, plans. How it fails is in test_postgres_away."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from smscatch.errors import CannotStart, StoreUnavailable
from smscatch.messages import Query
from smscatch.sources import join_parts
from smscatch.stores import Read, Store, open_store
from smscatch.stores import postgres as postgres_store
from smscatch.stores.postgres import failing, schema, searching, statements
from smscatch.stores.postgres.address import parse_address
from smscatch.stores.postgres.session import connect
from tests.samples import LINE, NOON, a_delivery
from tests.servers import postgres
from tests.surroundings import bare_environ


@pytest.fixture
def url(postgres_database: str) -> Iterator[str]:
    """A schema of the test's own, whose tables it may change."""
    with postgres.a_schema(postgres_database) as lent:
        yield lent


async def test_who_comes_second_is_not_seen_before_the_first(store: Store, url: str) -> None:
    async with await connect(parse_address(url), 10) as slow:
        async with statements.turn(slow) as own:
            own.insert(a_delivery(text="first").message, b"")  # type: ignore[arg-type]
            await own.send()
            adding = asyncio.create_task(store.add([a_delivery(text="second")]))
            while not await waiting_for_a_lock(url):
                await asyncio.sleep(0.01)
            assert await store.newest(Query(), 10) == []
            assert await store.position() == 0
        assert await adding == 1
    assert [stored.message.text for stored in await store.after(Query(), 0, 10)] == ["first", "second"]


async def waiting_for_a_lock(url: str) -> bool:
    sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(await asyncio.to_thread(postgres.run, url, sql))


async def test_an_add_that_is_cancelled_is_kept_whole_or_not_at_all(store: Store) -> None:
    for yields in range(40):
        adding = asyncio.create_task(store.add([a_delivery(text=f"{yields}"), a_delivery(text=f"{yields}")]))
        for _ in range(yields):
            await asyncio.sleep(0)
        adding.cancel()
        await asyncio.gather(adding, return_exceptions=True)
        found = [stored.message.text for stored in await store.newest(Query(), 2)]
        assert found.count(f"{yields}") in (0, 2)


async def test_of_instances_that_start_at_once_one_makes_the_tables(url: str) -> None:
    stores = await asyncio.gather(*(open_store(url, join_parts) for _ in range(8)))
    assert postgres.run(url, "SELECT number FROM schema_steps") == [(n + 1,) for n in range(len(schema.STEPS))]
    for store in stores:
        await store.close()


async def test_a_database_of_a_newer_schema_is_refused(store: Store, url: str) -> None:
    postgres.run(url, f"INSERT INTO schema_steps VALUES ({len(schema.STEPS) + 1}, now())")
    with pytest.raises(CannotStart, match="newer smscatch"):
        await open_store(url, join_parts)


async def test_senders_that_were_indexed_with_a_plus_are_found_as_they_came(store: Store, url: str) -> None:
    senders = ("491701234567", "+491701234567", "Authy")
    await store.add([a_delivery(text=sender, sender=sender) for sender in senders])
    postgres.run(url, "UPDATE messages SET sender_folded = '+' || sender_folded WHERE sender LIKE '49%'")
    postgres.run(url, "DELETE FROM schema_steps WHERE number > 1")
    postgres.run(url, "DROP TABLE sinks, jobs, sources, memos")
    await (await open_store(url, join_parts)).close()
    for sender in senders:
        query = Query(sender=sender, as_sent=True)
        assert [stored.message.text for stored in await store.newest(query, 9)] == [sender]


async def test_reads_of_deleted_messages_that_a_version_before_left_are_dropped(store: Store, url: str) -> None:
    delivery = a_delivery()
    await store.add([delivery])
    await store.add_reads([Read(message=delivery.message.id, key="k", name="ci", at=NOON)])
    postgres.run(url, "INSERT INTO reads SELECT 'gone', key, at, json FROM reads")
    postgres.run(url, "DELETE FROM schema_steps WHERE number > 3")
    postgres.run(url, "DROP TABLE sources, memos")
    assert len(await store.reads("gone")) == 1
    await (await open_store(url, join_parts)).close()
    assert (len(await store.reads("gone")), len(await store.reads(delivery.message.id))) == (0, 1)


async def test_other_programs_can_read_the_messages(store: Store, url: str) -> None:
    sent_at = NOON - timedelta(seconds=2)
    await store.add([a_delivery(text="Grüße \0, code 482913", sender="+491701234567", sent_at=sent_at)])
    columns = "position, line, sender, text, code, received_at, sent_at, lease"
    assert postgres.run(url, f"SELECT {columns} FROM messages") == [
        (1, LINE, "+491701234567", "Grüße \ufffd, code 482913", "482913", NOON, sent_at, None)
    ]
    await store.add([a_delivery(text="Grüße")])
    json = "convert_from(json, 'UTF8')::json"
    assert postgres.run(url, f"SELECT {json} ->> 'text' FROM messages WHERE position = 2") == [("Grüße",)]
    undocumented = """
        SELECT attname FROM pg_attribute WHERE attrelid = 'messages'::regclass AND attnum > 0
        AND col_description(attrelid, attnum) IS NULL
    """
    assert postgres.run(url, undocumented) == []


async def test_a_nul_in_what_is_asked_for_finds_nothing(store: Store) -> None:
    await store.add([a_delivery()])
    assert await store.get("\0") is None
    assert await store.newest(Query(sender="\0", lines=("\0",)), 1) == []


async def test_a_message_is_on_disk_when_it_is_acknowledged_whatever_the_default(store: Store, url: str) -> None:
    name = postgres.run(url, "SELECT current_database()")[0][0]
    postgres.run(url, f"ALTER DATABASE {name} SET synchronous_commit = off")
    try:
        async with await connect(parse_address(url), 10) as connection:
            assert await statements.rows(connection, "SHOW synchronous_commit") == [("on",)]
    finally:
        postgres.run(url, f"ALTER DATABASE {name} RESET synchronous_commit")


async def test_a_frozen_instance_does_not_keep_its_turn_for_long(url: str) -> None:
    async with await connect(parse_address(url), 10) as connection:
        assert await statements.rows(connection, "SHOW idle_in_transaction_session_timeout") == [("10s",)]


async def test_a_schema_that_is_not_there_is_refused_with_what_to_do(url: str) -> None:
    with pytest.raises(CannotStart, match="CREATE SCHEMA"):
        await open_store(url.partition("=-csearch")[0] + "=-csearch_path%3Dabsent", join_parts)


async def test_a_server_that_cannot_be_written_is_not_ready(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_store, "ANSWER_SECONDS", 0.3)
    store = await open_store(url, join_parts)
    await store.check()
    with psycopg.connect(url) as other:
        other.execute("SELECT FROM counters WHERE name = 'position' FOR UPDATE")
        with pytest.raises(StoreUnavailable):
            await store.check()
    await store.check()
    await store.close()
    read_only = await open_store(f"{url}%20-cdefault_transaction_read_only%3Don", join_parts)
    assert await read_only.position() == 0
    with pytest.raises(StoreUnavailable, match="read-only"):
        await read_only.check()
    await read_only.close()


@pytest.mark.parametrize(
    "end",
    [
        f"SELECT pg_terminate_backend(pg_backend_pid()); {statements.END}",
        f"{statements.END}; SELECT pg_terminate_backend(pg_backend_pid())",
    ],
    ids=["before the commit", "after it"],
)
async def test_what_a_lost_connection_leaves_in_doubt_is_done_again_and_kept_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    ends = [end, statements.END]

    class Once(str):
        def format(self, *_: object, **values: object) -> str:
            return (ends.pop(0) if len(ends) > 1 else ends[0]).format(**values)

    monkeypatch.setattr(statements, "END", Once())
    delivery = a_delivery()
    await store.add([delivery])
    assert len(ends) == 1
    assert [stored.message.id for stored in await store.after(Query(), 0, 10)] == [delivery.message.id]
    assert await store.position() == 1


async def test_a_connection_that_is_cut_again_and_again_is_given_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "END", f"SELECT pg_terminate_backend(pg_backend_pid()); {statements.END}")
    with pytest.raises(StoreUnavailable, match="terminating connection"):
        await store.add([a_delivery()])


async def test_pruning_leaves_off_while_another_instance_is_at_it(store: Store, url: str) -> None:
    await store.add([a_delivery()])
    prune = (NOON, NOON + timedelta(hours=1))
    async with await psycopg.AsyncConnection.connect(url) as other:
        await other.execute("SELECT FROM counters WHERE name = 'prune' FOR UPDATE")
        assert await store.prune(*prune, up_to=1) is None
    assert await store.prune(*prune, up_to=1) == 1


async def test_a_prune_by_hand_says_that_another_instance_is_at_it(store: Store, url: str) -> None:
    command = [sys.executable, "-m", "smscatch.cli", "prune", "--older-than", "1ms"]
    environ = bare_environ(SMSCATCH_STORE=url)  # its password would stand in the process list
    async with await psycopg.AsyncConnection.connect(url) as other:
        await other.execute("SELECT FROM counters WHERE name = 'prune' FOR UPDATE")
        run = partial(subprocess.run, command, env=environ, capture_output=True, text=True, check=False)
        done = await asyncio.to_thread(run)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Another instance" in done.stderr


async def test_pruning_goes_through_as_many_batches_as_it_takes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "OLD", statements.OLD.replace(f"LIMIT {statements.BATCH}", "LIMIT 3"))
    await store.add([a_delivery() for _ in range(10)])
    assert await store.prune(NOON, NOON + timedelta(hours=1), up_to=9) == 9
    assert [tuple(use) for use in await store.lines()] == [(LINE, 1, NOON)]


async def test_a_rare_text_is_found_by_the_index_a_frequent_one_by_position(store: Store, url: str) -> None:
    fill = """
        INSERT INTO messages (position, id, line, sender, text, received_at, sender_folded, text_folded, json, raw)
        SELECT n, n, 'line', 's', t, now(), 's', t, '', '' FROM (
            SELECT n, 'your code is ' || lpad((n * 7919 % 1000000)::text, 6, '0') AS t FROM generate_series(1, 15000) n
        ) AS texts
    """
    await asyncio.to_thread(postgres.run, url, fill)
    postgres.run(url, "UPDATE counters SET value = 15000 WHERE name = 'position'")
    postgres.run(url, "ANALYZE messages")
    rare, frequent = Query(contains="039595"), Query(contains="CODE IS")
    assert [stored.position for stored in await store.newest(rare, 50)] == [5]
    assert [stored.position for stored in await store.after(rare, 0, 50)] == [5]
    assert [stored.position for stored in await store.newest(frequent, 2)] == [15000, 14999]
    assert [stored.position for stored in await store.newest(frequent, 2, before=100, after=98)] == [99]
    assert [stored.position for stored in await store.after(frequent, 9000, 2)] == [9001, 9002]
    span = searching.Span(0, 13001, 50, newest_first=True)
    assert "messages_trigrams" in await plan(url, rare, span, searching.BY_INDEX)
    near = span._replace(low=13000, high=searching.NO_POSITION)
    assert "messages_pkey" in await plan(url, frequent, near, searching.BY_POSITION)


async def plan(url: str, query: Query, span: searching.Span, order: str) -> str:
    sql, parameters = searching.statement(query, span, order)
    async with await connect(parse_address(url), 10) as connection:
        return str(await statements.rows(connection, f"EXPLAIN {sql}", *parameters))


async def test_all_texts_of_a_large_store_are_found_across_the_border_of_what_is_near(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "NEAR", 3)
    monkeypatch.setattr(searching, "NEAR_PER_MATCH", 0)
    await store.add([a_delivery(text="needle" if n % 3 == 0 else "hay") for n in range(12)])
    query = Query(contains="needle")
    assert [stored.position for stored in await store.newest(query, 9)] == [10, 7, 4, 1]
    assert [stored.position for stored in await store.newest(query, 2, before=10)] == [7, 4]
    assert [stored.position for stored in await store.newest(query, 9, before=10, after=1)] == [7, 4]
    assert [stored.position for stored in await store.after(query, 1, 9)] == [4, 7, 10]
    assert [stored.position for stored in await store.after(query, 0, 2)] == [1, 4]
    assert await store.after(query, 10, 9) == []


async def test_without_the_right_to_create_pg_trgm_texts_are_searched_one_by_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with postgres.a_server() as server:
        postgres.run(server.url("postgres"), "CREATE ROLE plain LOGIN PASSWORD 'plain'")
        postgres.run(server.url("postgres"), "GRANT CREATE ON SCHEMA public TO plain")
        with caplog.at_level(logging.WARNING):
            store = await open_store(server.url("postgres", "plain", "plain"), join_parts)
        assert "CREATE EXTENSION pg_trgm" in caplog.text
        await store.add([a_delivery()])
        assert len(await store.newest(Query(contains="482913"), 5)) == 1
        await store.close()


async def test_a_user_who_may_make_no_tables_is_refused_with_what_to_run() -> None:
    with postgres.a_server() as server:
        postgres.run(server.url("postgres"), "CREATE ROLE plain LOGIN PASSWORD 'plain'")
        url = server.url("postgres", "plain", "plain")
        with pytest.raises(CannotStart, match=r"permission denied.*GRANT USAGE, CREATE ON SCHEMA public TO plain"):
            await open_store(url, join_parts)
        postgres.run(server.url("postgres"), "GRANT USAGE, CREATE ON SCHEMA public TO plain")
        store = await open_store(url, join_parts)
        postgres.run(server.url("postgres"), "ALTER TABLE messages OWNER TO tester")
        with pytest.raises(StoreUnavailable, match=r"permission denied for table messages.*must be plain's own"):
            await store.newest(Query(), 1)
        await store.close()
        postgres.run(server.url("postgres"), "ALTER ROLE plain CONNECTION LIMIT 0")
        with pytest.raises(
            StoreUnavailable, match=r"too many connections.*takes up to 8 connections.*CONNECTION LIMIT"
        ):
            await open_store(url, join_parts)


async def test_a_store_takes_no_more_connections_than_it_says(url: str) -> None:
    counted = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'counted'"
    store = await open_store(f"{url}&application_name=counted", join_parts)
    heard = asyncio.Event()
    listening = asyncio.create_task(store.listen(heard.set))
    await heard.wait()
    asked = [store.position() for _ in range(20)] + [store.check() for _ in range(5)]
    searched = [store.newest(Query(contains="nothing"), 1) for _ in range(10)]
    await asyncio.gather(*asked, *searched)
    assert postgres.run(url, counted) == [(failing.MOST_CONNECTIONS,)]
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await store.close()


async def test_a_database_that_lacks_characters_is_refused() -> None:
    with postgres.a_server() as server:
        postgres.run(server.url("postgres"), "CREATE DATABASE old ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        with pytest.raises(CannotStart, match=r"LATIN1.*createdb --encoding=UTF8"):
            await open_store(server.url("old"), join_parts)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@a,b/db", {"host": "a,b", "target_session_attrs": "read-write"}),
        ("postgresql://u:p@a,b:5433/db", {"host": "a,b", "port": ",5433"}),
        ("postgresql://u:p@a:5433,b/db?target_session_attrs=any", {"port": "5433,", "target_session_attrs": "any"}),
        ("postgres://u:p@a/db?application_name=x@y", {"host": "a", "application_name": "x@y"}),
    ],
)
def test_an_address_is_what_libpq_takes(url: str, expected: dict[str, str]) -> None:
    given = conninfo_to_dict(parse_address(url).conninfo)
    assert expected.items() <= given.items()


async def test_an_address_may_begin_with_postgres(url: str) -> None:
    store = await open_store(url.replace("postgresql://", "postgres://"), join_parts)
    assert await store.position() == 0
    await store.close()


def test_without_its_driver_the_store_says_what_to_install() -> None:
    program = """
import asyncio, sys
sys.modules["psycopg"] = None
from smscatch.errors import CannotStart
from smscatch.stores import open_store
try:
    asyncio.run(open_store("postgresql://localhost/x", lambda parts: None))
except CannotStart as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert "pip install 'smscatch[postgres]'" in done.stdout
