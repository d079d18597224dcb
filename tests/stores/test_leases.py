"""What every store promises of leases: one holder a line, in the order of asking, and each message to the right one."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smscatch.messages import Lease, Message, Query
from smscatch.sources import join_parts
from smscatch.stores import Claim, Delivery, Store, Wish, open_store
from smscatch.stores.leasing import Arrival, attribute, make_leases
from tests.samples import LINE, NOON, OTHER_LINE, a_delivery, a_message, the_parts


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def a_wish(ticket: str = "a", **facts: Any) -> Wish:
    """A wish for LINE for 60 s, with 5 s of rest."""
    defaults: dict[str, Any] = {
        "ticket": ticket,
        "key": "ci",
        "lines": (LINE,),
        "holder": f"test {ticket}",
        "ttl": timedelta(seconds=60),
        "rest": timedelta(seconds=5),
        "tolerance": timedelta(seconds=60),
    }
    return Wish(**(defaults | facts))


async def claim(store: Store, wish: Wish, now: datetime = NOON, patience: float = 10) -> Claim:
    (claimed,) = await store.claim([wish], now, now + timedelta(seconds=patience))
    return claimed


async def leased(store: Store, wish: Wish, now: datetime = NOON) -> Lease:
    (lease,) = (await claim(store, wish, now)).leases
    return lease


async def lease_of(store: Store, text: str) -> tuple[str | None, bool]:
    """The lease that a message belongs to, and whether it is marked late."""
    (stored,) = await store.newest(Query(contains=text), 1)
    return stored.message.lease, "late" in stored.message.marks


async def release(store: Store, lease: Lease, now: datetime) -> bool:
    ended = msgspec.structs.replace(lease, expires_at=now, rests_until=now + timedelta(seconds=5), released_at=now)
    return await store.change_lease(lease, ended, now)


async def test_a_free_line_is_leased_from_the_newest_position_on(store: Store) -> None:
    await store.add([a_delivery()])
    lease = await leased(store, a_wish())
    assert lease == Lease(
        id=lease.id,
        line=LINE,
        holder="test a",
        key="ci",
        cursor="1",
        started_at=NOON,
        expires_at=at(60),
        rests_until=at(65),
        late_before=at(-60),
    )
    assert await store.lease(lease.id) == lease
    assert await store.leases(at(64)) == [lease]
    assert await store.leases(at(65)) == []
    assert await store.lease("none") is None


async def test_a_leased_line_is_not_free_until_it_has_rested(store: Store) -> None:
    lease = await leased(store, a_wish("a"))
    refused = await claim(store, a_wish("b"), at(1), patience=0)
    assert refused == Claim((), 0, (lease,), refused.number)
    assert (await claim(store, a_wish("b"), at(64.999), patience=0)).leases == ()
    assert (await leased(store, a_wish("b"), at(65))).holder == "test b"


async def test_a_ticket_that_has_a_lease_gets_it_again_and_after_its_end_a_new_one(store: Store) -> None:
    first = await leased(store, a_wish("a"))
    assert await leased(store, a_wish("a"), at(30)) == first
    assert (await claim(store, a_wish("a", key="another key"), at(30))).leases == ()
    assert (await claim(store, a_wish("a"), at(61))).leases == ()
    assert (await leased(store, a_wish("a", lines=(OTHER_LINE,)), at(62))).id != first.id


async def test_who_asked_first_is_served_first(store: Store) -> None:
    lease = await leased(store, a_wish("holder"))
    for n in range(5):
        assert (await claim(store, a_wish(f"w{n}"), at(n), patience=100)).ahead == n
    assert await release(store, lease, at(10))
    for n in (4, 2, 1, 3):
        assert (await claim(store, a_wish(f"w{n}"), at(20), patience=100)).leases == ()
    assert (await claim(store, a_wish("new"), at(20), patience=0)).leases == ()
    assert (await leased(store, a_wish("w0"), at(20))).holder == "test w0"


async def test_of_those_who_ask_together_each_is_answered_in_the_order_of_asking(store: Store) -> None:
    pool = (LINE, OTHER_LINE)
    holder = await leased(store, a_wish("holder"))
    await claim(store, a_wish("before", lines=pool, count=2), at(1), patience=1000)
    wishes = [a_wish("b", lines=pool), a_wish("before", lines=pool, count=2), a_wish("a", lines=pool), a_wish("holder")]
    first = await store.claim(wishes, at(2), at(1000))
    assert [(claimed.leases, claimed.ahead, claimed.held) for claimed in first] == [
        ((), 1, (holder,)),
        ((), 0, (holder,)),
        ((), 2, (holder,)),
        ((holder,), 0, ()),  # which has its line: its answer was lost
    ]
    assert first[1].number < first[0].number < first[2].number
    await store.withdraw("ci", "before")
    assert await release(store, holder, at(3))
    again = await store.claim([*wishes[:1], wishes[2], a_wish("c", lines=pool)], at(20), at(1000))
    assert [[lease.holder for lease in claimed.leases] for claimed in again] == [["test b"], ["test a"], []]
    assert {lease.line for claimed in again for lease in claimed.leases} == {*pool}
    assert again[2].ahead == 0
    assert {lease.holder for lease in again[2].held} == {"test a", "test b"}


async def test_who_has_not_asked_again_is_passed_over(store: Store) -> None:
    lease = await leased(store, a_wish("holder"))
    await claim(store, a_wish("gone"), at(1), patience=10)
    await claim(store, a_wish("b"), at(2), patience=100)
    await release(store, lease, at(3))
    assert (await claim(store, a_wish("b"), at(10.999), patience=100)).leases == ()
    assert (await leased(store, a_wish("b"), at(11))).holder == "test b"


async def test_who_withdraws_leaves_the_queue(store: Store) -> None:
    lease = await leased(store, a_wish("holder"))
    await claim(store, a_wish("a"), at(1), patience=100)
    await claim(store, a_wish("b"), at(2), patience=100)
    await store.withdraw("ci", "a")
    await release(store, lease, at(3))
    assert (await leased(store, a_wish("b"), at(8))).holder == "test b"


async def test_who_stands_in_front_for_another_line_is_in_nobodys_way(store: Store) -> None:
    await leased(store, a_wish("holder"))
    await claim(store, a_wish("front"), at(1), patience=100)
    assert (await leased(store, a_wish("b", lines=(LINE, OTHER_LINE)), at(2))).line == OTHER_LINE


async def test_of_a_pool_the_line_that_rested_longest_is_taken(store: Store) -> None:
    pool = (LINE, OTHER_LINE)
    first = await leased(store, a_wish("a", lines=pool))
    await release(store, first, at(1))
    second = await leased(store, a_wish("b", lines=pool), at(10))
    await release(store, second, at(11))
    third = await leased(store, a_wish("c", lines=pool), at(20))
    assert [lease.line for lease in (first, second, third)] == [LINE, OTHER_LINE, LINE]


async def test_only_a_running_lease_is_changed(store: Store) -> None:
    lease = await leased(store, a_wish())
    longer = msgspec.structs.replace(lease, expires_at=at(120), rests_until=at(125))
    assert await store.change_lease(lease, longer, at(59))
    assert await store.lease(lease.id) == longer
    assert (await claim(store, a_wish("b"), at(100), patience=0)).leases == ()
    assert not await store.change_lease(longer, longer, at(120))
    unknown = msgspec.structs.replace(lease, id="none")
    assert not await store.change_lease(unknown, unknown, at(1))


async def test_of_two_changes_made_at_once_one_fails(store: Store) -> None:
    lease = await leased(store, a_wish())
    longer = msgspec.structs.replace(lease, expires_at=at(600), rests_until=at(605))
    assert await store.change_lease(lease, longer, at(1))
    assert not await store.change_lease(lease, msgspec.structs.replace(lease, expires_at=at(70)), at(1))
    assert not await release(store, lease, at(1))
    assert await release(store, longer, at(1))
    assert not await store.change_lease(longer, longer, at(0))


async def test_a_ticket_that_asks_for_other_lines_stands_in_the_queue_for_those(store: Store) -> None:
    for ticket, line in (("a", LINE), ("b", OTHER_LINE)):
        await leased(store, a_wish(f"holder {ticket}", lines=(line,)))
    await claim(store, a_wish("first", lines=(LINE,)), at(1), patience=1000)
    await claim(store, a_wish("first", lines=(OTHER_LINE,)), at(2), patience=1000)
    assert (await claim(store, a_wish("second", lines=(OTHER_LINE,)), at(65), patience=0)).leases == ()
    assert (await leased(store, a_wish("third", lines=(LINE,)), at(66))).line == LINE


async def test_the_lease_of_a_ticket_is_found_while_it_lasts(store: Store) -> None:
    lease = await leased(store, a_wish("a"))
    assert await store.leases_of("ci", "a", at(59)) == [lease]
    assert await store.leases_of("ci", "a", at(60)) == []
    assert await store.leases_of("another key", "a", at(1)) == []


ARRIVALS: dict[str, tuple[dict[str, Any], bool, bool]] = {
    # facts of the text: whether it is of the lease, whether it is late
    "at the first instant": ({"received_at": at(0)}, True, False),
    "at the last": ({"received_at": at(59.999)}, True, False),
    "while the line rests": ({"received_at": at(60)}, False, True),
    "at the end of the rest": ({"received_at": at(64.999)}, False, True),
    "after the rest": ({"received_at": at(65)}, False, False),
    "just before": ({"received_at": at(-0.001)}, False, True),
    "received before, stored only now": ({"received_at": at(-2.001)}, False, True),
    "sent within the tolerance": ({"received_at": at(5), "sent_at": at(-60)}, True, False),
    "sent clearly before": ({"received_at": at(5), "sent_at": at(-61)}, False, True),
    "sent by an SMSC ahead of time": ({"received_at": at(5), "sent_at": at(3600)}, True, False),
    "to another line": ({"received_at": at(5), "line": OTHER_LINE}, False, False),
}


async def test_a_message_belongs_to_the_lease_that_its_line_has(store: Store) -> None:
    lease = await leased(store, a_wish())
    for text, (facts, is_mine, is_late) in ARRIVALS.items():
        await store.add([a_delivery(text=f"{text}.", **facts)])
        assert (text, *await lease_of(store, f"{text}.")) == (text, lease.id if is_mine else None, is_late)


async def test_the_newest_lease_of_a_line_is_the_one_that_counts(store: Store) -> None:
    await leased(store, a_wish("a"))
    second = await leased(store, a_wish("b"), at(65))
    await store.add([a_delivery(text="first", received_at=at(62)), a_delivery(text="second", received_at=at(66))])
    assert await lease_of(store, "first") == (None, True)
    assert await lease_of(store, "second") == (second.id, False)


async def test_a_long_text_that_began_before_the_lease_is_late(store: Store) -> None:
    parts = the_parts("the long one " * 20)
    await store.add(parts[:1])
    await leased(store, a_wish(), at(10))
    last = parts[1].message
    await store.add([parts[1]._replace(message=msgspec.structs.replace(last, received_at=at(12)))])
    assert await lease_of(store, "the long one") == (None, True)


async def test_a_text_that_is_completed_keeps_its_lease(store: Store) -> None:
    lease = await leased(store, a_wish(), at(-1))
    parts = the_parts("the long one " * 20)
    await store.add(parts[:1])
    assert await store.show_incomplete(at(1)) == 1
    assert await lease_of(store, "the long one") == (lease.id, False)
    await release(store, lease, at(2))
    await leased(store, a_wish("b"), at(10))
    await store.add(parts[1:])
    (stored,) = await store.newest(Query(), 1)
    assert (stored.message.lease, stored.message.revision, stored.message.complete) == (lease.id, 1, True)


async def know_the_clock(store: Store, *, behind: float = 0, transit: float = 2, texts: int = 3, **facts: Any) -> None:
    """Keep texts of an hour before, which took so long from an SMSC whose clock is behind so much, or ahead."""
    received = [at(-3600 + 60 * n) for n in range(texts)]
    sent = timedelta(seconds=transit + behind)
    await store.add([a_delivery(text="earlier", received_at=time, sent_at=time - sent, **facts) for time in received])


@pytest.mark.parametrize("behind", [0, 40, -40], ids=["right", "behind", "ahead"])
async def test_earlier_texts_tell_when_a_text_was_sent(store: Store, behind: float) -> None:
    await know_the_clock(store, behind=behind)
    lease = await leased(store, a_wish())
    for sent, is_late in ((-10, True), (-6, True), (-5, False), (-1, False), (0, False)):
        await store.add([a_delivery(text=f"sent at {sent}.", received_at=at(7), sent_at=at(sent - behind))])
        found = await lease_of(store, f"sent at {sent}.")
        assert (sent, *found) == (sent, None if is_late else lease.id, is_late)


@pytest.mark.parametrize(
    ("facts", "is_late"),
    [
        pytest.param({}, True, id="three"),
        pytest.param({"texts": 2}, False, id="too few"),
        pytest.param({"sender": "Google"}, False, id="of another sender"),
        pytest.param({"sender": "AUTHY"}, True, id="of the sender in capitals"),
        pytest.param({"line": OTHER_LINE}, False, id="to another line"),
        pytest.param({"transit": 30}, False, id="always slow"),
        pytest.param({"behind": -90}, False, id="of a clock more wrong than tolerated"),
    ],
)
async def test_only_enough_texts_of_the_sender_to_the_line_tell(
    store: Store, facts: dict[str, Any], is_late: bool
) -> None:
    await know_the_clock(store, **facts)
    await leased(store, a_wish())
    await store.add([a_delivery(text="the one", received_at=at(7), sent_at=at(-10))])
    assert (await lease_of(store, "the one"))[1] == is_late


async def test_of_two_numbers_with_the_same_digits_one_tells_nothing_of_the_other(store: Store) -> None:
    await know_the_clock(store, sender="+491701234567")
    await leased(store, a_wish())
    late = {"received_at": at(7), "sent_at": at(-10)}
    await store.add([a_delivery(text="other", sender="491701234567", **late)])
    await store.add([a_delivery(text="same", sender="+491701234567", **late)])
    assert [(await lease_of(store, text))[1] for text in ("other", "same")] == [False, True]


async def test_texts_without_a_time_tell_nothing(store: Store) -> None:
    await know_the_clock(store, texts=2)
    await store.add([a_delivery(text="earlier", received_at=at(-60)) for _ in range(3)])
    lease = await leased(store, a_wish())
    await store.add([a_delivery(text="the one", received_at=at(7), sent_at=at(-10))])
    assert await lease_of(store, "the one") == (lease.id, False)


async def test_of_a_sender_that_is_always_slow_a_text_sent_after_the_lease_began_belongs_to_it(store: Store) -> None:
    await know_the_clock(store, transit=30, texts=20)
    lease = await leased(store, a_wish())
    await store.add([a_delivery(text="the one", received_at=at(2), sent_at=at(0))])
    assert await lease_of(store, "the one") == (lease.id, False)


async def test_a_clock_that_was_wrong_once_makes_no_text_late(store: Store) -> None:
    await know_the_clock(store)
    await know_the_clock(store, texts=1, behind=-50)
    lease = await leased(store, a_wish())
    await store.add([a_delivery(text="the one", received_at=at(7), sent_at=at(1))])
    assert await lease_of(store, "the one") == (lease.id, False)


async def test_a_clock_that_was_wrong_is_forgotten_after_twenty_texts(store: Store) -> None:
    await know_the_clock(store, behind=-50)
    await know_the_clock(store, texts=18)
    lease = await leased(store, a_wish())
    for text in ("first", "second"):
        await store.add([a_delivery(text=text, received_at=at(7), sent_at=at(5))])
    assert await lease_of(store, "first") == (None, True)
    assert await lease_of(store, "second") == (lease.id, False)


async def test_texts_of_the_same_batch_tell_the_clock_to_those_behind_them(store: Store) -> None:
    lease = await leased(store, a_wish())
    earlier = [a_delivery(text="earlier", received_at=at(n + 2), sent_at=at(n)) for n in range(3)]
    await store.add([*earlier, a_delivery(text="the one", received_at=at(7), sent_at=at(-10))])
    assert await lease_of(store, "earlier") == (lease.id, False)
    assert await lease_of(store, "the one") == (None, True)


@pytest.mark.parametrize("known", [0, 3])
async def test_a_long_text_that_was_sent_before_the_lease_is_late(store: Store, known: int) -> None:
    await know_the_clock(store, texts=known)
    lease = await leased(store, a_wish())
    for n, (part, raw, _) in enumerate(the_parts("the long one " * 20, sent_at=at(-10))):
        await store.add([Delivery(msgspec.structs.replace(part, received_at=at(7 + n)), raw)])
    assert await lease_of(store, "the long one") == ((None, True) if known else (lease.id, False))


async def test_a_long_text_that_is_shown_without_all_its_parts_may_be_late_too(store: Store) -> None:
    await know_the_clock(store)
    await leased(store, a_wish())
    part, raw, _ = the_parts("the long one " * 20, sent_at=at(-10))[0]
    await store.add([Delivery(msgspec.structs.replace(part, received_at=at(7)), raw)])
    assert await store.show_incomplete(at(8)) == 1
    assert await lease_of(store, "the long one") == (None, True)


def a_text(sent: datetime, transit: float, clock: float) -> Message:
    """A text as it comes from an SMSC whose clock is ahead so much: it tells whole seconds."""
    stamp = (sent + timedelta(seconds=clock)).replace(microsecond=0)
    return a_message(received_at=sent + timedelta(seconds=transit), sent_at=stamp)


def a_lease(tolerance: float) -> Lease:
    wish = a_wish(ttl=timedelta(days=1), tolerance=timedelta(seconds=tolerance))
    return make_leases(wish, [LINE], 0, NOON)[0]


HOURS = st.floats(0, 7200)
NODE = st.floats(-1, 1)  # how much one of the SMSC's nodes is ahead of its clock
EARLIER_TEXTS = st.lists(st.tuples(st.floats(-86400, 0), HOURS, NODE), max_size=30)


@given(clock=st.floats(-3600, 3600), earlier=EARLIER_TEXTS, text=st.tuples(HOURS, HOURS, NODE))
def test_what_was_sent_after_the_lease_began_is_never_late(
    clock: float, earlier: list[tuple[float, float, float]], text: tuple[float, float, float]
) -> None:
    lease = a_lease(tolerance=3602)
    message, *told = (a_text(at(sent), transit, clock + node) for sent, transit, node in (text, *earlier))
    assert attribute(message, lease, Arrival(message.received_at, message.received_at), told).lease == lease.id


@given(clock=st.floats(-59, 59), earlier=EARLIER_TEXTS, sent=st.floats(-200, -5), transit=HOURS)
def test_what_was_sent_before_the_rest_is_always_late_if_three_texts_were_quick(
    clock: float, earlier: list[tuple[float, float, float]], sent: float, transit: float
) -> None:
    lease = a_lease(tolerance=60)
    message = a_text(at(sent), transit - sent, clock)
    times = [(time, took) for time, took, _ in earlier] + [(-3600, 0.99)] * 3
    told = [a_text(at(time), took, clock) for time, took in times]
    assert "late" in attribute(message, lease, Arrival(message.received_at, message.received_at), told).marks


async def test_messages_are_found_by_their_lease(store: Store) -> None:
    await store.add([a_delivery(text="before")])
    lease = await leased(store, a_wish())
    await store.add([a_delivery(text="mine"), a_delivery(text="other line", line=OTHER_LINE)])

    async def texts(query: Query) -> list[str]:
        return [stored.message.text for stored in await store.after(query, 0, 10)]

    assert await texts(Query(lease=lease.id)) == ["mine"]
    assert await texts(Query(lease="")) == ["before", "other line"]
    assert await texts(Query(lease="", lines=(LINE,))) == ["before"]
    assert await texts(Query(lease="", contains="other")) == ["other line"]
    assert await texts(Query(lease="unknown")) == []


async def test_the_parts_that_wait_for_others_are_known(store: Store) -> None:
    parts = the_parts("the long one " * 40)
    await store.add(parts[:2])
    assert [part.number for part in await store.incomplete()] in ([1], [2])
    await store.add(parts[2:])
    assert await store.incomplete() == []


async def test_of_two_that_race_for_a_line_never_both_get_it(store: Store, url: str) -> None:
    other = await open_store(url, join_parts)
    races = 30 if url.startswith("mongodb") else 100  # there each is two commits that a majority has in its journal
    won: Counter[str] = Counter()
    try:
        for race in range(races):
            now = at(100 * race)
            claims = await asyncio.gather(
                claim(store, a_wish(f"{race} here"), now, 0), claim(other, a_wish(f"{race} there"), now, 0)
            )
            leases = [lease for claimed in claims for lease in claimed.leases]
            assert len(leases) == 1
            won[leases[0].holder.split()[-1]] += 1
    finally:
        await other.close()
    assert won.total() == races


async def test_pruning_forgets_leases_that_are_long_over(store: Store) -> None:
    old = await leased(store, a_wish("a"))
    new = await leased(store, a_wish("b", ttl=timedelta(hours=5)), at(100))
    await store.prune(NOON, at(3600), up_to=0)
    assert await store.lease(old.id) is None
    assert await store.lease(new.id) == new


async def test_a_fresh_line_is_one_that_was_never_leased(store: Store) -> None:
    lines = (LINE, OTHER_LINE)
    first = await leased(store, a_wish("a", lines=lines, fresh=True, rest=timedelta(0)))
    second = await leased(store, a_wish("b", lines=lines, fresh=True, rest=timedelta(0)))
    assert {first.line, second.line} == {*lines}
    await release(store, first, at(1))
    assert (await claim(store, a_wish("c", lines=lines, fresh=True), at(100), patience=0)).leases == ()
    assert (await leased(store, a_wish("d", lines=lines), at(100))).line == first.line  # which has rested longer
    assert (await leased(store, a_wish("b", lines=(), fresh=True), at(2))) == second  # the ticket of before


async def test_of_many_who_want_fresh_lines_at_once_each_gets_another(store: Store) -> None:
    lines = tuple(f"+1201555{n:04}" for n in range(100, 130))
    wishes = [a_wish(f"w{n}", lines=lines, fresh=True) for n in range(12)]
    claims = await asyncio.gather(*(claim(store, wish, patience=0) for wish in wishes))
    assert len({claim.leases[0].line for claim in claims}) == len(wishes)


async def test_what_is_caught_beside_a_line_belongs_to_no_lease(store: Store) -> None:
    lease = await leased(store, a_wish())
    aside = a_message(text="aside", received_at=at(1), marks=("caught", "aside"))
    await store.add([Delivery(aside, b"raw"), a_delivery(text="sent", received_at=at(1))])
    assert await lease_of(store, "aside") == (None, False)
    assert await lease_of(store, "sent") == (lease.id, False)
