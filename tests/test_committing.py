"""Texts over HTTP: committed together, in their order, once; in the spool while the store is silent."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from smscatch import codes
from smscatch.committing import BATCH, Committer
from smscatch.draining import Drain
from smscatch.errors import StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.intake import Parsed, drain_into, parse_entry
from smscatch.messages import Message, Query, Stored
from smscatch.sources.webhook import JSON, Envelope, write_envelope
from smscatch.spool import Entry, Spool, Writer, write_entry
from smscatch.stores import Delivery
from tests.carrier import eventually
from tests.samples import LINE, NOON

FOREVER = 1e6
_numbers = itertools.count(1)


def an_entry(text: str, **facts: str) -> Entry:
    """A delivery over HTTP as it would lie in the spool."""
    content = msgspec.json.encode({"line": LINE, "sender": "Authy", "text": text} | facts)
    envelope = Envelope(received_at=NOON, address="", content_type=JSON, origin="key x", content=content)
    return Entry(f"{next(_numbers):020d}", "generic", write_envelope(envelope))


def parsed(text: str, **facts: str) -> Parsed:
    return parse_entry(an_entry(text, **facts), lambda line: line)


class House(NamedTuple):
    """An inbox with a spool, and how often its store was asked to keep something."""

    inbox: Inbox
    spool: Spool
    drain: Drain
    adds: list[list[str]]

    def committer(self, patience_seconds: float = FOREVER, **more: Any) -> Committer:
        return Committer(self.inbox, Writer(self.spool.folder), patience_seconds=patience_seconds, **more)

    async def texts(self) -> list[str]:
        return [stored.message.text for stored in await self.inbox.store.after(Query(), 0, 1000)]

    def put_aside(self) -> list[str]:
        return [path.read_text() for path in (self.spool.folder / "rejected").glob("*.txt")]


@pytest.fixture
async def house(inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    spool = Spool(tmp_path / "spool")
    made = House(inbox, spool, drain_into(spool, inbox, lambda line: line), [])
    inbox.catch_up = made.drain.drain
    add = inbox.store.add

    async def noting(deliveries: Sequence[Delivery]) -> int:
        made.adds.append([each.message.text for each in deliveries if isinstance(each.message, Message)])
        return await add(deliveries)

    monkeypatch.setattr(inbox.store, "add", noting)
    yield made
    spool.close()


Add = Callable[[Sequence[Delivery]], Awaitable[int]]


def instead_of(add: Add, answer: Callable[[Add, Sequence[Delivery]], Awaitable[int]]) -> Add:
    """A store's `add` that does something else."""

    async def instead(deliveries: Sequence[Delivery]) -> int:
        return await answer(add, deliveries)

    return instead


async def test_texts_that_come_together_share_a_commit_in_their_order_and_never_see_the_spool(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Writer, "write", lambda *_: pytest.fail("the store is well"))
    committer, texts = house.committer(), [f"text {n}" for n in range(64)]
    await asyncio.gather(*(committer.keep(parsed(text)) for text in texts))
    assert (len(house.adds), await house.texts()) == (1, texts)


async def test_what_a_version_before_called_them_is_asked_once_for_all_that_come_together(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    by_id = house.inbox.store.messages_by_id

    async def noting(ids: Collection[str]) -> dict[str, Stored]:
        asked.append(len(ids))
        return await by_id(ids)

    monkeypatch.setattr(house.inbox.store, "messages_by_id", noting)
    monkeypatch.setattr(house.inbox.store, "get", lambda _: pytest.fail("one by one"))
    committer = house.committer()
    await asyncio.gather(*(committer.keep(parsed(f"text {n}", id=f"{n}")) for n in range(30)))
    assert asked == [30]


async def test_the_codes_of_long_texts_alone_are_found_in_a_thread(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_threads, to_thread = list[object](), asyncio.to_thread

    async def noting(work: Callable[..., object], *given: object) -> object:
        in_threads.append(work)
        return await to_thread(work, *given)

    monkeypatch.setattr(asyncio, "to_thread", noting)
    committer, long = house.committer(), "Your code is 482913. " * 400
    texts = [f"Your code is {n}" for n in range(100_000, 100_064)]
    await asyncio.gather(*(committer.keep(parsed(text)) for text in (*texts, long)))
    kept = await house.inbox.store.after(Query(), 0, 1000)
    assert [stored.message.code for stored in kept] == [*(text[-6:] for text in texts), "482913"]
    assert len(in_threads) == 1


async def test_texts_that_come_during_a_commit_share_the_next_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on, add = asyncio.Event(), house.inbox.store.add

    async def slowly(add: Add, deliveries: Sequence[Delivery]) -> int:
        await going_on.wait()
        return await add(deliveries)

    monkeypatch.setattr(house.inbox.store, "add", instead_of(add, slowly))
    committer = house.committer()
    first = asyncio.create_task(committer.keep(parsed("first")))
    await asyncio.sleep(0)
    others = [asyncio.create_task(committer.keep(parsed(f"{n}"))) for n in range(BATCH + 1)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in (first, *others))
    going_on.set()
    await asyncio.gather(first, *others)
    assert sum(map(len, house.adds)) == BATCH + 2
    assert len(house.adds) <= 3


async def test_a_text_that_the_store_does_not_take_is_in_the_spool_and_comes_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> int:
        raise StoreUnavailable("away")

    committer = house.committer()
    with monkeypatch.context() as away:
        away.setattr(house.inbox.store, "add", instead_of(house.inbox.store.add, fail))
        for n in range(3):
            await committer.keep(parsed(f"text {n}"))
        assert (len(house.spool.names()), await house.texts()) == (3, [])
    await house.drain.drain()
    assert (await house.texts(), house.spool.names()) == (["text 0", "text 1", "text 2"], [])


async def test_a_store_that_is_silent_holds_up_nobody_and_what_it_took_after_all_is_there_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on, asked = asyncio.Event(), asyncio.Event()

    async def hang(add: Add, deliveries: Sequence[Delivery]) -> int:
        asked.set()
        await going_on.wait()
        return await add(deliveries)

    committer = house.committer(patience_seconds=0.001)
    with monkeypatch.context() as hanging:
        hanging.setattr(house.inbox.store, "add", instead_of(house.inbox.store.add, hang))
        await committer.keep(parsed("one"))
        await asked.wait()
        await committer.keep(parsed("two"))
        await committer.keep(parsed("three"))
        assert len(house.spool.names()) == 3
        going_on.set()
        await eventually(lambda: house.adds == [["one"]])
    await house.drain.drain()
    assert await house.texts() == ["one", "two", "three"]


async def test_a_text_does_not_overtake_one_that_lies_in_the_spool(house: House) -> None:
    write_entry(house.spool.folder, an_entry("acknowledged before"))
    await house.committer().keep(parsed("sent afterwards"))
    assert await house.texts() == ["acknowledged before", "sent afterwards"]


async def test_a_silent_store_is_tried_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> int:
        raise StoreUnavailable("away")

    committer = house.committer(silent_seconds=0)
    with monkeypatch.context() as away:
        away.setattr(house.inbox.store, "add", instead_of(house.inbox.store.add, fail))
        await committer.keep(parsed("during"))
    await committer.keep(parsed("afterwards"))
    assert (await house.texts(), house.spool.names()) == (["during", "afterwards"], [])


async def test_a_client_that_hangs_up_takes_no_other_text_with_it(house: House) -> None:
    committer = house.committer()
    tasks = [asyncio.create_task(committer.keep(parsed(f"text {n}"))) for n in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await house.texts() == ["text 0", "text 1", "text 2"]


async def test_one_that_cannot_be_stored_is_put_aside_and_fails_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def choke(add: Add, deliveries: Sequence[Delivery]) -> int:
        if any(b"poison" in delivery.raw for delivery in deliveries):
            raise ValueError("some bug")
        return await add(deliveries)

    monkeypatch.setattr(house.inbox.store, "add", instead_of(house.inbox.store.add, choke))
    committer = house.committer()
    await asyncio.gather(*(committer.keep(parsed(text)) for text in ("one", "poison", "three")))
    await house.drain.drain()
    assert (await house.texts(), house.spool.names()) == (["one", "three"], [])
    assert "some bug" in house.put_aside()[0]


async def test_one_whose_reading_breaks_is_put_aside_and_fails_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_codes = codes.find_codes

    def choke(text: str) -> codes.Reading:
        if text == "poison":
            raise ValueError("some bug")
        return find_codes(text)

    monkeypatch.setattr(codes, "find_codes", choke)
    committer = house.committer()
    await asyncio.gather(*(committer.keep(parsed(text)) for text in ("one", "poison", "three")))
    await house.drain.drain()
    assert (await house.texts(), house.spool.names()) == (["one", "three"], [])
    assert "some bug" in house.put_aside()[0]


async def test_of_what_waits_for_the_store_no_more_is_held_than_so_many_bytes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    spooled: list[Entry] = []
    write = Writer.write

    def noting(self: Writer, *entries: Entry) -> None:
        spooled.extend(entries)
        write(self, *entries)

    monkeypatch.setattr(Writer, "write", noting)
    committer = house.committer(most_waiting_bytes=500)
    await asyncio.gather(*(committer.keep(parsed(f"text {n}")) for n in range(20)))
    assert 0 < len(spooled) < 20
    await house.drain.drain()
    assert sorted(await house.texts()) == sorted(f"text {n}" for n in range(20))


async def test_what_was_acknowledged_is_at_or_before_a_position_that_is_asked_afterwards(house: House) -> None:
    committer = house.committer()
    for n in range(5):
        await committer.keep(parsed(f"text {n}"))
        assert await house.inbox.position() == n + 1
