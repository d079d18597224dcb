"""A simulated modem, and a terminal to type AT commands into it."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from smscatch.simulator import SimulatedModem, StickSettings
from tests.patience import PATIENCE_SECONDS

LINE_END = re.compile(rb"[\r\n]")
FINAL = ("OK", "ERROR", "+CME ERROR", "+CMS ERROR")


class Terminal:
    """The reader's end of a serial port. `ask` types a command and returns the lines of its answer."""

    def __init__(self, device: Path) -> None:
        self._file = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self._received = bytearray()
        self._arrived = asyncio.Event()
        self._is_closed = False
        asyncio.get_running_loop().add_reader(self._file, self._read)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._file)
        os.close(self._file)

    def type(self, data: str) -> None:
        os.write(self._file, data.encode("latin-1"))

    def find_line(self) -> str | None:
        """Take the next whole line that has come, if any; empty ones are left out."""
        self._read()
        while end := LINE_END.search(self._received):
            line = self._received[: end.start()].decode("latin-1")
            del self._received[: end.end()]
            if line:
                return line
        return None

    async def read_until(self, is_enough: Callable[[list[str]], bool]) -> list[str]:
        """Take lines until they are enough; what came after them is left for the next call."""
        lines: list[str] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_enough(lines):
                line = self.find_line()
                if line is not None:
                    lines.append(line)
                else:
                    await self._news()
        return lines

    async def ask(self, command: str) -> list[str]:
        """Return the lines up to the final result code, the echo among them if it is on."""
        self.type(f"{command}\r")
        return await self.read_until(lambda lines: any(line.startswith(FINAL) for line in lines))

    async def hung_up(self) -> None:
        """Return when the port has vanished."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self._is_closed:
                await self._news()

    async def _news(self) -> None:
        await self._arrived.wait()
        self._arrived.clear()

    def _read(self) -> None:
        if self._is_closed:
            return
        try:
            while data := os.read(self._file, 65536):
                self._received += data
                self._arrived.set()
        except BlockingIOError:
            return
        except OSError:  # EIO: the other end is closed
            pass
        self._is_closed = True
        asyncio.get_running_loop().remove_reader(self._file)
        self._arrived.set()


MakeModem = Callable[..., Awaitable[SimulatedModem]]
OpenTerminal = Callable[[SimulatedModem], Awaitable[Terminal]]


@pytest.fixture
async def a_modem(tmp_path: Path) -> AsyncGenerator[MakeModem]:
    """A function that starts a simulated modem with the given settings; all are stopped after the test."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> SimulatedModem:
            name = tmp_path / f"ttyUSB{len(list(tmp_path.iterdir()))}"
            return await stack.enter_async_context(SimulatedModem(name, settings=StickSettings(**settings)))

        yield start


@pytest.fixture
async def a_terminal() -> AsyncGenerator[OpenTerminal]:
    """A function that opens a terminal on a modem, with echo off and errors as numbers."""
    async with AsyncExitStack() as stack:

        async def start(modem: SimulatedModem) -> Terminal:
            terminal = Terminal(modem.device)
            stack.callback(terminal.close)
            assert (await terminal.ask("ATE0"))[-1] == "OK"
            assert await terminal.ask("AT+CMEE=1") == ["OK"]
            return terminal

        yield start
