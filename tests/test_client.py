"""Both clients against a real server: leases, waits, and what they say. What they outlive is in test_client_away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from smscatch import AsyncClient, Client, LeaseEnded, NoFreeLine, NoMessage, NotFound, UnknownLease
from smscatch.errors import SmscatchError
from tests.clients import Line, do, opened
from tests.conftest import Server
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all: each test has a line of its own, which rests for long, to be looked at."""
    server = Server(tmp_path_factory.mktemp("server")).start(SMSCATCH_LEASE_REST="1h")
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


async def test_a_leased_line_gives_each_code_once_and_none_from_before(line: Line, client: Any) -> None:
    line.deliver("Your code is 000000")
    phone = await do(client.lease, line.number, holder="test 7")
    holders = {lease.line: lease.holder for lease in await do(client.leases)}
    assert (phone.number, holders[line.number]) == (line.number, "test 7")
    line.deliver("Your code is 111111")
    line.deliver("Hello")
    line.deliver("Your code is 222222")
    assert [await do(phone.wait_for_code, timeout=PATIENCE_SECONDS) for _ in range(2)] == ["111111", "222222"]
    assert [message.text[-6:] for message in await do(phone.messages)] == ["111111", "Hello", "222222"]
    told = "an earlier wait returned the text from 'Authy'; no code was found in the text from 'Authy'"
    with pytest.raises(NoMessage, match=rf"3 came to \{line.number} meanwhile: {told}\."):
        await do(phone.wait_for_code, timeout=0)
    await do(phone.release)
    await do(phone.release)
    read_later = await do(phone.wait_for_message, timeout=PATIENCE_SECONDS)
    assert read_later.text == "Hello"
    with pytest.raises(LeaseEnded):
        await do(phone.wait_for_message, timeout=PATIENCE_SECONDS)


async def test_texts_of_several_senders_may_come_in_any_order(line: Line, client: Any) -> None:
    phone = await do(client.lease, line.number)
    line.deliver("Your code is 111111", sender="Bank")
    line.deliver("Your code is 222222", sender="Shop")
    assert await do(phone.wait_for_code, sender="Shop", timeout=PATIENCE_SECONDS) == "222222"
    assert await do(phone.wait_for_code, sender="Bank", timeout=PATIENCE_SECONDS) == "111111"
    with pytest.raises(NoMessage, match="an earlier wait returned the text from 'Bank'"):
        await do(phone.wait_for_code, timeout=0)


async def test_of_a_code_that_was_sent_again_the_newer_one_is_returned_and_the_older_one_never(
    line: Line, client: Any
) -> None:
    phone = await do(client.lease, line.number)
    line.deliver("Your code is 111111")
    line.deliver("Your code is 999999", sender="Bank")
    mark = await do(phone.mark)
    with pytest.raises(NoMessage, match=r"nothing came .* 1 came before and was passed over"):
        await do(phone.wait_for_code, sender="Authy", after=mark, timeout=0)
    line.deliver("Your code is 222222")
    assert await do(phone.wait_for_code, sender="Authy", after=mark, timeout=PATIENCE_SECONDS) == "222222"
    line.deliver("Your code is 333333")
    line.deliver("Your code is 444444")
    line.deliver("Welcome")
    assert await do(phone.wait_for_code, sender="Authy", newest=True, quiet=0.1, timeout=PATIENCE_SECONDS) == "444444"
    with pytest.raises(NoMessage, match="passed over the text from 'Authy' for a newer one"):
        await do(phone.wait_for_code, sender="Authy", timeout=0)
    # Of another sender, it was not passed over.
    assert await do(phone.wait_for_code, timeout=PATIENCE_SECONDS) == "999999"
    texts = ["111111", "999999", "222222", "333333", "444444", "elcome"]
    assert [message.text[-6:] for message in await do(phone.messages)] == texts


async def test_the_newest_is_not_older_than_what_an_earlier_wait_returned(line: Line, client: Any) -> None:
    phone = await do(client.lease, line.number)
    line.deliver("Your code is 111111")
    line.deliver("Your code is 222222")
    assert await do(phone.wait_for_code, contains="222222", timeout=PATIENCE_SECONDS) == "222222"
    with pytest.raises(NoMessage, match="an earlier wait returned a newer text than that from 'Authy'"):
        await do(phone.wait_for_code, newest=True, quiet=0, timeout=0)
    assert await do(phone.wait_for_code, timeout=PATIENCE_SECONDS) == "111111"  # the oldest that is not read


async def test_the_newest_without_a_lease(line: Line, client: Any) -> None:
    cursor = await do(client.cursor)
    line.deliver("Your code is 111111")
    line.deliver("Your code is 222222")
    wait = {"line": line.number, "after": cursor, "newest": True, "quiet": 0.1, "timeout": 20}
    assert await do(client.wait_for_code, **wait) == "222222"
    assert (await do(client.wait_for_message, **wait)).code == "222222"


async def test_no_two_waits_return_the_same_text_though_they_run_side_by_side(line: Line, client: Any) -> None:
    phone = await do(client.lease, line.number)
    waiting = [asyncio.create_task(do(phone.wait_for_code, timeout=PATIENCE_SECONDS)) for _ in range(4)]
    codes = ["111111", "222222", "333333", "444444"]
    for code in codes:
        await asyncio.to_thread(line.deliver, f"Your code is {code}")
    assert sorted(await asyncio.gather(*waiting)) == codes


async def test_a_lease_that_ended_tells_what_came_and_was_not_wanted(line: Line, client: Any) -> None:
    phone = await do(client.lease, line.number)
    line.deliver("hello")
    await do(phone.release)
    with pytest.raises(LeaseEnded, match="no code was found in the text from 'Authy'") as caught:
        await do(phone.wait_for_code, timeout=PATIENCE_SECONDS)
    assert [miss["sender"] for miss in caught.value.details["near_misses"]] == ["Authy"]


async def test_a_block_releases_its_line_also_when_it_breaks(line: Line, client: Any) -> None:
    with contextlib.suppress(ZeroDivisionError):
        if isinstance(client, AsyncClient):
            async with client.lease(line.number):
                _ = 1 / 0
        else:
            with client.lease(line.number):
                _ = 1 / 0
    (lease,) = (lease for lease in await do(client.leases) if lease.line == line.number)
    assert lease.released_at is not None


async def test_another_process_can_go_on_with_a_lease(line: Line, client: Any) -> None:
    phone = await do(client.lease, line.number, ttl=60)
    line.deliver("Your code is 111111")
    again = await do(client.leased, phone.id)
    assert await do(again.wait_for_code, timeout=PATIENCE_SECONDS) == "111111"
    before = again.expires_at
    await do(again.extend, 600)
    assert again.expires_at > before
    with pytest.raises(UnknownLease):
        await do(client.leased, "none")
    with pytest.raises(NotFound):
        await do(client.leased, "../lines")


async def test_codes_and_links_of_a_form_of_their_own(line: Line, client: Any) -> None:
    cursor = await do(client.cursor)
    line.deliver("PIN=blue-fish; see https://a.example/1 and https://b.example/2")
    wait = {"line": line.number, "after": cursor, "timeout": PATIENCE_SECONDS}
    assert await do(client.wait_for_code, code_pattern=r"PIN=([\w-]+)", **wait) == "blue-fish"
    assert await do(client.wait_for_code, code_pattern=r"blue-\w+", **wait) == "blue-fish"
    assert await do(client.wait_for_link, **wait) == "https://a.example/1"
    assert await do(client.wait_for_link, link_pattern=r"b\.example", **wait) == "https://b.example/2"


async def test_what_came_but_was_not_wanted_is_told(line: Line, client: Any) -> None:
    cursor = await do(client.cursor)
    line.deliver("hello")
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


async def test_a_line_is_free_for_the_next_when_who_waited_for_it_gave_up(line: Line, client: Any) -> None:
    held = await do(client.lease, line.number)
    with pytest.raises(NoFreeLine):
        await do(client.lease, line.number, wait=0.1)
    if isinstance(client, AsyncClient):
        waiting = asyncio.create_task(do(client.lease, line.number, wait=PATIENCE_SECONDS))
        while not await asyncio.to_thread(line.is_waited_for):
            pass
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await do(held.release)
    with pytest.raises(NoFreeLine) as resting:
        await do(client.lease, line.number, wait=0)
    assert resting.value.details["ahead"] == 0


async def test_a_lease_is_asked_for_once(line: Line) -> None:
    async with opened(AsyncClient, line.server) as client:
        asked = client.lease(line.number)
        async with asked:
            with pytest.raises(SmscatchError, match="asked for already"):
                await asked
