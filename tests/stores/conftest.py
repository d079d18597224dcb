"""The stores on which the contract is tried."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from smscatch.sources.pdu import join_parts
from smscatch.stores import Store, open_store

OpenAgain = Callable[[], Awaitable[Store]]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/smscatch.db"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    opened = await open_store(url, join_parts)
    yield opened
    await opened.close()
