"""A clock that is set, and what it still knows of how long ago something was."""

from datetime import datetime, timedelta

import pytest

from smscatch.clock import Clock
from tests.conftest import SetClock

HOUR = timedelta(hours=1)
NONE = timedelta(0)


def age(clock: Clock, moment: datetime) -> timedelta:
    """How long ago the clock showed a moment."""
    return timedelta(seconds=clock.elapsed() - clock.shown_at(moment))


@pytest.fixture
def hands() -> SetClock:
    return SetClock()


@pytest.fixture
def clock(hands: SetClock) -> Clock:
    return Clock(hands, hands.elapsed)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_a_clock_that_goes_on_was_not_set(hands: SetClock, clock: Clock) -> None:
    then = hands()
    hands.advance(3600)
    assert (clock.take_step(), age(clock, then), age(clock, hands() + HOUR)) == (NONE, HOUR, NONE)


def test_a_clock_that_is_slewed_was_not_set(hands: SetClock, clock: Clock) -> None:
    for _ in range(600):
        hands.advance(1)
        hands.set(seconds(0.01))
        clock.look()
    assert clock.take_step() == NONE


@pytest.mark.parametrize("step", [HOUR, -HOUR, seconds(1), seconds(-1)], ids=str)
def test_how_far_it_was_set_is_told_once(hands: SetClock, clock: Clock, step: timedelta) -> None:
    hands.set(step)
    assert clock.take_step() == step
    assert clock.take_step() == NONE
    clock.return_step(step)
    assert clock.take_step() == step


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forward", "back"])
def test_the_age_of_what_came_before_and_after_it_was_set_is_known(
    hands: SetClock, clock: Clock, step: timedelta
) -> None:
    before = hands()
    hands.advance(10)
    clock.look()
    hands.set(step)
    after = hands()
    hands.advance(0.5)
    clock.look()
    hands.advance(19.5)
    assert (age(clock, before), age(clock, after)) == (seconds(30), seconds(20))


def test_what_it_never_showed_came_now(hands: SetClock, clock: Clock) -> None:
    never = hands() + seconds(600)
    hands.set(HOUR)
    hands.advance(60)
    assert age(clock, never) == NONE


def test_set_more_than_once_it_knows_each_time(hands: SetClock, clock: Clock) -> None:
    shown: list[datetime] = []
    for step in (HOUR, -2 * HOUR, 5 * HOUR):
        shown.append(hands())
        hands.advance(1)
        clock.look()
        hands.set(step)
        clock.look()
    assert [age(clock, moment) for moment in shown] == [seconds(3), seconds(2), seconds(1)]
    assert clock.take_step() == 4 * HOUR


def test_a_pause_between_two_readings_is_not_taken_for_a_set_clock(hands: SetClock) -> None:
    paused: list[float] = []

    def read() -> datetime:
        shown = hands()
        while paused:
            hands.advance(paused.pop())
        return shown

    clock = Clock(read, hands.elapsed)
    paused.append(5)
    assert clock.take_step() == NONE
