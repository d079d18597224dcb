"""What an administrator sees of the sinks: how far each is, what waits, and the dead letters. No text is in it."""

from collections.abc import Mapping

import msgspec

from smscatch.settings import SinkSettings
from smscatch.stores import Job, Store
from smscatch.stores.jobs import DEAD, OPEN
from smscatch.times import Time

SHOWN = 20  # jobs of a sink in each state


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A message on its way to a sink, by its id: how often it was tried, and why not for the last time.

    It is tried next at `due_at`; a dead letter died then.
    """

    message: str
    created_at: Time
    due_at: Time
    attempts: int
    reason: str


class SinkView(msgspec.Struct, frozen=True, kw_only=True):
    """Where messages are sent to. `kind` and `url` are None if the settings do not have it any more; `url` also if it
    has none.

    Of the URL only the host is shown. `behind` is how many positions its cursor lies behind the newest message;
    `waiting` and `dead` count jobs, of which the newest are listed.
    """

    name: str
    kind: str | None
    url: str | None
    lines: tuple[str, ...]
    cursor: str
    behind: int
    waiting: int
    dead: int
    jobs: list[JobView]
    dead_letters: list[JobView]


class SinkList(msgspec.Struct):
    """Where messages are sent to."""

    sinks: list[SinkView]


async def report_sinks(store: Store, configured: Mapping[str, SinkSettings]) -> SinkList:
    """Return how far each sink is: those of the settings, and those that ever were."""
    newest = await store.position()
    sinks = []
    for use in await store.sinks():
        settings = configured.get(use.name)
        view = SinkView(
            name=use.name,
            kind=settings.kind if settings else None,
            url=settings.shown_url if settings and settings.url else None,
            lines=settings.lines if settings else (),
            cursor=str(use.cursor),
            behind=max(0, newest - use.cursor),
            waiting=use.waiting,
            dead=use.dead,
            jobs=[_view(job) for job in await store.jobs(use.name, OPEN, SHOWN)],
            dead_letters=[_view(job) for job in await store.jobs(use.name, DEAD, SHOWN)],
        )
        sinks.append(view)
    return SinkList(sinks)


def _view(job: Job) -> JobView:
    return JobView(
        message=job.message,
        created_at=job.created_at,
        due_at=job.due_at,
        attempts=len(job.attempts),
        reason=job.attempts[-1].reason if job.attempts else "",
    )
