"""The server as a process: waits, streams, stopping and starting, what it says when it cannot start."""

import asyncio
import itertools
import json
import resource
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import msgspec
import pytest

from smscatch.cli.server import describe_serving
from smscatch.client.exchange import Ask, Pause
from smscatch.errors import NoMessage
from smscatch.spool import Entry, write_entry
from tests import plain
from tests.carrier import eventually
from tests.chaos import assert_all_there_once, post_under_kill_9
from tests.command_line import as_process
from tests.conftest import ADMIN_KEY, Server, call_hook
from tests.patience import PATIENCE_SECONDS
from tests.plain import NO_AUTHORITIES
from tests.samples import OTHER_LINE, the_parts
from tests.surroundings import settings_in

LINE = "+447700900001"
_numbers = itertools.count(1)
AUTHORIZATION = {"authorization": f"Bearer {ADMIN_KEY}"}


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for the tests that leave it as it was, but for texts to lines of their own."""
    server = Server(tmp_path_factory.mktemp("server")).start()
    yield server
    server.kill()


def waiting(server: Server) -> int:
    count: int = plain.get(f"{server.url}/readyz", headers=AUTHORIZATION).json()["waiting"]
    return count


@contextmanager
def event_stream(server: Server, **headers: str) -> Iterator[Iterator[dict[str, str]]]:
    """The events of /api/v1/events as dicts of their fields."""
    url = f"{server.url}/api/v1/events"
    with plain.stream("GET", url, headers=AUTHORIZATION | headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _events(response.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name:
            event[name] = value
        elif "data" in event:
            yield event
            event = {}


@pytest.fixture
def line(shared_server: Server) -> str:
    """A line of the test's own, which the server knows."""
    line = f"+4477009{next(_numbers):05d}"
    assert post(shared_server, {"line": line, "sender": "Authy", "text": "the first of all"}).status_code == 200
    return line


async def test_a_waiting_client_gets_the_code_that_the_hook_brings(shared_server: Server, line: str) -> None:
    with shared_server.client() as client:
        waiter = asyncio.create_task(
            asyncio.to_thread(client.wait_for_code, line=line, after="0", timeout=PATIENCE_SECONDS)
        )
        await eventually(lambda: waiting(shared_server) == 1)
        call_hook(shared_server.spool, "Your Authy code is 482913", line=line)
        assert await waiter == "482913"


async def test_a_long_poll_whose_client_hangs_up_is_freed_at_once(shared_server: Server) -> None:
    connections = []
    for number in range(20):
        connection = socket.create_connection(("127.0.0.1", shared_server.port))
        body = b"x" * (number % 2 * 200_000)  # which a wait does not need; more than is read ahead
        head = f"Host: x\r\nAuthorization: Bearer {ADMIN_KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(f"GET /api/v1/messages/next?timeout=300 HTTP/1.1\r\n{head}".encode() + body)
        connections.append(connection)
    await eventually(lambda: waiting(shared_server) == 20)
    for connection in connections:
        connection.close()
    await eventually(lambda: waiting(shared_server) == 0)


async def test_a_stream_whose_client_hangs_up_is_freed_at_once(shared_server: Server) -> None:
    with event_stream(shared_server):
        await eventually(lambda: waiting(shared_server) == 1)
    await eventually(lambda: waiting(shared_server) == 0)


async def test_a_stream_resumes_behind_the_last_event_with_nothing_missed(server: Server) -> None:
    with event_stream(server, **{"last-event-id": "0"}) as events:
        call_hook(server.spool, "one\u2028still one")
        first = next(events)
        assert json.loads(first["data"])["text"] == "one\u2028still one"
        assert (first["id"], first["event"]) == ("1", "message")
    call_hook(server.spool, "two")
    with event_stream(server, **{"last-event-id": first["id"]}) as events:
        assert json.loads(next(events)["data"])["text"] == "two"
        call_hook(server.spool, "three")
        assert json.loads(next(events)["data"])["text"] == "three"


async def test_a_stream_resumed_on_another_database_brings_all_there_is(server: Server) -> None:
    call_hook(server.spool, "hello")
    with event_stream(server, **{"last-event-id": "999"}) as events:
        assert json.loads(next(events)["data"])["text"] == "hello"


async def test_stopping_ends_waits_and_streams_and_leaves_nothing_behind(server: Server) -> None:
    def stream() -> list[dict[str, str]]:
        with event_stream(server) as events:
            return list(events)

    url = f"{server.url}/api/v1/messages/next?timeout=300"
    poll = asyncio.create_task(asyncio.to_thread(httpx2.get, url, headers=AUTHORIZATION, timeout=PATIENCE_SECONDS))
    streaming = asyncio.create_task(asyncio.to_thread(stream))
    await eventually(lambda: waiting(server) == 2)
    assert await asyncio.to_thread(server.stop) == 0
    answer = await poll
    assert (answer.status_code, answer.json()["error"]) == (503, "shutting_down")
    assert await streaming == []
    assert not (server.spool / "poke").exists()
    assert server.log() == ""


async def test_a_client_waits_out_a_restart_of_the_server(server: Server) -> None:
    with server.client() as client:
        waiter = asyncio.create_task(asyncio.to_thread(client.wait_for_code, timeout=PATIENCE_SECONDS))
        await eventually(lambda: waiting(server) == 1)
        server.kill()
        call_hook(server.spool, "Your Authy code is 482913")
        server.start()
        assert await waiter == "482913"


def test_what_the_hook_brings_while_no_server_runs_is_there_before_anyone_can_ask_for_now(server: Server) -> None:
    server.stop()
    for n in range(8):
        call_hook(server.spool, f"stale {n}")
    server.start()
    with server.client() as client:
        assert [message.text for message in client.messages()] == [f"stale {n}" for n in reversed(range(8))]
        with pytest.raises(NoMessage, match="nothing came"):
            client.wait_for_message(timeout=0)


async def test_nothing_is_lost_or_doubled_under_kill_9(server: Server) -> None:
    count = 30

    def send_all() -> None:
        for n in range(count):
            call_hook(server.spool, f"text {n}")

    sending = threading.Thread(target=send_all)
    sending.start()
    while sending.is_alive():
        server.kill()
        server.start()
    sending.join()
    with server.client() as client:
        await eventually(lambda: len(client.messages(limit=500)) >= count)
        texts = [message.text for message in client.messages(limit=500)]
    assert texts == [f"text {n}" for n in reversed(range(count))]
    await eventually(lambda: not list(server.spool.glob("*.sms")))


def test_what_was_acknowledged_over_http_is_there_once_under_kill_9(server: Server) -> None:
    assert_all_there_once(server, LINE, post_under_kill_9(server, LINE))


async def test_a_locked_database_delays_and_loses_nothing(shared_server: Server, line: str) -> None:
    server = shared_server
    blocker = sqlite3.connect(server.folder / "smscatch.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    call_hook(server.spool, "Your Authy code is 482913", line=line)
    assert plain.get(f"{server.url}/healthz").status_code == 200
    blocker.execute("ROLLBACK")
    blocker.close()
    with server.client() as client:
        found = await asyncio.to_thread(client.wait_for_code, line=line, after="0", timeout=PATIENCE_SECONDS)
    assert found == "482913"


def test_serve_says_what_it_works_with(make_server: Callable[[], Server], tmp_path: Path) -> None:
    config = tmp_path / "here.toml"
    server = make_server()
    device = server.folder / "tty"
    config.write_text(
        f'''
[lines."{LINE}"]
label = "Shelf"
device = "{device}"
[lines."{OTHER_LINE}"]
phone_id = "stick1"
'''
    )
    server.start(SMSCATCH_CONFIG=str(config))
    said = [server.read_line() for _ in range(5)]
    assert said == [
        f"configuration: {config}\n",
        f"store: sqlite:///{server.folder}/smscatch.db (from: SMSCATCH_STORE)\n",
        f"spool: {server.spool} (from: SMSCATCH_SPOOL)\n",
        f"line: {LINE} Shelf, read by our link at {device}\n",
        f"line: {OTHER_LINE} -, read by the gammu-smsd that calls itself stick1\n",
    ]


def test_serve_says_what_reads_each_line(tmp_path: Path) -> None:
    lines = f'[lines."{LINE}"]\nphone_id = "GSM1"\n[lines."{OTHER_LINE}"]\nphone_id = "ffff0001/2"\n'
    said = describe_serving(settings_in(tmp_path, f'smstools = "{tmp_path}"\n{lines}'))
    assert said[-2:] == [
        f"line: {LINE} -, read by smstools3, which calls it GSM1",
        f"line: {OTHER_LINE} -, read by the app that calls itself ffff0001/2",
    ]


def test_serve_says_that_it_has_no_lines_and_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = describe_serving(msgspec.structs.replace(settings_in(tmp_path), config=None))
    assert said[0] == f"configuration: none found at {tmp_path}/smscatch.toml or /etc/smscatch/smscatch.toml"
    assert said[-1].startswith("lines: none configured")


def test_a_port_that_is_taken_is_named(shared_server: Server, tmp_path: Path) -> None:
    done = as_process(
        "serve",
        SMSCATCH_PORT=str(shared_server.port),
        SMSCATCH_STORE=f"sqlite:///{tmp_path}/x.db",
        SMSCATCH_SPOOL=str(tmp_path / "s"),
    )
    assert done.returncode == 3
    assert f"port {shared_server.port}: Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("environ", "status", "said"),
    [
        ({"SMSCATCH_PORT": "http"}, 2, "port = 'http' (SMSCATCH_PORT) is not accepted"),
        ({"SMSCATCH_STORE": "sqlite:////proc/nowhere/x.db"}, 3, "/proc/nowhere/x.db cannot be opened"),
        ({"SMSCATCH_SPOOL": "/proc/nowhere"}, 3, "The spool /proc/nowhere cannot be used"),
        ({"SMSCATCH_HOST": "no.such.host.invalid"}, 3, "Cannot listen on no.such.host.invalid"),
    ],
)
def test_what_keeps_it_from_starting_is_said_in_a_sentence(
    tmp_path: Path, environ: dict[str, str], status: int, said: str
) -> None:
    given = {"SMSCATCH_STORE": f"sqlite:///{tmp_path}/x.db", "SMSCATCH_SPOOL": f"{tmp_path}/s", "SMSCATCH_PORT": "0"}
    done = as_process("serve", **(given | environ))
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_first_start_makes_a_key_and_prints_it_once(make_server: Callable[[], Server]) -> None:
    server = make_server().start(SMSCATCH_ADMIN_KEY="")
    key = {"authorization": f"Bearer {server.read_line().split()[-1]}"}
    assert plain.get(f"{server.url}/json", headers=key).status_code == 200
    server.stop()
    server.start(SMSCATCH_ADMIN_KEY="")
    assert plain.get(f"{server.url}/json", headers=key).status_code == 200
    assert server.process is not None
    assert server.process.stdout is not None
    server.process.terminate()
    assert "key" not in server.process.stdout.read()


def test_texts_and_codes_are_not_logged(server: Server) -> None:
    call_hook(server.spool, "Your Authy code is 482913")
    (server.spool / "0-broken.sms").write_bytes(b"smscatch/1 gammu 9\nsecret 77")
    with server.client() as client:
        client.wait_for_code(after="0", timeout=PATIENCE_SECONDS)
    server.stop()
    assert "482913" not in server.log()
    assert "secret" not in server.log()


def post(server: Server, value: object) -> httpx2.Response:
    return plain.post(
        f"{server.url}/api/v1/inbound/generic", headers=AUTHORIZATION, json=value, timeout=PATIENCE_SECONDS
    )


async def test_a_message_can_be_delivered_over_http_and_a_repeat_with_an_id_is_a_no_op(shared_server: Server) -> None:
    server, line = shared_server, f"+4477009{next(_numbers):05d}"
    value = {"line": line, "sender": "Authy", "text": "Your code is 482913", "id": "mine-1"}
    first, second = post(server, value), post(server, value)
    assert first.status_code == 200
    assert first.json() == second.json()
    other = post(server, value | {"id": "mine-2"})
    with server.client() as client:
        await eventually(lambda: len(client.messages(line=line)) == 2)
        assert [message.id for message in client.messages(line=line)] == [other.json()["id"], first.json()["id"]]
        assert client.messages(line=line)[0].code == "482913"


async def test_a_delivery_is_taken_while_the_database_is_away(shared_server: Server, line: str) -> None:
    server = shared_server
    blocker = sqlite3.connect(server.folder / "smscatch.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    assert post(server, {"line": line, "sender": "Authy", "text": "patience"}).status_code == 200
    blocker.execute("ROLLBACK")
    blocker.close()
    with server.client() as client:
        assert client.wait_for_message(line=line, after="0", contains="patience", timeout=PATIENCE_SECONDS)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"line": LINE, "sender": "Authy"}, "text"),
        ({"line": "", "sender": "Authy", "text": "x"}, "line"),
        ({"line": LINE, "sender": "Authy", "text": "x" * 10_001}, "10000"),
        ({"line": LINE, "sender": "Authy", "text": "x", "number": 1}, "number"),
        ({"line": LINE, "sender": "Authy", "text": "x", "sent_at": "2026-11-22T18:00:00"}, "timezone"),
        ([], "object"),
    ],
)
def test_a_delivery_that_is_wrong_is_refused_with_what_is_wrong(
    shared_server: Server, value: object, said: str
) -> None:
    answer = post(shared_server, value)
    assert (answer.status_code, answer.json()["error"]) == (422, "bad_delivery")
    assert said in answer.json()["message"]
    assert not list(shared_server.spool.glob("*.sms"))


def test_a_delivery_in_an_unknown_form_is_refused(shared_server: Server) -> None:
    answer = plain.post(
        f"{shared_server.url}/api/v1/inbound/pigeon", headers=AUTHORIZATION, json={}, timeout=PATIENCE_SECONDS
    )
    assert (answer.status_code, "generic" in answer.json()["message"]) == (404, True)


async def test_missing_parts_that_come_late_are_told_as_an_update(make_server: Callable[[], Server]) -> None:
    server = make_server().start(SMSCATCH_PART_TIMEOUT="1s")
    first, second = the_parts("a long text " * 20)
    with event_stream(server, **{"last-event-id": "0"}) as events:
        write_entry(server.spool, Entry("1", "pdu", second.raw))
        incomplete = next(events)
        assert (incomplete["event"], json.loads(incomplete["data"])["complete"]) == ("message", False)
        write_entry(server.spool, Entry("2", "pdu", first.raw))
        whole = next(events)
    assert (whole["event"], json.loads(whole["data"])["text"]) == ("updated", "a long text " * 20)
    assert json.loads(whole["data"])["id"] == json.loads(incomplete["data"])["id"]


async def test_a_wait_that_began_while_the_server_was_away_misses_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.stop()
    with server.client() as client:
        begun = threading.Event()
        perform = client._perform

        def noting(step: Ask | Pause) -> httpx2.Response | None:
            begun.set()
            return perform(step)

        monkeypatch.setattr(client, "_perform", noting)
        waiter = asyncio.create_task(asyncio.to_thread(client.wait_for_code, timeout=PATIENCE_SECONDS))
        await asyncio.to_thread(begun.wait)
        await asyncio.to_thread(server.send, "Your Authy code is 482913")
        await asyncio.to_thread(server.start)
        assert await waiter == "482913"


def test_a_spool_that_takes_no_more_is_told_by_readyz_and_once_in_the_log(server: Server) -> None:
    assert server.process is not None
    text = {"line": LINE, "sender": "Example", "text": "x" * 9_000}
    _, most = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (8_192, most))  # of each file: the log is small
    with httpx2.Client(
        base_url=server.url, headers=AUTHORIZATION, timeout=PATIENCE_SECONDS, verify=NO_AUTHORITIES
    ) as http:
        for _ in range(2):
            refused = http.post("/api/v1/inbound/generic", json=text)
            assert (refused.status_code, refused.json()["error"]) == (503, "store_unavailable")
            assert "Nothing was kept" in refused.json()["message"]
        unready = http.get("/readyz")
        assert (unready.status_code, unready.json()["error"]) == (503, "store_unavailable")
        assert f"The spool {server.spool} cannot be written: File too large." in unready.json()["message"]
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most, most))
        assert http.get("/readyz").json()["status"] == "ready"
        assert http.post("/api/v1/inbound/generic", json=text).status_code == 200
    assert server.log().count("cannot be written") == 1
    assert server.log().count("can be written again") == 1
