"""What to say when PostgreSQL fails or refuses us: the reason in its own words, and what to do about it."""

import asyncio

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import PGconn, Ping

from smscatch.errors import CannotStart, StoreUnavailable
from smscatch.stores.postgres.address import DatabaseAddress

MOST_CONNECTIONS = 8  # of one store: 1 to write, 4 to read, 2 to search, 1 to listen; see docs/stores.md
# Refusals that pass. While a connection is made libpq gives no SQLSTATE, only the words of PostgreSQL or PgBouncer.
TOO_MANY = ("too many clients", "too many connections", "connection slots are reserved", "no more connections allowed")
TLS = ("certificate verify failed", "does not support SSL", "certificate file")  # words of OpenSSL and libpq
NOT_WRITABLE = ("session is read-only", "is in hot standby mode")


def unavailable(address: DatabaseAddress, error: Exception) -> StoreUnavailable:
    """Return the error for callers, as sentences that name the database."""
    return StoreUnavailable(f"The database {address.name} failed: {reason(error)}.{_advice(address, error)}")


def reason(error: Exception) -> str:
    """Return what a driver's error says, in half a sentence."""
    said = " ".join(str(error).partition("\n")[0].split())
    return said.rstrip(".") or "it did not answer in time"


async def cannot_open(address: DatabaseAddress, error: Exception) -> CannotStart | StoreUnavailable:
    """Return the error of who opens a store: StoreUnavailable if the database is away, CannotStart if it refuses us."""
    kind = StoreUnavailable if await _is_away(address, error) else CannotStart
    advice = _advice(address, error) or (
        " See that PostgreSQL runs there, that the database exists, and that user and password are right; or name"
        " another with SMSCATCH_STORE."
    )
    return kind(f"The database {address.name} cannot be opened: {reason(error)}.{advice}")


async def _is_away(address: DatabaseAddress, error: Exception) -> bool:
    if not isinstance(error, psycopg.Error):  # in the network or the time limit
        return True
    if error.sqlstate is not None:
        return isinstance(error, psycopg.OperationalError | psycopg.errors.ReadOnlySqlTransaction)
    if not isinstance(error, psycopg.OperationalError):
        return False
    if any(words in str(error) for words in (*TOO_MANY, *NOT_WRITABLE)):
        return True
    if any(words in str(error) for words in TLS):
        return False
    # A server that starts or stops, or none at all; it says so without our user and password.
    # https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PQPINGPARAMS
    return await asyncio.to_thread(PGconn.ping, address.conninfo.encode()) != Ping.OK


def _advice(address: DatabaseAddress, error: Exception) -> str:
    """Return sentences that say what to do, with a blank in front; nothing if the reason says all."""
    if any(words in str(error) for words in TOO_MANY):
        return (
            f" A server of smscatch takes up to {MOST_CONNECTIONS} connections: raise max_connections in"
            " postgresql.conf, the limit of the user (ALTER ROLE … CONNECTION LIMIT) or that of the pooler."
        )
    if isinstance(error, psycopg.errors.InvalidSchemaName):
        return (
            " None of the schemas in its search_path is there to make tables in. Create one with CREATE SCHEMA, or"
            " correct the search_path in SMSCATCH_STORE."
        )
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        given = conninfo_to_dict(address.conninfo)
        user = given.get("user") or "USER"
        database = given.get("dbname") or user
        return (
            f" Let the database's owner run: GRANT USAGE, CREATE ON SCHEMA public TO {user} (from PostgreSQL 15 on"
            f" nobody may make tables there unasked), or make {user} the owner: ALTER DATABASE {database} OWNER TO"
            f" {user}. Tables that are there already must be {user}'s own."
        )
    if "unsupported startup parameter" in str(error):  # PgBouncer's words
        return no_options()
    return ""


def no_options() -> str:
    """Return what to do about `options` in a URL that leads to a pooler, which drops or refuses them."""
    return (
        " It is behind a pooler, which does not pass on the `options` in SMSCATCH_STORE. Leave them out, and set a"
        " schema in the database instead: ALTER ROLE user IN DATABASE name SET search_path = schema."
    )
