"""The queries in docs/stores.md, which other programs may rely on, answer as it says."""

import re
import sqlite3
from pathlib import Path

import psycopg

from smscatch.sources.pdu import join_parts
from smscatch.stores import open_store
from tests.samples import LINE, a_delivery
from tests.stores.conftest import MakeUrl

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "stores.md"


def queries(heading: str) -> list[str]:
    """The SQL below a heading, a line each."""
    section = DOCUMENT.read_text("utf-8").partition(f"### {heading}")[2]
    found = re.search(r"```sql\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1].splitlines()


async def fill(url: str) -> None:
    store = await open_store(url, join_parts)
    await store.add([a_delivery(), a_delivery(text="hello", sender="My Bank")])
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
    newest, codes = queries("PostgreSQL")
    with psycopg.connect(url) as database:
        rows = database.execute(newest).fetchall()
        assert [row[1:] for row in rows] == [
            ("My Bank", None, "hello"),
            ("Authy", "482913", "Your Authy code is 482913"),
        ]
        since = codes.replace("now() - interval '1 day'", "'2026-11-22'")
        assert database.execute(since).fetchall() == [(LINE, 1)]
