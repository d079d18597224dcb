"""Servers that are killed while they send: every message reaches the sink all the same."""

import asyncio
import sqlite3
from collections.abc import Callable

import httpx2
import pytest

from tests.carrier import eventually
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.samples import LINE
from tests.sinks.receiver import Answer, Receiver

AUTHORIZATION = {"authorization": f"Bearer {ADMIN_KEY}"}
COUNT = 60


def configure(server: Server, *receivers: Receiver) -> None:
    config = server.folder / "smscatch.toml"
    tables = [
        f'[sinks.sink{number}]\nkind = "json"\nurl = "{receiver.url}?token=secret"\nallow_private = true\n'
        for number, receiver in enumerate(receivers)
    ]
    config.write_text("\n".join(tables))
    server.environ["SMSCATCH_CONFIG"] = str(config)


def deliver(server: Server, *texts: str) -> set[str]:
    """Have the server take texts; return their ids."""
    ids = set()
    with httpx2.Client(base_url=server.url, headers=AUTHORIZATION, timeout=PATIENCE_SECONDS) as client:
        for text in texts:
            delivery = {"line": LINE, "sender": "Authy", "text": text}
            answer = client.post("/api/v1/inbound/generic", json=delivery).raise_for_status()
            ids.add(answer.json()["id"])
    return ids


def ids_of(receiver: Receiver) -> set[str]:
    return {post.message["id"] for post in receiver.posts}


def let_claims_expire(server: Server) -> None:
    """Have time go by in the database of a server that was killed."""
    with sqlite3.connect(server.folder / "smscatch.db") as database:
        database.execute("UPDATE jobs SET due_at = 0 WHERE state = 'open'")
    database.close()


@pytest.fixture
def server(make_server: Callable[[], Server]) -> Server:
    return make_server()


async def test_what_a_killed_server_was_sending_is_sent_by_the_next(server: Server, receiver: Receiver) -> None:
    configure(server, receiver)
    receiver.answers = [Answer(hangs=True)] * 3
    server.start()
    ids = await asyncio.to_thread(deliver, server, "one", "two", "three")
    await eventually(lambda: len(receiver.posts) == 3)
    server.kill()
    let_claims_expire(server)
    server.start()
    await eventually(lambda: len(receiver.posts) == 6)
    assert {post.message["id"] for post in receiver.posts[3:]} == ids


async def test_nothing_is_lost_when_servers_are_killed_again_and_again(
    server: Server, receiver: Receiver, other_receiver: Receiver
) -> None:
    configure(server, receiver, other_receiver)
    server.start()
    ids: set[str] = set()
    for round_ in range(2):
        ids |= await asyncio.to_thread(deliver, server, *(f"{round_}.{n}" for n in range(COUNT // 2)))
        server.kill()
        let_claims_expire(server)
        server.start()
    await eventually(lambda: all(ids <= ids_of(each) for each in (receiver, other_receiver)))


async def test_the_end_of_a_server_gives_back_what_hangs_and_logs_no_secret(server: Server, receiver: Receiver) -> None:
    configure(server, receiver)
    receiver.answers = [Answer(hangs=True)]
    server.start()
    await asyncio.to_thread(deliver, server, "secret text 482913")
    await eventually(lambda: len(receiver.posts) == 1)
    assert server.stop() == 0
    server.start()
    await eventually(lambda: len(receiver.posts) == 2)
    assert await asyncio.to_thread(server.stop) == 0
    assert server.log() == ""
