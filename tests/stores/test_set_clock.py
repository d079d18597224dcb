"""What a clock that is set may not change, on every store: whose a text is, how long a lease lasts and a line rests.

Leases are kept by the database's clock where it has one, which is not ours to set: there the tests set the clock of a
server, and the time that they need goes by for real. SQLite has the clock of its server.
"""

from datetime import datetime, timedelta

import msgspec
import pytest

from smscatch.clock import elapsed, utc_now
from smscatch.errors import NoFreeLine
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import Lease, Query
from smscatch.sources import join_parts
from smscatch.stores import Delivery, Job, Memo, Store, Wish, open_store
from tests.conftest import SetClock
from tests.samples import LINE, a_delivery, the_parts
from tests.stores.test_leases import lease_of

HOUR = timedelta(hours=1)
STEPS = pytest.mark.parametrize("step", [HOUR, -HOUR, 20 * 365 * 24 * HOUR], ids=["forward", "back", "from the past"])


class Running(SetClock):
    """A clock that goes on, and may be set."""

    def __init__(self, time: datetime) -> None:
        super().__init__()
        self.time = time
        self._started = elapsed()

    def __call__(self) -> datetime:
        return self.time + timedelta(seconds=elapsed() - self._started)

    def elapsed(self) -> float:
        return super().elapsed() + elapsed() - self._started


@pytest.fixture
def hands(request: pytest.FixtureRequest) -> Running:
    """The clock of a server, which will be right when the test has set it by its `step`."""
    step = request.getfixturevalue("step") if "step" in request.fixturenames else timedelta(0)
    return Running(utc_now() - step)


@pytest.fixture
async def inbox(store: Store, hands: Running) -> Inbox:
    return await Inbox.open(store, hands, hands.elapsed)


@pytest.fixture
def leases(inbox: Inbox) -> Leases:
    return Leases(inbox, rest=timedelta(seconds=5), tolerance=timedelta(seconds=60))


def a_request(ticket: str = "") -> Wish:
    return Wish(key="ci", lines=(LINE,), ttl=timedelta(seconds=600), ticket=ticket)


async def left(inbox: Inbox, lease: Lease) -> float:
    """How many seconds a lease still lasts, which changes in a test by the little that the test takes."""
    now = await inbox.store.lease(lease.id)
    assert now is not None
    return round((now.expires_at - await inbox.time()).total_seconds(), -1)


@STEPS
async def test_a_held_lease_goes_on_and_has_its_texts(
    inbox: Inbox, leases: Leases, hands: Running, step: timedelta
) -> None:
    lease = await leases.acquire(a_request(), 0)
    hands.advance(1)
    await inbox.receive([a_delivery(text="before", received_at=hands())])
    hands.set(step)
    await inbox.receive([a_delivery(text="after", received_at=hands(), sent_at=utc_now())])
    assert [await lease_of(inbox.store, text) for text in ("before", "after")] == [(lease.id, False)] * 2
    assert await left(inbox, lease) == 600
    assert (await leases.extend(lease, timedelta(seconds=1200))).released_at is None
    assert await left(inbox, lease) == 1200
    with pytest.raises(NoFreeLine):
        await leases.acquire(a_request(), 0)
    assert (await leases.next_message(lease, Query(), 0, 0)).message.text == "before"


@STEPS
async def test_a_line_rests_no_longer_and_no_shorter(
    inbox: Inbox, leases: Leases, hands: Running, step: timedelta
) -> None:
    lease = await leases.acquire(a_request(), 0)
    await leases.release(lease)
    hands.set(step)
    with pytest.raises(NoFreeLine, match="rests until"):
        await leases.acquire(a_request(), 0)
    await inbox.receive([a_delivery(text="in the rest", received_at=hands())])
    assert await lease_of(inbox.store, "in the rest") == (None, True)
    (resting,) = await leases.held()
    assert 0 < (resting.rests_until - await inbox.time()).total_seconds() <= 5


@STEPS
async def test_what_came_before_a_lease_is_late_also_if_the_clock_was_set_before_it_was_stored(
    inbox: Inbox, leases: Leases, hands: Running, step: timedelta
) -> None:
    old = a_delivery(text="the one", received_at=hands())
    hands.advance(0.5)
    await leases.acquire(a_request(), 0)
    hands.set(step)
    await inbox.receive([old])
    assert await lease_of(inbox.store, "the one") == (None, True)


@STEPS
async def test_the_parts_of_a_text_belong_to_the_lease_though_the_clock_was_set_in_between(
    inbox: Inbox, leases: Leases, hands: Running, step: timedelta
) -> None:
    lease = await leases.acquire(a_request(), 0)
    for part, raw, _ in the_parts("the long one " * 20, sent_at=utc_now()):
        await inbox.receive([Delivery(msgspec.structs.replace(part, received_at=hands()), raw)])
        hands.set(step)
    assert await lease_of(inbox.store, "the long one") == (lease.id, False)


@STEPS
async def test_a_place_in_the_queue_is_kept(inbox: Inbox, hands: Running, step: timedelta) -> None:
    quick = Leases(inbox, rest=timedelta(0), tolerance=timedelta(seconds=60))
    holder = await quick.acquire(a_request(), 0)
    with pytest.raises(NoFreeLine):
        await quick.acquire(a_request(ticket="first in line"), 0.01)
    hands.set(step)
    await quick.release(holder)
    with pytest.raises(NoFreeLine, match="1 wait in front"):
        await quick.acquire(a_request(), 0)
    assert (await quick.acquire(a_request(ticket="first in line"), 0)).line == LINE


async def test_what_texts_told_of_an_smscs_clock_is_forgotten_when_ours_is_set(
    inbox: Inbox, leases: Leases, hands: Running
) -> None:
    """Ours was 30 s behind when the earlier texts came."""
    behind = timedelta(seconds=30)
    hands.set(-behind)
    await inbox.receive([a_delivery(text="earlier", received_at=hands(), sent_at=utc_now()) for _ in range(5)])
    hands.set(behind)
    lease = await leases.acquire(a_request(), 0)
    hands.advance(5)
    await inbox.receive([a_delivery(text="the one", received_at=hands(), sent_at=lease.started_at)])
    assert await lease_of(inbox.store, "the one") == (lease.id, False)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_what_begins_in_the_future_after_a_restart_begins_now(store: Store) -> None:
    """The clock was set back while no server ran."""
    ahead = await Inbox.open(store, now := Running(utc_now() + HOUR), now.elapsed)
    lease = await Leases(ahead, timedelta(seconds=5), HOUR).acquire(a_request(), 0)
    started = await Inbox.open(store)
    await started.heed_clock(is_start=True)
    assert await left(started, lease) == 600


@pytest.mark.parametrize("url", ["postgresql", "mongodb"], indirect=True)
async def test_two_servers_whose_clocks_differ_keep_one_time(
    inbox: Inbox, leases: Leases, url: str, hands: Running
) -> None:
    other_store = await open_store(url, join_parts)
    wrong = Running(utc_now() + HOUR)
    other = await Inbox.open(other_store, wrong, wrong.elapsed)
    try:
        lease = await leases.acquire(a_request(), 0)
        with pytest.raises(NoFreeLine):
            await Leases(other, timedelta(0), HOUR).acquire(a_request(), 0)
        await other.receive([a_delivery(text="the one", received_at=wrong())])
        assert await lease_of(inbox.store, "the one") == (lease.id, False)
    finally:
        await other_store.close()


@pytest.mark.parametrize("rest", [0, 1])
async def test_a_text_that_waited_in_another_servers_spool_goes_to_no_later_lease(
    store: Store, url: str, rest: float
) -> None:
    """With clocks that go on, as servers have them: nothing here is slower than a round trip to the database."""
    other_store = await open_store(url, join_parts)
    here, there = await Inbox.open(store), await Inbox.open(other_store)
    try:
        leases = Leases(here, timedelta(seconds=rest), HOUR)
        first = await leases.acquire(a_request(), 0)
        waiting = a_delivery(text="of the first", received_at=utc_now())
        await leases.release(first)
        second = await leases.acquire(a_request(), 60)
        await there.receive([waiting])
        await there.receive([a_delivery(text="of the second", received_at=utc_now())])
        assert await lease_of(store, "of the first") == (None, True)
        assert await lease_of(store, "of the second") == (second.id, False)
    finally:
        await other_store.close()


@STEPS
async def test_a_job_waits_no_longer_and_no_shorter(inbox: Inbox, hands: Running, step: timedelta) -> None:
    store, minute = inbox.store, timedelta(minutes=1)
    await store.open_sink("hook")
    now = await inbox.time()
    job = Job(sink="hook", position=1, message="m", created_at=now, due_at=now + 10 * minute)
    await store.advance("hook", 0, 1, [job])
    hands.set(step)
    now = await inbox.time()
    assert await store.take_jobs("hook", "one", 1, now=now + 9 * minute, until=now) == []
    assert await store.take_jobs("hook", "one", 1, now=now + 11 * minute, until=now) == [job]


@STEPS
async def test_a_memo_lasts_as_long_as_was_left_of_it(
    store: Store, inbox: Inbox, hands: Running, step: timedelta
) -> None:
    memo = Memo(b"one", await inbox.time() + timedelta(seconds=600))
    await store.change_memo("name", None, memo, await inbox.time())
    hands.set(step)
    now = await inbox.time()
    assert await store.memo("name", now + timedelta(seconds=500)) is not None
    assert await store.memo("name", now + timedelta(seconds=600)) is None
