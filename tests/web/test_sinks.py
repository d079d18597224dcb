"""What an administrator is shown of the sinks."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from smscatch import keys
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.sinks.base import PASSING, PERMANENT, Result
from smscatch.sinks.retry import after
from smscatch.stores import Job
from smscatch.web.app import make_app
from tests.samples import NOON, OTHER_LINE, a_delivery
from tests.surroundings import settings_in

CONFIG = f"""
[sinks.ci]
kind = "json"
url = "https://user:password@hooks.example:8443/services/T0/secret?token=secret"
lines = ["{OTHER_LINE}"]
"""


@pytest.fixture
async def client(inbox: Inbox, leases: Leases, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """An administrator's."""
    app = make_app(inbox, leases, settings_in(tmp_path, CONFIG))
    _, secret = await keys.add_key(inbox, "admin", ("admin",))
    headers = {"authorization": f"Bearer {secret}"}
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://test", headers=headers
    ) as client:
        yield client


async def queue_up(inbox: Inbox, sink: str) -> None:
    """Have the sink read two messages of three, of which it is to get one later and refuses one."""
    store = inbox.store
    await store.open_sink(sink)
    await inbox.receive([a_delivery(text=f"secret {number}") for number in range(3)])
    jobs = [Job(sink=sink, position=n, message=f"m{n}", created_at=NOON, due_at=NOON) for n in (1, 2)]
    await store.advance(sink, 0, 2, jobs)
    waiting, dead = await store.take_jobs(sink, "one", 2, now=NOON, until=NOON)
    await store.settle(after(waiting, Result(PASSING, "HTTP 503"), NOON, 0), "one")
    await store.settle(after(dead, Result(PERMANENT, "HTTP 410"), NOON, 0), "one")


async def test_a_sink_is_shown_with_what_waits_and_why_letters_are_dead(
    client: httpx2.AsyncClient, inbox: Inbox
) -> None:
    await queue_up(inbox, "ci")
    answer = await client.get("/api/v1/sinks")
    facts = {"created_at": "2026-11-22T12:00:00.000Z", "attempts": 1}
    (shown,) = answer.json()["sinks"]
    expected = {
        "name": "ci",
        "kind": "json",
        "url": "https://hooks.example:8443/…",
        "lines": [OTHER_LINE],
        "cursor": "2",
        "behind": 1,
        "waiting": 1,
        "dead": 1,
        "jobs": [{"message": "m1", "due_at": "2026-11-22T12:00:01.000Z", "reason": "HTTP 503", **facts}],
        "dead_letters": [{"message": "m2", "due_at": "2026-11-22T12:00:00.000Z", "reason": "HTTP 410", **facts}],
    }
    assert shown == expected
    assert "secret" not in answer.text


async def test_a_sink_that_the_settings_do_not_have_any_more_is_shown_as_such(
    client: httpx2.AsyncClient, inbox: Inbox
) -> None:
    await inbox.store.open_sink("former")
    (sink,) = (await client.get("/api/v1/sinks")).json()["sinks"]
    assert (sink["name"], sink["kind"], sink["url"]) == ("former", None, None)


async def test_the_description_of_the_api_has_the_sinks(client: httpx2.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    content = described["paths"]["/api/v1/sinks"]["get"]["responses"]["200"]["content"]
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/SinkList"}
    assert {"name", "waiting", "dead_letters"} <= {*described["components"]["schemas"]["SinkView"]["properties"]}
