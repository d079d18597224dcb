"""Head and body of an answer in one piece: one call of the system, one packet, and one wake-up of its client."""

import asyncio
from typing import Any


class GatheringTransport:
    """A transport that sends in one go what is written in one turn of the event loop, or until `send` is called."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._written: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Have it sent at the end of this turn at the latest."""
        if not self._written:
            self._loop.call_soon(self.send)
        self._written.append(data)

    def send(self) -> None:
        """Send what was written."""
        written, self._written = self._written, []
        if written and not self._transport.is_closing():
            self._transport.write(b"".join(written))

    def close(self) -> None:
        """Send what was written, and end."""
        self.send()
        self._transport.close()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes are written and not sent."""
        return self._transport.get_write_buffer_size() + sum(map(len, self._written))

    def __getattr__(self, name: str) -> Any:  # all else is as it was
        return getattr(self._transport, name)
