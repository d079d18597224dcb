"""Everything that a store keeps comes out as records, and goes into another store unchanged."""

from datetime import timedelta

import msgspec
import pytest

from smscatch.errors import BadRequest
from smscatch.messages import Query
from smscatch.sources import join_parts
from smscatch.stores import Job, Key, Read, Store, open_store
from smscatch.stores.jobs import BURIED, Attempt, settled
from smscatch.stores.records import (
    DeletedRecord,
    JobRecord,
    LeaseRecord,
    MessageRecord,
    PartRecord,
    PositionRecord,
    Record,
    SinkRecord,
    SourceRecord,
)
from tests.samples import NOON, a_delivery, the_parts
from tests.stores.conftest import MakeUrl
from tests.stores.test_added_sources import GATE, PHONE
from tests.stores.test_leases import a_wish, leased

KINDS = ["position", "message", "part", "deleted", "key", "lease", "read", "sink", "job", "source"]


async def fill(store: Store) -> None:
    """Put something of everything into a store."""
    gone, kept = a_delivery(text="gone"), a_delivery(text="kept \U0001f600")
    await store.add([gone, kept, *the_parts("long " * 50)])
    await leased(store, a_wish())
    late = NOON + timedelta(seconds=1)  # by the clock of another instance; the next two begin in one millisecond
    for ticket, line in (("late", "+1"), ("b", "+2"), ("a", "+3")):
        await leased(store, a_wish(ticket, lines=(line,)), late if ticket == "late" else NOON)
    await store.add([a_delivery(text="leased"), *the_parts("half of it " * 50, reference=8)[:1]])
    await store.show_incomplete(NOON + timedelta(seconds=1))
    await store.add(the_parts("waiting " * 50, reference=9)[:1])
    await store.delete(gone.message.id)
    await store.add_key(Key(id="k1", name="ci", scopes=("read",), created_at=NOON), b"hash")
    await store.add_reads([Read(message=kept.message.id, key="k1", name="ci", at=NOON)])
    cursor = await store.open_sink("hook")
    due = [Job(sink="hook", position=number, message="m", created_at=NOON, due_at=NOON) for number in (100, 99, 9)]
    await store.advance("hook", cursor, 100, due)
    (taken,) = await store.take_jobs("hook", "one", 1, now=NOON, until=NOON)
    await store.settle(settled(taken, Attempt(at=NOON, outcome=BURIED, reason="HTTP 410"), NOON), "one")
    for source in (GATE, PHONE):
        await store.add_source(source)


async def records_of(store: Store) -> list[Record]:
    return [record async for record in store.dump()]


def as_lines(records: list[Record]) -> list[bytes]:
    return [msgspec.json.encode(record) for record in records]


async def test_what_is_dumped_and_loaded_is_dumped_alike(store: Store, other_url: str) -> None:
    await fill(store)
    before = await records_of(store)
    assert list(dict.fromkeys(type(record).__struct_config__.tag for record in before)) == KINDS
    other = await open_store(other_url, join_parts)
    try:
        await other.load([msgspec.json.decode(line, type=Record) for line in as_lines(before)])
        assert as_lines(await records_of(other)) == as_lines(before)
    finally:
        await other.close()


async def test_an_export_is_of_one_moment(store: Store) -> None:
    shown, waiting = (the_parts("of several parts " * 20, reference=number) for number in (8, 9))
    gone = a_delivery()
    await store.add([gone, *shown[:-1]])
    await store.show_incomplete(NOON + timedelta(seconds=1))
    await store.add(waiting[:-1])
    before = await records_of(store)
    dump = store.dump()
    records = [await anext(dump)]
    assert await store.add([shown[-1], waiting[-1], a_delivery()]) == 3
    assert await store.delete(gone.message.id)
    records += [record async for record in dump]
    assert as_lines(records) == as_lines(before)


async def test_an_export_in_small_pages_is_the_same(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(store)
    keys = [Key(id=f"k{number}", name="ci", scopes=("read",), created_at=NOON) for number in range(2, 7)]
    read = [a_delivery() for _ in range(3)]
    await store.add(read)
    for key in keys:
        await store.add_key(key, key.id.encode())
        await store.add_reads([Read(message=each.message.id, key=key.id, name="ci", at=NOON) for each in read])
    before = await records_of(store)
    for backend in ("sqlite", "postgres", "mongo"):
        monkeypatch.setattr(f"smscatch.stores.{backend}.moving.PAGE", 2)
    assert as_lines(await records_of(store)) == as_lines(before)


async def test_an_export_that_is_given_up_is_in_the_way_of_nothing(store: Store) -> None:
    await fill(store)
    dump = store.dump()
    for _ in range(3):
        await anext(dump)
    await dump.aclose()
    await store.add([a_delivery(text="later")])
    assert (await store.newest(Query(), 1))[0].message.text == "later"


async def test_what_is_there_already_is_not_loaded_twice(store: Store) -> None:
    await fill(store)
    before = await records_of(store)
    for record in before:
        if isinstance(
            record, MessageRecord | PartRecord | DeletedRecord | LeaseRecord | SinkRecord | JobRecord | SourceRecord
        ):
            with pytest.raises(BadRequest, match="is there twice"):
                await store.load([PositionRecord(position=99), record])
    assert as_lines(await records_of(store)) == as_lines(before)


@pytest.mark.parametrize("position", [-1, 10**18, 10**30])
def test_a_position_that_no_store_could_have_is_no_record(position: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"kind": "position", "position": %d}' % position, type=Record)


@pytest.mark.parametrize("cursor", ["", "0", "-1", "1e3", "٣", str(10**18), "9" * 5000])
def test_a_message_without_a_position_is_no_record(cursor: str) -> None:
    message = msgspec.to_builtins(a_delivery().message) | {"cursor": cursor}
    line = msgspec.json.encode({"kind": "message", "message": message, "raw": "cmF3"})
    with pytest.raises(msgspec.ValidationError, match="no cursor of a message"):
        msgspec.json.decode(line, type=Record)


async def test_a_way_through_all_stores_and_back_changes_nothing(
    new_sqlite: MakeUrl, new_mongodb: MakeUrl, new_postgresql: MakeUrl
) -> None:
    exports: list[list[bytes]] = []
    for make_url in (new_sqlite, new_mongodb, new_postgresql, new_sqlite):
        store = await open_store(make_url(), join_parts)
        try:
            if exports:
                await store.load([msgspec.json.decode(line, type=Record) for line in exports[-1]])
            else:
                await fill(store)
            exports.append(as_lines(await records_of(store)))
        finally:
            await store.close()
    assert exports[1:] == exports[:1] * 3


async def test_a_loaded_store_goes_on_where_the_other_stopped(store: Store, other_url: str) -> None:
    await fill(store)
    position = await store.position()
    other = await open_store(other_url, join_parts)
    try:
        await other.load(await records_of(store))
        rest = the_parts("waiting " * 50, reference=9)[1:]
        assert await other.add([*rest, a_delivery(text="new")]) == len(rest) + 1
        assert await other.position() == position + 2
        assert [stored.message.text for stored in await other.newest(Query(contains="leased"), 5)] == ["leased"]
        assert (await other.find_key(b"hash")) is not None
    finally:
        await other.close()


async def test_the_first_read_of_each_key_is_kept_until_the_message_is_deleted(store: Store) -> None:
    delivery = a_delivery()
    await store.add([delivery])
    message = delivery.message.id
    first = Read(message=message, key="k1", name="ci", at=NOON)
    other = Read(message=message, key="k2", name="anna", at=NOON + timedelta(seconds=1))
    await store.add_reads([other, first, Read(message="another", key="k1", name="ci", at=NOON)])
    await store.add_reads([Read(message=message, key="k1", name="ci", at=NOON + timedelta(seconds=9))])
    assert await store.reads(message) == [first, other]
    await store.delete(message)
    assert await store.reads(message) == []


async def test_a_read_that_is_put_down_after_its_message_was_deleted_is_not_kept(store: Store) -> None:
    gone, kept = a_delivery(), a_delivery()
    await store.add([gone, kept])
    await store.delete(gone.message.id)
    reads = [Read(message=each.message.id, key="k1", name="ci", at=NOON) for each in (gone, kept)]
    await store.add_reads([*reads, Read(message="never there", key="k1", name="ci", at=NOON)])
    assert [record async for record in store.dump() if isinstance(record, Read)] == [reads[1]]
    await store.prune(NOON, NOON + timedelta(hours=1), up_to=2)
    await store.add_reads(reads)
    assert [record async for record in store.dump() if isinstance(record, Read)] == []
