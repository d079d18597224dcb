"""Virtual lines: a number for each lease that nobody used before, in the order of the ranges, without a rest."""

from datetime import timedelta
from pathlib import Path

import pytest

from smscatch import virtual
from smscatch.errors import NoFreeLine
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import Lease
from smscatch.settings import Settings
from smscatch.stores import Wish
from tests.conftest import Clock
from tests.samples import a_delivery
from tests.surroundings import settings_in

FEW = 'lines = {"+4915550101" = {}}\n[virtual]\nranges = ["+491555010x", "+491555011x"]\n'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, FEW)


def a_wish(count: int | None = None) -> Wish:
    return Wish(key="ci", lines=(), ttl=timedelta(seconds=60), count=count)


async def lines_of(leases: Leases, inbox: Inbox, settings: Settings, count: int) -> list[str]:
    return [(await virtual.acquire(leases, inbox, settings, a_wish()))[0].line for _ in range(count)]


async def test_each_lease_is_of_another_number_of_the_first_range_while_there_are_any(
    inbox: Inbox, leases: Leases, settings: Settings
) -> None:
    await inbox.receive([a_delivery(line="+4915550102")])  # used already, though never leased
    taken = await lines_of(leases, inbox, settings, 8)
    assert {*taken} == {f"+491555010{n}" for n in (0, 3, 4, 5, 6, 7, 8, 9)}  # 1 is a line with a SIM
    assert (await lines_of(leases, inbox, settings, 1))[0].startswith("+491555011")


async def test_when_all_are_used_up_the_one_that_ended_first_is_given_again(
    inbox: Inbox, leases: Leases, settings: Settings, clock: Clock
) -> None:
    given: list[Lease] = []
    for _ in range(19):
        given += await virtual.acquire(leases, inbox, settings, a_wish())
    with pytest.raises(NoFreeLine):
        await virtual.acquire(leases, inbox, settings, a_wish())
    clock.advance(1)
    await leases.release(given[5])
    assert await lines_of(leases, inbox, settings, 1) == [given[5].line]  # at once: it needs no rest


async def test_several_are_leased_at_once(inbox: Inbox, leases: Leases, settings: Settings) -> None:
    group = await virtual.acquire(leases, inbox, settings, a_wish(count=3))
    assert len({lease.line for lease in group}) == 3
    assert {lease.rests_until - lease.expires_at for lease in group} == {timedelta(0)}


async def test_the_rest_of_a_line_stays_what_it_was_when_a_lease_is_extended_or_ends(
    inbox: Inbox, leases: Leases, settings: Settings
) -> None:
    (lease,) = await virtual.acquire(leases, inbox, settings, a_wish())
    longer = await leases.extend(lease, timedelta(minutes=5))
    assert longer.rests_until == longer.expires_at
    await leases.release(longer)
    assert await leases.held() == []
