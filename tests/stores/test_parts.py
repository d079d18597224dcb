"""Long messages, on every store: parts wait for their others, whatever the order, the gaps and the repeats."""

from datetime import timedelta

import pytest

from smscatch import sources
from smscatch.messages import Message, Part, Query
from smscatch.pdu import encode_deliver
from smscatch.sources import join_parts
from smscatch.stores import Delivery, Store, open_store
from tests.samples import NOON, a_part, of_type, the_parts
from tests.sources import in_parts

TEXT = "Grüße 😀 " * 30 + "code 482913"
SECOND = timedelta(seconds=1)


async def kept(store: Store) -> list[Message]:
    return [stored.message for stored in await store.after(Query(), 0, 100)]


async def test_a_long_message_appears_with_its_last_part_in_whatever_order(store: Store) -> None:
    first, *middle, last = the_parts(TEXT)
    for part in (last, first):
        await store.add([part])
        assert await kept(store) == []
    assert await store.position() == 0
    await store.add(middle)
    (message,) = await kept(store)
    assert (message.text, message.complete, message.code) == (TEXT, True, "482913")
    assert message.parts == len(middle) + 2
    assert await store.newest(Query(contains="code 4829"), 1)


async def test_all_parts_in_one_batch_are_one_message(store: Store) -> None:
    assert await store.add(the_parts(TEXT)) == len(the_parts(TEXT))
    assert [message.text for message in await kept(store)] == [TEXT]


async def test_parts_outlive_a_restart(store: Store, url: str) -> None:
    first, *rest = the_parts(TEXT)
    await store.add([first])
    again = await open_store(url, join_parts)
    await again.add(rest)
    assert [message.text for message in await kept(again)] == [TEXT]
    await again.close()


async def test_a_part_that_is_read_or_sent_again_changes_nothing(store: Store) -> None:
    parts = the_parts(TEXT)
    assert isinstance(parts[0].message, Part)
    assert await store.add([parts[0], parts[0]]) == 1
    assert await store.add([a_part(parts[0].message.content)]) == 0  # the network repeats itself: another delivery
    await store.add(parts[1:])
    assert await store.add([*parts, a_part(parts[0].message.content)]) == 0
    assert len(await kept(store)) == 1


async def test_each_source_joins_its_own_parts_and_no_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sources.KINDS, in_parts.KIND, in_parts.__name__)
    pdus = the_parts("long " * 40)
    assert [pdu.message.reference for pdu in pdus if isinstance(pdu.message, Part)] == [in_parts.REFERENCE] * 2
    await store.add([pdus[0]])
    await store.add([Delivery(in_parts.a_part("code 482913", 2), b"second")])
    assert await kept(store) == []  # though all that a PDU says of which belong together is the same
    await store.add([Delivery(in_parts.a_part("Your ", 1), b"first")])
    (message,) = await kept(store)
    assert (message.source, message.text, message.code) == (in_parts.KIND, "Your code 482913", "482913")
    assert await store.raw(message.id) == b"firstsecond"
    await store.add(pdus[1:])
    assert [message.source for message in await kept(store)] == [in_parts.KIND, "pdu"]


async def test_what_is_overdue_is_shown_incomplete_and_completed_in_place(store: Store) -> None:
    first, *rest = the_parts(TEXT)
    await store.add(rest)
    assert await store.show_incomplete(NOON) == 0
    assert await store.show_incomplete(NOON + SECOND) == 1
    assert await store.show_incomplete(NOON + SECOND) == 0
    (incomplete,) = await kept(store)
    assert (incomplete.complete, incomplete.parts, incomplete.revision) == (False, len(rest), 0)
    assert TEXT.endswith(incomplete.text)
    await store.add([first])
    (whole,) = await kept(store)
    assert (whole.id, whole.text, whole.complete, whole.revision) == (incomplete.id, TEXT, True, 1)
    assert whole.first_cursor == incomplete.cursor
    assert int(whole.cursor) > int(incomplete.cursor)  # so that who read on behind the incomplete one gets it too
    assert await store.newest(Query(contains=TEXT[:20]), 5) != []


async def test_an_incomplete_message_that_was_deleted_stays_so(store: Store) -> None:
    first, *rest = the_parts(TEXT)
    await store.add(rest)
    await store.show_incomplete(NOON + SECOND)
    (incomplete,) = await kept(store)
    await store.delete(incomplete.id)
    await store.add([first])
    assert await kept(store) == []


async def test_parts_of_different_senders_lines_and_totals_do_not_mix(store: Store) -> None:
    authy, google = the_parts(TEXT), the_parts(TEXT.replace("code", "pin!"), sender="Google")
    await store.add([authy[0], *google[1:]])
    assert await kept(store) == []
    await store.add([*authy[1:], google[0]])
    assert sorted((message.sender, message.text == TEXT) for message in await kept(store)) == [
        ("Authy", True),
        ("Google", False),
    ]


async def test_parts_of_senders_that_differ_in_the_type_of_number_alone_do_not_mix(store: Store) -> None:
    texts = [TEXT, TEXT.replace("code", "pin!"), TEXT.replace("code", "PIN:")]
    pdus = [encode_deliver("491701234567", text, NOON, reference=7) for text in texts]
    unknown, international, national = (
        [a_part(of_type(pdu, "491701234567", kind)) for pdu in parts] for kind, parts in enumerate(pdus)
    )
    await store.add([unknown[0], *international[1:], national[0]])
    assert await kept(store) == []
    await store.add([*national[1:], international[0], *unknown[1:]])
    assert sorted((message.sender, message.text) for message in await kept(store)) == [
        ("+491701234567", texts[1]),
        ("491701234567", texts[2]),
        ("491701234567", texts[0]),
    ]


async def test_a_reference_that_is_used_again_begins_another_message(store: Store) -> None:
    lost, later = the_parts("a" * 200), the_parts("b" * 200, sent_at=NOON + timedelta(hours=1))
    await store.add([lost[0]])
    await store.add([later[1]])  # an hour apart: not the other half of the first
    assert await kept(store) == []
    await store.add([later[0]])
    assert [message.text for message in await kept(store)] == ["b" * 200]


async def test_equal_long_texts_with_one_reference_are_two_messages(store: Store) -> None:
    await store.add(the_parts(TEXT))
    await store.add(the_parts(TEXT, sent_at=NOON + SECOND))
    assert [message.text for message in await kept(store)] == [TEXT, TEXT]


async def test_pruning_forgets_the_parts_of_what_was_shown(store: Store) -> None:
    parts = the_parts(TEXT)
    await store.add(parts)
    assert await store.prune(NOON, NOON + SECOND, up_to=1) == 1
    assert await store.add([parts[0]]) == 1  # forgotten, so it is new
    await store.prune(NOON, NOON + SECOND, up_to=1)
    assert await store.show_incomplete(NOON + timedelta(days=1)) == 1  # what was never shown is not pruned
