"""Wrong keys are logged and slowed down, for their address alone; right ones are not."""

import asyncio

import httpx2
import pytest
from starlette.requests import Request

from smscatch import tries as limits
from smscatch.errors import TooManyTries, Unauthorized
from smscatch.tries import Tries
from smscatch.web.addresses import PEER, address_of
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS

HERE, THERE = "192.0.2.1", "192.0.2.2"


class Door:
    """Tries with a pause that lasts until it is told to end, and the wrong keys that were looked at meanwhile."""

    def __init__(self) -> None:
        self.tries = Tries()
        self.looked_at: list[str] = []
        self.pauses: list[asyncio.Future[None]] = []

    def knock(self, key: str, address: str = HERE) -> asyncio.Task[str]:
        return asyncio.ensure_future(self.tries.check(address, key.encode(), lambda: self._find(key), self._pause))

    async def _find(self, key: str) -> str:
        self.looked_at.append(key)
        if key.startswith("wrong"):
            raise Unauthorized("It is wrong.")
        return key

    async def _pause(self) -> None:
        self.pauses.append(asyncio.get_running_loop().create_future())
        await self.pauses[-1]


@pytest.fixture
async def door() -> Door:
    return Door()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_an_address_tries_one_wrong_key_a_pause_over_all_its_connections(door: Door) -> None:
    first = door.knock("wrong 0")
    await settle()
    others = [door.knock(f"wrong {number}") for number in range(1, 6)]
    await settle()
    assert door.looked_at == ["wrong 0"]
    for number in range(6):
        assert door.looked_at == [f"wrong {one}" for one in range(number + 1)]
        door.pauses[number].set_result(None)
        await settle()
    for task in (first, *others):
        with pytest.raises(Unauthorized):
            await task


async def test_a_right_key_from_another_address_is_not_held_up(door: Door) -> None:
    tasks = [door.knock(f"wrong {number}") for number in range(40)]
    await settle()
    assert await door.knock("right", THERE) == "right"
    await cancel(tasks)


async def test_a_key_that_was_good_before_passes_wherever_wrong_ones_come_from(door: Door) -> None:
    assert await door.knock("right") == "right"
    tasks = [door.knock(f"wrong {number}") for number in range(40)]
    await settle()
    assert await asyncio.gather(*(door.knock("right") for _ in range(100))) == ["right"] * 100
    await cancel(tasks)


async def test_right_keys_that_nobody_knows_yet_come_in_together(door: Door) -> None:
    assert await asyncio.gather(*(door.knock(f"right {number}") for number in range(100)))


async def test_more_than_so_many_tries_are_refused_unseen(door: Door) -> None:
    tasks = [door.knock("wrong")]
    await settle()
    tasks += [door.knock(f"wrong {number}") for number in range(limits.MAX_WAITING + 5)]
    await settle()
    refused = [task for task in tasks if task.done() and isinstance(task.exception(), TooManyTries)]
    assert len(refused) == 6
    assert door.looked_at == ["wrong"]
    await cancel(tasks)


async def test_nothing_is_kept_of_an_address_that_is_done(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_GOOD", 3)
    for number in range(10):
        task = door.knock(f"wrong {number}", f"192.0.2.{number}")
        await settle()
        door.pauses[-1].set_result(None)
        with pytest.raises(Unauthorized):
            await task
        await door.knock(f"right {number}")
    assert (len(door.tries._queues), len(door.tries._good)) == (0, 3)


async def cancel(tasks: list[asyncio.Task[str]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:7::1", "2001:db8:0:7::/64"),
        ("2001:db8:0:7:ffff::2", "2001:db8:0:7::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_of_ipv6_is_its_network(host: str, address: str) -> None:
    assert address_of(Request({"type": "http", PEER: (host, 1), "client": ("203.0.113.1", 0)})) == address


def test_a_wrong_key_is_logged_without_it_and_under_the_address_of_the_connection(server: Server) -> None:
    headers = {"x-forwarded-for": "203.0.113.9"}
    wrong = {"authorization": "Bearer a-wrong-key-of-the-tests"} | headers
    assert httpx2.get(f"{server.url}/api/v1/lines", headers=wrong, timeout=PATIENCE_SECONDS).status_code == 401
    form = {"key": "another-wrong-key-of-tests"}
    assert httpx2.post(f"{server.url}/login", data=form, headers=headers, timeout=PATIENCE_SECONDS).status_code == 401
    right = {"authorization": f"Bearer {ADMIN_KEY}"}
    assert httpx2.get(f"{server.url}/api/v1/lines", headers=right, timeout=PATIENCE_SECONDS).status_code == 200
    lines = server.log().splitlines()
    assert ["a wrong key came from 127.0.0.1" in line for line in lines] == [True, True]
    assert "of-the-tests" not in server.log()
