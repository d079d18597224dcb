"""How the PostgreSQL store finds messages: filters to SQL, and the index of trigrams for parts of texts."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from smscatch.messages import Query, Stored
from smscatch.stores.postgres.session import Connection
from smscatch.stores.postgres.statements import NUL_IN_SEARCH, Rows, fold_text, position, rounded, rows

NO_POSITION = 2**62  # behind every position there will be
NEAR = 2000
NEAR_PER_MATCH = 20
BY_POSITION = "position"
BY_INDEX = "position + 0"  # no index gives this order, so none is walked for it
# pg_trgm takes trigrams of words; a part of a text without three letters or digits in a row has none.
_TRIGRAM = re.compile(r"[^\W_]{3}")
_SPECIAL = re.compile(r"([\\%_])")


class Span(NamedTuple):
    """Which matches are wanted: at positions between `low` and `high`, both excluded, up to `limit` in this order."""

    low: int
    high: int
    limit: int
    newest_first: bool


async def search(connection: Connection, query: Query, span: Span, is_indexed: bool) -> list[Stored]:
    """Return the matches in a span; `is_indexed` says whether there is an index of trigrams."""
    if query.since is not None:
        span = span._replace(low=max(span.low, await _position_before(connection, query.since)))
    if is_indexed and query.contains is not None and _TRIGRAM.search(fold_text(query.contains)):
        found = await _search_twice(connection, query, span)
    else:
        found = await _search(connection, query, span, BY_POSITION)
    return [Stored(position, json) for position, json in found]


async def _position_before(connection: Connection, time: datetime) -> int:
    # With the '+ 0' PostgreSQL reads the few rows from the index of times; without it looks through all, by position.
    found = await rows(connection, "SELECT min(position + 0) FROM messages WHERE received_at >= %s", rounded(time))
    return NO_POSITION if found[0][0] is None else int(found[0][0]) - 1


async def _search_twice(connection: Connection, query: Query, span: Span) -> Rows:
    """Read the nearest messages, enough for a frequent text; then ask the index, which is quick for a rare one.

    Left to itself PostgreSQL reads all messages by position for a rare text, and takes 100 times as long.
    """
    # Both must see one state.
    await connection.execute(connection.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY"))
    near, far = _split(span, await position(connection))
    found = await _search(connection, query, near, BY_POSITION)
    if len(found) < span.limit:
        rest = far._replace(limit=span.limit - len(found))
        found += await _search(connection, query, rest, BY_INDEX)
    await connection.execute("COMMIT")
    return found


def _split(span: Span, newest: int) -> tuple[Span, Span]:
    """Return the part of a span that comes first, and what is left of it."""
    width = max(NEAR, NEAR_PER_MATCH * span.limit)
    if span.newest_first:
        border = max(span.low, min(span.high, newest + 1) - width)
        return span._replace(low=border), span._replace(high=border + 1)
    border = min(span.high, span.low + width)
    return span._replace(high=border), span._replace(low=border - 1)


async def _search(connection: Connection, query: Query, span: Span, order: str) -> Rows:
    if span.high - span.low <= 1:
        return []
    sql, parameters = statement(query, span, order)
    return await rows(connection, sql, *parameters)


def statement(query: Query, span: Span, order: str) -> tuple[str, list[object]]:
    """Return the SELECT for the matches in a span, in the order of an expression, and its parameters."""
    conditions, parameters = _conditions(query)
    where = " AND ".join(["position > %s", "position < %s", *conditions])
    direction = "DESC" if span.newest_first else "ASC"
    sql = f"SELECT position, json FROM messages WHERE {where} ORDER BY {order} {direction} LIMIT %s"
    return sql, [span.low, span.high, *parameters, span.limit]


def _conditions(query: Query) -> tuple[list[str], list[object]]:
    conditions: list[str] = []
    parameters: list[object] = []
    if query.lines is not None and len(query.lines) == 1:  # an index gives one line in the order of positions
        conditions.append("line = %s")
        parameters.append(query.lines[0])
    elif query.lines is not None:
        conditions.append("line = ANY (%s::text[])")
        parameters.append(list(query.lines))
    if query.sender is not None:
        conditions.append(f"sender_folded IN ({', '.join(['%s'] * len(query.senders))})")
        parameters += query.senders
    if query.since is not None:
        conditions.append("received_at >= %s")
        parameters.append(rounded(query.since))
    if query.until is not None:
        conditions.append("received_at < %s")
        parameters.append(rounded(query.until))
    if query.has_code:
        conditions.append("code IS NOT NULL")
    for condition, values in _names(query):
        conditions.append(condition)
        parameters += values
    if query.contains is not None:
        conditions.append("text_folded LIKE %s")
        parameters.append("%" + _SPECIAL.sub(r"\\\1", fold_text(query.contains)) + "%")
    return conditions, parameters


def _names(query: Query) -> Iterator[tuple[str, list[object]]]:
    """Yield the conditions on leases and parts of senders."""
    if query.lease is not None:
        yield ("lease = %s", [query.lease]) if query.lease else ("lease IS NULL", [])
    if query.leases is not None:
        yield "lease = ANY (%s::text[])", [list(query.leases)]
    if query.sender_part is not None:
        yield "strpos(sender_folded, %s) > 0", [query.sender_part.replace("\0", NUL_IN_SEARCH)]


# Steps from one sender to the next in the index: as many steps as there are senders, however many messages.
_SENDERS = """
    WITH RECURSIVE names (name) AS (
        (SELECT sender_folded FROM messages ORDER BY sender_folded LIMIT 1)
        UNION ALL
        SELECT (SELECT sender_folded FROM messages WHERE sender_folded > name ORDER BY sender_folded LIMIT 1)
        FROM names WHERE name IS NOT NULL
    )
    SELECT name FROM names WHERE strpos(name, %s) > 0 LIMIT %s
"""


async def senders(connection: Connection, part: str, limit: int) -> list[str]:
    """See Store.senders."""
    return [name for (name,) in await rows(connection, _SENDERS, part.replace("\0", NUL_IN_SEARCH), limit)]
