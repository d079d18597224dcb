"""The real ModemManager on simulated modems, over a bus of its own: nothing of this machine's is touched.

ModemManager opens an abstract socket in place of a serial port (its Test interface); a bridge leads from there to the
simulated modem's pty. PolicyKit, which it asks whether we may, is played by a service that always says yes.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tty
import uuid
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated

from dbus_fast import BusType, Message, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusSignature, DBusStr, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method

from tests.patience import PATIENCE_SECONDS

NAME = "org.freedesktop.ModemManager1"
ROOT = "/org/freedesktop/ModemManager1"
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"""
# What the bridge answers in the modem's stead: a data connection, which the simulated modem does not have.
DIALLED = {
    b"AT+CGDCONT=?": b'+CGDCONT: (1-10),"IP",,,(0),(0)\r\n\r\nOK',
    b"AT+CGDCONT?": b'+CGDCONT: 1,"IP","internet","",0,0\r\n\r\nOK',
    b"AT+CGACT?": b"+CGACT: 1,0\r\n\r\nOK",
    b"ATD*99***1#": b"CONNECT",
}


def program(name: str, package: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, f"{name} is missing: sudo apt-get install --no-install-recommends {package}"
    return found


class Authority(ServiceInterface):
    """PolicyKit as far as ModemManager asks it."""

    def __init__(self) -> None:
        super().__init__("org.freedesktop.PolicyKit1.Authority")
        self.is_open = True

    @dbus_method()
    def CheckAuthorization(  # noqa: N802, PLR0917 - its name and its arguments on the bus
        self,
        subject: Annotated[tuple[str, dict[str, Variant]], DBusSignature("(sa{sv})")],
        action: DBusStr,
        details: Annotated[dict[str, str], DBusSignature("a{ss}")],
        flags: DBusUInt32,
        cancellation: DBusStr,
    ) -> Annotated[list[object], DBusSignature("(bba{ss})")]:
        return [self.is_open, False, {}]


class Manager:
    """A ModemManager that runs, on the bus at `address`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"unix:path={folder}/bus"
        self.authority = Authority()
        self._daemon: subprocess.Popen[bytes] | None = None
        self._manager: subprocess.Popen[bytes] | None = None
        self._bus: MessageBus | None = None
        self._bridges: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        config = self.folder / "bus.conf"
        config.write_text(CONFIG.format(socket=self.folder / "bus"))
        self._daemon = subprocess.Popen(
            [program("dbus-daemon", "dbus"), f"--config-file={config}", "--nofork", "--nopidfile", "--print-address=1"],
            stdout=subprocess.PIPE,
        )
        assert self._daemon.stdout is not None
        await asyncio.to_thread(self._daemon.stdout.readline)
        self._bus = await MessageBus(self.address, BusType.SYSTEM).connect()
        self._bus.export("/org/freedesktop/PolicyKit1/Authority", self.authority)
        await self._bus.request_name("org.freedesktop.PolicyKit1")
        await self.start()

    async def start(self) -> None:
        """Start ModemManager and wait until it is on the bus."""
        environ = {"PATH": os.environ["PATH"], "DBUS_SYSTEM_BUS_ADDRESS": self.address}
        options = ("--test-enable", "--test-no-udev", "--test-no-suspend-resume", "--no-auto-scan")
        with (self.folder / "manager.log").open("a") as log:
            self._manager = subprocess.Popen(
                [program("ModemManager", "modemmanager"), *options, "--log-level=DEBUG"],
                env=environ,
                stderr=log,
                stdout=log,
            )
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (await self.call("/", "NameHasOwner", "s", [NAME], to="org.freedesktop.DBus"))[0]:
                await asyncio.sleep(0.01)

    async def connect(self) -> None:
        """Have the first modem make a data connection."""
        (found,) = await self.call(ROOT, "GetManagedObjects", on="org.freedesktop.DBus.ObjectManager")
        assert isinstance(found, dict)
        apn = {"apn": Variant("s", "internet")}
        await self.call(min(found), "Connect", "a{sv}", [apn], on=f"{NAME}.Modem.Simple")

    async def inhibit(self, *, is_inhibited: bool, device: str = "") -> str:
        """Take the first modem away from ModemManager, or give it back; return what it calls its place."""
        if not device:
            (found,) = await self.call(ROOT, "GetManagedObjects", on="org.freedesktop.DBus.ObjectManager")
            assert isinstance(found, dict)
            device = found[min(found)][f"{NAME}.Modem"]["Device"].value
        await self.call(ROOT, "InhibitDevice", "sb", [device, is_inhibited], on=NAME)
        return device

    def times_disabled(self) -> int:
        """Return how often a modem was disabled, by its log."""
        return (self.folder / "manager.log").read_text("utf-8", "replace").count("-> disabling")

    def signal(self, number: int) -> None:
        """Send ModemManager a signal."""
        assert self._manager is not None
        self._manager.send_signal(number)

    def stop(self) -> None:
        """Stop ModemManager."""
        if self._manager is not None:
            self._manager.kill()
            self._manager.wait()
            self._manager = None

    async def call(
        self,
        path: str,
        member: str,
        signature: str = "",
        body: list[object] | None = None,
        *,
        to: str = NAME,
        on: str = "",
    ) -> list[object]:
        assert self._bus is not None
        interface = on or to
        reply = await self._bus.call(Message(to, path, interface, member, signature=signature, body=body or []))
        assert reply.message_type.name == "METHOD_RETURN", reply.body
        return reply.body

    async def attach(self, device: Path) -> str:
        """Show ModemManager a simulated modem; return what it calls its port."""
        name = f"abstract:smscatch-{uuid.uuid4().hex}"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(f"\0{name}")
        listener.listen(5)
        listener.setblocking(False)
        self._bridges.append(asyncio.create_task(self._bridge(listener, device)))
        await self.call(ROOT, "SetProfile", "ssas", [uuid.uuid4().hex, "generic", [name]], on=f"{NAME}.Test")
        return name

    async def _bridge(self, listener: socket.socket, device: Path) -> None:
        loop = asyncio.get_running_loop()
        with listener:
            while True:
                connection, _ = await loop.sock_accept(listener)
                with connection:
                    await _pass_on(connection, device)

    async def close(self) -> None:
        for bridge in self._bridges:
            bridge.cancel()
        await asyncio.gather(*self._bridges, return_exceptions=True)
        self.stop()
        if self._bus is not None:
            self._bus.disconnect()
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
            assert self._daemon.stdout is not None
            self._daemon.stdout.close()


async def _pass_on(connection: socket.socket, device: Path) -> None:
    """Pass octets on between ModemManager and a modem, until either hangs up."""
    try:
        port = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return
    tty.setraw(port)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    connection.setblocking(False)

    def pump(read, write) -> None:  # type: ignore[no-untyped-def]
        try:
            data = read()
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            ended.set()
        with contextlib.suppress(OSError):
            write(data)

    def from_manager(data: bytes) -> None:
        answer = DIALLED.get(data.strip())
        if answer:
            connection.sendall(b"\r\n" + answer + b"\r\n")
        else:
            os.write(port, data)

    loop.add_reader(port, pump, lambda: os.read(port, 4096), connection.sendall)
    loop.add_reader(connection, pump, lambda: connection.recv(4096), from_manager)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(port)
        loop.remove_reader(connection)
        os.close(port)


@contextlib.asynccontextmanager
async def running_manager(folder: Path) -> AsyncGenerator[Manager]:
    manager = Manager(folder)
    try:
        await manager.open()
        yield manager
    finally:
        await manager.close()
