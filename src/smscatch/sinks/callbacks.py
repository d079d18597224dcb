"""What a provider tells an application: of a text that it sent (status callbacks), and of replies (inbound webhooks).

Each request is kept, signed, with its text (sources/caught.py, reply.py), and a job of the durable queue names the
text. What one says is not known here.
"""

from collections.abc import Collection, Iterable, Sequence

from smscatch.inbox import Inbox
from smscatch.messages import Stored
from smscatch.sinks.base import GONE, PASSING, TAKEN, Result
from smscatch.sinks.own_queue import OwnQueue
from smscatch.sinks.runner import DEFAULT_PACE, Pace
from smscatch.sources.caught import Callback, parse_callbacks
from smscatch.stores.jobs import Answered, Attempt

NAME = "send callbacks"


class Callbacks:
    """The queue of callbacks."""

    def __init__(self, inbox: Inbox, *, allows_private: bool, pace: Pace = DEFAULT_PACE) -> None:
        self._inbox = inbox
        self._allows_private = allows_private
        own = OwnQueue(inbox, NAME, self._send, pace)
        self.queue, self.keep_sending = own.queue, own.keep_sending

    async def _send(self, stored: Stored) -> Result:
        """Make the requests of a text in their order, those that are not over yet (at least once)."""
        store = self._inbox.store
        raw, job = await store.raw(stored.id), await store.job(NAME, stored.position)
        if raw is None:
            return Result(GONE, "the text was deleted")
        return await self._send_all(parse_callbacks(raw), over(job.attempts if job else ()))

    async def _send_all(self, callbacks: Sequence[Callback], over: Collection[int]) -> Result:
        """One that is refused for good keeps none behind it from being made; one that nobody takes does."""
        from smscatch.sinks.posting import make_target, request  # noqa: PLC0415 - few servers need the HTTP client

        answers: list[Answered] = []
        ended = Result(TAKEN)
        for place, callback in enumerate(callbacks):
            if place in over:
                continue
            target = make_target(callback.url, allows_private=self._allows_private)
            status, result = await request(target, callback.body.encode(), callback.headers, callback.method)
            answers.append(Answered(request=place, verdict=result.verdict, status=status, reason=result.reason))
            ended = ended if result.verdict == TAKEN else result
            if result.verdict == PASSING:
                break
        return ended._replace(answers=tuple(answers))


def over(attempts: Iterable[Attempt]) -> set[int]:
    """Return which requests were taken, or refused for good."""
    answers = (answered for attempt in attempts for answered in attempt.answers)
    return {answered.request for answered in answers if answered.verdict != PASSING}
