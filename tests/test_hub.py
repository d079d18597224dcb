"""Whom the hub asks and wakes when a text comes: counted, not timed."""

import contextlib
from typing import ClassVar

import pytest

from smscatch.hub import Hub
from smscatch.messages import Message, Query, Stored, encode_message
from tests.samples import LINE, OTHER_LINE, a_message


class Asked(Query, frozen=True):
    """A query that counts how often it was held against a text."""

    times: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        Asked.times += 1
        return super().matches(message)


@pytest.fixture(autouse=True)
def nobody_was_asked() -> None:
    Asked.times = 0


def stored(message: Message, position: int = 1) -> Stored:
    return Stored(position, encode_message(message))


async def test_who_waits_on_other_lines_or_for_other_leases_is_not_asked() -> None:
    hub = Hub()
    with contextlib.ExitStack() as stack:
        for number in range(100):
            stack.enter_context(hub.subscribe(Asked(lines=(OTHER_LINE,), contains=str(number))))
            stack.enter_context(hub.subscribe(Asked(lines=(LINE,), lease=f"lease {number}")))
        meant = stack.enter_context(hub.subscribe(Asked(lines=(LINE,))))
        all_lines = stack.enter_context(hub.subscribe(Asked()))
        text = stored(a_message(line=LINE))
        hub.publish(text)
        assert await anext(meant) is await anext(all_lines) is text
    assert Asked.times == 2
    assert hub.waiting == 0


async def test_many_with_the_same_query_ask_it_once_and_each_is_woken() -> None:
    hub = Hub()
    with contextlib.ExitStack() as stack:
        waiters = [stack.enter_context(hub.subscribe(Asked(lines=(LINE,), has_code=False))) for _ in range(100)]
        text = stored(a_message(line=LINE))
        hub.publish(text)
        assert [await anext(waiter) for waiter in waiters] == [text] * 100
    assert Asked.times == 1


async def test_who_wants_several_lines_or_leases_is_told_each_text_once() -> None:
    hub = Hub()
    texts = [stored(a_message(line=line, lease=lease)) for line in (LINE, OTHER_LINE) for lease in (None, "a", "b")]
    with (
        hub.subscribe(Query(lines=(LINE, OTHER_LINE))) as both,
        hub.subscribe(Query(leases=("a", "b"))) as leases,
        hub.subscribe(Query(lease="", lines=(LINE,))) as unleased,
    ):
        for text in texts:
            hub.publish(text)
        assert [await anext(both) for _ in texts] == texts
        assert [await anext(leases) for _ in range(4)] == [texts[1], texts[2], texts[4], texts[5]]
        assert await anext(unleased) is texts[0]
    assert not hub._places, "who left leaves nothing behind"
