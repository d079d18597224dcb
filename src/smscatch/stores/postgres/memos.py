"""Memos in the PostgreSQL store: small things that are kept under a name for a while."""

from datetime import datetime

from smscatch.stores.postgres.session import Connection
from smscatch.stores.postgres.statements import rounded, rows, run
from smscatch.stores.records import Memo

# The condition is the lock: of two who change the same memo one is first.
MAKE = """
    INSERT INTO memos (name, content, until) VALUES (%s, %s, %s)
    ON CONFLICT (name) DO UPDATE SET content = excluded.content, until = excluded.until
    WHERE memos.until <= %s OR memos.content = excluded.content
"""
CHANGE = "UPDATE memos SET content = %s, until = %s WHERE name = %s AND until > %s AND content IN (%s, %s)"


async def find(connection: Connection, name: str, now: datetime) -> Memo | None:
    """See Store.memo."""
    found = await rows(
        connection, "SELECT content, until FROM memos WHERE name = %s AND until > %s", name, rounded(now)
    )
    return Memo(*found[0]) if found else None


async def change(connection: Connection, name: str, before: Memo | None, after: Memo, *, now: datetime) -> bool:
    """See Store.change_memo."""
    until, at = rounded(after.until), rounded(now)
    if before is None:
        return await run(connection, MAKE, name, after.content, until, at) == 1
    return await run(connection, CHANGE, after.content, until, name, at, before.content, after.content) == 1
