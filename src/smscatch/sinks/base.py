"""What all sinks share: what one is, and what comes of trying to send. No sink's own form here, and no queue."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, Literal, NamedTuple

from smscatch.messages import Stored
from smscatch.stores.jobs import Answered

TAKEN: Final = "taken"
GONE: Final = "gone"
PASSING: Final = "passing"
PERMANENT: Final = "permanent"


class Result(NamedTuple):
    """What came of one try: the message was taken, or is gone from the store; or an error, passing or permanent.

    `reason` says why in a few words, without text or secret. `retry_after` is how long the receiver wants to be left
    alone. `answers` are those of the single requests, if there are several.
    """

    verdict: Literal["taken", "gone", "passing", "permanent"]
    reason: str = ""
    retry_after: timedelta | None = None
    answers: tuple[Answered, ...] = ()


# Sends a message once. An exception counts as an error that passes.
Send = Callable[[Stored], Awaitable[Result]]


class Sink(NamedTuple):
    """Where messages are sent to: those of `lines`, None for all."""

    name: str
    lines: tuple[str, ...] | None
    send: Send
