"""The PostgreSQL store behind a real PgBouncer, which lends connections for a transaction: the same contract.

Of the tests of all stores one for each kind of statement runs here again.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from urllib.parse import quote

import pytest

from smscatch.errors import BadSetting, CannotStart
from smscatch.sources import join_parts
from smscatch.stores import Store, hearing, open_store
from smscatch.stores.postgres import ANSWER_SECONDS, listening
from smscatch.stores.postgres.address import parse_address
from smscatch.stores.postgres.session import connect
from smscatch.stores.postgres.statements import rows
from tests.patience import PATIENCE_SECONDS
from tests.samples import a_delivery
from tests.servers import postgres
from tests.servers.pgbouncer import a_pooler
from tests.stores.test_contract import (
    test_a_batch_that_cannot_be_kept_whole_is_not_kept_at_all,
    test_a_deleted_message_is_gone_and_its_delivery_does_not_revive_it,
    test_a_delivery_is_kept_once_however_often_it_comes,
    test_a_key_is_changed_and_its_sessions_end,
    test_a_key_is_found_by_its_hash_until_revoked,
    test_a_prune_beside_a_writer_ends,
    test_a_reader_misses_nothing_of_what_several_processes_write,
    test_messages_are_counted_by_line_and_day,
    test_pages_of_a_search_fit_together,
    test_prune_deletes_what_is_older,
    test_what_was_added_is_there_after_opening_again,
)
from tests.stores.test_leases import (
    test_of_two_changes_made_at_once_one_fails,
    test_who_withdraws_leaves_the_queue,
)
from tests.stores.test_moving import (
    test_an_export_in_small_pages_is_the_same,
    test_the_first_read_of_each_key_is_kept_until_the_message_is_deleted,
    test_what_is_dumped_and_loaded_is_dumped_alike,
)
from tests.stores.test_parts import test_what_is_overdue_is_shown_incomplete_and_completed_in_place

__all__ = [
    "test_a_batch_that_cannot_be_kept_whole_is_not_kept_at_all",
    "test_a_deleted_message_is_gone_and_its_delivery_does_not_revive_it",
    "test_a_delivery_is_kept_once_however_often_it_comes",
    "test_a_key_is_changed_and_its_sessions_end",
    "test_a_key_is_found_by_its_hash_until_revoked",
    "test_a_prune_beside_a_writer_ends",
    "test_a_reader_misses_nothing_of_what_several_processes_write",
    "test_an_export_in_small_pages_is_the_same",
    "test_messages_are_counted_by_line_and_day",
    "test_of_two_changes_made_at_once_one_fails",
    "test_pages_of_a_search_fit_together",
    "test_prune_deletes_what_is_older",
    "test_the_first_read_of_each_key_is_kept_until_the_message_is_deleted",
    "test_what_is_dumped_and_loaded_is_dumped_alike",
    "test_what_is_overdue_is_shown_incomplete_and_completed_in_place",
    "test_what_was_added_is_there_after_opening_again",
    "test_who_withdraws_leaves_the_queue",
]

TABLES = "messages, day_counts, part_groups, parts, deleted, keys, leases, wishes, reads, sinks, jobs"


@pytest.fixture(scope="module")
def direct_url(postgres_database: str) -> Iterator[str]:
    """A database of its own: a schema cannot be chosen through a pooler."""
    postgres.run(postgres_database, "CREATE DATABASE smscatch_pooled")
    yield postgres.named(postgres_database, "smscatch_pooled")
    postgres.run(postgres_database, "DROP DATABASE smscatch_pooled WITH (FORCE)")


@pytest.fixture(scope="module")
def pooled_url(direct_url: str) -> Iterator[str]:
    with a_pooler(direct_url) as url:
        yield url


@pytest.fixture
def url(pooled_url: str, direct_url: str) -> str:
    if postgres.run(direct_url, "SELECT to_regclass('messages')") != [(None,)]:
        postgres.run(direct_url, f"TRUNCATE {TABLES}; UPDATE counters SET value = 0")
    return pooled_url


@pytest.fixture
def other_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("new_sqlite")())


class Heard:
    """Counts what `listen` calls, and lets a test wait for it."""

    def __init__(self) -> None:
        self._calls = asyncio.Semaphore(0)

    def __call__(self) -> None:
        self._calls.release()

    async def once_more(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._calls.acquire()


@contextlib.asynccontextmanager
async def listening_on(url: str, listen_url: str | None) -> AsyncIterator[tuple[Store, Heard]]:
    store, heard = await open_store(url, join_parts, listen_url), Heard()
    task = asyncio.create_task(store.listen(heard))
    yield store, heard
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.close()


async def test_no_setting_stays_in_a_connection_that_others_are_lent(store: Store, url: str, direct_url: str) -> None:
    await asyncio.gather(*(store.add([a_delivery()]) for _ in range(20)), *(store.position() for _ in range(20)))
    names = ("TimeZone", "statement_timeout", "idle_in_transaction_session_timeout", "plan_cache_mode")
    plain = [postgres.run(direct_url, f"SHOW {name}") for name in names]
    for _ in range(5):  # each time on another one
        assert [postgres.run(url, f"SHOW {name}") for name in names] == plain
        assert postgres.run(url, "SELECT count(*) FROM pg_prepared_statements") == [(0,)]


async def test_each_transaction_has_our_settings(url: str) -> None:
    sql = "SELECT current_setting('statement_timeout'), current_setting('TimeZone')"
    async with await connect(parse_address(url), ANSWER_SECONDS) as connection:
        assert connection.is_pooled
        assert await rows(connection, sql) == [("4s", "UTC")]
        async with connection.transaction_of_its_own():
            assert await rows(connection, sql) == [("4s", "UTC")]


async def test_a_statement_asked_again_and_again_works_on_every_connection(store: Store) -> None:
    for _ in range(30):
        await store.add([a_delivery()])
        await asyncio.gather(*(store.position() for _ in range(4)))
    assert await store.position() == 30


async def test_a_listener_that_hears_nothing_says_so_and_looks_on_a_timer(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hearing, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(listening, "PROBE_SECONDS", 0.2)
    with caplog.at_level(logging.WARNING):
        async with listening_on(url, None) as (store, heard):
            await heard.once_more()
            await heard.once_more()
            assert "SMSCATCH_STORE_LISTEN" in str(store.hears_late)
    assert caplog.text.count("behind a pooler that takes LISTEN and tells nothing") == 1


async def test_a_listener_that_goes_past_the_pooler_is_told(store: Store, url: str, direct_url: str) -> None:
    async with listening_on(url, direct_url) as (listener, heard):
        await heard.once_more()  # now it listens
        assert listener.hears_late is None
        await store.add([a_delivery()])
        await heard.once_more()
        assert listener.hears_late is None


async def test_a_listener_in_another_database_is_found_out(
    url: str, postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(listening, "PROBE_SECONDS", 0.2)
    async with listening_on(url, postgres_database) as (store, heard):
        await heard.once_more()
        assert "of the same database" in str(store.hears_late)


async def test_a_pooler_that_lends_whole_sessions_is_listened_through(direct_url: str) -> None:
    with a_pooler(direct_url, "session", default_pool_size="20") as url:
        async with listening_on(url, None) as (store, heard):
            await heard.once_more()
            await store.add([a_delivery()])
            await heard.once_more()
            assert store.hears_late is None


@pytest.mark.parametrize("ignored", ["", "options"])
async def test_options_that_a_pooler_does_not_pass_on_are_refused(direct_url: str, ignored: str) -> None:
    options = quote("-csearch_path=elsewhere", safe="")
    with (
        a_pooler(direct_url, ignore_startup_parameters=ignored) as url,
        pytest.raises(CannotStart, match="ALTER ROLE user IN DATABASE name SET search_path"),
    ):
        await open_store(f"{url}?options={options}", join_parts)


async def test_only_postgresql_takes_a_url_to_listen_at() -> None:
    with pytest.raises(BadSetting, match="store_listen"):
        await open_store("sqlite:////nowhere/x.db", join_parts, "postgresql://host/db")
