"""What is peculiar to the SQLite store: files, versions, durability."""

import contextlib
import os
import resource
import sqlite3
from pathlib import Path

import pytest

from smscatch.errors import BadSetting, CannotStart, StoreUnavailable
from smscatch.messages import Query
from smscatch.sources import join_parts
from smscatch.stores import Read, open_store, sqlite
from smscatch.stores.sqlite import leases, parts, statements, worker
from smscatch.stores.sqlite.schema import STEPS
from tests.samples import NOON, a_delivery


@pytest.mark.parametrize("url", ["mysql://x", "sqlite:///", "/var/x.db", ""])
async def test_an_unknown_url_is_refused_with_the_accepted_form(url: str) -> None:
    with pytest.raises(BadSetting, match="sqlite:///PATH"):
        await open_store(url, join_parts)


async def test_a_database_of_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "smscatch.db"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    connection.close()
    with pytest.raises(CannotStart, match="newer smscatch"):
        await open_store(f"sqlite:///{path}", join_parts)


async def test_senders_that_were_indexed_with_a_plus_are_found_as_they_came(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/smscatch.db"
    store = await open_store(url, join_parts)
    await store.add([a_delivery(text=sender, sender=sender) for sender in ("491701234567", "+491701234567", "Authy")])
    await store.close()
    connection = sqlite3.connect(tmp_path / "smscatch.db")
    connection.executescript(
        "UPDATE messages SET sender = '+' || sender WHERE sender LIKE '49%'; PRAGMA user_version = 2;"
        "DROP TABLE sinks; DROP TABLE jobs; DROP TABLE sources; DROP TABLE memos;"
    )
    connection.close()
    store = await open_store(url, join_parts)
    for sender in ("491701234567", "+491701234567", "Authy"):
        query = Query(sender=sender, as_sent=True)
        assert [stored.message.text for stored in await store.newest(query, 9)] == [sender]
    await store.close()


async def test_reads_of_deleted_messages_that_a_version_before_left_are_dropped(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/smscatch.db"
    store = await open_store(url, join_parts)
    delivery = a_delivery()
    await store.add([delivery])
    await store.add_reads([Read(message=delivery.message.id, key="k", name="ci", at=NOON)])
    await store.close()
    connection = sqlite3.connect(tmp_path / "smscatch.db")
    connection.executescript(
        "INSERT INTO reads SELECT 'gone', key, at, json FROM reads; PRAGMA user_version = 4;"
        "DROP TABLE sources; DROP TABLE memos;"
    )
    connection.close()
    store = await open_store(url, join_parts)
    assert (len(await store.reads("gone")), len(await store.reads(delivery.message.id))) == (0, 1)
    await store.close()


async def test_a_file_that_is_no_database_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "smscatch.db"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(CannotStart, match=r"smscatch\.db cannot be opened"):
        await open_store(f"sqlite:///{path}", join_parts)


async def test_a_folder_that_cannot_be_made_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match="file/inside"):
        await open_store(f"sqlite:///{tmp_path}/file/inside/smscatch.db", join_parts)


async def test_commits_wait_for_the_disk(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/smscatch.db", join_parts)
    writer = store._writer  # type: ignore[attr-defined]
    assert await writer.run(statements.rows, "PRAGMA synchronous") == [(2,)]  # FULL
    assert await writer.run(statements.rows, "PRAGMA journal_mode") == [("wal",)]
    await store.close()


async def test_a_database_that_another_process_keeps_for_itself_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "BUSY_SECONDS", 0)
    store = await open_store(f"sqlite:///{tmp_path}/smscatch.db", join_parts)
    await store.check()
    with contextlib.closing(sqlite3.connect(tmp_path / "smscatch.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert await store.position() == 0
        with pytest.raises(StoreUnavailable, match="locked"):
            await store.check()
    await store.check()
    await store.close()


async def test_a_full_disk_keeps_nothing_and_says_so_and_heals(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/smscatch.db", join_parts)
    writer = store._writer  # type: ignore[attr-defined]
    pages = (await writer.run(statements.rows, "PRAGMA page_count"))[0][0]
    await writer.run(statements.rows, f"PRAGMA max_page_count = {pages}")  # SQLite's own word for a full disk
    with pytest.raises(StoreUnavailable, match=r"disk is full\. Free some space on its disk\."):
        await store.add([a_delivery(text="x" * 100_000)])
    assert await store.newest(Query(), 1) == []
    await writer.run(statements.rows, "PRAGMA max_page_count = 1000000")
    assert await store.add([a_delivery()]) == 1
    await store.close()


async def test_a_disk_without_room_is_told_by_a_check_before_a_text_finds_out(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/smscatch.db", join_parts)
    limit, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 * 1024, most))  # of each file: no room for more, to this process
    try:
        with pytest.raises(StoreUnavailable, match=f"The database's folder {tmp_path} cannot be written: File too"):
            await store.check()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    await store.check()
    assert {path.name for path in tmp_path.iterdir()} <= {"smscatch.db", "smscatch.db-wal", "smscatch.db-shm"}
    await store.close()


async def test_the_index_of_trigrams_catches_up_after_a_crash(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/smscatch.db"
    store = await open_store(url, join_parts)
    await store._writer.run(parts.add, [a_delivery(text="needle one")], join_parts)  # type: ignore[attr-defined]
    await store.close()  # as if killed between commit and index
    store = await open_store(url, join_parts)
    await store.add([a_delivery(text="needle two")])
    await store.close()
    store = await open_store(url, join_parts)
    connection = store._reader  # type: ignore[attr-defined]
    assert await connection.run(statements.counter, "indexed") == 2
    assert len(await store.newest(Query(contains="needle"), 10)) == 2
    await store.close()


async def test_the_index_costs_texts_that_come_one_by_one_no_commit_and_no_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "INDEX_SECONDS", 1e6)
    store = await open_store(f"sqlite:///{tmp_path}/smscatch.db", join_parts)
    writer = store._writer  # type: ignore[attr-defined]
    said: list[str] = []
    await writer.run(lambda connection: connection.set_trace_callback(said.append))
    for n in range(20):
        await store.add([a_delivery(text=f"needle {n}")])
    await store.close()
    told = [statement for statement in said if statement == "COMMIT" or "synchronous" in statement]
    assert told == ["COMMIT"] * 20 + ["PRAGMA synchronous = NORMAL", "COMMIT", "PRAGMA synchronous = FULL"]


async def test_what_is_committed_is_found_whether_it_is_indexed_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "INDEX_BATCH", 3)
    store = await open_store(f"sqlite:///{tmp_path}/smscatch.db", join_parts)
    writer = store._writer  # type: ignore[attr-defined]
    texts: list[str] = []

    async def found() -> list[str]:
        return [stored.message.text for stored in await store.after(Query(contains="needle"), 0, 100)]

    for n in range(8):
        texts.append(f"needle {n}")
        await store.add([a_delivery(text=texts[-1])])
        assert await found() == texts
    while await writer.run(statements.index_some):
        assert await found() == texts
    assert await writer.run(statements.counter, "indexed") == 8
    assert await found() == texts
    await store.close()


async def test_the_newest_lease_of_each_line_is_found_without_reading_those_that_ended(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/smscatch.db", join_parts)
    plan = await store._reader.run(statements.rows, f"EXPLAIN QUERY PLAN {leases.NEWEST}")  # type: ignore[attr-defined]
    await store.close()
    assert any("leases_line" in step[-1] for step in plan)
    assert not any(step[-1].startswith("SCAN leases") for step in plan)


async def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/new/smscatch.db", join_parts)
    await store.close()
    assert os.stat(tmp_path / "new").st_mode & 0o077 == 0


async def test_nobody_else_may_read_the_database(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/open/to/all.db", join_parts)
    await store.add([a_delivery()])
    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "open/to").iterdir()}
    await store.close()
    assert modes == dict.fromkeys(("all.db", "all.db-wal", "all.db-shm"), 0)


async def test_what_a_connection_keeps_of_the_database_in_memory_is_little(tmp_path: Path) -> None:
    reader = worker.Worker(str(tmp_path / "x.db"))
    with contextlib.closing(reader):
        ((kept,),) = await reader.run(statements.rows, "PRAGMA cache_size")
    assert -512 <= kept < 0  # in KiB: https://www.sqlite.org/pragma.html#pragma_cache_size


async def test_what_each_request_asks_is_told_without_a_thread_unless_someone_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/x.db", join_parts)
    await store.add([a_delivery()])
    with monkeypatch.context() as patch:
        patch.setattr(worker.Worker, "run", lambda *_: pytest.fail("a thread was asked"))
        assert (await store.position(), await store.find_key(b"unknown")) == (1, None)
    asked, counter = list[sqlite3.Connection](), statements.counter

    def locked_at_first(connection: sqlite3.Connection, name: str) -> int:
        asked.append(connection)
        if len(asked) == 1:
            raise sqlite3.OperationalError("database is locked")
        return counter(connection, name)

    monkeypatch.setattr(statements, "counter", locked_at_first)
    assert (await store.position(), len({*asked})) == (1, 2)
    await store.close()
