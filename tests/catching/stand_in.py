"""A server in the place of ours, which says what it was asked, and the catcher in front of it."""

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import httpx2
import trustme
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

KEY = "the-key-of-the-catcher"


class Asked(NamedTuple):
    """What the server was asked."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class StandIn:
    """Answers each request with what it was asked, or as the test says in `answer`."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Response] = _echo
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.was_asked = asyncio.Event()
        self.url = ""

    async def serve(self, request: Request) -> Response:
        body = await request.body()
        target = request.scope["raw_path"].decode() + ("?" + request.url.query if request.url.query else "")
        self.asked.append(Asked(request.method, target, dict(request.headers), body))
        self.was_asked.set()
        await self.may_answer.wait()
        return self.answer(self.asked[-1])

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["StandIn"]:
        app = Starlette(routes=[Route("/{path:path}", self.serve, methods=["GET", "POST", "PUT", "DELETE"])])
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            running = asyncio.create_task(server.serve([listening]))
            yield self
            server.should_exit = True
            await running


def _echo(asked: Asked) -> Response:
    said = {"method": asked.method, "target": asked.target, "bytes": len(asked.body)}
    return Response(json.dumps(said), 201, media_type="application/json")


def stream_of(size: int) -> Response:
    """An answer of so many octets, whose length is not said before."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(size // 65_536):
            yield b"x" * 65_536

    return StreamingResponse(pieces())


@contextlib.asynccontextmanager
async def tls_elsewhere(answer: bytes = b"from elsewhere") -> AsyncIterator[tuple[int, bytes]]:
    """A TLS server that is no provider's, at localhost: its port, and the certificate of the CA that it has."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(answer) + answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], ca.cert_pem.bytes()


def client_through(port: int, *certificates: bytes, **more: Any) -> httpx2.AsyncClient:
    """A client that uses a proxy at `port`, and trusts these alone."""
    context = ssl.create_default_context(cadata="".join(pem.decode() for pem in certificates) or None)
    return httpx2.AsyncClient(proxy=f"http://127.0.0.1:{port}", verify=context, trust_env=False, **more)
