"""Asking for a line, waiting for it in order, and the waits that end with a lease."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from smscatch.errors import LeaseEnded, NoFreeLine, NoMessage, ShuttingDown, StoreUnavailable, UnknownLease
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import Lease, Query
from smscatch.stores import Claim, Wish
from smscatch.waits import OLDEST, Choice, next_message
from tests.conftest import Clock
from tests.patience import PATIENCE_SECONDS
from tests.samples import LINE, NOON, OTHER_LINE, a_delivery, the_parts

ALL = Query()


def a_request(**facts: Any) -> Wish:
    defaults: dict[str, Any] = {"key": "ci", "lines": (LINE,), "ttl": timedelta(seconds=60)}
    return Wish(**(defaults | facts))


@pytest.fixture
def quick(inbox: Inbox) -> Leases:
    """Leases without a rest, so that a release is felt at once."""
    return unresting(inbox)


def unresting(inbox: Inbox, **seconds: float) -> Leases:
    return Leases(inbox, rest=timedelta(0), tolerance=timedelta(seconds=60), **seconds)


async def queued(leases: Leases, count: int = 1) -> None:
    """Return when so many wait for the line."""
    ahead = -1
    while ahead < count:
        with pytest.raises(NoFreeLine) as caught:
            await leases.acquire(a_request(), 0)
        ahead = caught.value.details["ahead"]


async def test_a_lease_has_its_messages_alone(inbox: Inbox, leases: Leases) -> None:
    lease = await leases.acquire(a_request(holder="test 7"), 0)
    await inbox.receive([a_delivery(line=OTHER_LINE), a_delivery(text="Your code is 123456")])
    found = await leases.next_message(lease, ALL, int(lease.cursor), 1)
    assert found.message.code == "123456"
    with pytest.raises(NoMessage, match=f"belongs to the lease {lease.id} of 'test 7'") as caught:
        await next_message(inbox, Query(lease="", lines=(LINE,)), 0, 0)
    assert caught.value.details["near_misses"][0]["id"] == found.message.id


async def test_a_lease_never_gives_the_code_of_a_text_twice_that_a_modem_stored_twice(
    inbox: Inbox, leases: Leases
) -> None:
    lease = await leases.acquire(a_request(), 0)
    now = inbox.now()
    copies = [a_delivery(source="pdu", sent_at=now, received_at=now, text="Your code is 123456") for _ in range(2)]
    await inbox.receive(copies)
    found = await leases.next_message(lease, ALL, int(lease.cursor), 1)
    assert found.message.code == "123456"
    with pytest.raises(NoMessage):
        await leases.next_message(lease, ALL, found.position, 0)
    assert [stored.message.lease for stored in await inbox.store.after(ALL, 0, 10)] == [lease.id, None]


async def test_what_came_before_a_lease_is_neither_given_nor_told_whatever_after_says(
    inbox: Inbox, leases: Leases
) -> None:
    await inbox.receive([a_delivery(text="Your code is 000000")])
    lease = await leases.acquire(a_request(), 0)
    for choice in (OLDEST, Choice(quiet_seconds=0)):
        with pytest.raises(NoMessage, match="nothing came") as caught:
            await leases.next_message(lease, ALL, 0, 0, choice=choice)
        assert caught.value.details["near_misses"] == []


async def test_a_wait_behind_a_mark_tells_what_it_passed_over(inbox: Inbox, leases: Leases) -> None:
    await inbox.receive([a_delivery(text="Your code is 000000")])
    lease = await leases.acquire(a_request(), 0)
    await inbox.receive([a_delivery(text="Your code is 111111"), a_delivery(sender="Google")])
    mark = await inbox.position()
    with pytest.raises(NoMessage) as caught:
        await leases.next_message(lease, Query(sender="Authy"), mark, 0)
    assert str(caught.value) == (
        f"No message matched in 0 s: nothing came to {LINE} meanwhile; 1 came before and was passed over: the text from"
        " 'Authy' had come before the wait was to begin."
    )
    assert [miss["sender"] for miss in caught.value.details["near_misses"]] == ["Authy"]
    await inbox.receive([a_delivery(text="Your code is 222222")])
    assert (await leases.next_message(lease, ALL, mark, 0)).message.code == "222222"


async def test_the_newest_of_a_lease_is_none_of_the_next_ones(inbox: Inbox, leases: Leases, clock: Clock) -> None:
    lease = await leases.acquire(a_request(), 0)
    await inbox.receive([a_delivery(text=f"Your code is {number:06}") for number in (1, 2)])
    clock.advance(65)
    await leases.acquire(a_request(), 0)
    await inbox.receive([a_delivery(text="Your code is 333333", received_at=clock())])
    found = await leases.next_message(lease, ALL, 0, 5, choice=Choice(quiet_seconds=0.01))
    assert found.message.code == "000002"


async def test_a_busy_line_is_refused_with_its_holder_and_the_time(leases: Leases, clock: Clock) -> None:
    lease = await leases.acquire(a_request(holder="test 7"), 0)
    with pytest.raises(NoFreeLine, match=rf"\{LINE} is leased to 'test 7' until 2026-11-22T12:01:00.000Z") as caught:
        await leases.acquire(a_request(), 0)
    assert caught.value.details["holders"] == [
        {
            "line": LINE,
            "holder": "test 7",
            "expires_at": "2026-11-22T12:01:00.000Z",
            "rests_until": "2026-11-22T12:01:05.000Z",
        }
    ]
    clock.advance(10)
    await leases.release(lease)
    with pytest.raises(NoFreeLine, match=rf"\{LINE} rests until 2026-11-22T12:00:15.000Z after 'test 7'"):
        await leases.acquire(a_request(), 0)


async def test_waiters_are_served_in_the_order_of_asking(quick: Leases) -> None:
    served: list[int] = []

    async def wait(number: int) -> None:
        lease = await quick.acquire(a_request(holder=str(number)), PATIENCE_SECONDS)
        served.append(number)
        await quick.release(lease)

    holder = await quick.acquire(a_request(), 0)
    async with asyncio.TaskGroup() as waiters:
        for number in range(8):
            waiters.create_task(wait(number))
            await queued(quick, number + 1)
        await quick.release(holder)
    assert served == list(range(8))


async def test_however_many_wait_each_release_asks_for_those_in_front_alone(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = unresting(inbox, ask_seconds=PATIENCE_SECONDS)  # nobody's place grows stale
    claim, asked = inbox.store.claim, list[str]()

    async def counted(wishes: Sequence[Wish], *times: Any) -> list[Claim]:
        asked.extend(wish.holder for wish in wishes)
        return await claim(wishes, *times)

    async def use(number: int) -> None:
        await quick.release(await quick.acquire(a_request(holder=str(number)), PATIENCE_SECONDS))

    monkeypatch.setattr(inbox.store, "claim", counted)
    await asyncio.gather(*(use(number) for number in range(40)))
    assert len(asked) <= 4 * 40  # as they come, as each before leaves, and as the line is given back
    assert {*asked} == {str(number) for number in range(40)}


async def test_who_comes_back_with_a_ticket_is_served_before_those_who_came_after_it(inbox: Inbox) -> None:
    quick = unresting(inbox, ask_seconds=PATIENCE_SECONDS)
    holder = await quick.acquire(a_request(), 0)
    with pytest.raises(NoFreeLine):
        await quick.acquire(a_request(ticket="first in line"), 0.01)
    behind = asyncio.create_task(quick.acquire(a_request(), PATIENCE_SECONDS))
    await queued(quick, 2)
    back = asyncio.create_task(quick.acquire(a_request(ticket="first in line"), PATIENCE_SECONDS))
    await quick.release(holder)
    await quick.release(await back)
    await behind


async def test_a_bug_in_a_round_is_raised_by_those_who_were_asked_for(
    inbox: Inbox, quick: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> list[Claim]:
        raise ZeroDivisionError

    await quick.acquire(a_request(), 0)
    monkeypatch.setattr(inbox.store, "claim", broken)
    with pytest.raises(ZeroDivisionError):
        await quick.acquire(a_request(), PATIENCE_SECONDS)


class Round(NamedTuple):
    """Rounds of claims, each of which tells what the store `decided` once it `may_tell`."""

    decided: asyncio.Event
    may_tell: asyncio.Event


@pytest.fixture
def slow_round(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> Round:
    slow, claim = Round(asyncio.Event(), asyncio.Event()), inbox.store.claim

    async def claim_slowly(*arguments: Any) -> list[Claim]:
        claimed = await claim(*arguments)
        slow.decided.set()
        await slow.may_tell.wait()
        return claimed

    monkeypatch.setattr(inbox.store, "claim", claim_slowly)
    return slow


async def test_who_leaves_the_queue_while_a_round_is_under_way_leaves_no_lease_behind(
    quick: Leases, slow_round: Round
) -> None:
    asking = asyncio.create_task(quick.acquire(a_request(), PATIENCE_SECONDS))
    await slow_round.decided.wait()
    asking.cancel()
    asking.cancel()
    slow_round.may_tell.set()
    await asyncio.gather(asking, return_exceptions=True)
    assert (await quick.acquire(a_request(), 0)).line == LINE


async def test_what_a_round_gives_while_the_server_stops_is_not_lost(quick: Leases, slow_round: Round) -> None:
    asking = asyncio.create_task(quick.acquire(a_request(), PATIENCE_SECONDS))
    await slow_round.decided.wait()
    quick.close()
    for _ in range(10):  # turns in which it could be told of the stop instead
        await asyncio.sleep(0)
    slow_round.may_tell.set()
    assert (await asking).line == LINE


async def test_a_waiter_that_gives_up_leaves_the_queue(quick: Leases) -> None:
    holder = await quick.acquire(a_request(), 0)
    waiting = asyncio.create_task(quick.acquire(a_request(), PATIENCE_SECONDS))
    await queued(quick)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await quick.release(holder)
    await quick.acquire(a_request(), 0)


async def test_who_leaves_while_the_store_decides_leaves_no_lease_behind(leases: Leases, slow_round: Round) -> None:
    asking = asyncio.create_task(leases.acquire(a_request(), 0))
    await slow_round.decided.wait()
    asking.cancel()
    slow_round.may_tell.set()
    await asyncio.gather(asking, return_exceptions=True)
    (lease,) = await leases.held()
    assert lease.released_at is not None


async def test_a_waiter_with_a_ticket_keeps_its_place_between_two_requests(quick: Leases) -> None:
    holder = await quick.acquire(a_request(), 0)
    with pytest.raises(NoFreeLine):
        await quick.acquire(a_request(ticket="first in line"), 0.01)
    await quick.release(holder)
    with pytest.raises(NoFreeLine, match="1 wait in front"):
        await quick.acquire(a_request(), 0)
    lease = await quick.acquire(a_request(ticket="first in line"), 0)
    assert await quick.acquire(a_request(ticket="first in line"), 0) == lease


async def test_what_waits_in_the_spool_when_a_lease_begins_is_no_part_of_it(inbox: Inbox, leases: Leases) -> None:
    async def drain() -> None:
        await inbox.receive([a_delivery(text="old 111111")])

    inbox.catch_up = drain
    lease = await leases.acquire(a_request(), 0)
    assert lease.cursor == "1"
    with pytest.raises(NoMessage, match="nothing came"):
        await leases.next_message(lease, ALL, int(lease.cursor), 0)


async def test_what_waits_in_the_spool_when_ones_turn_comes_is_no_part_of_the_lease(
    inbox: Inbox, quick: Leases
) -> None:
    holder = await quick.acquire(a_request(), 0)
    waiting = asyncio.create_task(quick.acquire(a_request(), PATIENCE_SECONDS))
    await queued(quick)
    old = a_delivery(text="old 111111")

    async def drain() -> None:
        await inbox.receive([old])

    inbox.catch_up = drain
    await quick.release(holder)
    assert (await waiting).cursor == "1"


async def test_a_late_text_is_kept_out_and_said_so(inbox: Inbox, leases: Leases) -> None:
    lease = await leases.acquire(a_request(), 0)
    await inbox.receive([a_delivery(sent_at=NOON - timedelta(hours=1))])
    with pytest.raises(NoMessage, match=r"the text from 'Authy' is late \(sent 2026-11-22T11:00:00.000Z, received"):
        await leases.next_message(lease, ALL, int(lease.cursor), 0)


async def test_a_long_text_that_is_not_whole_is_said_to_be_so(inbox: Inbox, leases: Leases) -> None:
    lease = await leases.acquire(a_request(), 0)
    await inbox.receive(the_parts("long " * 60)[:1])
    with pytest.raises(NoMessage, match="a long text from 'Authy' is incomplete: some of its 2 parts are missing"):
        await leases.next_message(lease, ALL, int(lease.cursor), 0)


async def test_a_wait_ends_with_its_lease(inbox: Inbox, leases: Leases, clock: Clock) -> None:
    lease = await leases.acquire(a_request(), 0)
    await inbox.receive([a_delivery(sender="Google")])
    clock.advance(60)
    with pytest.raises(LeaseEnded, match=r"expired at 2026-11-22T12:01:00.000Z: 1 came .*'Google' is not 'Authy'"):
        await leases.next_message(lease, Query(sender="Authy"), 0, 30)


async def test_what_came_in_time_is_there_after_the_end_of_the_lease(
    inbox: Inbox, leases: Leases, clock: Clock
) -> None:
    lease = await leases.acquire(a_request(), 0)
    await inbox.receive([a_delivery()])
    clock.advance(60)
    assert (await leases.next_message(lease, ALL, 0, 30)).message.lease == lease.id


async def test_a_lease_can_be_extended_until_it_ends(leases: Leases, clock: Clock) -> None:
    lease = await leases.acquire(a_request(), 0)
    clock.advance(50)
    longer = await leases.extend(lease, timedelta(seconds=60))
    assert longer.expires_at == NOON + timedelta(seconds=110)
    assert (await leases.extend(longer, timedelta(seconds=1))).expires_at == longer.expires_at
    clock.advance(60)
    with pytest.raises(LeaseEnded, match="expired"):
        await leases.extend(longer, timedelta(seconds=60))


async def test_a_wait_goes_on_when_its_lease_is_extended_meanwhile(
    inbox: Inbox, leases: Leases, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = await leases.acquire(a_request(ttl=timedelta(seconds=0.1)), 0)
    looked, get = asyncio.Event(), leases.get

    async def get_and_tell(lease_id: str) -> Lease:
        found = await get(lease_id)
        looked.set()
        return found

    await leases.extend(lease, timedelta(seconds=60))
    monkeypatch.setattr(leases, "get", get_and_tell)
    wait = asyncio.create_task(leases.next_message(lease, ALL, 0, PATIENCE_SECONDS))  # it knows the lease of before
    await looked.wait()
    await inbox.receive([a_delivery()])
    assert (await wait).message.lease == lease.id


async def test_of_many_extensions_at_once_the_longest_holds(leases: Leases) -> None:
    lease = await leases.acquire(a_request(), 0)
    await asyncio.gather(*(leases.extend(lease, timedelta(seconds=seconds)) for seconds in (61, 600, 62, 63)))
    assert (await leases.get(lease.id)).expires_at == NOON + timedelta(seconds=600)
    await asyncio.gather(leases.extend(lease, timedelta(seconds=700)), leases.release(lease), return_exceptions=True)
    released = await leases.get(lease.id)
    assert released.released_at == NOON
    with pytest.raises(LeaseEnded, match="was released"):
        await leases.extend(released, timedelta(seconds=60))


async def test_who_waited_in_vain_is_in_nobodys_way(quick: Leases) -> None:
    holder = await quick.acquire(a_request(), 0)
    for _ in range(3):
        with pytest.raises(NoFreeLine):
            await quick.acquire(a_request(), 0.01)
    await quick.release(holder)
    await quick.acquire(a_request(), 0)


async def test_a_request_is_given_up_by_its_ticket(leases: Leases) -> None:
    lease = await leases.acquire(a_request(ticket="mine"), 0)
    with pytest.raises(NoFreeLine):
        await leases.acquire(a_request(ticket="another"), 0.01)
    await leases.give_up("ci", "another")
    await leases.give_up("ci", "mine")
    await leases.give_up("ci", "unknown")
    assert (await leases.get(lease.id)).released_at == NOON
    with pytest.raises(NoFreeLine) as caught:
        await leases.acquire(a_request(), 0)
    assert caught.value.details["ahead"] == 0


async def test_a_wait_learns_that_its_lease_was_released(inbox: Inbox) -> None:
    leases = unresting(inbox, look_seconds=0.02)
    lease = await leases.acquire(a_request(), 0)
    waiting = asyncio.create_task(leases.next_message(lease, ALL, 0, 300))
    await leases.release(lease)
    with pytest.raises(LeaseEnded, match="was released"):
        await waiting


async def test_a_store_that_is_busy_for_a_moment_does_not_end_a_wait_for_a_line(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = unresting(inbox, ask_seconds=0.02)
    claim, failures = inbox.store.claim, [StoreUnavailable("busy")]

    async def busy_at_first(*arguments: Any) -> list[Claim]:
        if failures:
            raise failures.pop()
        return await claim(*arguments)

    monkeypatch.setattr(inbox.store, "claim", busy_at_first)
    assert (await quick.acquire(a_request(), PATIENCE_SECONDS)).line == LINE


async def test_of_later_leases_a_leaseholder_learns_nothing(inbox: Inbox, leases: Leases, clock: Clock) -> None:
    lease = await leases.acquire(a_request(), 0)
    clock.advance(65)
    await leases.acquire(a_request(), 0)
    await inbox.receive([a_delivery(received_at=clock())])
    with pytest.raises(LeaseEnded) as caught:
        await leases.next_message(lease, ALL, 0, 0)
    assert caught.value.details["near_misses"] == []


async def test_released_twice_is_released_once(leases: Leases, clock: Clock) -> None:
    lease = await leases.acquire(a_request(), 0)
    await leases.release(lease)
    clock.advance(3)
    await leases.release(lease)
    assert (await leases.get(lease.id)).released_at == NOON
    with pytest.raises(UnknownLease):
        await leases.get("none")


async def test_who_waits_for_a_line_is_told_when_the_server_stops(leases: Leases) -> None:
    await leases.acquire(a_request(), 0)
    waiting = asyncio.create_task(leases.acquire(a_request(), PATIENCE_SECONDS))
    await queued(leases)
    leases.close()
    with pytest.raises(ShuttingDown):
        await waiting


async def test_a_killed_holders_line_is_free_after_its_time_and_the_rest(leases: Leases, clock: Clock) -> None:
    await leases.acquire(a_request(), 0)
    clock.advance(64.9)
    with pytest.raises(NoFreeLine):
        await leases.acquire(a_request(), 0)
    clock.advance(0.1)
    await leases.acquire(a_request(), 0)


async def test_a_group_is_refused_with_who_has_what(leases: Leases) -> None:
    await leases.acquire(a_request(holder="test 7"), 0)
    with pytest.raises(NoFreeLine) as caught:
        await leases.acquire_all(a_request(lines=(LINE, OTHER_LINE), count=2), 0)
    said = str(caught.value)
    assert said.startswith(f"No 2 lines that would do are free: {LINE} is leased to 'test 7' until 2026-11-22T12:01:00")
    assert "and rests then; only 1 of 2 is free. Wait longer" in said
    assert (caught.value.details["count"], len(caught.value.details["holders"])) == (2, 1)


async def test_two_that_want_two_get_them_one_after_the_other(quick: Leases) -> None:
    pair = a_request(lines=(LINE, OTHER_LINE), count=2)
    first = await quick.acquire_all(pair, 0)
    waiting = asyncio.create_task(quick.acquire_all(pair, 60))
    await asyncio.sleep(0)
    await quick.release(*first)
    assert {lease.line for lease in await waiting} == {LINE, OTHER_LINE}


async def test_a_group_is_extended_and_released_as_a_whole(leases: Leases, clock: Clock) -> None:
    pair = await leases.acquire_all(a_request(lines=(LINE, OTHER_LINE), count=2), 0)
    clock.advance(50)
    longer = await leases.extend_all(pair, timedelta(seconds=60))
    assert [lease.expires_at for lease in longer] == [NOON + timedelta(seconds=110)] * 2
    await leases.release(longer[0])
    left = await leases.extend_all(await leases.get_all(pair[0].group or ""), timedelta(seconds=100))
    assert [lease.expires_at for lease in left] == [NOON + timedelta(seconds=50), NOON + timedelta(seconds=150)]
    await leases.release(*await leases.get_all(pair[0].group or ""))
    with pytest.raises(LeaseEnded, match="was released"):
        await leases.extend_all(await leases.get_all(pair[0].group or ""), timedelta(seconds=60))


async def test_a_group_of_which_one_expired_is_not_extended(leases: Leases, clock: Clock) -> None:
    first, second = await leases.acquire_all(a_request(lines=(LINE, OTHER_LINE), count=2), 0)
    await leases.extend(second, timedelta(seconds=90))
    clock.advance(60)
    with pytest.raises(LeaseEnded, match=rf"\{first.line} expired"):
        await leases.extend_all(await leases.get_all(first.group or ""), timedelta(seconds=90))


async def test_of_a_group_whose_answer_was_lost_all_lines_are_given_up(leases: Leases) -> None:
    pair = await leases.acquire_all(a_request(lines=(LINE, OTHER_LINE), count=2, ticket="lost one"), 0)
    await leases.give_up("ci", "lost one")
    assert [lease.released_at for lease in await leases.get_all(pair[0].group or "")] == [NOON, NOON]
