"""A serial port: opened for us alone, raw, read and written by the event loop.

Bytes only; AT is in at.py. termios alone does it: see docs/modems.md for why there is no serial library.
"""

import array
import asyncio
import contextlib
import errno
import fcntl
import os
import termios
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from smscatch.modem.trouble import NoAccess, PortBusy, PortMissing, PortShared

_GONE = (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO)
_READ_BYTES = 65536
# Tells whether a tty is marked exclusive; missing in Python's termios (ioctl_tty(2); asm-generic/ioctls.h).
_TIOCGEXCL = 0x80045440
# The ports that this process has open: none but itself knows that it is no other program.
_held: set[str] = set()


class Port(Protocol):
    """An open port, whatever it is made of; `device` names it in sentences."""

    device: str

    def listen(self, on_bytes: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        """Hand what arrives to `on_bytes` from now on, and call `on_lost` once when the device has gone."""

    def write(self, data: bytes) -> None:
        """Send `data`."""

    def set_speed(self, speed: int) -> None:
        """Go on at another speed, in baud."""

    def close(self) -> None:
        """Let go of the port; a second time does nothing."""


class SerialPort:
    """An open serial port of this machine."""

    def __init__(self, device: Path, speed: int = 115200) -> None:
        """Open `device`. Raises PortMissing, PortBusy or NoAccess, each with a sentence that says what to do."""
        self.device = str(device)
        self._on_bytes: Callable[[bytes], None] = lambda _: None
        self._on_lost: Callable[[], None] = lambda: None
        self._is_open = False
        self._file = _open(device, speed)
        self._is_open = True
        self._held = os.path.realpath(device)
        _held.add(self._held)

    def listen(self, on_bytes: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        """Hand what arrives to `on_bytes` from now on, and call `on_lost` once when the device has gone."""
        self._on_bytes, self._on_lost = on_bytes, on_lost
        asyncio.get_running_loop().add_reader(self._file, self._receive)

    def set_speed(self, speed: int) -> None:
        """Go on at another speed, in baud."""
        with contextlib.suppress(termios.error):
            _set_speed(self._file, speed)

    def write(self, data: bytes) -> None:
        """Send `data`; what a modem that takes nothing leaves over is dropped: its command times out then."""
        try:
            os.write(self._file, data)
        except BlockingIOError:
            pass
        except OSError:
            self._lose()

    def close(self) -> None:
        """Let go of the port; a second time does nothing."""
        if not self._is_open:
            return
        self._is_open = False
        _held.discard(self._held)
        asyncio.get_running_loop().remove_reader(self._file)
        # The kernel sits out up to 30 s for bytes that a hanging modem does not take (setserial(8), closing_wait).
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(self._file, termios.TCOFLUSH)
            fcntl.ioctl(self._file, termios.TIOCNXCL)
        os.close(self._file)

    def _receive(self) -> None:
        try:
            data = os.read(self._file, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:  # EIO: the device was pulled out
            data = b""
        if data:
            self._on_bytes(data)
        else:
            self._lose()

    def _lose(self) -> None:
        if self._is_open:
            self.close()
            self._on_lost()


def _open(device: Path, speed: int) -> int:
    try:
        # O_NONBLOCK: a port without carrier would keep us waiting in open() (termios(3), CLOCAL).
        file = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _trouble(device, error) from error
    try:
        _claim(file, device)
        _make_raw(file)
        _set_speed(file, speed)
    except (OSError, termios.error) as error:
        os.close(file)
        number = error.args[0] if error.args else 0
        if number in _GONE:
            raise PortMissing(f"{device} went away while it was opened.") from error
        raise NoAccess(f"{device} is no serial port: {error.args[-1]}.") from error
    except PortBusy:
        os.close(file)
        raise
    return file


def _trouble(device: Path, error: OSError) -> PortMissing | PortBusy | NoAccess:
    if error.errno in _GONE:
        return PortMissing(f"There is no {device}. Plug the modem in; `ls /dev/serial/by-id` shows what is there.")
    if error.errno == errno.EBUSY:
        return _busy(device)
    if error.errno in (errno.EACCES, errno.EPERM):
        return NoAccess(
            f"{device} may not be opened by this user. Add it to the group of the device:"
            " sudo usermod -aG dialout USER, and log in again."
        )
    return NoAccess(f"{device} cannot be opened: {error.strerror}.")


def _claim(file: int, device: Path) -> None:
    """Make the port ours. Raises PortBusy if another program has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise _busy(device) from error
    # gammu and ModemManager mark their port exclusive. That keeps others out, except root, who has to look.
    holder = holder_of(device) if _is_marked(file) else None
    if holder is not None:
        raise PortBusy(_busy_sentence(device, holder))
    # The mark of a pty outlives us when we are killed, as the simulator keeps it open; a real port's does not.
    if not os.ttyname(file).startswith("/dev/pts/"):
        fcntl.ioctl(file, termios.TIOCEXCL)


def _is_marked(file: int) -> bool:
    marked = array.array("i", [0])
    try:
        fcntl.ioctl(file, _TIOCGEXCL, marked)
    except OSError:  # another number on this processor, or a kernel before 3.8
        return False
    return bool(marked[0])


def holder_of(device: Path) -> str | None:
    """Return the name and number of another process that has the device open, as far as we may see (proc(5))."""
    target = os.path.realpath(device)
    for process in os.listdir("/proc"):
        if not process.isdecimal() or int(process) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            for number in os.listdir(f"/proc/{process}/fd"):
                if os.readlink(f"/proc/{process}/fd/{number}") == target:
                    name = Path(f"/proc/{process}/comm").read_text("utf-8", "replace").strip()
                    return f"{name} (process {process})"
    return None


def _busy(device: Path) -> PortBusy:
    if os.path.realpath(device) in _held:
        return PortShared(f"{device} is read here for another line already. A modem has one line: give each its own.")
    return PortBusy(_busy_sentence(device, holder_of(device)))


def _busy_sentence(device: Path, holder: str | None) -> str:
    advice = "A modem has one reader: stop the other program"
    if holder and holder.startswith("ModemManager"):
        advice = "Stop it: sudo systemctl mask --now ModemManager"
    elif holder is None:
        advice += "; `sudo fuser -v` on the device names it (often ModemManager or gammu-smsd)"
    return f"{device} is in use by {holder or 'another program'}. {advice}."


def _make_raw(file: int) -> None:
    """8N1 without translation or flow control."""
    tty.setraw(file)
    mode = termios.tcgetattr(file)
    # Not HUPCL: dropping DTR at each close makes some modems reset. CLOCAL: carrier does not matter.
    mode[2] = (mode[2] | termios.CREAD | termios.CLOCAL | termios.CS8) & ~(
        termios.HUPCL | termios.CRTSCTS | termios.PARENB | termios.CSTOPB
    )
    termios.tcsetattr(file, termios.TCSANOW, mode)


def _set_speed(file: int, speed: int) -> None:
    """Set the speed, which a USB stick does not care about, but a module at a UART does."""
    mode = termios.tcgetattr(file)
    mode[4] = mode[5] = getattr(termios, f"B{speed}")
    termios.tcsetattr(file, termios.TCSANOW, mode)
