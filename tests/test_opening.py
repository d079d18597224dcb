"""A server that is started while its store is away: it takes what arrives, and goes on when the store comes."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import plain
from tests.carrier import eventually
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.samples import LINE
from tests.servers import mongo, postgres

AUTHORIZATION = {"authorization": f"Bearer {ADMIN_KEY}"}


class Away(NamedTuple):
    """A store that cannot be opened until `come` is called, and what is said of it."""

    url: str
    come: Callable[[], object]
    said: str


@pytest.fixture
def locked_sqlite(tmp_path: Path) -> Iterator[Away]:
    """A file that another process keeps for itself."""
    path = tmp_path / "locked.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield Away(f"sqlite:///{path}", lambda: other.execute("ROLLBACK"), "database is locked")


@pytest.fixture
def dead_postgresql() -> Iterator[Away]:
    with postgres.a_server() as server:
        server.kill()
        yield Away(server.url("postgres"), server.start, "refused")


@pytest.fixture
def dead_mongodb() -> Iterator[Away]:
    with mongo.a_folder() as folder:
        nodes = mongo.MongoSet(folder, size=1)
        try:
            nodes.start()
            nodes.kill()
            yield Away(nodes.url("smscatch"), nodes.nodes[0].start, "Connect call failed")
        finally:
            nodes.kill()


@pytest.fixture(params=["locked_sqlite", "dead_postgresql", "dead_mongodb"])
def away(request: pytest.FixtureRequest) -> Away:
    found: Away = request.getfixturevalue(request.param)
    return found


async def test_a_server_started_without_its_store_takes_deliveries_and_goes_on_when_it_comes(
    away: Away, make_server: Callable[[], Server]
) -> None:
    server = make_server().start(SMSCATCH_STORE=away.url)
    delivery = {"line": LINE, "sender": "Authy", "text": "Your code is 482913"}
    deliver = f"{server.url}/api/v1/inbound/generic"
    assert plain.post(deliver, json=delivery, headers=AUTHORIZATION).status_code == 200
    with server.client() as client:
        refused = client._http.get("/readyz")
        assert (refused.status_code, refused.json()["error"]) == (503, "store_unavailable")
        assert away.said in refused.json()["message"]
        assert postgres.PASSWORD not in refused.text
        assert client._http.get("/api/v1/messages").status_code == 503
        away.come()
        await eventually(lambda: client._http.get("/readyz").status_code == 200)
        assert client.wait_for_code(after="0", timeout=PATIENCE_SECONDS) == "482913"
        waiter = asyncio.create_task(asyncio.to_thread(client.wait_for_code, timeout=PATIENCE_SECONDS))
        ready = server.client()
        await eventually(lambda: ready._http.get("/readyz").json()["waiting"] == 1)
        server.send("Your code is 112233")
        assert await waiter == "112233"
        ready.close()
    assert server.stop() == 0
    assert server.log().count("Until then, what arrives waits in the spool") <= 2


def test_the_first_key_is_shown_when_the_store_comes(dead_postgresql: Away, make_server: Callable[[], Server]) -> None:
    server = make_server().start(SMSCATCH_STORE=dead_postgresql.url, SMSCATCH_ADMIN_KEY="")
    dead_postgresql.come()
    while (said := server.read_line()) and "The administrator's key, shown only now: smscatch_" not in said:
        pass  # what it serves
    answer = plain.get(
        f"{server.url}/readyz", headers={"authorization": f"Bearer {said.split()[-1]}"}, timeout=PATIENCE_SECONDS
    )
    assert answer.status_code == 200


def test_a_server_whose_store_never_came_ends_when_it_is_asked_to(
    dead_postgresql: Away, make_server: Callable[[], Server]
) -> None:
    assert make_server().start(SMSCATCH_STORE=dead_postgresql.url).stop() == 0
