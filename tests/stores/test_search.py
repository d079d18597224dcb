"""What is found by words in texts and names, over each store."""

from datetime import timedelta
from typing import Any

from smscatch.messages import Lease, Query
from smscatch.search import MOST_SENDERS, Search
from smscatch.stores import Delivery, Store, Wish
from tests.samples import LINE, NOON, OTHER_LINE, a_delivery

LABELS = {LINE: "Sign-up tests", OTHER_LINE: "Staging"}


async def lease(store: Store, holder: str, line: str = OTHER_LINE) -> Lease:
    minute = timedelta(minutes=1)
    wish = Wish(
        ticket=holder,
        key="ci",
        lines=(line,),
        holder=holder,
        ttl=minute,
        rest=timedelta(0),
        tolerance=timedelta(hours=1),
    )
    (granted,) = (await store.claim([wish], NOON, NOON + minute))[0].leases
    return granted


async def found(store: Store, part: str, limit: int = 10, **filters: Any) -> list[str]:
    search = Search(store, Query(contains=part, **filters), LABELS)
    return [stored.message.text for stored in await search.newest(limit)]


FOUND = {
    "482": ["c", "your code is 482913"],
    "GOOG": ["b"],
    "+49 170": ["c"],
    "check": ["b"],
    "sign-UP": ["c", "your code is 482913"],
    "g": ["c", "b", "your code is 482913"],
    "absent": [],
}


async def test_words_are_found_in_texts_senders_holders_and_labels(store: Store) -> None:
    await store.add([a_delivery(text="your code is 482913", sender="Authy")])
    await lease(store, "Checkout of the shop")
    await store.add([a_delivery(text="b", sender="Google", line=OTHER_LINE)])
    await store.add([a_delivery(text="c", sender="+491704824", line=LINE)])
    for part, expected in FOUND.items():
        assert await found(store, part) == expected
        search = Search(store, Query(contains=part), LABELS)
        assert [stored.message.text for stored in await search.after(0, 10)] == expected[::-1]
        for stored in await store.newest(Query(), 10):
            assert await search.matches(stored.message) == (stored.message.text in expected)


async def test_a_search_keeps_to_its_other_filters_and_leads_on_page_by_page(store: Store) -> None:
    senders = [f"Sender {number}" for number in range(MOST_SENDERS + 5)]
    await store.add([a_delivery(text=sender, sender=sender) for sender in senders])
    await store.add([a_delivery(text="elsewhere", sender="Sender 1", line=OTHER_LINE)])
    assert await found(store, "sender", limit=3) == ["elsewhere", *senders[:-3:-1]]
    assert await found(store, "sender", limit=3, lines=(LINE,)) == senders[:-4:-1]
    assert await found(store, "sender", sender="Sender 1") == ["elsewhere", "Sender 1"]
    search = Search(store, Query(contains="sender 3"), LABELS)
    pages, before = [], None
    while page := await search.newest(4, before=before):
        pages += [stored.message.text for stored in page]
        before = page[-1].position
    assert pages == [sender for sender in reversed(senders) if "Sender 3" in sender]


async def test_the_newest_leases_come_first_whether_they_have_ended_or_not(store: Store) -> None:
    first, second = await lease(store, "first", LINE), await lease(store, "second")
    assert [one.id for one in await store.recent_leases(10)] == [second.id, first.id]
    assert [one.id for one in await store.recent_leases(1)] == [second.id]
    delivery: Delivery = a_delivery(line=LINE)
    await store.add([delivery])
    assert [s.message.id for s in await store.newest(Query(leases=(first.id, second.id)), 10)] == [delivery.message.id]
