"""Verifications of several instances over one database, on every backend: nothing is counted twice, or not at all."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from smscatch.errors import NotFound, TooManyChecks, TooManySends
from smscatch.inbox import Inbox
from smscatch.sources import join_parts
from smscatch.stores import Store, open_store
from smscatch.verifying import APPROVED, EXHAUSTED, CodeRequest, Terms, Verifications, Which
from tests.surroundings import settings_in

TERMS = Terms(lasts=timedelta(minutes=10), most_sends=5, most_checks=5, digits=6)
TO = "+12015550123"
WHICH = Which("VA1", to=TO)


@pytest.fixture
async def instances(store: Store, url: str, tmp_path: Path) -> AsyncIterator[list[Verifications]]:
    other = await open_store(url, join_parts)
    yield [Verifications(await Inbox.open(one), settings_in(tmp_path, ""), "k1", "twilio") for one in (store, other)]
    await other.close()


async def outcomes(*asked: object) -> list[str]:
    done = await asyncio.gather(*asked, return_exceptions=True)  # type: ignore[call-overload]
    return sorted(type(each).__name__ if isinstance(each, Exception) else each.status for each in done)


async def test_wrong_codes_that_come_at_once_are_each_counted(instances: list[Verifications]) -> None:
    one, other = instances
    started = await one.start(CodeRequest("VA1", TO), TERMS)
    checks = [instance.check(WHICH, "none", TERMS.most_checks) for instance in (one, other) for _ in range(4)]
    assert await outcomes(*checks) == [TooManyChecks.__name__] * 3 + [EXHAUSTED] + ["pending"] * 4
    assert (await other.find(WHICH)).checks == 5
    with pytest.raises(TooManyChecks):
        await other.check(Which("VA1", started.id), started.code, TERMS.most_checks)


async def test_the_right_code_that_comes_twice_at_once_approves_once(instances: list[Verifications]) -> None:
    one, other = instances
    started = await one.start(CodeRequest("VA1", TO), TERMS)
    checks = [instance.check(Which("VA1", started.id), started.code, TERMS.most_checks) for instance in (one, other)]
    assert await outcomes(*checks) == [NotFound.__name__, APPROVED]


async def test_starts_that_come_at_once_are_sendings_of_one_code(instances: list[Verifications]) -> None:
    wanted = CodeRequest("VA1", TO)
    started = await asyncio.gather(*(instance.start(wanted, TERMS) for instance in instances * 2))
    assert len({(each.id, each.code) for each in started}) == 1
    assert sorted(len(each.sendings) for each in started) == [1, 2, 3, 4]
    assert await outcomes(*(instance.start(wanted, TERMS) for instance in instances)) == [
        TooManySends.__name__,
        "pending",
    ]
