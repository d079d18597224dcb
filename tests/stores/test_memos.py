"""Small things that are kept under a name for a while, on every backend."""

import asyncio
from datetime import timedelta

from smscatch.sources import join_parts
from smscatch.stores import Memo, Store, open_store
from tests.samples import NOON

LATER = NOON + timedelta(minutes=10)
ONE, TWO, THREE = (Memo(content, LATER) for content in (b"one", b"two", b"three"))


async def test_a_memo_is_kept_under_its_name_until_it_is_over(store: Store) -> None:
    assert await store.memo("name", NOON) is None
    assert await store.change_memo("name", None, ONE, NOON)
    assert await store.memo("name", NOON) == ONE
    assert await store.memo("other", NOON) is None
    assert await store.memo("name", LATER - timedelta(milliseconds=1)) == ONE
    assert await store.memo("name", LATER) is None


async def test_a_memo_is_changed_by_whoever_knows_what_it_says(store: Store) -> None:
    assert not await store.change_memo("name", ONE, TWO, NOON)
    await store.change_memo("name", None, ONE, NOON)
    assert not await store.change_memo("name", None, TWO, NOON)
    assert await store.change_memo("name", ONE, TWO, NOON)
    assert not await store.change_memo("name", ONE, THREE, NOON)
    assert await store.memo("name", NOON) == TWO


async def test_what_is_over_is_nothing_that_could_be_changed_and_gives_its_name_free(store: Store) -> None:
    await store.change_memo("name", None, ONE, NOON)
    assert not await store.change_memo("name", ONE, TWO, LATER)
    new = Memo(b"new", LATER + timedelta(minutes=10))
    assert await store.change_memo("name", None, new, LATER)
    assert await store.memo("name", LATER) == new


async def test_a_change_that_is_made_again_is_no_other_change(store: Store) -> None:
    assert [await store.change_memo("name", None, ONE, NOON) for _ in range(2)] == [True, True]
    assert [await store.change_memo("name", ONE, TWO, NOON) for _ in range(2)] == [True, True]
    assert await store.memo("name", NOON) == TWO


async def test_of_several_instances_that_change_a_memo_at_once_one_does(store: Store, url: str) -> None:
    other = await open_store(url, join_parts)
    try:
        for before in (None, ONE):
            memos = [Memo(f"{before} {number}".encode(), LATER) for number in range(3)]
            asked = zip((store, other, store), memos, strict=True)
            changed = await asyncio.gather(*(one.change_memo("name", before, memo, NOON) for one, memo in asked))
            assert sorted(changed) == [False, False, True]
            assert await other.memo("name", NOON) == memos[changed.index(True)]
            await store.change_memo("name", memos[changed.index(True)], ONE, NOON)
    finally:
        await other.close()


async def test_memos_that_are_over_are_forgotten_with_what_is_old(store: Store) -> None:
    for name, memo in (("gone", ONE), ("kept", Memo(b"kept", LATER + timedelta(days=1)))):
        await store.change_memo(name, None, memo, NOON)
    await store.prune(NOON - timedelta(days=1), LATER + timedelta(seconds=1), up_to=0)
    assert [await store.memo(name, NOON) is None for name in ("gone", "kept")] == [True, False]
