"""The stores, by the scheme of their URL. A backend's driver is imported only when its store is opened."""

from smscatch.errors import BadSetting
from smscatch.stores.base import Claim, DayCount, Delivery, Join, LineUse, Store, Wish
from smscatch.stores.records import Key, Read

__all__ = ["Claim", "DayCount", "Delivery", "Join", "Key", "LineUse", "Read", "Store", "Wish", "open_store"]


async def open_store(url: str, join: Join) -> Store:
    """Open the store that `url` names: sqlite:///PATH (three slashes and a relative path, or four and an absolute one).

    `join` makes one message of the parts of a long one. Brings an older database up to the present schema. Raises
    BadSetting for another URL, CannotStart if the database cannot be opened, or was written by a newer smscatch.
    """
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and path:
        from smscatch.stores.sqlite import SqliteStore  # noqa: PLC0415 - only the backend in use is loaded

        return await SqliteStore.open(path, join)
    raise BadSetting(
        f"store = {url!r} names no store. Accepted: sqlite:///PATH, e.g. sqlite:////var/lib/smscatch/smscatch.db"
    )
