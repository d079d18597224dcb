"""HTTP/1.1 as a server speaks it, over the streams of a connection: requests with their bodies, and answers."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence

import h11

from smscatch.catching.accepting import Streams

READ_BYTES = 64 * 1024
MOST_HEAD_BYTES = 256 * 1024  # of a request's line and headers, before they are refused

Headers = Sequence[tuple[bytes, bytes]]


class Gone(Exception):
    """The program on the other side has closed the connection, or does not speak HTTP."""


class RequestStream:
    """What a program asks on one connection, one request after the other (keep-alive)."""

    def __init__(self, streams: Streams) -> None:
        self.requests = 0  # so many came
        self._streams = streams
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD_BYTES)

    async def next_request(self) -> h11.Request | None:
        """Return the next request; None if there is none any more. Raises Gone."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        elif self._http.our_state is not h11.IDLE:  # this connection is to end after the first answer
            return None
        event = await self._next_event()
        if not isinstance(event, h11.Request):
            return None
        self.requests += 1
        return event

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body of the request, piece by piece. Raises Gone if it does not come whole."""
        if self._http.they_are_waiting_for_100_continue:
            await self._send(h11.InformationalResponse(status_code=100, headers=[]))
        while isinstance(event := await self._next_event(), h11.Data):
            yield bytes(event.data)

    async def answer(self, status: int, headers: Headers, body: AsyncIterable[bytes]) -> None:
        """Answer the request. Raises Gone."""
        await self._send(h11.Response(status_code=status, headers=list(headers)))
        async for piece in body:
            await self._send(h11.Data(data=piece))
        await self._send(h11.EndOfMessage())

    async def refuse(self, status: int, sentence: str) -> None:
        """Answer with a sentence, which is the reason phrase too: clients show no more of a CONNECT. Raises Gone."""
        await self._pass_over_body()
        text = f"smscatch: {sentence}\n".encode()
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
        headers.append((b"connection", b"close"))
        reason = f"smscatch: {sentence}".encode("ascii", "replace")
        await self._send(h11.Response(status_code=status, headers=headers, reason=reason))
        await self._send(h11.Data(data=text))
        await self._send(h11.EndOfMessage())

    async def agree_to_tunnel(self) -> bytes:
        """Answer a CONNECT with yes (RFC 9110, 9.3.6); return what came behind it already. Raises Gone."""
        await self._pass_over_body()
        await self._send(h11.Response(status_code=200, headers=[], reason=b"Connection established"))
        return self._http.trailing_data[0]

    async def _pass_over_body(self) -> None:
        """Read what is left of the request: what nobody read would reset the connection, and the answer with it."""
        while self._http.their_state is h11.SEND_BODY and not self._http.they_are_waiting_for_100_continue:
            await self._next_event()

    async def _next_event(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            try:
                event = self._http.next_event()
                if event is h11.PAUSED or isinstance(event, h11.Event):
                    return event
                self._http.receive_data(await self._streams.reader.read(READ_BYTES))
            except (h11.RemoteProtocolError, OSError) as error:
                raise Gone from error

    async def _send(self, event: h11.Event) -> None:
        try:
            data = self._http.send(event)
            if data:
                self._streams.writer.write(data)
                await self._streams.writer.drain()
        except (h11.LocalProtocolError, OSError) as error:
            raise Gone from error
