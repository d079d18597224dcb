"""A machine that offers a simulated modem over the network."""

import asyncio
import os
import termios
from pathlib import Path

from smscatch.modem.netport import _Telnet


class Gateway:
    """A server that offers a simulated modem over TCP, raw or by RFC 2217, as ser2net does.

    `speed` is what it opens the port at, one of termios' constants; None leaves it.
    """

    def __init__(self, device: Path, *, is_telnet: bool, speed: int | None = None) -> None:
        self._device, self._is_telnet, self._speed = device, is_telnet, speed
        self.orders = b""
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        port = os.open(self._device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        if self._speed is not None:
            attributes = termios.tcgetattr(port)
            attributes[4] = attributes[5] = self._speed
            termios.tcsetattr(port, termios.TCSANOW, attributes)
        telnet, loop = _Telnet(), asyncio.get_running_loop()

        def forward() -> None:
            data = os.read(port, 4096)
            writer.write(data.replace(b"\xff", b"\xff\xff") if self._is_telnet else data)

        loop.add_reader(port, forward)
        try:
            if self._is_telnet:  # what a server says at first: DO port control, WILL echo
                writer.write(b"\xff\xfd\x2c\xff\xfb\x01")
            while data := await reader.read(4096):
                if self._is_telnet:
                    self.orders += data
                    data, _ = telnet.read(data)
                os.write(port, data)
        finally:
            loop.remove_reader(port)
            os.close(port)
            writer.close()

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()
