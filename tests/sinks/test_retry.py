"""When to try again, and when to give up, follows from the job, the error, the time and chance alone."""

from datetime import timedelta

import pytest

from smscatch.sinks.base import GONE, PASSING, PERMANENT, TAKEN, Result
from smscatch.sinks.retry import Backoff, after, parse_retry_after
from smscatch.stores import Job
from smscatch.stores.jobs import LONGEST_WAIT
from tests.samples import NOON

SECOND = timedelta(seconds=1)
FULL = Result(PASSING, "HTTP 503")


def a_job(tries: int = 0) -> Job:
    job = Job(sink="hook", position=1, message="m", created_at=NOON, due_at=NOON)
    for _ in range(tries):
        job = after(job, FULL, NOON, 0)
    return job


def wait(tries: int, result: Result = FULL, jitter: float = 0) -> timedelta:
    return after(a_job(tries), result, NOON, jitter).due_at - NOON


def test_the_wait_doubles_up_to_an_hour() -> None:
    assert [wait(tries) for tries in range(4)] == [SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND]
    assert wait(11) == 2048 * SECOND
    assert [wait(tries) for tries in (12, 40, 98)] == [LONGEST_WAIT] * 3


def test_chance_takes_up_to_half_of_the_wait_away() -> None:
    assert [wait(3, jitter=jitter) for jitter in (0, 0.5, 1)] == [8 * SECOND, 6 * SECOND, 4 * SECOND]


@pytest.mark.parametrize(("asked", "waited"), [(0, 8), (5, 8), (60, 60), (7200, 3600), (10**8, 3600)])
def test_the_receiver_may_ask_for_a_longer_wait_of_up_to_an_hour(asked: int, waited: int) -> None:
    assert wait(3, Result(PASSING, "HTTP 429", timedelta(seconds=asked))) == waited * SECOND


def test_the_hundredth_error_is_the_last() -> None:
    assert a_job(99).state == "open"
    dead = a_job(100)
    assert (dead.state, dead.attempts[-1].reason) == ("dead", "HTTP 503, 100 times")
    assert after(a_job(), FULL, NOON, 0, backoff=Backoff(attempts=1)).state == "dead"


@pytest.mark.parametrize(
    ("result", "state", "outcome"),
    [
        (Result(TAKEN), "done", "sent"),
        (Result(GONE, "the message was deleted"), "done", "dropped"),
        (Result(PERMANENT, "HTTP 410"), "dead", "buried"),
        (FULL, "open", "put_off"),
    ],
)
def test_each_result_has_its_state_and_is_on_record(result: Result, state: str, outcome: str) -> None:
    job = after(a_job(2), result, NOON + SECOND, 0)
    assert (job.state, len(job.attempts)) == (state, 3)
    assert (job.attempts[-1].at, job.attempts[-1].outcome, job.attempts[-1].reason) == (
        NOON + SECOND,
        outcome,
        result.reason,
    )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("9" * 400, 999_999_999),
        ("Sun, 22 Nov 2026 12:01:00 GMT", 60),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("Sun, 22 Nov 2026 12:01:00 -0000", 60),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: int) -> None:
    assert parse_retry_after(value, NOON) == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", [None, "", "soon", "-5", "1.5", "٣", "Sun, 99 Nov 2026 12:01:00 GMT", "\0"])
def test_what_is_no_retry_after_asks_for_nothing(value: str | None) -> None:
    assert parse_retry_after(value, NOON) is None
