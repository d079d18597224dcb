"""Both clients against a real server: leases, waits, and what they outlive."""

import asyncio
import contextlib
import inspect
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from smscatch import AsyncClient, AsyncLeasedLine, Client, LeaseEnded, NoFreeLine, NoMessage, NotFound, UnknownLease
from smscatch.client import calls, leasing
from smscatch.errors import BadRequest, SmscatchError
from smscatch.spool import Entry, write_entry
from smscatch.stores import Delivery
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.samples import OTHER_LINE, the_parts

LINE = "+447700900001"


async def do(method: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Call a method of either client."""
    if inspect.iscoroutinefunction(method):
        return await method(*arguments, **named)
    result = await asyncio.to_thread(method, *arguments, **named)
    return await result if inspect.isawaitable(result) else result


@asynccontextmanager
async def opened(flavour: type[Client] | type[AsyncClient], server: Server) -> AsyncIterator[Any]:
    client = flavour(server.url, ADMIN_KEY)
    yield client
    await do(client.close)


@pytest.fixture
def server(make_server: Callable[[], Server]) -> Server:
    return make_server().start(SMSCATCH_LEASE_REST="200ms")


@pytest.fixture(params=[Client, AsyncClient])
async def client(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[Any]:
    async with opened(request.param, server) as each:
        yield each


def deliver(server: Server, text: str, **facts: str) -> None:
    """Have a text delivered over HTTP."""
    with server.client() as http:
        http._http.post("/api/v1/inbound/generic", json={"line": LINE, "sender": "Authy", "text": text} | facts)


def the_part_now(part: Delivery) -> bytes:
    """Return what our link spools for a part that comes now."""
    _, _, rest = part.raw.partition(b"\0")
    return b"time_ns=%d\0" % time.time_ns() + rest


async def known(server: Server) -> None:
    """Make the line one that the server knows."""
    await asyncio.to_thread(deliver, server, "the first of all")


async def test_a_leased_line_gives_each_code_once_and_none_from_before(server: Server, client: Any) -> None:
    deliver(server, "Your code is 000000")
    phone = await do(client.lease, LINE, holder="test 7")
    assert (phone.number, [lease.holder for lease in await do(client.leases)]) == (LINE, ["test 7"])
    deliver(server, "Your code is 111111")
    deliver(server, "Hello")
    deliver(server, "Your code is 222222")
    assert [await do(phone.wait_for_code, timeout=PATIENCE_SECONDS) for _ in range(2)] == ["111111", "222222"]
    assert [message.text[-6:] for message in await do(phone.messages)] == ["111111", "Hello", "222222"]
    told = "an earlier wait returned the text from 'Authy'; no code was found in the text from 'Authy'"
    with pytest.raises(NoMessage, match=rf"3 came to \{LINE} meanwhile: {told}\."):
        await do(phone.wait_for_code, timeout=0)
    await do(phone.release)
    await do(phone.release)
    read_later = await do(phone.wait_for_message, timeout=PATIENCE_SECONDS)
    assert read_later.text == "Hello"
    with pytest.raises(LeaseEnded):
        await do(phone.wait_for_message, timeout=PATIENCE_SECONDS)


async def test_texts_of_several_senders_may_come_in_any_order(server: Server, client: Any) -> None:
    await known(server)
    phone = await do(client.lease, LINE)
    deliver(server, "Your code is 111111", sender="Bank")
    deliver(server, "Your code is 222222", sender="Shop")
    assert await do(phone.wait_for_code, sender="Shop", timeout=PATIENCE_SECONDS) == "222222"
    assert await do(phone.wait_for_code, sender="Bank", timeout=PATIENCE_SECONDS) == "111111"
    with pytest.raises(NoMessage, match="an earlier wait returned the text from 'Bank'"):
        await do(phone.wait_for_code, timeout=0)


async def test_of_a_code_that_was_sent_again_the_newer_one_is_returned_and_the_older_one_never(
    server: Server, client: Any
) -> None:
    await known(server)
    phone = await do(client.lease, LINE)
    deliver(server, "Your code is 111111")
    deliver(server, "Your code is 999999", sender="Bank")
    mark = await do(phone.mark)
    with pytest.raises(NoMessage, match=r"nothing came .* 1 came before and was passed over"):
        await do(phone.wait_for_code, sender="Authy", after=mark, timeout=0)
    deliver(server, "Your code is 222222")
    assert await do(phone.wait_for_code, sender="Authy", after=mark, timeout=20) == "222222"
    deliver(server, "Your code is 333333")
    deliver(server, "Your code is 444444")
    deliver(server, "Welcome")
    assert await do(phone.wait_for_code, sender="Authy", newest=True, quiet=0.1, timeout=20) == "444444"
    with pytest.raises(NoMessage, match="passed over the text from 'Authy' for a newer one"):
        await do(phone.wait_for_code, sender="Authy", timeout=0)
    assert await do(phone.wait_for_code, timeout=20) == "999999"  # of another sender, it was not passed over
    texts = ["111111", "999999", "222222", "333333", "444444", "elcome"]
    assert [message.text[-6:] for message in await do(phone.messages)] == texts


async def test_the_newest_is_not_older_than_what_an_earlier_wait_returned(server: Server, client: Any) -> None:
    await known(server)
    phone = await do(client.lease, LINE)
    deliver(server, "Your code is 111111")
    deliver(server, "Your code is 222222")
    assert await do(phone.wait_for_code, contains="222222", timeout=20) == "222222"
    with pytest.raises(NoMessage, match="an earlier wait returned a newer text than that from 'Authy'"):
        await do(phone.wait_for_code, newest=True, quiet=0, timeout=0)
    assert await do(phone.wait_for_code, timeout=20) == "111111"  # the oldest that is not read


async def test_the_newest_without_a_lease(server: Server, client: Any) -> None:
    await known(server)
    cursor = await do(client.cursor)
    deliver(server, "Your code is 111111")
    deliver(server, "Your code is 222222")
    wait = {"line": LINE, "after": cursor, "newest": True, "quiet": 0.1, "timeout": 20}
    assert await do(client.wait_for_code, **wait) == "222222"
    assert (await do(client.wait_for_message, **wait)).code == "222222"


async def test_no_two_waits_return_the_same_text_though_they_run_side_by_side(server: Server, client: Any) -> None:
    await known(server)
    phone = await do(client.lease, LINE)
    waiting = [asyncio.create_task(do(phone.wait_for_code, timeout=PATIENCE_SECONDS)) for _ in range(4)]
    codes = ["111111", "222222", "333333", "444444"]
    for code in codes:
        await asyncio.to_thread(deliver, server, f"Your code is {code}")
    assert sorted(await asyncio.gather(*waiting)) == codes


async def test_a_lease_that_ended_tells_what_came_and_was_not_wanted(server: Server, client: Any) -> None:
    await known(server)
    phone = await do(client.lease, LINE, ttl=1)
    deliver(server, "hello")
    with pytest.raises(LeaseEnded, match="no code was found in the text from 'Authy'") as caught:
        await do(phone.wait_for_code, timeout=PATIENCE_SECONDS)
    assert [miss["sender"] for miss in caught.value.details["near_misses"]] == ["Authy"]


@pytest.mark.parametrize("flavour", [Client, AsyncClient])
async def test_a_code_in_a_part_that_came_after_the_rest_was_shown_is_returned(
    flavour: type[Client] | type[AsyncClient], make_server: Callable[[], Server]
) -> None:
    server = make_server().start(SMSCATCH_PART_TIMEOUT="1s")
    first, second = the_parts(f"{'x' * 150} Your code is 482913", sent_at=datetime.now(UTC))
    await known(server)
    async with opened(flavour, server) as client:
        phone = await do(client.lease, LINE)
        waiting = asyncio.create_task(do(phone.wait_for_code, timeout=PATIENCE_SECONDS))
        write_entry(server.spool, Entry("1", "pdu", the_part_now(first)))
        while not await do(phone.messages):  # incomplete
            await asyncio.sleep(0.05)
        write_entry(server.spool, Entry("2", "pdu", the_part_now(second)))
        assert await waiting == "482913"
        with pytest.raises(NoMessage):  # it is one text still
            await do(phone.wait_for_code, timeout=0)


async def test_a_block_releases_its_line_also_when_it_breaks(server: Server, client: Any) -> None:
    await known(server)
    with contextlib.suppress(ZeroDivisionError):
        if isinstance(client, AsyncClient):
            async with client.lease(LINE):
                _ = 1 / 0
        else:
            with client.lease(LINE):
                _ = 1 / 0
    (lease,) = await do(client.leases)
    assert lease.released_at is not None


async def test_a_busy_line_is_waited_for(server: Server, client: Any) -> None:
    await known(server)
    first = await do(client.lease, LINE, holder="first")
    with pytest.raises(NoFreeLine, match="is leased to 'first' until"):
        await do(client.lease, LINE, wait=0)
    second = asyncio.create_task(do(client.lease, LINE, wait=60))
    await do(first.release)
    assert (await second).number == LINE  # after the rest


async def test_of_two_clients_that_race_for_a_line_a_thousand_times_one_gets_it(
    make_server: Callable[[], Server],
) -> None:
    server = make_server().start(SMSCATCH_LEASE_REST="0s")
    await known(server)

    async def race(client: AsyncClient) -> AsyncLeasedLine | None:
        try:
            return await client.lease(LINE, wait=0)
        except NoFreeLine:
            return None

    async with AsyncClient(server.url, ADMIN_KEY) as one, AsyncClient(server.url, ADMIN_KEY) as other:
        for _ in range(1000):
            won = [phone for phone in await asyncio.gather(race(one), race(other)) if phone is not None]
            assert len(won) == 1
            await won[0].release()


async def test_two_users_have_a_line_each_that_are_leased_and_released_together(server: Server, client: Any) -> None:
    for line in (LINE, OTHER_LINE):
        await asyncio.to_thread(deliver, server, "hello", line=line)
    phones = await do(client.lease, count=2, ttl=60, holder="both")
    alice, bob = phones
    assert sorted(phones.numbers) == [LINE, OTHER_LINE]
    with pytest.raises(NoFreeLine, match=r"No 2 lines that would do are free: .* is leased to 'both' until") as caught:
        await do(client.lease, count=2, wait=0)
    assert caught.value.details["count"] == 2
    for phone, code in ((bob, "222222"), (alice, "111111")):
        await asyncio.to_thread(deliver, server, f"Your code is {code}", line=phone.number)
    assert [await do(phone.wait_for_code) for phone in phones] == ["111111", "222222"]
    await do(phones.extend, 600)
    assert alice.expires_at == bob.expires_at == phones.expires_at
    again = await do(client.leased_group, phones.id)
    assert (again.id, again.numbers, len(again[:1])) == (phones.id, phones.numbers, 1)
    await do(again.release)
    assert all(lease.released_at for lease in await do(client.leases))
    with pytest.raises(LeaseEnded):
        await do(phones.extend)
    with pytest.raises(BadRequest, match="count = 0 is not accepted"):
        await do(client.lease, count=0)


async def test_a_block_releases_all_its_lines(server: Server, client: Any) -> None:
    for line in (LINE, OTHER_LINE):
        await asyncio.to_thread(deliver, server, "hello", line=line)
    if isinstance(client, AsyncClient):
        async with client.lease(count=2) as (alice, bob):
            pass
    else:
        with client.lease(count=2) as (alice, bob):
            pass
    assert {lease.line for lease in await do(client.leases) if lease.released_at} == {alice.number, bob.number}


async def test_another_process_can_go_on_with_a_lease(server: Server, client: Any) -> None:
    await known(server)
    phone = await do(client.lease, LINE, ttl=60)
    deliver(server, "Your code is 111111")
    again = await do(client.leased, phone.id)
    assert await do(again.wait_for_code, timeout=PATIENCE_SECONDS) == "111111"
    before = again.expires_at
    await do(again.extend, 600)
    assert again.expires_at > before
    with pytest.raises(UnknownLease):
        await do(client.leased, "none")
    with pytest.raises(NotFound):
        await do(client.leased, "../lines")


async def test_codes_and_links_of_a_form_of_their_own(server: Server, client: Any) -> None:
    await known(server)
    cursor = await do(client.cursor)
    deliver(server, "PIN=blue-fish; see https://a.example/1 and https://b.example/2")
    wait = {"line": LINE, "after": cursor, "timeout": PATIENCE_SECONDS}
    assert await do(client.wait_for_code, code_pattern=r"PIN=([\w-]+)", **wait) == "blue-fish"
    assert await do(client.wait_for_code, code_pattern=r"blue-\w+", **wait) == "blue-fish"
    assert await do(client.wait_for_link, **wait) == "https://a.example/1"
    assert await do(client.wait_for_link, link_pattern=r"b\.example", **wait) == "https://b.example/2"


async def test_what_came_but_was_not_wanted_is_told(server: Server, client: Any) -> None:
    await known(server)
    cursor = await do(client.cursor)
    deliver(server, "hello")
    with pytest.raises(NoMessage) as caught:
        await do(client.wait_for_code, after=cursor, timeout=0.5, code_pattern="PIN")
    assert str(caught.value) == (
        "No message matched in 0.5 s: 1 came meanwhile: the pattern 'PIN' does not match the text from 'Authy'."
    )
    assert [miss["sender"] for miss in caught.value.details["near_misses"]] == ["Authy"]
    with pytest.raises(NoMessage, match="there is no link in the text from 'Authy'"):
        await do(client.wait_for_link, after=cursor, timeout=0)
    with pytest.raises(NoMessage, match="no code was found in the text from 'Authy'"):
        await do(client.wait_for_code, after=cursor, timeout=0)


async def test_a_wait_longer_than_a_request_is_split_without_losing_its_cursor(
    server: Server, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await known(server)
    monkeypatch.setattr(calls, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(leasing, "FIRST_QUEUE_SECONDS", 0.05)
    monkeypatch.setattr(leasing, "QUEUE_SECONDS", 0.05)
    waiting = asyncio.create_task(do(client.wait_for_code, after=await do(client.cursor), timeout=PATIENCE_SECONDS))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(deliver, server, "Your code is 111111")
    assert await waiting == "111111"
    held = await do(client.lease, LINE)
    waiting = asyncio.create_task(do(client.lease, LINE, wait=60))
    await asyncio.sleep(0.3)
    await do(held.release)
    assert (await waiting).number == LINE


async def test_the_code_arrives_though_the_server_is_killed_in_the_middle_of_the_wait(
    server: Server, client: Any
) -> None:
    await known(server)
    phone = await do(client.lease, LINE, ttl=600)
    waiting = asyncio.create_task(do(phone.wait_for_code, timeout=PATIENCE_SECONDS))
    await asyncio.sleep(0.3)
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.send, "Your code is 482913")
    await asyncio.sleep(0.3)
    await asyncio.to_thread(server.start)
    assert await waiting == "482913"
    await do(phone.release)


async def test_a_line_is_free_for_the_next_when_who_waited_for_it_gave_up(server: Server, client: Any) -> None:
    await known(server)
    held = await do(client.lease, LINE)
    with pytest.raises(NoFreeLine):
        await do(client.lease, LINE, wait=0.1)
    if isinstance(client, AsyncClient):
        waiting = asyncio.create_task(do(client.lease, LINE, wait=60))
        while not await asyncio.to_thread(_is_waited_for, server):
            pass
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await do(held.release)
    with pytest.raises(NoFreeLine) as resting:
        await do(client.lease, LINE, wait=0)
    assert resting.value.details["ahead"] == 0


async def test_a_lease_is_asked_for_once(server: Server) -> None:
    await known(server)
    async with opened(AsyncClient, server) as client:
        asked = client.lease(LINE)
        async with asked:
            with pytest.raises(SmscatchError, match="asked for already"):
                await asked


async def test_a_wait_ends_at_its_next_request_when_its_client_is_closed(
    server: Server, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "POLL_SECONDS", 0.2)
    waiting = asyncio.create_task(do(client.wait_for_message, timeout=PATIENCE_SECONDS))
    await asyncio.sleep(0.3)
    await do(client.close)
    with pytest.raises(SmscatchError, match="This client is closed"):
        await asyncio.wait_for(waiting, PATIENCE_SECONDS)


async def test_the_place_in_the_queue_outlives_the_server(server: Server, client: Any) -> None:
    await known(server)
    held = await do(client.lease, LINE)
    waiting = asyncio.create_task(do(client.lease, LINE, wait=60, holder="first in line"))
    while not await asyncio.to_thread(_is_waited_for, server):
        pass
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    late = asyncio.create_task(do(client.lease, LINE, wait=60, holder="came later", ttl=600))
    await do(held.release)
    first = await waiting
    assert (await do(client.leases))[0].holder == "first in line"
    await do(first.release)
    assert (await late).number == LINE


def _is_waited_for(server: Server) -> bool:
    with server.client() as other:
        try:
            other.lease(LINE, wait=0).release()
        except NoFreeLine as error:
            return bool(error.details["ahead"])
    return False


async def test_a_follower_sees_each_message_once_through_restarts(server: Server, client: Any) -> None:
    count = 60
    cursor = await do(client.cursor)
    seen: list[str] = []

    def carrier() -> None:
        for number in range(count):
            server.send(f"text {number}")
            if number % 20 == 10:
                server.kill()
                server.start()

    sending = threading.Thread(target=carrier)
    sending.start()
    events = client.events(after=cursor)
    while len(seen) < count:
        message = await anext(events) if isinstance(client, AsyncClient) else await asyncio.to_thread(next, events)
        seen.append(message.text)
    await asyncio.to_thread(sending.join)
    assert seen == [f"text {number}" for number in range(count)]
    if isinstance(client, AsyncClient):
        await events.aclose()
    else:
        events.close()
