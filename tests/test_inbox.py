"""Receiving and following: order, races, waits that explain themselves."""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from smscatch.errors import NoMessage, ShuttingDown, StoreUnavailable
from smscatch.hub import MAX_WAITING
from smscatch.inbox import Inbox
from smscatch.messages import Query, Stored
from smscatch.stores import Delivery
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
    waiter = asyncio.create_task(inbox.next_message(ALL, 0, 60))
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
    async with asyncio.timeout(60):
        while failures or inbox._told == 0:
            await asyncio.sleep(0.001)


async def test_a_wait_in_vain_says_what_came_meanwhile_and_why_it_did_not_match(inbox: Inbox) -> None:
    await inbox.receive([a_delivery(), a_delivery(sender="Google"), a_delivery(line=OTHER_LINE)])
    with pytest.raises(NoMessage) as caught:
        await inbox.next_message(Query(lines=(LINE,), sender="Authy"), 1, 0)
    assert str(caught.value) == (
        f"No message matched in 0 s: 1 came to {LINE} meanwhile: sender 'Google' is not 'Authy'."
    )
    assert caught.value.details["cursor"] == "3"
    assert [miss["sender"] for miss in caught.value.details["near_misses"]] == ["Google"]
    assert "482913" not in json.dumps(caught.value.details)


async def test_a_wait_in_vain_on_a_silent_line_says_so(inbox: Inbox) -> None:
    with pytest.raises(NoMessage, match="nothing came meanwhile"):
        await inbox.next_message(ALL, 0, 0)


async def test_a_wait_that_ends_leaves_nobody_waiting(inbox: Inbox) -> None:
    with pytest.raises(NoMessage):
        await inbox.next_message(ALL, 0, 0)
    task = asyncio.create_task(inbox.next_message(ALL, 0, 60))
    await waiting(inbox, 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert inbox.hub.waiting == 0


async def test_closing_ends_the_waits_there_are_and_those_to_come(inbox: Inbox) -> None:
    task = asyncio.create_task(inbox.next_message(ALL, 0, 60))
    await waiting(inbox, 1)
    inbox.hub.close()
    with pytest.raises(ShuttingDown):
        await task
    with pytest.raises(ShuttingDown):
        await inbox.next_message(ALL, 0, 60)


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


async def test_a_short_wait_finds_a_match_behind_however_many_others(inbox: Inbox) -> None:
    await inbox.receive([a_delivery(sender="Other") for _ in range(230)])
    await inbox.receive([a_delivery(text="there it is")])
    stored = await inbox.next_message(Query(sender="Authy"), 0, 0)
    assert stored.message.text == "there it is"


async def test_the_cursor_of_a_wait_by_time_does_not_lead_back(inbox: Inbox) -> None:
    old = NOON - timedelta(hours=1)
    await inbox.receive([a_delivery(sender="Other", received_at=old) for _ in range(230)])
    await inbox.receive([a_delivery(received_at=old)])
    with pytest.raises(NoMessage, match="nothing came") as caught:
        await inbox.next_message(Query(sender="Authy", since=NOON), 0, 0)
    assert caught.value.details["cursor"] == "231"


async def test_a_long_text_completed_later_is_no_news_to_who_waits_behind_it(inbox: Inbox) -> None:
    first, second = the_parts("Your code is 111111. " * 10)
    await inbox.receive([first])
    await inbox.store.show_incomplete(NOON + timedelta(seconds=1))
    after = await inbox.position()
    waiter = asyncio.create_task(inbox.next_message(ALL, after, 60))
    await waiting(inbox, 1)
    await inbox.receive([second])
    await inbox.receive([a_delivery(text="Your code is 222222")])
    assert (await waiter).message.code == "222222"
    assert (await inbox.next_message(ALL, 0, 0)).message.complete  # behind the start it is news, and whole


async def test_now_lies_behind_what_waits_in_the_spool(inbox: Inbox) -> None:
    async def catch_up() -> None:
        await inbox.receive([a_delivery(text="waited in the spool")])

    inbox.catch_up = catch_up
    assert await inbox.position() == 1


async def test_pruning_leaves_alone_what_a_wrong_clock_calls_old(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
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

    with monkeypatch.context() as sleepless:
        sleepless.setattr("smscatch.inbox.asyncio.sleep", next_round)
        with pytest.raises(asyncio.CancelledError):
            await inbox.keep_pruning(day)
    texts = [stored.message.text for stored in await inbox.store.after(ALL, 0, 10)]
    assert texts == ["of 1970", "of a wrong clock"]


async def test_what_another_process_stores_is_told_too(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smscatch.stores.sqlite.LISTEN_SECONDS", 0.01)
    await inbox.receive([a_delivery()])  # so that the feed's present wait ends, and the next is a short one
    waiter = asyncio.create_task(take(inbox, 1, after=1))
    await waiting(inbox, 1)
    await inbox.store.add([a_delivery(text="behind our back")])
    assert await waiter == ["behind our back"]
