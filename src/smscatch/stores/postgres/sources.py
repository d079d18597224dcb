"""The sources that were added, in the PostgreSQL store."""

import msgspec

from smscatch.stores.postgres.session import Connection
from smscatch.stores.postgres.statements import rows, run
from smscatch.stores.records import AddedSource


async def add(connection: Connection, source: AddedSource) -> bool:
    """See Store.add_source."""
    sql = "INSERT INTO sources (name, json) VALUES (%s, %s) ON CONFLICT DO NOTHING"
    return await run(connection, sql, source.name, msgspec.json.encode(source)) == 1


async def change(connection: Connection, before: AddedSource, after: AddedSource) -> bool:
    """See Store.change_source."""
    sql = "UPDATE sources SET json = %s WHERE name = %s AND json = %s"
    return await run(connection, sql, msgspec.json.encode(after), before.name, msgspec.json.encode(before)) == 1


async def remove(connection: Connection, name: str) -> bool:
    """See Store.remove_source."""
    return await run(connection, "DELETE FROM sources WHERE name = %s", name) == 1


async def added(connection: Connection) -> list[AddedSource]:
    """See Store.added_sources."""
    found = await rows(connection, "SELECT json FROM sources ORDER BY name")
    return [msgspec.json.decode(row[0], type=AddedSource) for row in found]
