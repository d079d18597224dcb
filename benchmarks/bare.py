"""The floor of waking waiters over HTTP: asyncio alone, no parser worth the name, no key, no store, no line.

python benchmarks/bare.py PORT. A GET waits, except for /healthz; a POST is answered, and its body goes to all who wait.
"""

import asyncio
import sys

BACKLOG = 2048
waiting: set["Connection"] = set()


class Connection(asyncio.Protocol):
    """One client, who waits or sends."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._got = b""

    def data_received(self, data: bytes) -> None:
        """Answer a whole request, or let it wait."""
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0):
            return
        self._got = b""
        if head.startswith(b"POST"):
            self.answer(b"{}")
            for waiter in [*waiting]:
                waiter.answer(body)
            waiting.clear()
        elif head.startswith(b"GET /healthz"):
            self.answer(b"{}")
        else:
            waiting.add(self)

    def answer(self, body: bytes) -> None:
        """Send a body."""
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)

    def connection_lost(self, _: Exception | None) -> None:
        """End."""
        waiting.discard(self)


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=BACKLOG)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
