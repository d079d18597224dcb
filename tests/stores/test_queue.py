"""The queue in front of the sinks keeps its promises on every store: nothing lost, no job in two hands at a time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec
import pytest

from smscatch.sources import join_parts
from smscatch.stores import Job, SinkUse, Store, open_store
from smscatch.stores.jobs import BURIED, DEAD, DONE, DROPPED, OPEN, PUT_OFF, SENT, Answered, Attempt, Outcome, settled
from smscatch.stores.records import JobRecord, PositionRecord, Record, SinkRecord
from tests.samples import NOON, a_delivery

MINUTE = timedelta(minutes=1)
LATER = NOON + MINUTE


def a_job(position: int, sink: str = "hook", due_at: datetime = NOON) -> Job:
    return Job(sink=sink, position=position, message=f"m{position}", created_at=NOON, due_at=due_at)


def after(job: Job, outcome: Outcome, due_at: datetime = NOON, reason: str = "HTTP 503") -> Job:
    return settled(job, Attempt(at=NOON, outcome=outcome, reason=reason), due_at)


async def queue_up(store: Store, *positions: int, sink: str = "hook") -> None:
    before = await store.open_sink(sink)
    assert await store.advance(sink, before, max(positions), [a_job(position, sink) for position in positions])


async def take(
    store: Store, owner: str = "one", now: datetime = NOON, *, limit: int = 10, sink: str = "hook"
) -> list[Job]:
    return await store.take_jobs(sink, owner, limit, now=now, until=now + MINUTE)


@pytest.fixture
async def other(url: str, store: Store) -> AsyncIterator[Store]:
    """Another instance over the same database."""
    opened = await open_store(url, join_parts)
    yield opened
    await opened.close()


async def test_a_new_sink_begins_at_the_newest_message_and_keeps_its_place(store: Store, other: Store) -> None:
    await store.add([a_delivery(), a_delivery()])
    opened = await asyncio.gather(*(each.open_sink("hook") for each in (store, other)))
    assert opened == [2, 2]
    await store.add([a_delivery()])
    assert await other.open_sink("hook") == 2
    assert await other.open_sink("later") == 3
    assert await store.sinks() == [SinkUse("hook", 2, 0, 0), SinkUse("later", 3, 0, 0)]


async def test_of_two_instances_that_advance_a_cursor_one_is_first(store: Store, other: Store) -> None:
    await store.open_sink("hook")
    jobs = [a_job(1), a_job(2)]
    moved = await asyncio.gather(*(each.advance("hook", 0, 2, jobs) for each in (store, other) * 5))
    assert sorted(moved) == [False] * 9 + [True]
    assert await other.open_sink("hook") == 2
    assert [job.position for job in await store.jobs("hook", OPEN, 10)] == [2, 1]


async def test_a_cursor_moves_over_messages_that_are_not_for_the_sink(store: Store) -> None:
    await store.open_sink("hook")
    assert await store.advance("hook", 0, 7, [])
    assert not await store.advance("hook", 0, 9, [a_job(9)])
    assert not await store.advance("unheard of", 0, 9, [a_job(9)])
    assert await store.sinks() == [SinkUse("hook", 7, 0, 0)]


async def test_no_job_is_in_two_hands(store: Store, other: Store) -> None:
    await queue_up(store, *range(1, 41))
    takes = [take(each, f"owner {n}", limit=3) for n, each in enumerate((store, other) * 8)]
    taken = [job.position for jobs in await asyncio.gather(*takes) for job in jobs]
    assert len(taken) == len(set(taken))
    rest = [job.position for job in await take(store, "last", limit=100)]
    assert sorted(taken + rest) == list(range(1, 41))


async def test_the_jobs_due_longest_are_taken_first_and_each_sink_has_its_own(store: Store) -> None:
    await queue_up(store, 1, 2, 3)
    await queue_up(store, 1, sink="other")
    (first,) = await take(store, limit=1)
    assert await store.settle(after(first, PUT_OFF, NOON + timedelta(seconds=1)), "one")
    assert [job.position for job in await take(store, limit=2, now=LATER)] == [2, 3]
    assert [job.position for job in await take(store, now=LATER)] == [1]
    assert [job.sink for job in await take(store, sink="other")] == ["other"]


async def test_a_job_that_is_put_off_is_not_taken_before_its_time(store: Store) -> None:
    await queue_up(store, 1)
    (job,) = await take(store)
    assert await store.settle(after(job, PUT_OFF, LATER), "one")
    assert await take(store, now=LATER - timedelta(milliseconds=1)) == []
    (again,) = await take(store, now=LATER)
    assert (again.due_at, again.state) == (LATER, OPEN)
    assert again.attempts == (Attempt(at=NOON, outcome="put_off", reason="HTTP 503"),)


async def test_the_claim_of_a_worker_that_died_is_found_by_its_age(store: Store, other: Store) -> None:
    await queue_up(store, 1)
    (job,) = await take(store, "dead")
    assert await take(other, "heir", now=LATER - timedelta(milliseconds=1)) == []
    (inherited,) = await take(other, "heir", now=LATER)
    assert inherited == job
    assert not await store.settle(after(job, SENT), "dead")
    assert await other.settle(after(inherited, SENT), "heir")


async def test_what_is_settled_stays_so_and_every_attempt_is_on_record(store: Store) -> None:
    await queue_up(store, 1, 2, 3)
    sent, buried, dropped = await take(store)
    assert not await store.settle(after(sent, SENT), "another one")
    assert await store.settle(after(sent, SENT, reason=""), "one")
    assert not await store.settle(after(sent, PUT_OFF), "one")
    assert await store.settle(after(after(buried, PUT_OFF), BURIED, reason="HTTP 410"), "one")
    assert await store.settle(after(dropped, DROPPED, reason="the message was deleted"), "one")
    assert await take(store, now=LATER + MINUTE) == []
    assert [job.position for job in await store.jobs("hook", DONE, 10)] == [3, 1]
    (dead,) = await store.jobs("hook", DEAD, 10)
    assert [attempt.reason for attempt in dead.attempts] == ["HTTP 503", "HTTP 410"]
    assert [job.position for job in await store.jobs("hook", DONE, 1)] == [3]
    assert await store.sinks() == [SinkUse("hook", 3, 0, 1)]


async def test_a_job_is_found_by_its_place_with_the_answers_to_each_of_its_requests(store: Store) -> None:
    await queue_up(store, 1, 2)
    (job, _) = await take(store)
    refused = Answered(request=0, verdict="permanent", status=404, reason="HTTP 404")
    attempt = Attempt(
        at=NOON, outcome=BURIED, reason="HTTP 404", answers=(refused, Answered(request=1, verdict="taken"))
    )
    assert await store.settle(settled(job, attempt, NOON), "one")
    found = await store.job("hook", 1)
    assert found is not None
    assert (found.state, found.attempts) == (DEAD, (attempt,))
    assert (await store.job("hook", 2), await store.job("hook", 3), await store.job("other", 1)) == (
        a_job(2),
        None,
        None,
    )


async def test_pruning_forgets_what_was_over_and_never_what_is_open(store: Store) -> None:
    await queue_up(store, 1, 2, 3, 4)
    sent, buried, late, put_off = await take(store)
    await store.settle(after(sent, SENT), "one")
    await store.settle(after(buried, BURIED), "one")
    await store.settle(after(late, SENT, LATER), "one")
    await store.settle(after(put_off, PUT_OFF), "one")
    await store.prune(NOON - MINUTE, LATER, up_to=0)
    kept = [job.position for state in (OPEN, DONE, DEAD) for job in await store.jobs("hook", state, 10)]
    assert kept == [4, 3]


async def test_cursors_and_jobs_move_house_and_claims_do_not(store: Store, other_url: str) -> None:
    await queue_up(store, 1, 2, 3)
    sent, dead, _ = await take(store)
    await store.settle(after(sent, SENT), "one")
    await store.settle(after(dead, BURIED), "one")
    records = [record async for record in store.dump() if isinstance(record, SinkRecord | JobRecord)]
    moved = await open_store(other_url, join_parts)
    try:
        await moved.load(records)
        assert await moved.sinks() == [SinkUse("hook", 3, 1, 1)]
        assert [job.position for job in await take(moved, "there")] == [3]
        assert not await moved.advance("hook", 2, 4, [])
        assert await moved.advance("hook", 3, 4, [a_job(4)])
    finally:
        await moved.close()


async def test_the_text_of_a_message_is_nowhere_in_the_queue(store: Store) -> None:
    await store.open_sink("hook")
    delivery = a_delivery(text="secret 482913")
    await store.add([delivery])
    await store.advance("hook", 0, 1, [a_job(1)])
    records = [record async for record in store.dump() if isinstance(record, JobRecord)]
    assert "482913" not in str(records)
    assert len(records) == 1


async def test_cursors_of_any_size_move_house(store: Store, other_url: str) -> None:
    large = 2**40
    await store.load([PositionRecord(position=large)])
    await queue_up(store, large + 1)
    records = [record async for record in store.dump()]
    lines = [msgspec.json.encode(record) for record in records]
    moved = await open_store(other_url, join_parts)
    try:
        await moved.load([msgspec.json.decode(line, type=Record) for line in lines])
        assert await moved.sinks() == [SinkUse("hook", large + 1, 1, 0)]
    finally:
        await moved.close()
