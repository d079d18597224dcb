"""Three server processes over one database: one inbox, one queue, and nothing lost when the database is killed."""

import asyncio
import itertools
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import NamedTuple, Protocol

import httpx2
import pytest

from smscatch import AsyncClient, AsyncLeasedLine, NoFreeLine
from tests import plain
from tests.chaos import assert_all_there_once, post_under_kill_9
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.servers import mongo, postgres

RACES = 10
WRITTEN = 40
DELIVERED = 80
TAKEN_MEANWHILE = 15  # while the database is away
RETRY_SECONDS = 0.2
CODE = "Your code is 482913"
LAST = "the last"
_names = itertools.count(1)


class Database(Protocol):
    """A database server that tests may kill."""

    def new(self) -> str:
        """Return the URL of an empty database."""

    def kill(self) -> None:
        """Kill what takes the writes."""

    def heal(self) -> None:
        """Start again what was killed."""


class Postgres:
    def __init__(self, server: postgres.PostgresServer) -> None:
        self._server = server

    def new(self) -> str:
        name = f"instances{next(_names)}"
        postgres.run(self._server.url("postgres"), f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
        return self._server.url(name)

    def kill(self) -> None:
        self._server.kill()

    def heal(self) -> None:
        self._server.start()


class Mongo:
    def __init__(self, nodes: mongo.MongoSet) -> None:
        self._nodes = nodes
        self._killed: mongo.Node | None = None

    def new(self) -> str:
        return self._nodes.url(f"instances{next(_names)}")

    def kill(self) -> None:
        self._killed = self._nodes.primary()
        self._killed.kill()

    def heal(self) -> None:
        assert self._killed is not None
        self._killed.start()


@pytest.fixture(scope="module", params=["postgresql", "mongodb"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    if request.param == "postgresql":
        with postgres.a_server(is_durable=True) as server:
            yield Postgres(server)
        return
    with mongo.a_folder() as folder:
        nodes = mongo.MongoSet(folder)
        try:
            yield Mongo(nodes.start())
        finally:
            nodes.kill()


class Instances(NamedTuple):
    """Clients of three servers over one database, and a line that nobody used before."""

    clients: list[AsyncClient]
    line: str

    async def deliver(self, number: int, text: str) -> None:
        """Have one of the servers take a text, as a webhook does: again, with the same id, while it says 503."""
        delivery = {"line": self.line, "sender": "Authy", "text": text, "id": f"{self.line} {text}"}
        http = self.clients[number]._http
        post = partial(http.post, "/api/v1/inbound/generic", json=delivery, timeout=PATIENCE_SECONDS)
        while (answer := await post()).status_code == 503:
            await asyncio.sleep(RETRY_SECONDS)
        assert answer.status_code == 200, answer.text

    async def settled(self, count: int) -> None:
        """Return when so many messages are stored: what was taken may be in an instance's spool still."""
        while True:
            messages = {line.number: line.messages for line in await self.clients[0].lines()}
            if messages.get(self.line, 0) >= count:
                return
            await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def servers(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    url = database.new()
    started = [Server(tmp_path_factory.mktemp("server")) for _ in range(3)]
    # All at once: they also race for the schema and for the administrator's key.
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda each: each.start(SMSCATCH_STORE=url, SMSCATCH_LEASE_REST="0s"), started))
    yield started
    for each in started:
        each.kill()


@pytest.fixture
async def instances(servers: list[Server]) -> AsyncIterator[Instances]:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(AsyncClient(server.url, ADMIN_KEY)) for server in servers]
        made = Instances(clients, f"+4477009{next(_names):05d}")
        await made.deliver(0, "the first of all")
        await made.settled(1)
        yield made


async def follow(client: AsyncClient, line: str, after: str) -> list[str]:
    """Return the texts that a client sees up to the last, which it sees too."""
    seen: list[str] = []
    async with aclosing(client.events(line=line, after=after)) as events:  # type: ignore[type-var]
        async for message in events:
            seen.append(message.text)
            if message.text == LAST:
                break
    return seen


def texts(count: int) -> Counter[str]:
    """Return what eight writers write."""
    return Counter(f"{writer} {n}" for writer in range(8) for n in range(count // 8))


async def test_a_waiter_of_one_instance_wakes_for_what_another_received(instances: Instances) -> None:
    here, there, elsewhere = instances.clients
    phone = await here.lease(instances.line)
    same = await there.leased(phone.id)
    waiting = asyncio.create_task(same.wait_for_code(timeout=PATIENCE_SECONDS))
    await instances.deliver(2, CODE)
    assert await waiting == "482913"
    with pytest.raises(NoFreeLine):
        await elsewhere.lease(instances.line, wait=0)


async def test_of_three_that_race_for_a_line_through_three_instances_one_gets_it(instances: Instances) -> None:
    async def race(client: AsyncClient) -> AsyncLeasedLine | None:
        try:
            return await client.lease(instances.line, wait=0)
        except NoFreeLine:
            return None

    for _ in range(RACES):
        won = [phone for phone in await asyncio.gather(*map(race, instances.clients)) if phone is not None]
        assert len(won) == 1
        await won[0].release()


async def test_waiters_are_served_in_order_whichever_instance_they_asked(instances: Instances) -> None:
    served: list[int] = []
    holder = await instances.clients[0].lease(instances.line)

    async def wait(number: int) -> None:
        phone = await instances.clients[number % 3].lease(instances.line, wait=60)
        served.append(number)
        await phone.release()

    waiting = []
    for number in range(6):
        waiting.append(asyncio.create_task(wait(number)))
        while await ahead(instances) != number + 1:
            await asyncio.sleep(0.05)
    await holder.release()
    await asyncio.gather(*waiting)
    assert served == list(range(6))


async def ahead(instances: Instances) -> int:
    """Return how many wait for the line."""
    with pytest.raises(NoFreeLine) as caught:
        await instances.clients[0].lease(instances.line, wait=0)
    count: int = caught.value.details["ahead"]
    return count


async def test_followers_of_all_instances_see_what_all_wrote_once_and_in_one_order(instances: Instances) -> None:
    cursor = await instances.clients[0].cursor()
    following = [asyncio.create_task(follow(client, instances.line, cursor)) for client in instances.clients]

    async def write(writer: int) -> None:
        for n in range(WRITTEN // 8):
            await instances.deliver(writer % 3, f"{writer} {n}")

    await asyncio.gather(*(write(writer) for writer in range(8)))
    await instances.settled(1 + WRITTEN)
    await instances.deliver(0, LAST)
    seen = [await each for each in following]
    assert seen[0] == seen[1] == seen[2]
    assert Counter(seen[0]) == texts(WRITTEN) + Counter([LAST])


async def test_a_killed_database_loses_and_doubles_nothing(instances: Instances, database: Database) -> None:
    _, there, _ = instances.clients
    cursor = await there.cursor()
    following = asyncio.create_task(follow(there, instances.line, cursor))
    waiting = asyncio.create_task(
        there.wait_for_code(line=instances.line, after=cursor, contains="is", timeout=math.inf)
    )

    taken = 0

    async def write(writer: int) -> None:
        nonlocal taken
        for n in range(DELIVERED // 8):
            await instances.deliver(0, f"{writer} {n}")
            taken += 1
            if (writer, n) == (0, DELIVERED // 24):
                healing.append(asyncio.create_task(outage()))

    async def outage() -> None:
        database.kill()
        before = taken
        while taken < before + TAKEN_MEANWHILE:
            await asyncio.sleep(0.01)
        database.heal()  # not in a thread: the server would end with it (PR_SET_PDEATHSIG)

    healing: list[asyncio.Task[None]] = []
    await asyncio.gather(*(write(writer) for writer in range(8)))
    await asyncio.gather(*healing)
    await instances.deliver(0, CODE)
    assert await waiting == "482913"
    await instances.settled(1 + DELIVERED + 1)
    await instances.deliver(0, LAST)
    assert Counter(await following) == texts(DELIVERED) + Counter([CODE, LAST])


def test_what_an_instance_acknowledged_over_http_is_there_once_under_kill_9(servers: list[Server]) -> None:
    line = f"+4477009{next(_names):05d}"
    assert_all_there_once(servers[0], line, post_under_kill_9(servers[0], line))


def test_without_its_database_a_server_says_so_and_heals(database: Database, make_server: Callable[[], Server]) -> None:
    server = make_server().start(SMSCATCH_STORE=database.new())
    with server.client() as client:
        assert _readiness(server).status_code == 200
        database.kill()
        refused = _readiness(server)
        if refused.status_code != 200:  # a replica set may have a new primary before we ask
            assert (refused.status_code, refused.json()["error"]) == (503, "store_unavailable")
            assert "retry-after" in refused.headers
            assert postgres.PASSWORD not in refused.text
        database.heal()
        _until_ready(server)
        server.send(CODE)
        assert client.wait_for_code(after="0", timeout=PATIENCE_SECONDS) == "482913"


def _readiness(server: Server) -> httpx2.Response:
    """Ask on a connection of its own: one that was idle may be closed just when it is used again."""
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    return plain.get(f"{server.url}/readyz", headers=headers)


def _until_ready(server: Server) -> None:
    while _readiness(server).status_code != 200:
        time.sleep(0.05)
