"""The queries in docs/stores.md, which other programs may rely on, answer as it says."""

import json
import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import psycopg
from pymongo.database import Database

from smscatch.sources import join_parts
from smscatch.stores import open_store
from tests.samples import LINE, NOON, a_delivery
from tests.servers import mongo
from tests.stores.conftest import MakeUrl

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "stores.md"


def queries(heading: str) -> list[str]:
    """The queries below a heading, a line each."""
    section = DOCUMENT.read_text("utf-8").partition(f"### {heading}")[2]
    found = re.search(r"```(?:sql|js)\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1].splitlines()


async def fill(url: str, *more: str) -> None:
    store = await open_store(url, join_parts)
    first = [] if more else [a_delivery(), a_delivery(text="hello", sender="My Bank")]
    await store.add([*first, *(a_delivery(text=text) for text in more)])
    await store.close()


async def test_sqlite_is_read_as_documented(new_sqlite: MakeUrl) -> None:
    url = new_sqlite()
    await fill(url)
    newest, days = queries("SQLite")
    database = sqlite3.connect(f"file:{url.removeprefix('sqlite:///')}?mode=ro", uri=True)
    try:
        assert database.execute(newest).fetchall() == [("My Bank", "hello"), ("Authy", "Your Authy code is 482913")]
        assert database.execute(days).fetchall() == [("2026-11-22", 2)]
    finally:
        database.close()


async def test_postgresql_is_read_as_documented(new_postgresql: MakeUrl) -> None:
    url = new_postgresql()
    await fill(url)
    newest, codes, links = queries("PostgreSQL")
    with psycopg.connect(url) as database:
        rows = database.execute(newest).fetchall()
        assert [row[1:] for row in rows] == [
            ("My Bank", None, "hello"),
            ("Authy", "482913", "Your Authy code is 482913"),
        ]
        since = codes.replace("now() - interval '1 day'", "'2026-11-22'")
        assert database.execute(since).fetchall() == [(LINE, 1)]
        nul = "One \0, see https://acme.example/verify?token=abc"
        await fill(url, nul)
        assert database.execute(newest).fetchone() == (NOON, "Authy", None, nul.replace("\0", "\ufffd"))
        assert database.execute(links).fetchall() == [(3, ["https://acme.example/verify?token=abc"]), (2, []), (1, [])]


async def test_mongodb_is_read_as_documented(mongo_databases: mongo.Databases) -> None:
    url = mongo_databases.new()
    await fill(url)
    newest, codes = queries("MongoDB")
    with mongo_databases.database(url) as database:
        assert [found["text"] for found in find(database, newest)] == ["hello", "Your Authy code is 482913"]
        (found,) = find(database, codes.replace("1207", "0"))
        assert (found["code"], found["timestamp"], found["number"]) == ("482913", NOON.replace(tzinfo=None), "Authy")
        assert list(find(database, codes)) == []


def find(database: Database[mongo.Document], query: str) -> Iterable[mongo.Document]:
    """Ask what a line for the shell asks."""
    found = re.match(r"db\.messages\.find\((.*?)\)\.sort\((.*?)\)(?:\.limit\((\d+)\))?\s+//", query)
    assert found
    condition, order = (json.loads(re.sub(r"([{ ])(\$?\w+):", r'\1"\2":', part)) for part in found.group(1, 2))
    return database["messages"].find(condition).sort(list(order.items())).limit(int(found[3] or 0))
