"""Where a PostgreSQL database is, read from its URL: for libpq, with the password, and as a name that may be shown.

No connection is made here.
"""

from typing import Any, NamedTuple

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from smscatch.errors import BadSetting

CONNECT_SECONDS = 3
FORM = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with %40 for an @ in the password, %2F for a /, %3A for a :"

# What the address does not say itself. A peer that is gone is noticed in half a minute, also by who only listens:
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-KEEPALIVES
DEFAULTS: dict[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    "application_name": "smscatch",
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


class DatabaseAddress(NamedTuple):
    """Where a database is: for libpq, with the password; as a name that may be shown; whether it has `options`."""

    conninfo: str
    name: str
    has_options: bool


def parse_address(url: str, setting: str = "store") -> DatabaseAddress:
    """Return the address in a URL. Raises BadSetting, without the URL: libpq's own words would show the password."""
    scheme = f"{setting} = postgresql://…"
    rest = url.partition("://")[2]
    place, _, path = rest.partition("?")[0].partition("/")
    if "@" in path or place.count("@") > 1:  # libpq would take the end of the password for the host
        raise BadSetting(f"{scheme} has an @ too many, or a / or ? in the password. Accepted: {FORM}.")
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise BadSetting(f"{scheme} is no address that libpq takes. Accepted: {FORM}.") from None
    port = str(given.get("port") or "5432")
    if not all(number.isascii() and number.isdecimal() for number in port.split(",") if number):
        raise BadSetting(f"{scheme} has a port that is no number. Accepted: {FORM}.")
    database = given.get("dbname") or given.get("user") or "of this user"
    name = f"{database} at {given.get('host') or 'this machine'}:{port}"
    # Of several hosts the one that can be written is wanted: after a failover that is another.
    choice = {"target_session_attrs": "read-write"} if "," in str(given.get("host")) else {}
    conninfo = make_conninfo(**(DEFAULTS | choice | given | {"client_encoding": "UTF8"}))
    return DatabaseAddress(conninfo, name, has_options=bool(given.get("options")))
