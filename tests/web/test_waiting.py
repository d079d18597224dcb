"""A wait over HTTP ends with its client: at the moment when that one hangs up, or before it begins."""

import asyncio

import pytest
from starlette.requests import Request

from smscatch.web.leaving import HANG_UP, HangUp
from smscatch.web.waiting import ClientGone, is_gone, unless_gone


def a_request(hang_up: HangUp) -> Request:
    return Request({"type": "http", "headers": [], "state": {HANG_UP: hang_up}})


async def test_a_wait_is_cancelled_when_its_client_hangs_up_and_only_then() -> None:
    hang_up, ended = HangUp(), asyncio.Event()

    async def wait(begun: asyncio.Event) -> None:
        begun.set()
        try:
            await asyncio.Future()
        finally:
            ended.set()

    begun = asyncio.Event()
    waiting = asyncio.create_task(unless_gone(a_request(hang_up), wait(begun)))
    await begun.wait()
    assert not ended.is_set()
    hang_up.come()
    with pytest.raises(ClientGone):
        await waiting
    assert ended.is_set()


async def test_a_wait_of_a_client_that_is_gone_does_not_begin() -> None:
    hang_up = HangUp()
    hang_up.come()

    async def wait() -> None:
        raise AssertionError("it began")

    request = a_request(hang_up)
    with pytest.raises(ClientGone):
        await unless_gone(request, wait())
    assert is_gone(request)


async def test_a_wait_that_is_over_is_not_ended_by_the_end_of_its_connection() -> None:
    hang_up = HangUp()

    async def wait() -> str:
        return "a text"

    assert await unless_gone(a_request(hang_up), wait()) == "a text"
    hang_up.come()
    await asyncio.sleep(0)


async def test_the_server_reads_on_during_a_wait_or_it_would_not_see_who_leaves_behind_a_second_request() -> None:
    read: list[str] = []

    async def wait() -> list[str]:
        return [*read, "waits"]

    assert await unless_gone(a_request(HangUp(lambda: read.append("reads"))), wait()) == ["reads", "waits"]
