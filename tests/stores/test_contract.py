"""What every store promises (stores/base.py)."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
import pytest

from smscatch.messages import Query
from smscatch.sources import join_parts
from smscatch.stores import Delivery, Key, Store, open_store
from tests import warm
from tests.patience import until_well
from tests.samples import LINE, NOON, OTHER_LINE, a_delivery, a_message
from tests.stores import others

ALL = Query()
WRITTEN = 240
BATCH = 5  # of one transaction, as the intake takes what waits in the spool


async def texts(store: Store, query: Query = ALL, limit: int = 100) -> list[str]:
    return [stored.message.text for stored in await store.newest(query, limit)]


async def test_what_was_added_is_there_after_opening_again(store: Store, url: str) -> None:
    delivery = a_delivery()
    assert await store.add([delivery]) == 1
    again = await open_store(url, join_parts)
    try:
        found = await again.get(delivery.message.id)
        assert found is not None
        assert found.message == msgspec.structs.replace(delivery.message, cursor="1")
        assert await again.raw(delivery.message.id) == b"raw"
    finally:
        await again.close()


async def test_a_delivery_is_kept_once_however_often_it_comes(store: Store) -> None:
    delivery = a_delivery()
    assert await store.add([delivery, delivery]) == 1
    assert await store.add([delivery]) == 0
    assert len(await texts(store)) == 1


async def test_two_equal_texts_are_two_messages(store: Store) -> None:
    await store.add([a_delivery(), a_delivery()])
    assert len(await texts(store)) == 2


async def test_positions_grow_in_the_order_given_and_are_never_given_twice(store: Store) -> None:
    first, second = a_delivery(text="first"), a_delivery(text="second")
    await store.add([first, second])
    assert [(s.message.text, s.position) for s in await store.after(ALL, 0, 10)] == [("first", 1), ("second", 2)]
    await store.delete(second.message.id)
    await store.add([a_delivery(text="third")])
    assert await store.position() == 3
    assert [s.message.cursor for s in await store.after(ALL, 0, 10)] == ["1", "3"]


async def test_a_reader_behind_concurrent_writers_misses_nothing(store: Store, url: str) -> None:
    other = await open_store(url, join_parts)
    try:

        async def write(target: Store, count: int) -> None:
            for _ in range(count // BATCH):
                await until_well(partial(target.add, [a_delivery() for _ in range(BATCH)]))

        writers = asyncio.gather(*(write(target, WRITTEN // 8) for target in (store, other) for _ in range(4)))
        seen: list[int] = []
        while len(seen) < WRITTEN:
            seen += [s.position for s in await store.after(ALL, seen[-1] if seen else 0, 7)]
        await writers
        assert seen == list(range(1, WRITTEN + 1))
    finally:
        await other.close()


async def test_a_reader_misses_nothing_of_what_several_processes_write(store: Store, url: str) -> None:
    writers = [warm.start(others.write, url, name) for name in "abc"]
    seen: list[int] = []
    while len(seen) < 3 * 60:
        seen += [stored.position for stored in await store.after(ALL, seen[-1] if seen else 0, 7)]
    for writer in writers:
        await asyncio.to_thread(writer.join)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert seen == list(range(1, 181))
    assert [use.messages for use in await store.lines()] == [180]


FILTERS: tuple[tuple[Query, list[str]], ...] = (
    (Query(lines=(LINE,)), ["b", "a"]),
    (Query(lines=(LINE, OTHER_LINE)), ["c", "b", "a"]),
    (Query(lines=()), []),
    (Query(sender="google"), ["c", "b"]),
    (Query(sender="00491701234567"), ["a"]),
    (Query(sender="+49 170 1234567"), ["a"]),
    (Query(sender="491701234567"), ["d", "a"]),
    (Query(sender="491701234567", as_sent=True), ["d"]),
    (Query(sender="+491701234567", as_sent=True), ["a"]),
    (Query(since=NOON + timedelta(minutes=1)), ["c", "b"]),
    (Query(until=NOON + timedelta(minutes=1)), ["d", "a"]),
    (Query(lines=(LINE,), sender="Google", since=NOON), ["b"]),
    (Query(sender_part="oogl"), ["c", "b"]),
    (Query(sender_part="70123"), ["d", "a"]),
    (Query(sender_part="[g]*\0"), []),
    (Query(sender_part="4917", sender="491701234567", as_sent=True), ["d"]),
    (Query(leases=("unknown", "another")), []),
)


async def test_every_filter_must_agree(store: Store) -> None:
    minute = timedelta(minutes=1)
    await store.add(
        [
            a_delivery(text="a", sender="+491701234567"),
            a_delivery(text="b", sender="Google", received_at=NOON + minute),
            a_delivery(text="c", sender="GOOGLE", line=OTHER_LINE, received_at=NOON + 2 * minute),
            a_delivery(text="d", sender="491701234567", line="x", received_at=NOON),
        ]
    )
    for query, expected in FILTERS:
        assert (query, await texts(store, query)) == (query, expected)
        assert (query, [s.message.text for s in await store.after(query, 0, 10)]) == (query, expected[::-1])


async def test_senders_are_found_by_a_part_of_them_each_once(store: Store) -> None:
    for sender in ("Google", "+491701234567", "GOOGLE", "Go.gle", "Zoom", "Google"):
        await store.add([a_delivery(sender=sender)])
    assert await store.senders("oo", 10) == ["google", "zoom"]
    assert await store.senders("70", 10) == ["+491701234567"]
    assert await store.senders("o.g", 10) == ["go.gle"]
    assert await store.senders("o", 2) == ["go.gle", "google"]
    assert await store.senders("absent", 10) == await store.senders("\0", 10) == []


PARTS: dict[str, list[str]] = {
    "482913": ["Your code is 482913"],
    "CODE IS": ["Your code is 482913"],
    "48": ["Your code is 482913"],
    "straße": ['Grüße aus der "Straße" 100%_x'],
    "GRÜSSE": ['Grüße aus der "Straße" 100%_x'],
    '"Straße"': ['Grüße aus der "Straße" 100%_x'],
    "100%_": ['Grüße aus der "Straße" 100%_x'],
    "验证码": ["验证码 1234"],
    "😀": ["Hi 😀"],
    "\0": ["nul \0 in it"],
    "nul \0 in": ["nul \0 in it"],
    "OR text": [],
    "absent": [],
}


@pytest.mark.parametrize("indexed", [True, False])
async def test_contains_finds_any_part_of_a_text(store: Store, indexed: bool) -> None:
    found = ["Your code is 482913", 'Grüße aus der "Straße" 100%_x', "验证码 1234", "Hi 😀", "nul \0 in it"]
    if indexed:  # an add is indexed behind its commit; the index is waited for by closing
        for text in found:
            await store.add([a_delivery(text=text)])
            await asyncio.sleep(0)
    else:
        await store.add([a_delivery(text=text) for text in found])
    assert {part: await texts(store, Query(contains=part)) for part in PARTS} == PARTS


async def test_those_messages_that_there_are_are_found_by_their_ids(store: Store) -> None:
    deliveries = [a_delivery(text=f"text {n}") for n in range(3)]
    await store.add(deliveries)
    first, second, third = (delivery.message.id for delivery in deliveries)
    await store.delete(second)
    found = await store.messages_by_id({first, second, third, "unknown"})
    texts = {id_: (stored.position, stored.message.text) for id_, stored in found.items()}
    assert texts == {first: (1, "text 0"), third: (3, "text 2")}
    assert await store.messages_by_id(()) == {}


async def test_pages_of_a_search_fit_together(store: Store) -> None:
    for batch in range(4):
        await store.add([a_delivery(text=f"code {batch}{n}") for n in range(5)])
    pages, before = [], None
    while page := await store.newest(Query(contains="code"), 3, before=before):
        pages += [s.position for s in page]
        before = page[-1].position
    assert pages == list(range(20, 0, -1))


async def test_newest_stays_behind_after(store: Store) -> None:
    await store.add([a_delivery(text=str(n)) for n in range(5)])
    assert [s.position for s in await store.newest(ALL, 10, before=5, after=2)] == [4, 3]


async def test_has_code_leaves_out_texts_without(store: Store) -> None:
    await store.add([a_delivery(text="Welcome to Acme, thanks for joining"), a_delivery()])
    assert await texts(store, Query(has_code=True)) == ["Your Authy code is 482913"]


async def test_a_deleted_message_is_gone_and_its_delivery_does_not_revive_it(store: Store) -> None:
    delivery = a_delivery()
    await store.add([delivery])
    assert await store.delete(delivery.message.id)
    assert not await store.delete(delivery.message.id)
    assert await store.get(delivery.message.id) is None
    assert await texts(store, Query(contains="Authy")) == []
    assert await store.add([delivery]) == 0


async def test_deleting_a_line_leaves_the_others(store: Store) -> None:
    await store.add([a_delivery(), a_delivery(), a_delivery(line=OTHER_LINE, text="stays")])
    assert await store.delete_lines([LINE]) == 2
    assert await texts(store) == ["stays"]


async def test_deleting_a_line_beside_a_writer_ends_and_takes_nothing_that_came_later(store: Store, url: str) -> None:
    old = [a_delivery() for _ in range(3_000)]
    for start in range(0, len(old), 500):
        await store.add(old[start : start + 500])
    other = await open_store(url, join_parts)
    try:
        deleting = asyncio.create_task(store.delete_lines([LINE]))
        earlier = 0
        later: list[str] = []
        while not deleting.done() or not later:
            has_begun = await other.get(old[0].message.id) is None
            delivery = a_delivery()
            await until_well(partial(other.add, [delivery]))
            if has_begun:
                later.append(delivery.message.id)
            else:
                earlier += 1
        assert len(old) <= await deleting <= len(old) + earlier
        assert all([await store.get(message) is not None for message in later])
    finally:
        await other.close()


async def test_a_prune_beside_a_writer_ends(store: Store, url: str) -> None:
    await store.add([a_delivery(received_at=NOON - timedelta(days=1)) for _ in range(1_000)])
    other = await open_store(url, join_parts)
    try:
        pruning = asyncio.create_task(store.prune(NOON - timedelta(days=2), NOON, up_to=1_000))
        while not pruning.done():
            await other.add([a_delivery()])
        assert await pruning == 1_000
    finally:
        await other.close()


async def test_times_count_down_to_the_millisecond(store: Store) -> None:
    microsecond = timedelta(microseconds=1)
    await store.add([a_delivery(received_at=NOON + 1_999 * microsecond)])
    for since, until, count in ((0, 1_999, 0), (1_999, 2_000, 1), (1_001, 2_999, 1), (2_000, 3_000, 0)):
        query = Query(since=NOON + since * microsecond, until=NOON + until * microsecond)
        assert len(await store.newest(query, 5)) == count
    assert await store.prune(NOON, NOON + 1_999 * microsecond, up_to=1) == 0
    assert await store.prune(NOON, NOON + 2_000 * microsecond, up_to=1) == 1


async def test_the_last_moment_of_all_is_a_time_too(store: Store) -> None:
    end = datetime.max.replace(tzinfo=UTC)
    await store.add([a_delivery()])
    assert await texts(store, Query(since=end)) == []
    assert len(await texts(store, Query(until=end))) == 1
    assert await store.prune(NOON, end, up_to=1) == 1


async def test_a_store_that_can_be_written_passes_its_check(store: Store) -> None:
    await store.add([a_delivery()])
    await store.check()
    assert await store.position() == 1


async def test_prune_deletes_what_is_older(store: Store) -> None:
    await store.add([a_delivery(text="old"), a_delivery(text="new", received_at=NOON + timedelta(days=1))])
    assert await store.prune(NOON, NOON + timedelta(hours=1), up_to=0) == 0
    assert await store.prune(NOON + timedelta(seconds=1), NOON + timedelta(hours=1), up_to=2) == 0
    assert await store.prune(NOON, NOON + timedelta(hours=1), up_to=2) == 1
    assert await texts(store) == ["new"]


async def test_trim_leaves_the_newest_and_knows_the_deliveries_of_the_others(store: Store) -> None:
    deliveries = [a_delivery(text=str(number), received_at=NOON - timedelta(days=number)) for number in range(5)]
    await store.add(deliveries)
    assert await store.trim(5) == 0
    assert await store.trim(2) == 3
    assert await texts(store) == ["4", "3"]
    assert [(use.number, use.messages) for use in await store.lines()] == [(LINE, 2)]
    assert await store.add(deliveries) == 0
    assert await store.trim(2) == 0
    assert await store.trim(0) == 2
    assert await texts(store) == []


async def test_the_size_grows_with_what_is_kept_and_shrinks_with_what_is_deleted(store: Store) -> None:
    empty = await store.size()
    for first in range(0, 40, 10):  # texts of which none repeats another, or they would be compressed
        numbers = range(first, first + 10)
        batch = [a_delivery(text=random.Random(number).randbytes(200).hex()) for number in numbers]
        await until_well(partial(store.add, batch))
    full = await store.size()
    assert full - empty > 40 * 400
    await store.trim(4)
    assert await store.size() < full - 40 * 200


async def test_lines_are_counted(store: Store) -> None:
    await store.add([a_delivery(line=OTHER_LINE), a_delivery(), a_delivery(received_at=NOON + timedelta(hours=1))])
    assert [tuple(use) for use in await store.lines()] == [
        (LINE, 2, NOON + timedelta(hours=1)),
        (OTHER_LINE, 1, NOON),
    ]


async def test_messages_are_counted_by_line_and_day(store: Store) -> None:
    hours = (-13, -11, 0, 11, 12)
    await store.add([a_delivery(received_at=NOON + timedelta(hours=hour)) for hour in hours])
    await store.add([a_delivery(line=OTHER_LINE)])
    today = NOON.date()
    assert await store.days(NOON) == [
        (LINE, today, 3),
        (LINE, today + timedelta(days=1), 1),
        (OTHER_LINE, today, 1),
    ]


async def test_a_key_is_found_by_its_hash_until_revoked(store: Store) -> None:
    key = Key(id="k1", name="ci", scopes=("read",), lines=(LINE,), created_at=NOON)
    session = Key(id="s1", name="ci", scopes=("read",), created_at=NOON, expires_at=NOON, parent="k1")
    await store.add_key(key, b"hash")
    await store.add_key(session, b"session hash")
    assert await store.find_key(b"hash") == key
    assert await store.find_key(b"session hash") == session
    assert await store.find_key(b"another") is None
    assert await store.keys() == [key]
    assert await store.revoke_key("k1")
    assert await store.find_key(b"hash") is None
    assert await store.find_key(b"session hash") is None
    assert not await store.revoke_key("k1")


async def test_a_key_is_changed_and_its_sessions_end(store: Store) -> None:
    key = Key(id="k1", name="ci", scopes=("read",), created_at=NOON)
    await store.add_key(key, b"hash")
    await store.add_key(Key(id="s1", name="ci", scopes=("read",), created_at=NOON, parent="k1"), b"session hash")
    limited = msgspec.structs.replace(key, scopes=("read", "lease"), lines=(LINE,), expires_at=NOON)
    assert await store.change_key(limited)
    assert await store.find_key(b"hash") == limited
    assert await store.find_key(b"session hash") is None
    assert not await store.change_key(msgspec.structs.replace(key, id="k2"))
    await store.prune(NOON - timedelta(days=1), NOON + timedelta(days=1), up_to=0)
    assert await store.find_key(b"hash") is None


async def test_a_batch_that_cannot_be_kept_whole_is_not_kept_at_all(store: Store) -> None:
    # No source lets half a surrogate pair through; here it stands for any bug.
    bad = Delivery(msgspec.structs.replace(a_message(), text="\ud800"), b"")
    with pytest.raises(UnicodeEncodeError):
        await store.add([a_delivery(), bad])
    assert await texts(store) == []
    assert await store.add([a_delivery()]) == 1


async def test_pruning_forgets_sessions_that_are_long_over(store: Store) -> None:
    for n, expires_at in enumerate((NOON, NOON + timedelta(days=2), None)):
        key = Key(id=f"k{n}", name="x", scopes=("read",), created_at=NOON, expires_at=expires_at)
        await store.add_key(key, b"hash %d" % n)
    await store.prune(NOON, NOON + timedelta(days=1), up_to=0)
    assert [key.id for key in await store.keys()] == ["k1", "k2"]


async def test_who_gives_up_a_question_is_heeded_whenever_that_is(store: Store) -> None:
    given_up = 0
    for yields in range(60):
        asking = asyncio.ensure_future(store.after(Query(), 0, 1))
        for _ in range(yields):
            await asyncio.sleep(0)
        if asking.cancel():
            given_up += 1
            with pytest.raises(asyncio.CancelledError):
                await asking
    assert given_up
