"""The wire of a simulated modem: a pty under a name that comes and goes like that of a USB stick.

No AT here: bytes in, bytes out.
"""

import array
import asyncio
import contextlib
import fcntl
import os
import termios
import tty
from collections.abc import Callable
from pathlib import Path

from smscatch.devices import SPEEDS
from smscatch.errors import CannotStart

# A reader that never reads must not let us grow for ever; a full SIM is about 20 kB.
MAX_UNREAD_BYTES = 1 << 20


class PtyPort:
    """A serial port made of a pty: `device` is a symbolic link to its slave while it is plugged."""

    def __init__(self, device: Path, on_bytes: Callable[[bytes], None]) -> None:
        self._device = device
        self._on_bytes = on_bytes
        self._ends: tuple[int, int] | None = None
        self._unsent = bytearray()

    @property
    def is_plugged(self) -> bool:
        """Whether the device exists at present."""
        return self._ends is not None

    @property
    def speed(self) -> int:
        """The speed that the reader has set, in baud; 0 for one that is none of SPEEDS."""
        code = termios.tcgetattr(self._ends[1])[4] if self._ends else None
        return next((speed for speed in SPEEDS if getattr(termios, f"B{speed}") == code), 0)

    def plug(self) -> None:
        """Open a new pty and link `device` to it; a link that a dead process left is replaced.

        Raises CannotStart if `device` is something else than a link, or its folder cannot be written.
        """
        if self._ends is not None:
            return
        if self._device.exists() and not self._device.is_symlink():
            raise CannotStart(
                f"{self._device} exists and is no symbolic link; name a path for the simulated modem that is free."
            )
        # Our own hold on the slave keeps the master from reading EIO whenever no client has it open.
        master, slave = os.openpty()
        self._ends = master, slave
        tty.setraw(slave)
        os.set_blocking(master, False)
        try:
            self._link(os.ttyname(slave))
        except OSError as error:
            self._close()
            raise CannotStart(f"Cannot make the link {self._device}: {error.strerror}.") from error
        asyncio.get_running_loop().add_reader(master, self._receive)

    def unplug(self) -> None:
        """Remove the link and close the pty: whoever reads the slave gets EIO or end of file."""
        if self._ends is None:
            return
        with contextlib.suppress(OSError):
            # Another simulator may have taken the name over.
            if os.readlink(self._device) == os.ttyname(self._ends[1]):
                self._device.unlink()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._ends[0])
        loop.remove_writer(self._ends[0])
        self._close()

    def write(self, data: bytes) -> None:
        """Send `data` as far as the reader's buffer takes it, the rest when it can; unplugged, to nobody."""
        if self._ends is None or len(self._unsent) + len(data) > MAX_UNREAD_BYTES:
            return
        self._unsent += data
        self._send()

    async def drain(self, timeout_seconds: float) -> None:
        """Return when the client has read all that was written, or after `timeout_seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while self._unread():  # noqa: ASYNC110
                    # The kernel has no event for "the other end has read", only this number.
                    await asyncio.sleep(0.01)

    def _unread(self) -> int:
        if self._ends is None:
            return 0
        waiting = array.array("i", [0])
        fcntl.ioctl(self._ends[1], termios.FIONREAD, waiting)
        return waiting[0] + len(self._unsent)

    def _link(self, target: str) -> None:
        # Rename, so that a reader never finds the name missing when an old link is replaced.
        fresh = self._device.with_name(f".{self._device.name}.{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
        fresh.symlink_to(target)
        fresh.replace(self._device)

    def _close(self) -> None:
        for end in self._ends or ():
            os.close(end)
        self._ends = None
        self._unsent.clear()

    def _receive(self) -> None:
        if self._ends is not None:
            with contextlib.suppress(BlockingIOError):
                self._on_bytes(os.read(self._ends[0], 4096))

    def _send(self) -> None:
        if self._ends is None:
            return
        master, loop = self._ends[0], asyncio.get_running_loop()
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                del self._unsent[: os.write(master, self._unsent)]
        if self._unsent:
            loop.add_writer(master, self._send)
        else:
            loop.remove_writer(master)
