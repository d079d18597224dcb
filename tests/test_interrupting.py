"""A block that is ended from outside raises the reason; what others cancel stays cancelled."""

import asyncio

import pytest

from smscatch.interrupting import Interruptible


def soon(block: Interruptible, reason: str = "enough") -> None:
    asyncio.get_running_loop().call_soon(block.interrupt, OSError(reason))


async def never() -> None:
    await asyncio.Event().wait()


async def wait_and_end(*reasons: str) -> None:
    with Interruptible() as block:
        for reason in reasons:
            soon(block, reason)
        await never()


async def test_a_block_that_waits_is_ended_with_the_first_reason() -> None:
    with pytest.raises(OSError, match=r"^enough$"):
        await wait_and_end("enough", "more than enough")
    await asyncio.sleep(0)  # nothing of it is left


async def test_a_block_that_is_over_is_not_ended() -> None:
    with Interruptible() as block:
        pass
    block.interrupt(OSError("late"))
    await asyncio.sleep(0)


async def test_a_block_that_swallows_its_end_leaves_no_cancellation_behind() -> None:
    with Interruptible() as block:
        soon(block)
        with pytest.raises(asyncio.CancelledError):
            await never()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_whoever_cancels_the_task_itself_ends_it() -> None:
    entered = asyncio.Event()

    async def work() -> None:
        with Interruptible() as block:
            soon(block)
            entered.set()
            await never()

    task = asyncio.create_task(work())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_of_two_blocks_the_outer_may_be_the_one_that_is_meant() -> None:
    async def wait() -> None:
        with Interruptible() as block, Interruptible():
            soon(block, "outer")
            await never()

    with pytest.raises(OSError, match="outer"):
        await wait()


async def test_of_two_blocks_the_inner_may_be_the_one_that_is_meant() -> None:
    with Interruptible():
        with pytest.raises(OSError, match="inner"):
            await wait_and_end("inner")
        await asyncio.sleep(0)


async def test_a_timeout_inside_that_is_over_at_the_same_moment_does_not_hide_the_reason() -> None:
    async def wait() -> None:
        with Interruptible() as block:
            async with asyncio.timeout(0):
                soon(block)
                await never()

    with pytest.raises(OSError, match="enough"):
        await wait()
