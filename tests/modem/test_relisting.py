"""When ModemManager is to look through the SIM anew."""

from smscatch.engines.relisting import (
    GROWING_SECONDS,
    MAX_GROWING_SECONDS,
    MAX_SETTLE_SECONDS,
    SETTLE_SECONDS,
    Relisting,
)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> float:
        return self.seconds


def a_relisting(interval_seconds: float = 1e9) -> tuple[Relisting, Clock]:
    clock = Clock()
    relisting = Relisting(interval_seconds, clock.now)
    relisting.done()
    return relisting, clock


def test_what_was_passed_over_before_the_start_is_looked_for_soon_after_it() -> None:
    clock = Clock()
    relisting = Relisting(1e9, clock.now)
    assert not relisting.is_due(is_growing=False)
    clock.seconds += SETTLE_SECONDS
    assert relisting.is_due(is_growing=False)


def test_a_text_is_a_reason_once_it_has_settled_as_others_may_have_come_with_it() -> None:
    relisting, clock = a_relisting()
    assert relisting.settle_seconds is None
    relisting.came()
    clock.seconds += SETTLE_SECONDS - 1
    relisting.came()
    clock.seconds += SETTLE_SECONDS - 1
    assert not relisting.is_due(is_growing=False)
    assert relisting.settle_seconds == 1
    clock.seconds += 1
    assert relisting.is_due(is_growing=False)
    relisting.done()
    assert not relisting.is_due(is_growing=False)


def test_texts_that_never_pause_are_a_reason_too() -> None:
    relisting, clock = a_relisting()
    for _ in range(int(MAX_SETTLE_SECONDS)):
        assert not relisting.is_due(is_growing=False)
        relisting.came()
        clock.seconds += 1
    assert relisting.is_due(is_growing=False)


def test_what_looking_through_the_sim_announces_is_no_reason_to_do_it_again() -> None:
    relisting, clock = a_relisting()
    for _ in range(3):
        relisting.came()
    relisting.done()
    clock.seconds += 10 * MAX_SETTLE_SECONDS
    assert not relisting.is_due(is_growing=False)


def test_a_long_text_without_a_part_is_a_reason_less_and_less_often() -> None:
    relisting, clock = a_relisting()
    wait = GROWING_SECONDS
    for _ in range(10):
        assert not relisting.is_due(is_growing=True)
        clock.seconds += wait - 1
        assert not relisting.is_due(is_growing=True)
        clock.seconds += 1
        assert relisting.is_due(is_growing=True)
        relisting.done()
        wait = min(2 * wait, MAX_GROWING_SECONDS)
    assert wait == MAX_GROWING_SECONDS
    assert not relisting.is_due(is_growing=False)
    assert not relisting.is_due(is_growing=True)
    clock.seconds += GROWING_SECONDS
    assert relisting.is_due(is_growing=True)


def test_it_is_done_at_its_interval_and_with_none_never_whatever_comes() -> None:
    (often, clock), (never, other) = a_relisting(600.0), a_relisting(0.0)
    clock.seconds += 599
    assert not often.is_due(is_growing=False)
    clock.seconds += 1
    never.came()
    other.seconds += 1e9
    assert often.is_due(is_growing=False)
    assert not never.is_due(is_growing=False)


def test_what_is_due_and_cannot_be_done_stays_due() -> None:
    relisting, clock = a_relisting()
    relisting.came()
    clock.seconds += SETTLE_SECONDS
    assert relisting.is_due(is_growing=False)
    clock.seconds += 3600
    assert relisting.is_due(is_growing=False)
