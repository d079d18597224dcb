"""The durable queue in front of the sinks: what a job is, and what becomes of it with an attempt. No database here.

When to try again (retry, backoff) is decided in the room sinks.
"""

from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

import msgspec

OPEN: Final = "open"
DONE: Final = "done"
DEAD: Final = "dead"
State = Literal["open", "done", "dead"]
SENT: Final = "sent"
DROPPED: Final = "dropped"
PUT_OFF: Final = "put_off"
BURIED: Final = "buried"
Outcome = Literal["sent", "dropped", "put_off", "buried"]
LONGEST_WAIT = timedelta(hours=1)  # for the next attempt, and until a claim expires


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one request of a job that has several: the place of the request, from 0 on, and its HTTP status.

    It was taken, or refused for good, or is made again. `status` is None, and `reason` says why, if nobody answered.
    """

    request: int
    verdict: Literal["taken", "gone", "passing", "permanent"]
    status: int | None = None
    reason: str = ""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one attempt to do a job, and when; `reason` says why in a few words, without text or secret.

    It was sent; or is put off; or is buried, as a dead letter; or dropped, since its message is gone. `answers` are
    those of its requests, in their order, if the job has several.
    """

    at: datetime
    outcome: Outcome
    reason: str = ""
    answers: tuple[Answered, ...] = ()


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """That a sink is to be sent a message: the one with the id `message`, which stood at `position` then.

    The two of `sink` and `position` name the job. The text is not in here, so it goes with its message. `due_at` is
    when to try next; of a job that is done or dead, when it became so. Times are those of Store.time.
    """

    sink: str
    position: int
    message: str
    created_at: datetime
    due_at: datetime
    state: State = OPEN
    attempts: tuple[Attempt, ...] = ()


class SinkUse(NamedTuple):
    """What a store knows of a sink: how far it has read, how many jobs are open, how many are dead letters."""

    name: str
    cursor: int
    waiting: int
    dead: int


def settled(job: Job, attempt: Attempt, due_at: datetime) -> Job:
    """Return a job with the record of an attempt; one that is put off is open until `due_at`, the others are over."""
    states: dict[Outcome, State] = {PUT_OFF: OPEN, BURIED: DEAD, SENT: DONE, DROPPED: DONE}
    state, attempts = states[attempt.outcome], (*job.attempts, attempt)
    return msgspec.structs.replace(job, state=state, due_at=due_at, attempts=attempts)
