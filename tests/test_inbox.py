"""Receiving and following: order, races, waits that explain themselves."""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from smscatch import waits
from smscatch.errors import NoMessage, ShuttingDown, StoreUnavailable
from smscatch.hub import MAX_WAITING, MAX_WAITING_BYTES
from smscatch.inbox import FEWEST_KEPT, Inbox
from smscatch.messages import Query, Stored
from smscatch.stores import Delivery
from smscatch.waits import Choice, next_message
from tests.conftest import Clock
from tests.patience import PATIENCE_SECONDS
from tests.samples import LINE, NOON, OTHER_LINE, a_delivery, a_message, the_parts

ALL = Query()


async def take(inbox: Inbox, count: int, query: Query = ALL, after: int = 0) -> list[str]:
    async with contextlib.aclosing(inbox.follow(query, after)) as stream:
        return [(await anext(stream)).message.text for _ in range(count)]


async def waiting(inbox: Inbox, count: int) -> None:
    while inbox.hub.waiting < count:
        await asyncio.sleep(0)


async def test_a_waiter_gets_what_is_there_and_then_what_comes(inbox: Inbox) -> None:
    await inbox.receive([a_delivery(text="before")])
    waiter = asyncio.create_task(take(inbox, 2))
    await waiting(inbox, 1)
    await inbox.receive([a_delivery(text="later")])
    assert await waiter == ["before", "later"]


async def test_what_comes_while_nobody_waits_is_not_read_again_and_who_comes_then_misses_nothing(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, position, after = asyncio.Event(), inbox.store.position, inbox.store.after
    read: list[int] = []

    async def noting_position() -> int:
        newest = await position()
        asyncio.get_running_loop().call_soon(looked.set)
        return newest

    async def noting_after(query: Query, start: int, limit: int) -> list[Stored]:
        read.append(start)
        return await after(query, start, limit)

    monkeypatch.setattr(inbox.store, "position", noting_position)
    monkeypatch.setattr(inbox.store, "after", noting_after)
    await inbox.receive([a_delivery(text=f"text {n}") for n in range(3)])
    await looked.wait()
    assert read == []
    waiter = asyncio.create_task(take(inbox, 2, after=2))
    await waiting(inbox, 1)
    await inbox.receive([a_delivery(text="later")])
    assert await waiter == ["text 2", "later"]
    assert min(read) == 2


async def test_a_waiter_gets_only_what_it_asked_for(inbox: Inbox) -> None:
    waiter = asyncio.create_task(take(inbox, 1, Query(lines=(OTHER_LINE,), sender="authy", contains="CODE")))
    await waiting(inbox, 1)
    await inbox.receive([a_delivery(), a_delivery(line=OTHER_LINE, sender="Google")])
    await inbox.receive([a_delivery(line=OTHER_LINE, text="hello")])
    await inbox.receive([a_delivery(line=OTHER_LINE, text="the code")])
    assert await waiter == ["the code"]


async def test_a_repeated_delivery_is_told_once(inbox: Inbox) -> None:
    waiter = asyncio.create_task(take(inbox, 2))
    await waiting(inbox, 1)
    delivery = a_delivery(text="once")
    await inbox.receive([delivery])
    await inbox.receive([delivery])
    await inbox.receive([a_delivery(text="another")])
    assert await waiter == ["once", "another"]


async def test_followers_among_concurrent_writers_see_everything_once_and_in_order(inbox: Inbox) -> None:
    async def write(writer: int) -> None:
        for n in range(50):
            await inbox.receive([a_delivery(text=f"{writer}/{n}")])

    followers = [asyncio.create_task(take(inbox, 400)) for _ in range(3)]
    await asyncio.gather(*(write(writer) for writer in range(8)))
    late = await take(inbox, 400)
    assert [await follower for follower in followers] == [late] * 3
    assert len(set(late)) == 400


async def test_a_reader_that_falls_behind_reads_on_from_the_store(inbox: Inbox) -> None:
    count = MAX_WAITING + 200
    async with contextlib.aclosing(inbox.follow(ALL, 0)) as stream:
        await inbox.receive([a_delivery(text="0")])
        seen = [(await anext(stream)).message.text]
        await inbox.receive([a_delivery(text=str(n)) for n in range(1, count)])
        probe = asyncio.create_task(take(inbox, 1, after=count))
        await waiting(inbox, 2)
        await inbox.receive([a_delivery(text=str(count))])
        await probe  # so the feed has offered all of them to the slow one
        seen += [(await anext(stream)).message.text for _ in range(count)]
    assert seen == [str(n) for n in range(count + 1)]


async def test_nobody_hears_of_a_message_that_was_not_stored(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    waiter = asyncio.create_task(next_message(inbox, ALL, 0, PATIENCE_SECONDS))
    await waiting(inbox, 1)

    async def fail(deliveries: Sequence[Delivery]) -> int:
        raise StoreUnavailable("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(inbox.store, "add", fail)
        with pytest.raises(StoreUnavailable):
            await inbox.receive([a_delivery(text="lost")])
    await inbox.receive([a_delivery(text="kept")])
    assert (await waiter).message.text == "kept"


async def test_the_feed_survives_a_store_that_is_away(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smscatch.inbox.RETRY_SECONDS", 0)
    failures = 3
    read = inbox.store.after

    async def after(query: Query, position: int, limit: int) -> list[Stored]:
        nonlocal failures
        if query == ALL and failures:
            failures -= 1
            raise StoreUnavailable("away")
        return await read(query, position, limit)

    waiter = asyncio.create_task(take(inbox, 1, Query(lines=(LINE,))))
    await waiting(inbox, 1)
    monkeypatch.setattr(inbox.store, "after", after)
    await inbox.receive([a_delivery(text="through")])
    assert await waiter == ["through"]  # perhaps from the store, before the feed is through with its failures
    async with asyncio.timeout(PATIENCE_SECONDS):
        while failures or inbox._told == 0:
            await asyncio.sleep(0.001)


async def test_a_wait_in_vain_says_what_came_meanwhile_and_why_it_did_not_match(inbox: Inbox) -> None:
    await inbox.receive([a_delivery(), a_delivery(sender="Google"), a_delivery(line=OTHER_LINE)])
    with pytest.raises(NoMessage) as caught:
        await next_message(inbox, Query(lines=(LINE,), sender="Authy"), 1, 0)
    assert str(caught.value) == (
        f"No message matched in 0 s: 1 came to {LINE} meanwhile: sender 'Google' is not 'Authy'."
    )
    assert caught.value.details["cursor"] == "3"
    assert [miss["sender"] for miss in caught.value.details["near_misses"]] == ["Google"]
    assert "482913" not in json.dumps(caught.value.details)


async def test_a_wait_in_vain_on_a_silent_line_says_so(inbox: Inbox) -> None:
    with pytest.raises(NoMessage, match="nothing came meanwhile"):
        await next_message(inbox, ALL, 0, 0)


async def test_a_wait_that_ends_leaves_nobody_waiting(inbox: Inbox) -> None:
    with pytest.raises(NoMessage):
        await next_message(inbox, ALL, 0, 0)
    task = asyncio.create_task(next_message(inbox, ALL, 0, PATIENCE_SECONDS))
    await waiting(inbox, 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert inbox.hub.waiting == 0


async def test_closing_ends_the_waits_there_are_and_those_to_come(inbox: Inbox) -> None:
    task = asyncio.create_task(next_message(inbox, ALL, 0, PATIENCE_SECONDS))
    await waiting(inbox, 1)
    inbox.hub.close()
    with pytest.raises(ShuttingDown):
        await task
    with pytest.raises(ShuttingDown):
        await next_message(inbox, ALL, 0, PATIENCE_SECONDS)


async def test_an_equal_text_read_by_another_run_of_gammu_may_be_a_duplicate(inbox: Inbox) -> None:
    await inbox.receive([a_delivery(reader="1:1")])
    await inbox.receive([a_delivery(reader="1:1"), a_delivery(reader="2:7"), a_delivery(reader="2:7", text="other")])
    marks = [stored.message.marks for stored in await inbox.store.after(ALL, 0, 10)]
    assert marks == [(), (), ("possible_duplicate",), ()]


async def test_reading_the_same_entry_again_does_not_mark_it(inbox: Inbox) -> None:
    delivery = Delivery(a_message(reader="1:1"), b"")
    await inbox.receive([delivery])
    assert await inbox.receive([delivery]) == 0


async def test_twins_in_one_batch_are_marked_too(inbox: Inbox) -> None:
    await inbox.receive([a_delivery(reader="1:1"), a_delivery(reader="2:7")])
    marks = [stored.message.marks for stored in await inbox.store.after(ALL, 0, 10)]
    assert marks == [(), ("possible_duplicate",)]


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_text_that_a_modem_stored_twice_is_marked_the_second_time(inbox: Inbox, *, restarted: bool) -> None:
    first = a_delivery(source="pdu", sent_at=NOON, received_at=NOON)
    copies = [
        a_delivery(source="pdu", sent_at=NOON, received_at=NOON + timedelta(milliseconds=900)),
        a_delivery(source="pdu", sent_at=NOON, received_at=NOON + timedelta(seconds=2)),
        a_delivery(source="pdu", sent_at=NOON + timedelta(seconds=1), received_at=NOON),
        a_delivery(source="pdu", sent_at=NOON, received_at=NOON, sender="Google"),
    ]
    await inbox.receive([first])
    if restarted:
        inbox = await Inbox.open(inbox.store)
    await inbox.receive(copies)
    marks = [stored.message.marks for stored in await inbox.store.after(ALL, 0, 10)]
    assert marks == [(), ("possible_duplicate",), (), (), ()]


async def test_a_short_wait_finds_a_match_behind_however_many_others(inbox: Inbox) -> None:
    await inbox.receive([a_delivery(sender="Other") for _ in range(230)])
    await inbox.receive([a_delivery(text="there it is")])
    stored = await next_message(inbox, Query(sender="Authy"), 0, 0)
    assert stored.message.text == "there it is"


async def test_the_cursor_of_a_wait_by_time_does_not_lead_back(inbox: Inbox) -> None:
    old = NOON - timedelta(hours=1)
    await inbox.receive([a_delivery(sender="Other", received_at=old) for _ in range(230)])
    await inbox.receive([a_delivery(received_at=old)])
    with pytest.raises(NoMessage, match="nothing came") as caught:
        await next_message(inbox, Query(sender="Authy", since=NOON), 0, 0)
    assert caught.value.details["cursor"] == "231"


async def test_a_long_text_completed_later_is_no_news_to_who_waits_behind_it(inbox: Inbox) -> None:
    first, second = the_parts("Your code is 111111. " * 10)
    await inbox.receive([first])
    await inbox.store.show_incomplete(NOON + timedelta(seconds=1))
    after = await inbox.position()
    waiter = asyncio.create_task(next_message(inbox, ALL, after, PATIENCE_SECONDS))
    await waiting(inbox, 1)
    await inbox.receive([second])
    await inbox.receive([a_delivery(text="Your code is 222222")])
    assert (await waiter).message.code == "222222"
    assert (await next_message(inbox, ALL, 0, 0)).message.complete  # behind the start it is news, and whole


async def test_now_lies_behind_what_waits_in_the_spool(inbox: Inbox) -> None:
    async def catch_up() -> None:
        await inbox.receive([a_delivery(text="waited in the spool")])

    inbox.catch_up = catch_up
    assert await inbox.position() == 1


async def test_pruning_leaves_alone_what_a_wrong_clock_calls_old(inbox: Inbox) -> None:
    day = timedelta(days=1)
    await inbox.receive([a_delivery(text="old", received_at=NOON - 2 * day)])
    await inbox.receive([a_delivery(text="of 1970", received_at=datetime(1970, 1, 12, tzinfo=UTC))])
    rounds = 0

    async def next_round(seconds: float) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:  # stored while we run, with a clock that is wrong by days
            await inbox.receive([a_delivery(text="of a wrong clock", received_at=NOON - 3 * day)])
        else:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await inbox.keep_pruning(day, sleep=next_round)
    texts = [stored.message.text for stored in await inbox.store.after(ALL, 0, 10)]
    assert texts == ["of 1970", "of a wrong clock"]


async def test_no_more_than_so_many_messages_are_kept(inbox: Inbox) -> None:
    await inbox.receive([a_delivery(text=str(number)) for number in range(5)])

    async def end(_: float) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await inbox.keep_pruning(timedelta(days=36_500), keep=2, sleep=end)
    assert [stored.message.text for stored in await inbox.store.after(ALL, 0, 10)] == ["3", "4"]


async def test_a_store_that_has_grown_too_large_loses_its_oldest_messages(inbox: Inbox) -> None:
    await inbox.receive([a_delivery(text=f"{number} {'x' * 1000}") for number in range(400)])
    limit, rounds = await inbox.store.size() // 2, 0

    async def next_round(_: float) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await inbox.keep_pruning(timedelta(days=36_500), max_bytes=limit, sleep=next_round)
    left = await inbox.store.after(ALL, 0, 400)
    assert FEWEST_KEPT < len(left) < 250
    assert left[-1].message.text.startswith("399 ")
    rounds = 0
    with pytest.raises(asyncio.CancelledError):
        await inbox.keep_pruning(timedelta(days=36_500), max_bytes=1, sleep=next_round)
    assert len(await inbox.store.after(ALL, 0, 400)) == FEWEST_KEPT


async def test_what_another_process_stores_is_told_too(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smscatch.stores.sqlite.LISTEN_SECONDS", 0.01)
    await inbox.receive([a_delivery()])  # so that the feed's present wait ends, and the next is a short one
    waiter = asyncio.create_task(take(inbox, 1, after=1))
    await waiting(inbox, 1)
    await inbox.store.add([a_delivery(text="behind our back")])
    assert await waiter == ["behind our back"]


class Quiet:
    """The loop's clock, which may be moved on, and how often a wait began to listen for quiet."""

    def __init__(self, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
        self._inbox = inbox
        self._begun = 0
        self._passed = 0.0
        loop = asyncio.get_running_loop()
        real, hear_nothing = loop.time, waits._hear_nothing

        async def heard(*arguments: Any) -> None:
            self._begun += 1
            await hear_nothing(*arguments)

        monkeypatch.setattr(loop, "time", lambda: real() + self._passed)
        monkeypatch.setattr(waits, "_hear_nothing", heard)

    async def begins(self, count: int = 1) -> None:
        """Return when the time of quiet runs, for the `count`th time."""
        while self._begun < count or self._inbox.hub.waiting < 1:
            await asyncio.sleep(0.001)

    async def passes(self, seconds: float) -> None:
        """Let the clock show so many seconds more, and all be done that is due then."""
        self._passed += seconds
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
async def quiet(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> Quiet:
    return Quiet(inbox, monkeypatch)


async def told(inbox: Inbox, count: int) -> None:
    """Return when what came so far is known to all who follow."""
    while inbox._told < count:
        await asyncio.sleep(0.001)
    for _ in range(20):
        await asyncio.sleep(0)


NEWEST = Choice(quiet_seconds=60)


async def test_the_newest_is_returned_once_nothing_came_for_a_while(inbox: Inbox, quiet: Quiet) -> None:
    await inbox.receive([a_delivery(text="Your code is 111111")])
    waiter = asyncio.create_task(next_message(inbox, Query(has_code=True), 0, 600, choice=NEWEST))
    await quiet.begins()
    for number, text in enumerate(("Your code is 222222", "Welcome"), start=2):  # each makes it begin anew
        await quiet.passes(40)
        await inbox.receive([a_delivery(text=text)])
        await told(inbox, number)
    await quiet.passes(40)
    assert not waiter.done()
    await quiet.passes(20)
    assert (await waiter).message.code == "222222"


async def test_the_quiet_begins_with_the_wait_and_not_with_the_last_text(
    inbox: Inbox, clock: Clock, quiet: Quiet
) -> None:
    await inbox.receive([a_delivery(text="Your code is 111111")])
    clock.advance(3600)
    waiter = asyncio.create_task(next_message(inbox, ALL, 0, 600, choice=NEWEST))
    await quiet.begins()
    await quiet.passes(40)
    await inbox.receive([a_delivery(text="Your code is 222222", received_at=clock())])
    await told(inbox, 2)
    await quiet.passes(60)
    assert (await waiter).message.code == "222222"


async def test_what_is_not_asked_for_does_not_disturb_the_quiet(inbox: Inbox, quiet: Quiet) -> None:
    await inbox.receive([a_delivery()])
    waiter = asyncio.create_task(next_message(inbox, Query(sender="Authy"), 0, 600, choice=NEWEST))
    await quiet.begins()
    await quiet.passes(40)
    await inbox.receive([a_delivery(sender="Google"), a_delivery(line=OTHER_LINE, sender="Google")])
    await told(inbox, 3)
    await quiet.passes(20)
    assert (await waiter).message.sender == "Authy"


async def test_a_line_on_which_a_long_text_is_arriving_is_not_quiet(inbox: Inbox, clock: Clock, quiet: Quiet) -> None:
    first, second = the_parts("Your code is 222222. " * 10)
    await inbox.receive([a_delivery(text="Your code is 111111")])
    waiter = asyncio.create_task(next_message(inbox, ALL, 0, 600, choice=NEWEST))
    await quiet.begins()
    await inbox.receive([first])
    await quiet.passes(60)
    await quiet.begins(2)
    await inbox.receive([second])
    await told(inbox, 2)
    await quiet.passes(60)
    assert (await waiter).message.code == "222222"


async def test_a_wait_for_the_newest_ends_with_its_time_also_where_it_is_never_quiet(
    inbox: Inbox, quiet: Quiet
) -> None:
    waiter = asyncio.create_task(next_message(inbox, ALL, 0, 90, choice=NEWEST))
    for number in (1, 2):
        await waiting(inbox, 1)
        await inbox.receive([a_delivery(text=f"Your code is {number:06}")])
        await told(inbox, number)
        await quiet.begins()
        await quiet.passes(45)
    assert (await waiter).message.code == "000002"
    with pytest.raises(NoMessage, match="nothing came"):
        await next_message(inbox, ALL, 2, 0, choice=NEWEST)


async def test_the_newest_is_none_that_is_to_be_passed_over(inbox: Inbox) -> None:
    await inbox.receive([a_delivery(text=f"Your code is {number:06}") for number in (1, 2, 3)])
    choice = Choice({"3": "it was read"}, quiet_seconds=0)
    assert (await next_message(inbox, ALL, 0, 0, choice=choice)).message.code == "000002"
    with pytest.raises(NoMessage, match="1 came meanwhile: it was read"):
        await next_message(inbox, ALL, 2, 0, choice=choice)


async def test_the_newest_is_what_came_last_and_not_what_was_completed_last(inbox: Inbox) -> None:
    first, second = the_parts("Your code is 111111. " * 10)
    await inbox.receive([first])
    await inbox.store.show_incomplete(NOON + timedelta(seconds=1))
    await inbox.receive([a_delivery(text="Your code is 222222")])
    await inbox.receive([second])
    choice = Choice(quiet_seconds=0)
    assert (await next_message(inbox, ALL, 0, 0, choice=choice)).message.code == "222222"


async def test_little_waits_in_memory_for_a_reader_of_long_texts_who_misses_none(inbox: Inbox) -> None:
    stream = inbox.follow(Query(), 0)
    await inbox.receive([a_delivery(text="first")])
    await anext(stream)
    (arrivals,) = inbox.hub._subscribers
    for number in range(40):
        delivery = a_delivery()
        message = msgspec.structs.replace(delivery.message, text=f"{number} " + "x" * 40_000)
        await inbox.receive([delivery._replace(message=message)])
    assert arrivals.waiting_bytes <= MAX_WAITING_BYTES + 50_000
    texts = [(await anext(stream)).message.text.split()[0] for _ in range(40)]
    assert texts == [str(number) for number in range(40)]
    await stream.aclose()
