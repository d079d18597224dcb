"""An answer leaves in one piece, however many pieces it is written in, and nothing of it stays behind."""

import asyncio
import socket
import sys
from asyncio import selector_events

import pytest
from starlette.types import Receive, Scope, Send

from smscatch.web.serving import HttpServer, connection_class
from smscatch.web.writing import GatheringTransport


class FakeTransport:
    """Notes what is sent and whether it was closed."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 100


async def a_pair() -> tuple[FakeTransport, GatheringTransport]:
    below = FakeTransport()
    return below, GatheringTransport(below, asyncio.get_running_loop())  # type: ignore[arg-type]


async def test_what_is_written_in_one_turn_is_sent_at_its_end_in_order() -> None:
    below, transport = await a_pair()
    transport.write(b"head")
    transport.write(b"body")
    assert (below.sent, transport.get_write_buffer_size()) == ([], 108)
    await asyncio.sleep(0)
    assert (below.sent, transport.get_write_buffer_size()) == ([b"headbody"], 100)


async def test_an_end_sends_what_was_written_and_a_cut_drops_it() -> None:
    below, transport = await a_pair()
    transport.write(b"last")
    transport.close()
    assert (below.sent, below.closed) == ([b"last"], True)
    below, transport = await a_pair()
    transport.write(b"lost")
    transport.abort()
    await asyncio.sleep(0)
    assert below.sent == []


@pytest.mark.parametrize("protocol", ["httptools", "h11"])
async def test_head_and_body_of_an_answer_are_sent_at_once(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if protocol == "h11":
        monkeypatch.setitem(sys.modules, "smscatch.web.over_httptools", None)
    assert connection_class().__name__.lower().startswith(protocol)
    sent: list[bytes] = []
    write = selector_events._SelectorSocketTransport.write  # type: ignore[attr-defined]

    def noting(self: object, data: bytes) -> None:
        sent.append(bytes(data))
        write(self, data)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"hello"})

    monkeypatch.setattr(selector_events._SelectorSocketTransport, "write", noting)  # type: ignore[attr-defined]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = HttpServer(app, 10, lambda: None)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        writer.close()
        server.stop()
        await serving
    answers = [data for data in sent if data.startswith(b"HTTP/")]
    assert [answer.endswith(b"hello") for answer in answers] == [True, True]
