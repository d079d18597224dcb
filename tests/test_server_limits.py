"""The server at its limits: too many connections, clients that keep it waiting, starts that fail, signals."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from pathlib import Path

import httpx2
import msgspec
import pytest

from smscatch import opening
from smscatch import server as server_module
from smscatch.draining import Drain
from smscatch.errors import StoreUnavailable
from smscatch.server import Started, serve
from smscatch.settings import Settings
from smscatch.sources import join_parts
from smscatch.stores import Delivery, Store, open_store
from smscatch.web import connections as limits
from smscatch.web.serving import connection_class
from tests import plain
from tests.carrier import eventually
from tests.conftest import ADMIN_KEY, Server, spool_text
from tests.patience import PATIENCE_SECONDS
from tests.plain import NO_AUTHORITIES
from tests.samples import a_delivery
from tests.surroundings import settings_in

BODILESS = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"


@pytest.fixture
def is_fresh() -> bool:
    return True


@pytest.fixture
def limited(
    make_server: Callable[[], Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Server]:
    """Start a server behind a command of the shell that limits it."""

    def make(command: str) -> Server:
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\n{command}\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(python))
        server = make_server().start()
        monkeypatch.undo()
        return server

    return make


@pytest.fixture(params=["httptools", "h11"])
def protocol(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have HTTP read by each of the two; the shell's command has a server do so that is a process."""
    if request.param == "httptools":
        assert connection_class().__name__ == "HttptoolsConnection"
        return "true"
    monkeypatch.setitem(sys.modules, "smscatch.web.over_httptools", None)
    assert connection_class().__name__ == "H11Connection"
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "httptools.py").write_text("raise ImportError")
    return f"export PYTHONPATH={tmp_path}/without"


@contextlib.contextmanager
def connections(server: Server, count: int) -> Iterator[list[socket.socket]]:
    """Connections that say nothing."""
    with contextlib.ExitStack() as stack:
        address = ("127.0.0.1", server.port)
        yield [stack.enter_context(socket.create_connection(address)) for _ in range(count)]


def answers(server: Server) -> bool:
    """Whether a new connection is served; those over the limit are cut."""
    try:
        return plain.get(f"{server.url}/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def test_it_may_open_as_many_files_as_the_system_lets_it(limited: Callable[[str], Server]) -> None:
    server = limited("ulimit -S -n 100")
    assert server.process is not None
    soft, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    assert soft == hard > 100


def test_connections_above_the_limit_are_answered_503(limited: Callable[[str], Server], protocol: str) -> None:
    server = limited(f"ulimit -n 200; {protocol}")
    with connections(server, 110):
        assert plain.get(f"{server.url}/healthz").status_code == 503


async def test_texts_come_in_however_many_connections_there_are(
    limited: Callable[[str], Server], protocol: str
) -> None:
    server = limited(f"ulimit -n 200; {protocol}")
    with connections(server, 400):
        server.send("Your Authy code is 482913")
        await eventually(lambda: not list(server.spool.glob("*.sms")))
    await eventually(lambda: answers(server))
    with server.client() as client:
        assert [message.code for message in client.messages()] == ["482913"]
    assert "system resource" not in server.log()
    assert "Traceback" not in server.log()


async def test_a_failing_accept_is_told_once_and_not_with_a_traceback_each(server: Server) -> None:
    assert server.process is not None
    opened = len(os.listdir(f"/proc/{server.process.pid}/fd"))
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (opened + 1, opened + 1))
    with connections(server, 20):
        await eventually(lambda: server.log() != "")
    assert server.log().count("\n") == 1
    assert "connections cannot be accepted: [Errno 24] Too many open files" in server.log()


async def test_a_reader_that_does_not_read_does_not_hold_up_the_end(make_server: Callable[[], Server]) -> None:
    server = make_server()
    await fill(f"sqlite:///{server.folder}/smscatch.db", 300)
    server.start()
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", server.port))
        head = f"GET /api/v1/events?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN_KEY}\r\n\r\n"
        stuck.sendall(head.encode())
        assert stuck.recv(12) == b"HTTP/1.1 200"
        assert server.stop() == 0
    assert server.log() == ""


def test_a_body_that_never_comes_does_not_hold_up_the_end(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as stuck:
        stuck.sendall(BODILESS)
        assert stuck.recv(12) == b"HTTP/1.1 100"  # it waits for the body now
        assert server.stop() == 0
    assert server.log() == ""


def test_a_hangup_ends_it_as_sigterm_does(server: Server) -> None:
    assert server.process is not None
    server.process.send_signal(signal.SIGHUP)
    assert server.process.wait(PATIENCE_SECONDS) == 0
    assert not (server.spool / "poke").exists()


def test_a_hangup_is_ignored_under_nohup(limited: Callable[[str], Server]) -> None:
    server = limited("trap '' HUP")
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    ignored = next(line.split()[1] for line in status if line.startswith("SigIgn:"))
    assert int(ignored, 16) & 1 << signal.SIGHUP - 1  # proc_pid_status(5): a mask of bits


# From here on the server runs in this process.


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, store=f"sqlite:///{tmp_path}/smscatch.db", port="0")


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncGenerator[Started]:
    started: asyncio.Future[Started] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(serve(settings, started.set_result, print))
    await asyncio.wait((started, running), return_when=asyncio.FIRST_COMPLETED)
    if not started.done():
        await running  # which raises why
    try:
        yield started.result()
    finally:
        signal.raise_signal(signal.SIGTERM)
        await running


@contextlib.asynccontextmanager
async def connected(started: Started) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(started.url.rpartition(":")[2]))
    with contextlib.closing(writer):
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield reader, writer


async def test_a_start_that_fails_does_not_use_up_the_first_key(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> None:
        raise OSError("no more sockets")

    with monkeypatch.context() as patch:
        patch.setattr(server_module, "Pokes", broken)
        with pytest.raises(OSError, match="no more sockets"):
            await serve(settings, lambda _: None, print)
    async with serving(settings) as started:
        assert started.new_admin_key is not None


async def test_a_store_that_is_away_at_the_start_only_delays(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    drain = Drain.drain
    failures = iter([StoreUnavailable("The database is locked.")])

    async def drain_later(draining: Drain) -> int:
        for failure in failures:
            raise failure
        return await drain(draining)

    monkeypatch.setattr(Drain, "drain", drain_later)
    settings.spool.mkdir()
    spool_text(settings.spool, "Your Authy code is 482913")
    async with serving(settings):
        await eventually(lambda: not list(settings.spool.glob("*.sms")))
    assert "what waits in the spool cannot be stored yet: The database is locked." in caplog.text


@pytest.mark.usefixtures("protocol")
async def test_a_connection_that_sends_no_whole_request_is_closed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.3)
    async with serving(settings) as started:
        for sent in (b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"):
            async with connected(started) as (reader, writer):
                writer.write(sent)
                assert await reader.read() == b""


LONG = 40_000  # characters: a text that came over HTTP


def a_long_delivery() -> Delivery:
    """A long text, in which nobody had to look for a code."""
    delivery = a_delivery()
    return delivery._replace(message=msgspec.structs.replace(delivery.message, text="x" * LONG))


async def fill(url: str, count: int) -> None:
    """Store so many long texts: 40 kB each."""
    store = await open_store(url, join_parts)
    await store.add([a_long_delivery() for _ in range(count)])
    await store.close()


@contextlib.asynccontextmanager
async def full(settings: Settings) -> AsyncGenerator[tuple[Started, dict[str, str]]]:
    """A server that keeps 4 MB of texts, and the header that opens it."""
    async with serving(settings) as started:
        await fill(settings.store, 100)
        yield started, {"authorization": f"Bearer {started.new_admin_key}"}


async def ask_and_never_read(started: Started, headers: dict[str, str], path: str) -> socket.socket:
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.setblocking(False)
    await asyncio.get_running_loop().sock_connect(stuck, ("127.0.0.1", int(started.url.rpartition(":")[2])))
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {headers['authorization']}\r\n\r\n"
    await asyncio.get_running_loop().sock_sendall(stuck, head.encode() * 20)
    return stuck


@pytest.mark.parametrize("path", ["/api/v1/messages?limit=500", "/api/v1/events?after=0", "/json"])
@pytest.mark.usefixtures("protocol")
async def test_a_client_that_does_not_read_is_cut_and_little_waits_for_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(limits, "STALL_SECONDS", 0.5)
    most, seen = 0, limits.HttpConnection._expect_reading

    def expect_reading(connection: limits.HttpConnection) -> None:
        nonlocal most
        seen(connection)
        most = max(most, *limits.HttpConnection.unread.values())

    monkeypatch.setattr(limits.HttpConnection, "_expect_reading", expect_reading)
    async with full(settings) as (started, headers):
        with await ask_and_never_read(started, headers, path) as stuck:
            await eventually(lambda: most > 0)
            await eventually(lambda: not limits.HttpConnection.unread)
            while await asyncio.get_running_loop().sock_recv(stuck, 1 << 20):
                pass  # what the kernel had; then it ends
    assert most < 3 * 1024 * 1024


@pytest.mark.usefixtures("protocol")
async def test_what_waits_for_all_clients_together_is_bounded(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_UNREAD_BYTES", 2 * 1024 * 1024)
    totals: list[int] = []
    pause = limits.HttpConnection.pause_writing

    def pause_writing(connection: limits.HttpConnection) -> None:
        pause(connection)
        totals.append(sum(limits.HttpConnection.unread.values()))

    monkeypatch.setattr(limits.HttpConnection, "pause_writing", pause_writing)
    async with full(settings) as (started, headers):
        with contextlib.ExitStack() as stack:
            for count in range(1, 9):
                stuck = await ask_and_never_read(started, headers, "/api/v1/messages?limit=500")
                stack.enter_context(stuck)
                await eventually(lambda count=count: len(totals) >= count)  # type: ignore[misc]
        assert max(totals) <= 2 * 1024 * 1024
        async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE_SECONDS, verify=NO_AUTHORITIES) as client:
            assert (await client.get(f"{started.url}/readyz")).status_code == 200


async def test_a_list_of_long_texts_comes_in_pages_of_bounded_size(settings: Settings) -> None:
    async with (
        full(settings) as (started, headers),
        httpx2.AsyncClient(headers=headers, timeout=PATIENCE_SECONDS, verify=NO_AUTHORITIES) as client,
    ):
        ids, before = [], ""
        while before is not None:
            page = await client.get(f"{started.url}/api/v1/messages?limit=500&before={before}")
            assert len(page.content) < 2 * 1024 * 1024
            ids += [message["id"] for message in page.json()["messages"]]
            before = page.json()["next"]
    assert (len(ids), len({*ids})) == (100, 100)


@pytest.mark.usefixtures("protocol")
async def test_a_connection_that_sends_no_whole_second_request_is_closed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.3)
    async with serving(settings) as started, connected(started) as (reader, writer):
        head = f"Host: x\r\nAuthorization: Bearer {started.new_admin_key}\r\n"
        writer.write(f"GET /api/v1/code?timeout=0.4 HTTP/1.1\r\n{head}\r\n".encode())
        await reader.readuntil(b"no_message")
        writer.write(b"GET /api/v1/code HTTP/1.1\r\n")
        assert b"HTTP" not in await reader.read()


HEADS = {
    "an address": (b"GET /", b"x" * 1000),
    "a header": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ", b"x" * 1000),
    "headers": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X-More: " + b"x" * 1000 + b"\r\n"),
    "trailers": (
        b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
        b"X-More: " + b"x" * 1000 + b"\r\n",
    ),
}


@pytest.mark.usefixtures("protocol")
@pytest.mark.parametrize(("start", "more"), HEADS.values(), ids=HEADS)
async def test_what_has_no_end_is_not_collected(settings: Settings, start: bytes, more: bytes) -> None:
    async with serving(settings) as started, connected(started) as (reader, writer):
        writer.write(start)
        ended = asyncio.create_task(reader.read())
        sent = 0
        with contextlib.suppress(ConnectionError):
            while not ended.done():
                assert sent < 16 * 1024 * 1024, "it is still read"
                writer.write(more)
                sent += len(more)
                await writer.drain()
                await asyncio.sleep(0)
        with contextlib.suppress(ConnectionError):  # reset, as it sent on
            assert (await ended)[:12] in (b"HTTP/1.1 400", b"")


@pytest.mark.usefixtures("protocol")
async def test_a_client_that_is_gone_ends_the_first_of_its_requests_too(settings: Settings) -> None:
    async with serving(settings) as started:
        headers = {"authorization": f"Bearer {started.new_admin_key}"}
        async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE_SECONDS, verify=NO_AUTHORITIES) as client:

            async def waiting() -> int:
                return int((await client.get(f"{started.url}/readyz")).json()["waiting"])

            async with connected(started) as (reader, writer):
                head = f"Host: x\r\nAuthorization: Bearer {started.new_admin_key}\r\n\r\n"
                writer.write(f"GET /api/v1/events HTTP/1.1\r\n{head}GET /healthz HTTP/1.1\r\n{head}".encode())
                await reader.readuntil(b"200 OK")
                while await waiting() != 1:
                    await asyncio.sleep(0.01)
            while await waiting() != 0:
                await asyncio.sleep(0.01)


@pytest.mark.usefixtures("protocol")
async def test_requests_sent_in_one_go_are_answered_in_their_order(settings: Settings) -> None:
    async with serving(settings) as started, connected(started) as (reader, writer):
        head = f"Host: x\r\nAuthorization: Bearer {started.new_admin_key}\r\n\r\n"
        paths = ("/api/v1/code?timeout=0.2", "/api/v1/cursor", "/no/such/page", "/healthz")
        writer.write("".join(f"GET {path} HTTP/1.1\r\n{head}" for path in paths).encode())
        for said in (b"no_message", b"cursor", b"not_found", b"ok"):
            await reader.readuntil(said)


@pytest.mark.usefixtures("protocol")
async def test_a_client_that_offers_another_protocol_is_answered_in_this_one(settings: Settings) -> None:
    async with serving(settings) as started, connected(started) as (reader, writer):
        body = b'{"line": "+447700900001", "sender": "Authy", "text": "x"}'
        head = (
            f"POST /api/v1/inbound/generic HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {started.new_admin_key}\r\n"
            f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        for _ in range(2):
            writer.write(head.encode() + body)
            assert b" 200 " in await reader.readline()
            await reader.readuntil(b"}")


@pytest.mark.usefixtures("protocol")
@pytest.mark.parametrize(
    "request_line",
    ["CONNECT x:80 HTTP/1.1", "OPTIONS * HTTP/1.1", "GET /%00 HTTP/1.1", "GET  HTTP/1.1", "PRI * HTTP/2.0"],
)
async def test_a_request_that_makes_no_sense_is_refused(settings: Settings, request_line: str) -> None:
    async with serving(settings) as started, connected(started) as (reader, writer):
        writer.write(f"{request_line}\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n".encode())
        assert (await reader.readline()).split()[1] in (b"400", b"404", b"405")


@pytest.mark.usefixtures("protocol")
async def test_asked_twice_it_ends_without_waiting_for_clients(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(settings) as started, connected(started) as (reader, writer):
        writer.write(BODILESS)
        await reader.readuntil(b"100 Continue\r\n\r\n")
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert await reader.read() == b""
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.usefixtures("protocol")
async def test_a_wait_is_no_request_that_does_not_come(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.05)
    async with serving(settings) as started:
        url = f"{started.url}/api/v1/messages/next?timeout=0.3"
        async with httpx2.AsyncClient(
            headers={"authorization": f"Bearer {started.new_admin_key}"},
            timeout=PATIENCE_SECONDS,
            verify=NO_AUTHORITIES,
        ) as client:
            assert (await client.get(url)).json()["error"] == "no_message"


async def test_a_second_ctrl_c_does_not_interrupt_the_clean_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []

    def noting(close: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def close_during_a_signal() -> None:
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
                await close()
                closed.append(True)

        return close_during_a_signal

    async def open_noting(url: str) -> Store:
        store = await open_store(url, join_parts)
        monkeypatch.setattr(store, "close", noting(store.close))
        return store

    monkeypatch.setattr(opening, "open_store", lambda url, *_: open_noting(url))
    async with serving(settings):
        pass
    assert closed


@pytest.mark.parametrize("path", ["/json", "/"])
async def test_what_is_made_for_one_client_is_bounded_however_long_the_texts_are(settings: Settings, path: str) -> None:
    async with (
        full(settings) as (started, headers),
        httpx2.AsyncClient(headers=headers, timeout=PATIENCE_SECONDS, verify=NO_AUTHORITIES) as client,
    ):
        answer = await client.get(f"{started.url}{path}")
        assert answer.status_code == 200
        assert LONG < len(answer.content) < 1.5 * 1024 * 1024


def test_the_reader_of_codes_is_there_before_memory_is_given_back_unless_no_file_can_be_opened() -> None:
    program = """
import asyncio, sys
from smscatch import codes
from smscatch.server import keep_memory_small

def run():
    trims = []
    def trim():
        trims.append("smscatch.codes.reading" in sys.modules)
        if len(trims) == 3:
            raise EOFError
    try:
        asyncio.run(keep_memory_small(0, 0, trim))
    except EOFError:
        print(trims)

def no_file(name):
    raise OSError(24, "Too many open files")

load, codes.__getattr__ = codes.__getattr__, no_file
run()
codes.__getattr__ = load
run()
"""
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert found.stdout == "[False, False, False]\n[True, True, True]\n"
