"""A connection of SMPP, PDU by PDU: the same on either side."""

import asyncio

from smscatch.smpp.pdu import Frame, Frames, Status


class PduStream:
    """Reads and sends PDUs; `first` is the sequence number before the first of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: int = 0) -> None:
        self._reader, self.writer = reader, writer
        self._frames = Frames()
        self._waiting: list[Frame] = []
        self._sequence = first

    async def read(self) -> Frame:
        """Return the next PDU. Raises EOFError at the end."""
        while not self._waiting:
            octets = await self._reader.read(65536)
            if not octets:
                raise EOFError
            self._waiting += self._frames.feed(octets)
        return self._waiting.pop(0)

    async def send(self, *frames: Frame) -> None:
        self.writer.write(b"".join(frame.encode() for frame in frames))
        await self.writer.drain()

    async def ask(self, command: int, body: bytes = b"") -> Frame:
        """Send a request, and return what is answered to it."""
        self._sequence += 1
        await self.send(Frame(command, Status.OK, self._sequence, body))
        answer = await self.read()
        assert answer.sequence == self._sequence
        return answer
