"""Each message reaches each sink at least once, whatever fails in between; and nobody waits for a sink that hangs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from smscatch.inbox import Inbox
from smscatch.messages import Stored
from smscatch.settings import SinkSettings
from smscatch.sinks.base import TAKEN, Result, Send, Sink
from smscatch.sinks.json_post import make_send
from smscatch.sinks.own_queue import OwnQueue
from smscatch.sinks.runner import Pace, run_sinks
from smscatch.stores import Job
from smscatch.stores.absent import absent_store
from smscatch.stores.jobs import DEAD, DONE, OPEN, State
from tests.carrier import eventually
from tests.conftest import Clock
from tests.samples import LINE, OTHER_LINE, a_delivery
from tests.sinks.receiver import Answer, Receiver

QUICK = Pace(poll_seconds=0.01, away_seconds=0.01)


def a_sink(receiver: Receiver, name: str = "hook", lines: tuple[str, ...] | None = None) -> Sink:
    return Sink(name, lines, make_send(SinkSettings("json", receiver.url, allow_private=True)))


@asynccontextmanager
async def running(inbox: Inbox, *sinks: Sink, pace: Pace = QUICK) -> AsyncIterator[None]:
    """Run sinks that are open already: what comes from now on is for them."""
    for sink in sinks:
        await inbox.store.open_sink(sink.name)
    task = asyncio.create_task(run_sinks(inbox, sinks, pace))
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def settled(inbox: Inbox, count: int, state: State = DONE, sink: str = "hook") -> list[Job]:
    """Return the jobs once there are so many of this state, oldest first."""
    while len(found := await inbox.store.jobs(sink, state, 1000)) < count:
        await asyncio.sleep(0.01)
    return found[::-1]


async def attempted(inbox: Inbox, count: int) -> Job:
    """Return the one open job once it was tried so often."""
    while True:
        (job,) = await settled(inbox, 1, OPEN)
        if len(job.attempts) >= count:
            return job
        await asyncio.sleep(0.01)


async def test_each_message_is_posted_as_the_api_shows_it(inbox: Inbox, receiver: Receiver) -> None:
    async with running(inbox, a_sink(receiver)):
        await inbox.receive([a_delivery(text="Your code is 482913 \U0001f600"), a_delivery(text="two")])
        jobs = await settled(inbox, 2)
    assert sorted(receiver.texts) == sorted(["Your code is 482913 \U0001f600", "two"])
    stored = [await inbox.store.get(job.message) for job in jobs]
    assert sorted(post.body for post in receiver.posts) == sorted(one.json for one in stored if one)
    assert {post.headers["content-type"] for post in receiver.posts} == {"application/json"}
    assert [attempt.outcome for job in jobs for attempt in job.attempts] == ["sent", "sent"]


async def test_a_new_sink_is_sent_nothing_old_and_a_known_one_goes_on_where_it_stopped(
    inbox: Inbox, receiver: Receiver
) -> None:
    await inbox.receive([a_delivery(text="old")])
    async with running(inbox, a_sink(receiver)):
        await inbox.receive([a_delivery(text="new")])
        await settled(inbox, 1)
    await inbox.receive([a_delivery(text="while it was off")])
    async with running(inbox, a_sink(receiver)):
        await settled(inbox, 2)
    assert receiver.texts == ["new", "while it was off"]


async def test_a_sink_gets_the_texts_of_its_lines_alone(inbox: Inbox, receiver: Receiver) -> None:
    async with running(inbox, a_sink(receiver, lines=(OTHER_LINE,))):
        await inbox.receive([a_delivery(text="not for it", line=LINE), a_delivery(text="for it", line=OTHER_LINE)])
        await inbox.receive([a_delivery(text="not for it either", line=LINE)])
        await settled(inbox, 1)
        await eventually(lambda: receiver.texts == ["for it"])
    (use,) = await inbox.store.sinks()
    assert (use.cursor, use.waiting) == (3, 0)


async def test_an_error_that_passes_is_tried_again_after_its_time(
    inbox: Inbox, receiver: Receiver, clock: Clock
) -> None:
    receiver.answers = [Answer(503), Answer(429, (("retry-after", "600"),))]
    async with running(inbox, a_sink(receiver)):
        await inbox.receive([a_delivery()])
        job = await attempted(inbox, 1)
        assert timedelta(seconds=0.5) <= job.due_at - clock() <= timedelta(seconds=1)
        clock.advance(1)
        job = await attempted(inbox, 2)
        assert job.due_at - clock() == timedelta(seconds=600)
        clock.advance(599)
        assert await inbox.store.take_jobs("hook", "another", 1, now=clock(), until=clock()) == []
        assert len(receiver.posts) == 2
        clock.advance(1)
        (job,) = await settled(inbox, 1)
    assert [attempt.reason for attempt in job.attempts] == ["HTTP 503", "HTTP 429", ""]
    assert len(receiver.posts) == 3


async def test_what_is_refused_for_good_is_buried_and_the_others_go_on(
    inbox: Inbox, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answers = [Answer(410)]
    async with running(inbox, a_sink(receiver)):
        await inbox.receive([a_delivery(text="secret one 482913")])
        (dead,) = await settled(inbox, 1, DEAD)
        await inbox.receive([a_delivery(text="two")])
        await settled(inbox, 1)
    assert [attempt.reason for attempt in dead.attempts] == ["HTTP 410"]
    assert f"did not take the message {dead.message}: HTTP 410" in caplog.text
    assert "482913" not in caplog.text
    assert "/hook" not in caplog.text


async def test_a_sink_that_hangs_keeps_no_other_from_its_messages(
    inbox: Inbox, receiver: Receiver, other_receiver: Receiver
) -> None:
    receiver.answers = [Answer(hangs=True)] * 20
    sinks = a_sink(receiver, "hangs"), a_sink(other_receiver)
    async with running(inbox, *sinks):
        for number in range(20):
            await inbox.receive([a_delivery(text=str(number))])
        await settled(inbox, 20)
        assert await inbox.store.jobs("hangs", DONE, 1) == []


async def test_a_sink_that_takes_too_long_is_tried_again(inbox: Inbox, receiver: Receiver) -> None:
    receiver.answers = [Answer(hangs=True)]
    async with running(inbox, a_sink(receiver), pace=QUICK._replace(attempt_seconds=0.05)):
        await inbox.receive([a_delivery()])
        job = await attempted(inbox, 1)
    assert job.attempts[0].reason == "no answer within 0.05 s"


async def test_a_fault_of_a_sink_ends_neither_the_others_nor_the_server(inbox: Inbox, receiver: Receiver) -> None:
    async def broken(stored: Stored) -> Result:
        raise ZeroDivisionError("the text is secret")

    async with running(inbox, a_sink(receiver, "works"), Sink("hook", None, broken)):
        await inbox.receive([a_delivery()])
        await settled(inbox, 1, sink="works")
        job = await attempted(inbox, 1)
    assert job.attempts[0].reason == "ZeroDivisionError in the sink"


async def test_a_message_that_was_deleted_is_dropped(inbox: Inbox, receiver: Receiver, clock: Clock) -> None:
    receiver.answers = [Answer(503)]
    async with running(inbox, a_sink(receiver)):
        await inbox.receive([a_delivery()])
        job = await attempted(inbox, 1)
        await inbox.store.delete(job.message)
        clock.advance(1)
        (job,) = await settled(inbox, 1)
    assert (job.attempts[-1].outcome, job.attempts[-1].reason) == ("dropped", "the message was deleted")
    assert len(receiver.posts) == 1


async def test_a_store_that_is_away_is_waited_for(inbox: Inbox) -> None:
    away, back = asyncio.Event(), inbox.store

    async def send(stored: Stored) -> Result:
        inbox.store = absent_store("It is away.")
        away.set()
        return Result(TAKEN)

    async with running(inbox, Sink("hook", None, send)):
        await inbox.receive([a_delivery()])
        await away.wait()
        inbox.store = back
        (job,) = await settled(inbox, 1)
    assert [attempt.outcome for attempt in job.attempts] == ["sent"]


async def test_a_queue_of_our_own_outlives_a_store_that_is_away_when_it_begins(inbox: Inbox) -> None:
    back, sent = inbox.store, asyncio.Event()

    async def send(_: Stored) -> Result:
        sent.set()
        return Result(TAKEN)

    delivery = a_delivery()
    await inbox.receive([delivery])
    queue = OwnQueue(inbox, "of our own", send, QUICK)
    inbox.store = absent_store("It is away.")
    sending = asyncio.create_task(queue.keep_sending())
    await asyncio.sleep(0)  # it asks
    inbox.store = back
    await queue.queue(delivery.message.id)
    await asyncio.wait((sending, asyncio.create_task(sent.wait())), return_when=asyncio.FIRST_COMPLETED)
    assert not sending.done()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_what_is_under_way_at_the_end_is_given_back_at_once(inbox: Inbox, receiver: Receiver) -> None:
    receiver.answers = [Answer(hangs=True)]
    async with running(inbox, a_sink(receiver)):
        await inbox.receive([a_delivery(text="one")])
        await eventually(lambda: len(receiver.posts) == 1)
    async with running(inbox, a_sink(receiver)):
        (job,) = await settled(inbox, 1)
    assert [attempt.reason for attempt in job.attempts] == ["the server stopped meanwhile", ""]
    assert receiver.texts == ["one", "one"]


async def test_the_end_of_the_hub_ends_the_queueing_without_an_error(inbox: Inbox, receiver: Receiver) -> None:
    async with running(inbox, a_sink(receiver)):
        inbox.hub.close()
        await inbox.receive([a_delivery()])
    assert inbox.hub.waiting == 0


def a_counting_sink(got: list[str]) -> Send:
    async def send(stored: Stored) -> Result:
        got.append(stored.message.id)
        return Result(TAKEN)

    return send


async def test_a_sink_that_is_pages_behind_catches_up(inbox: Inbox) -> None:
    got: list[str] = []
    await inbox.store.open_sink("hook")
    deliveries = [a_delivery(text=str(number)) for number in range(450)]
    await inbox.receive(deliveries)
    async with running(inbox, Sink("hook", None, a_counting_sink(got))):
        await settled(inbox, 450)
    assert sorted(got) == sorted(delivery.message.id for delivery in deliveries)
