"""Both clients, with servers of their own: what they outlive, and lines that are free again."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from smscatch import AsyncClient, AsyncLeasedLine, Client, LeaseEnded, NoFreeLine, NoMessage
from smscatch.client import calls, leasing
from smscatch.errors import BadRequest, SmscatchError
from smscatch.spool import Entry, write_entry
from smscatch.stores import Delivery
from tests.clients import Line, Wire, do, opened
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.samples import LINE, OTHER_LINE, the_parts

RACES = 40


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all whose lines are soon free again; some restart it."""
    server = Server(tmp_path_factory.mktemp("server")).start(SMSCATCH_LEASE_REST="200ms", SMSCATCH_PART_TIMEOUT="1s")
    yield server
    server.kill()


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    with Line.new(server) as line:
        yield line


@pytest.fixture(params=[Client, AsyncClient])
async def client(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[Any]:
    async with opened(request.param, server) as each:
        yield each


def part_now(part: Delivery, line: str) -> bytes:
    """Return what our link spools for a part that comes to a line now."""
    _, _, rest = part.raw.partition(b"\0")
    return b"time_ns=%d\0" % time.time_ns() + rest.replace(LINE.encode(), line.encode())


async def test_a_code_in_a_part_that_came_after_the_rest_was_shown_is_returned(line: Line, client: Any) -> None:
    first, second = the_parts(f"{'x' * 150} Your code is 482913", sent_at=datetime.now(UTC))
    phone = await do(client.lease, line.number)
    waiting = asyncio.create_task(do(phone.wait_for_code, timeout=PATIENCE_SECONDS))
    write_entry(line.server.spool, Entry(f"{line.number}-1", "pdu", part_now(first, line.number)))
    while not await do(phone.messages):  # incomplete
        await asyncio.sleep(0.05)
    write_entry(line.server.spool, Entry(f"{line.number}-2", "pdu", part_now(second, line.number)))
    assert await waiting == "482913"
    with pytest.raises(NoMessage):  # it is one text still
        await do(phone.wait_for_code, timeout=0)


async def test_a_busy_line_is_waited_for(line: Line, client: Any) -> None:
    first = await do(client.lease, line.number, holder="first")
    with pytest.raises(NoFreeLine, match="is leased to 'first' until"):
        await do(client.lease, line.number, wait=0)
    second = asyncio.create_task(do(client.lease, line.number, wait=PATIENCE_SECONDS))
    await do(first.release)
    assert (await second).number == line.number  # after the rest


async def test_of_two_clients_that_race_for_a_line_again_and_again_one_gets_it(
    make_server: Callable[[], Server],
) -> None:
    server = make_server().start(SMSCATCH_LEASE_REST="0s")

    async def race(client: AsyncClient) -> AsyncLeasedLine | None:
        try:
            return await client.lease(contested.number, wait=0)
        except NoFreeLine:
            return None

    with Line.new(server) as contested:
        async with AsyncClient(server.url, ADMIN_KEY) as one, AsyncClient(server.url, ADMIN_KEY) as other:
            for _ in range(RACES):
                won = [phone for phone in await asyncio.gather(race(one), race(other)) if phone is not None]
                assert len(won) == 1
                await won[0].release()


@pytest.fixture
def pair(make_server: Callable[[], Server]) -> Iterator[Line]:
    """One of the two lines of a server that has no others, which rest for long."""
    with Line.new(make_server().start(SMSCATCH_LEASE_REST="1h")) as line:
        line.deliver("hello", line=OTHER_LINE)
        yield line


@pytest.fixture(params=[Client, AsyncClient])
async def client_of_pair(request: pytest.FixtureRequest, pair: Line) -> AsyncIterator[Any]:
    async with opened(request.param, pair.server) as each:
        yield each


async def test_two_users_have_a_line_each_that_are_leased_and_released_together(
    pair: Line, client_of_pair: Any
) -> None:
    client = client_of_pair
    phones = await do(client.lease, count=2, ttl=60, holder="both")
    alice, bob = phones
    assert sorted(phones.numbers) == sorted([pair.number, OTHER_LINE])
    with pytest.raises(NoFreeLine, match=r"No 2 lines that would do are free: .* is leased to 'both' until") as caught:
        await do(client.lease, count=2, wait=0)
    assert caught.value.details["count"] == 2
    for phone, code in ((bob, "222222"), (alice, "111111")):
        await asyncio.to_thread(pair.deliver, f"Your code is {code}", line=phone.number)
    assert [await do(phone.wait_for_code) for phone in phones] == ["111111", "222222"]
    await do(phones.extend, 600)
    assert alice.expires_at == bob.expires_at == phones.expires_at
    again = await do(client.leased_group, phones.id)
    assert (again.id, again.numbers, len(again[:1])) == (phones.id, phones.numbers, 1)
    await do(again.release)
    assert [bool(lease.released_at) for lease in await do(client.leases)] == [True, True]
    with pytest.raises(LeaseEnded):
        await do(phones.extend)
    with pytest.raises(BadRequest, match="count = 0 is not accepted"):
        await do(client.lease, count=0)


async def test_a_block_releases_all_its_lines(pair: Line, client_of_pair: Any) -> None:
    if isinstance(client_of_pair, AsyncClient):
        async with client_of_pair.lease(count=2) as (alice, bob):
            pass
    else:
        with client_of_pair.lease(count=2) as (alice, bob):
            pass
    released = {lease.line for lease in await do(client_of_pair.leases) if lease.released_at}
    assert released == {alice.number, bob.number}


async def test_a_wait_longer_than_a_request_is_split_without_losing_its_cursor(
    line: Line, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(leasing, "FIRST_QUEUE_SECONDS", 0.05)
    monkeypatch.setattr(leasing, "QUEUE_SECONDS", 0.05)
    wire, since = Wire(client), await do(client.cursor)
    waiting = asyncio.create_task(do(client.wait_for_code, line=line.number, after=since, timeout=PATIENCE_SECONDS))
    await wire.sent(4)
    await asyncio.to_thread(line.deliver, "Your code is 111111")
    assert await waiting == "111111"
    held, wire = await do(client.lease, line.number), Wire(client)
    waiting = asyncio.create_task(do(client.lease, line.number, wait=PATIENCE_SECONDS))
    await wire.sent(3)
    await do(held.release)
    assert (await waiting).number == line.number


async def test_the_code_arrives_though_the_server_is_killed_in_the_middle_of_the_wait(line: Line, client: Any) -> None:
    phone = await do(client.lease, line.number, ttl=600)
    wire = Wire(client)
    waiting = asyncio.create_task(do(phone.wait_for_code, timeout=PATIENCE_SECONDS))
    await wire.sent()
    await asyncio.to_thread(line.server.kill)
    await asyncio.to_thread(line.server.send, "Your code is 482913", line=line.number)
    await wire.failed()
    await asyncio.to_thread(line.server.start)
    assert await waiting == "482913"
    await do(phone.release)


async def test_a_wait_ends_at_its_next_request_when_its_client_is_closed(
    line: Line, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "POLL_SECONDS", 0.2)
    wire = Wire(client)
    waiting = asyncio.create_task(do(client.wait_for_message, line=line.number, timeout=PATIENCE_SECONDS))
    await wire.sent(2)
    await do(client.close)
    with pytest.raises(SmscatchError, match="This client is closed"):
        await asyncio.wait_for(waiting, PATIENCE_SECONDS)


async def test_the_place_in_the_queue_outlives_the_server(line: Line, client: Any) -> None:
    held = await do(client.lease, line.number)
    waiting = asyncio.create_task(do(client.lease, line.number, wait=PATIENCE_SECONDS, holder="first in line"))
    while not await asyncio.to_thread(line.is_waited_for):
        pass
    await asyncio.to_thread(line.server.kill)
    await asyncio.to_thread(line.server.start)
    late = asyncio.create_task(do(client.lease, line.number, wait=PATIENCE_SECONDS, holder="came later", ttl=600))
    await do(held.release)
    first = await waiting
    assert {each.line: each.holder for each in await do(client.leases)}[line.number] == "first in line"
    await do(first.release)
    assert (await late).number == line.number


async def test_a_follower_sees_each_message_once_through_restarts(line: Line, client: Any) -> None:
    count = 16
    cursor = await do(client.cursor)
    seen: list[str] = []

    def carrier() -> None:
        for number in range(count):
            line.server.send(f"text {number}", line=line.number)
            if number % 8 == 3:
                line.server.kill()
                line.server.start()

    sending = threading.Thread(target=carrier)
    sending.start()
    events = client.events(line=line.number, after=cursor)
    while len(seen) < count:
        message = await anext(events) if isinstance(client, AsyncClient) else await asyncio.to_thread(next, events)
        seen.append(message.text)
    await asyncio.to_thread(sending.join)
    assert seen == [f"text {number}" for number in range(count)]
    if isinstance(client, AsyncClient):
        await events.aclose()
    else:
        events.close()
