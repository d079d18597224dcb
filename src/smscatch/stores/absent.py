"""What stands in for a store that could not be opened yet (a null object)."""

from typing import Any, cast

from smscatch.errors import StoreUnavailable
from smscatch.stores.base import Store


class _Absent:
    """Raises StoreUnavailable for whatever it is asked, except to close."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def __getattr__(self, name: str) -> Any:
        raise StoreUnavailable(self._reason)

    async def close(self) -> None:
        pass


def absent_store(reason: str) -> Store:
    """Return a store that is away because of `reason`, a sentence."""
    return cast(Store, _Absent(reason))
