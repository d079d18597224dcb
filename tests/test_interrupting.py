"""A block that is ended from outside raises the reason; what others cancel stays cancelled."""

import asyncio
from collections.abc import Callable

import pytest

from smscatch.interrupting import interruptible


def soon(interrupt: Callable[[Exception], None], reason: str = "enough") -> None:
    asyncio.get_running_loop().call_soon(interrupt, OSError(reason))


async def never() -> None:
    await asyncio.Event().wait()


async def wait_and_end(*reasons: str) -> None:
    with interruptible() as interrupt:
        for reason in reasons:
            soon(interrupt, reason)
        await never()


async def test_a_block_that_waits_is_ended_with_the_first_reason() -> None:
    with pytest.raises(OSError, match=r"^enough$"):
        await wait_and_end("enough", "more than enough")
    await asyncio.sleep(0)  # nothing of it is left


async def test_a_block_that_is_over_is_not_ended() -> None:
    with interruptible() as interrupt:
        pass
    interrupt(OSError("late"))
    await asyncio.sleep(0)


async def test_a_block_that_swallows_its_end_leaves_no_cancellation_behind() -> None:
    with interruptible() as interrupt:
        soon(interrupt)
        with pytest.raises(asyncio.CancelledError):
            await never()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_whoever_cancels_the_task_itself_ends_it() -> None:
    entered = asyncio.Event()

    async def work() -> None:
        with interruptible() as interrupt:
            soon(interrupt)
            entered.set()
            await never()

    task = asyncio.create_task(work())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_of_two_blocks_the_outer_may_be_the_one_that_is_meant() -> None:
    async def wait() -> None:
        with interruptible() as interrupt, interruptible():
            soon(interrupt, "outer")
            await never()

    with pytest.raises(OSError, match="outer"):
        await wait()


async def test_of_two_blocks_the_inner_may_be_the_one_that_is_meant() -> None:
    with interruptible():
        with pytest.raises(OSError, match="inner"):
            await wait_and_end("inner")
        await asyncio.sleep(0)


async def test_a_timeout_inside_that_is_over_at_the_same_moment_does_not_hide_the_reason() -> None:
    async def wait() -> None:
        with interruptible() as interrupt:
            async with asyncio.timeout(0):
                soon(interrupt)
                await never()

    with pytest.raises(OSError, match="enough"):
        await wait()
