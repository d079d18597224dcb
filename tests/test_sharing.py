"""What many ask at once is looked up once, and no answer is older than its question."""

import asyncio

import pytest

from smscatch.sharing import Sharing


class Looked:
    """Looks something up, which takes until `go` is set; tells how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Event()

    async def up(self) -> int:
        self.begun += 1
        number = self.begun
        await self.go.wait()
        return number


async def until_begun(looked: Looked, times: int) -> None:
    while looked.begun < times:
        await asyncio.sleep(0)


async def test_all_who_ask_at_once_share_one_answer() -> None:
    sharing, looked = Sharing(), Looked()
    asking = [asyncio.create_task(sharing.ask("what", looked.up)) for _ in range(100)]
    looked.go.set()
    assert await asyncio.gather(*asking) == [1] * 100
    assert await sharing.ask("what", looked.up) == 2, "nothing is kept"


async def test_who_asks_while_it_is_looked_up_is_answered_by_the_next_look() -> None:
    sharing, looked = Sharing(), Looked()
    first = asyncio.create_task(sharing.ask("what", looked.up))
    await until_begun(looked, 1)
    later = [asyncio.create_task(sharing.ask("what", looked.up)) for _ in range(100)]
    await asyncio.sleep(0)
    assert looked.begun == 1, "one at a time"
    looked.go.set()
    assert [await first, *await asyncio.gather(*later)] == [1] + [2] * 100


async def test_another_question_is_another_answer() -> None:
    sharing = Sharing()

    async def find(name: str) -> str:
        return name

    assert await asyncio.gather(*(sharing.ask(name, lambda name=name: find(name)) for name in "ab")) == ["a", "b"]  # type: ignore[misc]


async def test_who_leaves_does_not_end_it_for_the_others() -> None:
    sharing, looked = Sharing(), Looked()
    leaver, stayer = (asyncio.create_task(sharing.ask("what", looked.up)) for _ in range(2))
    await until_begun(looked, 1)
    leaver.cancel()
    await asyncio.wait([leaver])
    looked.go.set()
    assert await stayer == 1


async def test_what_goes_wrong_goes_wrong_for_all_who_asked_and_for_nobody_later() -> None:
    sharing, looked = Sharing(), Looked()
    looked.go.set()

    async def fail() -> int:
        raise OSError("gone")

    asking = [asyncio.create_task(sharing.ask("what", fail)) for _ in range(2)]
    assert [str(error) for error in await asyncio.gather(*asking, return_exceptions=True)] == ["gone"] * 2
    assert await sharing.ask("what", looked.up) == 1


async def test_an_error_that_nobody_waits_for_any_more_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    sharing, failed = Sharing(), asyncio.Event()

    async def fail() -> int:
        failed.set()
        raise OSError("gone")

    asking = asyncio.create_task(sharing.ask("what", fail))
    await asyncio.sleep(0)
    asking.cancel()
    await failed.wait()
    await asyncio.wait([asking])
    assert not caplog.records
