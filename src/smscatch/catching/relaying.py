"""One HTTP request handed on to a server, and its answer handed back: heads change where they must, bodies never."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable

import h11
import httpcore2

from smscatch.catching.accepting import MOST_CONNECTIONS
from smscatch.catching.incoming import Gone, Headers, RequestStream

# Of one connection, not of the message (RFC 9110, 7.6.1).
_HOP = {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te"} | {
    b"trailer",
    b"upgrade",
}
_OF_REQUEST = _HOP | {b"expect"}  # which we answer ourselves (10.1.1)
_OF_ANSWER = _HOP | {b"transfer-encoding"}
# Below what servers keep an idle connection (5 s with many), or a request would meet its end.
KEEP_SECONDS = 3.0
CONNECT_SECONDS = 15.0
FAILURES = (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError)


def open_pool(proxy: httpcore2.Proxy | None = None) -> httpcore2.AsyncConnectionPool:
    """Return connections to servers, kept for a while. Close them with `aclose`."""
    return httpcore2.AsyncConnectionPool(max_connections=MOST_CONNECTIONS, keepalive_expiry=KEEP_SECONDS, proxy=proxy)


def headers_of(request: h11.Request) -> Headers:
    """Return the headers of a request that are handed on, written as they came."""
    return _without(_OF_REQUEST, request.headers.raw_items())


async def relay(
    pool: httpcore2.AsyncConnectionPool, incoming: RequestStream, asked: httpcore2.Request, note: Callable[[int], None]
) -> None:
    """Send a request, and answer `incoming` with what is answered to it; with 502 if nothing is. `note` has the status.

    If the program goes meanwhile, the server has a request that came whole all the same. Raises Gone if it has gone.
    """
    asked.extensions = {"timeout": {"connect": CONNECT_SECONDS}}
    async with contextlib.AsyncExitStack() as stack:
        try:
            answer = await stack.enter_async_context(_answered(pool, asked))
        except FAILURES as error:
            note(502)
            where = f"{asked.url.host.decode()}:{asked.url.port or 80}"
            await incoming.refuse(502, f"the server at {where} does not answer: {error or 'no reason'}")
            return
        note(answer.status)
        await incoming.answer(answer.status, _without(_OF_ANSWER, answer.headers), _pieces(answer))


@contextlib.asynccontextmanager
async def _answered(
    pool: httpcore2.AsyncConnectionPool, asked: httpcore2.Request
) -> AsyncGenerator[httpcore2.Response, None]:
    answer = await pool.handle_async_request(asked)
    try:
        yield answer
    finally:
        await answer.aclose()


async def _pieces(answer: httpcore2.Response) -> AsyncGenerator[bytes, None]:
    """Yield the body of an answer. Raises Gone if the server breaks it off: then we do too."""
    stream = answer.stream
    assert isinstance(stream, AsyncIterable)  # noqa: S101 - the pool is asynchronous
    try:
        async for piece in stream:
            yield piece
    except FAILURES as error:
        raise Gone from error


def _without(names: set[bytes], headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in names]
