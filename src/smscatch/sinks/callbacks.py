"""What a provider tells an application: of a text that it sent (status callbacks), and of replies (inbound webhooks).

Each request is kept, signed, with its text (sources/caught.py, reply.py), and a job of the durable queue names the
text. What one says is not known here.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence

from smscatch.errors import StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.messages import Stored
from smscatch.sinks.base import GONE, PASSING, TAKEN, Result, Sink
from smscatch.sinks.runner import DEFAULT_PACE, Courier, Pace
from smscatch.sources.caught import Callback, parse_callbacks
from smscatch.stores import Job
from smscatch.stores.jobs import Answered, Attempt

NAME = "send callbacks"  # no name of a sink in the settings, which has no blank


class Callbacks:
    """The queue of callbacks. It costs a server nothing in which no application ever asked for one."""

    def __init__(self, inbox: Inbox, *, allows_private: bool, pace: Pace = DEFAULT_PACE) -> None:
        self._inbox = inbox
        self._allows_private = allows_private
        self._wanted = asyncio.Event()
        self._courier = Courier(inbox, Sink(NAME, None, self._send), pace)

    async def queue(self, message_id: str) -> None:
        """Queue the callbacks of a message that is stored; a repeat is a no-op (idempotent).

        Raises StoreUnavailable: nothing is queued then.
        """
        store = self._inbox.store
        stored = await store.get(message_id)
        if stored is None:  # the store seemed silent, so it went into the spool
            await self._inbox.catch_up()
            stored = await store.get(message_id)
        if stored is None:
            raise StoreUnavailable("The text is kept, but its status cannot be told: the database does not answer.")
        if await store.job(NAME, stored.position) is not None:
            return
        now = await self._inbox.time()
        job = Job(sink=NAME, position=stored.position, message=message_id, created_at=now, due_at=now)
        while True:
            cursor = await store.open_sink(NAME)
            if await store.advance(NAME, cursor, cursor, [job]):  # the cursor stays: nothing is read for this sink
                break
        self._wanted.set()
        self._courier.wake()

    async def keep_sending(self) -> None:
        """Send what is queued, as soon as anything ever was; runs until cancelled."""
        if not any(use.name == NAME for use in await self._inbox.store.sinks()):
            await self._wanted.wait()
        await self._courier.keep_sending()

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
            status, result = await request(target, callback.body.encode(), callback.headers)
            answers.append(Answered(request=place, verdict=result.verdict, status=status, reason=result.reason))
            ended = ended if result.verdict == TAKEN else result
            if result.verdict == PASSING:
                break
        return ended._replace(answers=tuple(answers))


def over(attempts: Iterable[Attempt]) -> set[int]:
    """Return which requests were taken, or refused for good."""
    answers = (answered for attempt in attempts for answered in attempt.answers)
    return {answered.request for answered in answers if answered.verdict != PASSING}
