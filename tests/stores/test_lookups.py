"""How often a store is asked for leases by their ids: once, however many texts are shown or explained."""

import re
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from pymongo.asynchronous.collection import AsyncCollection

from smscatch import keys
from smscatch.errors import NoMessage
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import MAX_LINES_LEASED, Query
from smscatch.sources import join_parts
from smscatch.stores import Store, open_store
from smscatch.waits import next_message
from smscatch.web.app import make_app
from tests.samples import a_delivery
from tests.stores.test_leases import a_wish, at, claim
from tests.surroundings import settings_in

BY_ID = re.compile(r"FROM leases WHERE id|^leases .*_id")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What drivers are told to ask of a database, from now on."""
    seen: list[str] = []
    connect, execute, find = sqlite3.connect, psycopg.AsyncCursor.execute, AsyncCollection.find

    def connect_and_tell(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(seen.append)
        return connection

    async def execute_and_tell(cursor: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        seen.append(str(query))
        return await execute(cursor, query, *arguments, **options)

    def find_and_tell(collection: Any, *arguments: Any, **options: Any) -> Any:
        seen.append(f"{collection.name} {arguments}")
        return find(collection, *arguments, **options)

    monkeypatch.setattr(sqlite3, "connect", connect_and_tell)
    monkeypatch.setattr(psycopg.AsyncCursor, "execute", execute_and_tell)
    monkeypatch.setattr(AsyncCollection, "find", find_and_tell)
    return seen


@pytest.fixture
async def store(asked: list[str], url: str) -> AsyncIterator[Store]:
    opened = await open_store(url, join_parts)
    yield opened
    await opened.close()


async def keep_leased_texts(store: Store, number: int) -> None:
    """Keep texts that belong to a lease each."""
    lines = [f"+4477009{n:05}" for n in range(number)]
    for start in range(0, number, MAX_LINES_LEASED):
        some = tuple(lines[start : start + MAX_LINES_LEASED])
        granted = (await claim(store, a_wish(f"{start}", lines=some, count=len(some)))).leases
        assert len(granted) == len(some)
    await store.add([a_delivery(line=line, received_at=at(1)) for line in lines])


async def test_the_leases_of_a_page_are_read_at_once(store: Store, asked: list[str], tmp_path: Path) -> None:
    await keep_leased_texts(store, 40)
    inbox = await Inbox.open(store)
    leases = Leases(inbox, rest=timedelta(seconds=5), tolerance=timedelta(seconds=60))
    _, secret = await keys.add_key(inbox, "reader", ("read",))
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings_in(tmp_path)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test", auth=(secret, "")) as client:
        asked.clear()
        page = await client.get("/")
    assert page.text.count("for test ") == 40
    assert len(list(filter(BY_ID.search, asked))) == 1


async def test_the_leases_of_an_explanation_are_read_at_once(store: Store, asked: list[str]) -> None:
    await keep_leased_texts(store, 200)
    inbox = await Inbox.open(store)
    asked.clear()
    with pytest.raises(NoMessage) as raised:
        await next_message(inbox, Query(lease=""), 0, 0)
    assert len(raised.value.details["near_misses"]) == 200
    assert len(list(filter(BY_ID.search, asked))) == 1
