"""The stores on which the contract is tried: each test runs on every backend, in an empty database."""

import gc
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from smscatch.sources import join_parts
from smscatch.stores import Store, open_store
from tests.servers import mongo, postgres

# Each has a fixture `new_…`, which makes the URLs of empty databases.
BACKENDS = ("sqlite", "postgresql", "mongodb")
MakeUrl = Callable[[], str]


# pymongo 4.20 forgets a socket when it is closed while it connects: its `_async_create_connection` closes it after an
# OSError, not when it is cancelled. Garbage of these tests must not be found in another one, which would be blamed.
def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    yield
    gc.collect()
    gc.freeze()  # what is left stays: looked at again after each test, it would take half a second late in a long run


@pytest.fixture
def new_sqlite(tmp_path: Path) -> MakeUrl:
    numbers = itertools.count(1)
    return lambda: f"sqlite:///{tmp_path}/smscatch{next(numbers)}.db"


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[str]:
    with postgres.a_database() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_schemas(postgres_database: str) -> postgres.Schemas:
    return postgres.Schemas(postgres_database)


@pytest.fixture
def new_postgresql(postgres_schemas: postgres.Schemas) -> MakeUrl:
    numbers = itertools.count(1)
    return lambda: postgres_schemas.empty(next(numbers))


@pytest.fixture(scope="session")
def mongo_databases() -> Iterator[mongo.Databases]:
    with mongo.databases() as lent:
        yield lent


@pytest.fixture
def new_mongodb(mongo_databases: mongo.Databases) -> MakeUrl:
    numbers = itertools.count(1)
    return lambda: mongo_databases.empty(next(numbers))


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest) -> str:
    made: str = request.getfixturevalue(f"new_{request.param}")()
    return made


@pytest.fixture(params=BACKENDS, ids=lambda backend: f"to-{backend}")
def other_url(request: pytest.FixtureRequest) -> str:
    """The URL of a second database, also empty."""
    made: str = request.getfixturevalue(f"new_{request.param}")()
    return made


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    opened = await open_store(url, join_parts)
    yield opened
    await opened.close()
