"""What every store promises of groups: several lines at once, all or none, in the order of asking."""

import asyncio

from smscatch.sources import join_parts
from smscatch.stores import Claim, Store, open_store
from tests.samples import LINE, NOON, OTHER_LINE, a_delivery
from tests.stores.test_leases import a_wish, at, claim, leased, release

THIRD_LINE = "+447700900003"
POOL = (LINE, OTHER_LINE, THIRD_LINE)


async def test_a_group_gets_its_lines_at_once_from_one_position_on(store: Store) -> None:
    await store.add([a_delivery()])
    first, second = (await claim(store, a_wish("a", lines=POOL, count=2))).leases
    assert {first.line, second.line} == {LINE, OTHER_LINE}
    assert (first.id, second.id) == (f"{first.group}.1", f"{first.group}.2")
    assert (first.cursor, second.cursor, first.expires_at, second.expires_at) == ("1", "1", at(60), at(60))
    assert await store.leases_by_id([second.id, "none", first.id]) == {first.id: first, second.id: second}
    assert await store.lease(first.group or "") is None
    assert await store.leases_by_id([]) == {}
    assert await store.lease(second.id) == second


async def test_of_a_group_nothing_is_leased_until_all_is_free(store: Store) -> None:
    held = await leased(store, a_wish("a", lines=(LINE,)))
    pool = (LINE, OTHER_LINE)
    refused = await claim(store, a_wish("pair", lines=pool, count=2), at(1), patience=0)
    assert refused == Claim((), 0, (held,), refused.number)
    assert await store.leases(at(1)) == [held]


async def test_who_waits_for_two_is_not_overtaken_by_those_who_want_one(store: Store) -> None:
    pool = (LINE, OTHER_LINE)
    first = await leased(store, a_wish("a", lines=pool))
    second = await leased(store, a_wish("b", lines=pool))
    assert (await claim(store, a_wish("pair", lines=pool, count=2), at(1), patience=1000)).leases == ()
    await release(store, first, at(2))
    for n in range(3):  # one line is free, and kept
        behind = await claim(store, a_wish(f"one {n}", lines=pool), at(10 + n), patience=1000)
        assert (behind.leases, behind.ahead) == ((), 1 + n)
    assert (await claim(store, a_wish("pair", lines=pool, count=2), at(20), patience=1000)).leases == ()
    await release(store, second, at(21))
    pair = (await claim(store, a_wish("pair", lines=pool, count=2), at(26), patience=1000)).leases
    assert {lease.line for lease in pair} == set(pool)


async def test_who_waits_for_two_keeps_no_more_than_two(store: Store) -> None:
    held = [await leased(store, a_wish(f"a{n}", lines=POOL)) for n in range(2)]
    assert (await claim(store, a_wish("pair", lines=POOL[:2], count=2), at(1), patience=1000)).leases == ()
    assert (await leased(store, a_wish("one", lines=POOL), at(2))).line == THIRD_LINE
    await release(store, held[0], at(3))
    assert (await claim(store, a_wish("other", lines=POOL), at(10), patience=0)).leases == ()


async def test_of_pairs_that_want_each_others_lines_one_after_the_other_gets_both(store: Store, url: str) -> None:
    other = await open_store(url, join_parts)
    pool = (LINE, OTHER_LINE)
    try:
        for race in range(20):
            now = at(100 * race)
            here, there = await asyncio.gather(
                claim(store, a_wish(f"{race} here", lines=pool, count=2), now, patience=0),
                claim(other, a_wish(f"{race} there", lines=pool[::-1], count=2), now, patience=0),
            )
            assert sorted((len(here.leases), len(there.leases))) == [0, 2]
    finally:
        await other.close()


async def test_a_ticket_gets_its_group_again_and_after_its_end_a_new_one(store: Store) -> None:
    pair = a_wish("a", lines=POOL, count=2)
    first = (await claim(store, pair)).leases
    assert (await claim(store, pair, at(30))).leases == first
    assert await store.leases_of("ci", "a", at(59)) == list(first)
    assert (await claim(store, pair, at(61), patience=0)).leases == ()
    again = (await claim(store, pair, at(66))).leases
    assert again[0].group != first[0].group


async def test_a_line_of_a_group_may_be_given_back_before_the_others(store: Store) -> None:
    first, second = (await claim(store, a_wish("a", lines=POOL[:2], count=2))).leases
    await release(store, first, at(1))
    assert (await leased(store, a_wish("b", lines=POOL[:2]), at(6))).line == first.line
    assert await store.lease(second.id) == second


async def test_a_group_of_one_is_a_group(store: Store) -> None:
    (lease,) = (await claim(store, a_wish("a", count=1))).leases
    assert lease.id == f"{lease.group}.1"


async def test_a_group_of_more_than_nine_keeps_its_order(store: Store) -> None:
    lines = tuple(f"+4477009001{n:02}" for n in range(12))
    leases = (await claim(store, a_wish("a", lines=lines, count=12), NOON)).leases
    assert [lease.line for lease in leases] == list(lines)
    assert await store.leases_of("ci", "a", at(1)) == list(leases)
