"""A serial port at another machine: raw over TCP as ser2net offers it, or with its speed by RFC 2217.

Bytes only; AT is in at.py.
"""

import asyncio
import contextlib
from collections.abc import Callable

from smscatch.devices import DeviceName
from smscatch.modem.trouble import PortMissing

CONNECT_SECONDS = 5.0
# Telnet (RFC 854 and 855) and its options: binary (856), no go-ahead (858), port control (2217).
_IAC, _DONT, _DO, _WONT, _WILL, _SB, _SE = 255, 254, 253, 252, 251, 250, 240
_BINARY, _NO_GO_AHEAD, _PORT_CONTROL = 0, 3, 44
_OURS, _THEIRS = (_BINARY, _NO_GO_AHEAD, _PORT_CONTROL), (_BINARY, _NO_GO_AHEAD)
_SET_SPEED, _SET_SIZE, _SET_PARITY, _SET_STOPS = 1, 2, 3, 4
_EIGHT_BITS, _NO_PARITY, _ONE_STOP = 8, 1, 1


class NetPort(asyncio.Protocol):
    """A connection to a port elsewhere, with what SerialPort offers."""

    def __init__(self, name: DeviceName) -> None:
        self.device = f"{name.kind}://{name.value}"
        self._telnet = _Telnet() if name.kind == "rfc2217" else None
        self._transport: asyncio.Transport | None = None
        self._on_bytes: Callable[[bytes], None] = lambda _: None
        self._on_lost: Callable[[], None] = lambda: None
        self._is_open = True

    @classmethod
    async def open(cls, name: DeviceName, speed: int) -> "NetPort":
        """Connect. Raises PortMissing with a sentence that says what to do."""
        port = cls(name)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().create_connection(lambda: port, *name.address)
        except (OSError, TimeoutError) as error:
            reason = getattr(error, "strerror", None) or "no answer"
            raise PortMissing(
                f"{port.device} cannot be reached ({reason}): look whether ser2net runs there, and at the address."
            ) from error
        if port._telnet:
            port._send(port._telnet.greeting())
        port.set_speed(speed)
        return port

    def listen(self, on_bytes: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        """Hand what arrives to `on_bytes` from now on, and call `on_lost` once when the connection has gone."""
        self._on_bytes, self._on_lost = on_bytes, on_lost

    def write(self, data: bytes) -> None:
        """Send `data`."""
        self._send(data.replace(b"\xff", b"\xff\xff") if self._telnet else data)

    def set_speed(self, speed: int) -> None:
        """Set the speed of the port, if the other side lets us; 8N1."""
        if self._telnet:
            self._send(self._telnet.settings(speed))

    def close(self) -> None:
        """End the connection; a second time does nothing."""
        self._is_open = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note of the connection (asyncio.Protocol)."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_connection makes no other
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Hand on what came (asyncio.Protocol)."""
        if self._telnet:
            data, answer = self._telnet.read(data)
            self._send(answer)
        if data:
            self._on_bytes(data)

    def connection_lost(self, _: Exception | None) -> None:
        """Tell that the connection has gone (asyncio.Protocol)."""
        if self._is_open:
            self._is_open = False
            self._on_lost()

    def _send(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            with contextlib.suppress(OSError):
                self._transport.write(data)


class _Telnet:
    """What RFC 2217 puts between the octets of the port."""

    def __init__(self) -> None:
        self._partial = b""

    def greeting(self) -> bytes:
        """Return what we offer and ask for at the beginning."""
        ours = b"".join(bytes((_IAC, _WILL, option)) for option in _OURS)
        return ours + b"".join(bytes((_IAC, _DO, option)) for option in _THEIRS)

    def settings(self, speed: int) -> bytes:
        """Return the orders for a speed, and 8N1 (RFC 2217, section 3)."""
        orders = (
            (_SET_SPEED, speed.to_bytes(4)),
            (_SET_SIZE, bytes((_EIGHT_BITS,))),
            (_SET_PARITY, bytes((_NO_PARITY,))),
            (_SET_STOPS, bytes((_ONE_STOP,))),
        )
        return b"".join(
            bytes((_IAC, _SB, _PORT_CONTROL, order)) + value.replace(b"\xff", b"\xff\xff") + bytes((_IAC, _SE))
            for order, value in orders
        )

    def read(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the port's own octets of what came, and what to answer to the rest."""
        data, self._partial = self._partial + data, b""
        octets, answers, position = bytearray(), bytearray(), 0
        while position < len(data):
            if data[position] != _IAC:
                octets.append(data[position])
                position += 1
                continue
            end = _end_of_command(data, position)
            if end is None:
                self._partial = data[position:]
                break
            command = data[position:end]
            octets += b"\xff" if command == b"\xff\xff" else b""
            answers += _answer(command)
            position = end
        return bytes(octets), bytes(answers)


def _end_of_command(data: bytes, start: int) -> int | None:
    """Return where the command ends that begins at `start`, None if that has not come yet."""
    if len(data) < start + 2:
        return None
    if data[start + 1] == _SB:
        end = data.find(bytes((_IAC, _SE)), start)
        return None if end < 0 else end + 2
    size = 3 if data[start + 1] in (_WILL, _WONT, _DO, _DONT) else 2
    return start + size if len(data) >= start + size else None


def _answer(command: bytes) -> bytes:
    """Refuse every option but those that we offered or asked for."""
    if command[1] not in (_DO, _WILL):
        return b""
    verb, option = command[1:]
    if option in (_OURS if verb == _DO else _THEIRS):
        return b""
    return bytes((_IAC, _WONT if verb == _DO else _DONT, option))
