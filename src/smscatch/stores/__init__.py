"""The stores, by the scheme of their URL. A backend's driver is imported only when its store is opened."""

from smscatch.errors import BadSetting, CannotStart
from smscatch.stores.base import Claim, DayCount, Delivery, Join, LineUse, Store, Wish
from smscatch.stores.jobs import Job, SinkUse
from smscatch.stores.records import Key, Memo, Read

__all__ = [
    "Claim",
    "DayCount",
    "Delivery",
    "Job",
    "Join",
    "Key",
    "LineUse",
    "Memo",
    "Read",
    "SinkUse",
    "Store",
    "Wish",
    "open_store",
]


async def open_store(url: str, join: Join, listen_url: str | None = None) -> Store:
    """Open the store that `url` names.

    sqlite:///PATH (three slashes and a relative path, or four and an absolute one), postgresql://… or mongodb://….

    `join` makes one message of the parts of a long one. `listen_url` leads past the pooler in front of a PostgreSQL.
    Brings an older database up to the present schema. Raises BadSetting for another URL, StoreUnavailable if the
    database is away, so that trying again is right, and CannotStart if it refuses us, or a newer smscatch wrote it.
    """
    is_postgres = url.startswith(("postgresql://", "postgres://"))
    if listen_url is not None and not is_postgres:
        raise BadSetting("store_listen is for a store in PostgreSQL behind a pooler. Leave it out for this store.")
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and path:
        from smscatch.stores.sqlite import SqliteStore  # noqa: PLC0415 - only the backend in use is loaded

        return await SqliteStore.open(path, join)
    if is_postgres:
        try:
            from smscatch.stores.postgres import PostgresStore  # noqa: PLC0415 - as above
        except ImportError as error:
            raise CannotStart("A store in PostgreSQL needs its driver: pip install 'smscatch[postgres]'.") from error
        return await PostgresStore.open(url, join, listen_url)
    if url.startswith(("mongodb://", "mongodb+srv://")):
        try:
            from smscatch.stores.mongo import MongoStore  # noqa: PLC0415 - as above
        except ModuleNotFoundError as error:
            raise CannotStart("A store in MongoDB needs its driver: pip install 'smscatch[mongo]'.") from error
        return await MongoStore.open(url, join)
    shown = f"{url.partition('://')[0]}://…" if "@" in url else url  # it may have a password
    raise BadSetting(
        f"store = {shown!r} names no store. Accepted: sqlite:///PATH, e.g. sqlite:////var/lib/smscatch/smscatch.db,"
        " postgresql://USER:PASSWORD@HOST/DATABASE, mongodb://… or mongodb+srv://…"
    )
