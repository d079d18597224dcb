"""The sources that were added while a server ran, on every backend."""

import asyncio

import msgspec

from smscatch.stores import Store
from smscatch.stores.records import AddedSource
from tests.samples import LINE, NOON

GATE = AddedSource(
    name="gate",
    created_at=NOON,
    kind="signed",
    secrets=("new", "old"),
    public_url="https://sms.example/api/v1/inbound/gate",
    lines=(LINE,),
    fields={"text": "body"},
    signature={"how": "jwt", "claims": {"iss": "x"}},
)
PHONE = msgspec.structs.replace(GATE, name="a-phone", kind="smsgate")


async def test_sources_are_kept_by_name_until_they_are_removed(store: Store) -> None:
    assert await store.added_sources() == []
    assert [await store.add_source(source) for source in (GATE, PHONE)] == [True, True]
    assert await store.added_sources() == [PHONE, GATE]
    assert [await store.remove_source("a-phone") for _ in range(2)] == [True, False]
    assert await store.added_sources() == [GATE]


async def test_of_two_who_add_a_source_of_one_name_one_is_refused(store: Store) -> None:
    others = [msgspec.structs.replace(GATE, secrets=(str(number),)) for number in range(4)]
    added = await asyncio.gather(*(store.add_source(other) for other in others))
    assert sorted(added) == [False, False, False, True]
    assert await store.added_sources() == [others[added.index(True)]]


async def test_a_source_is_changed_by_whoever_knows_how_it_is(store: Store) -> None:
    await store.add_source(GATE)
    changes = [msgspec.structs.replace(GATE, secrets=(str(number), "new")) for number in range(2)]
    changed = await asyncio.gather(*(store.change_source(GATE, change) for change in changes))
    assert sorted(changed) == [False, True]
    assert await store.added_sources() == [changes[changed.index(True)]]
    assert not await store.change_source(PHONE, PHONE)
