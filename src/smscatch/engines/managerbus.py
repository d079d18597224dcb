"""ModemManager as one sees it over D-Bus: its modems, their texts, how they are. No decision: modemmanager.py has them.

Source of names and numbers: ModemManager's D-Bus reference and its ModemManager-enums.h.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from smscatch.engines.managed import MESSAGING, MODEM, NAME, SMS, ManagedModem
from smscatch.engines.retrying import EngineTrouble
from smscatch.modem.waiting import Sleep, result_within

ROOT = "/org/freedesktop/ModemManager1"
BEARER = f"{NAME}.Bearer"
PROPERTIES, OBJECTS = "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.ObjectManager"
BUS, BUS_PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"
WAKING = (
    f"type='signal',sender='{NAME}',interface='{MESSAGING}'",
    f"type='signal',sender='{NAME}',interface='{PROPERTIES}',arg0='{SMS}'",
    f"type='signal',sender='{BUS}',interface='{BUS}',member='NameOwnerChanged',arg0='{NAME}'",
)
DISCONNECTING = 9  # MMModemState; above it are only connecting and connected
# Longer than what takes ModemManager longest: enabling a slow modem whose SIM is full of texts.
ANSWER_SECONDS = 100.0
_ABSENT = ("ServiceUnknown", "NameHasNoOwner", "NoReply", "Disconnected")
_GONE = ("UnknownObject", "UnknownMethod", "UnknownInterface")

NOT_RUNNING = (
    "ModemManager does not run, so nothing reads the modem: `systemctl status ModemManager` says why,"
    " `sudo systemctl start ModemManager` starts it."
)
NO_BUS = (
    "The system's D-Bus cannot be reached ({error}): it is there where systemd runs, in a container only if mounted."
)
NO_ANSWER = (
    "ModemManager does not answer {member} within {seconds:.0f} s: the modem may hang, or ModemManager itself."
    " `sudo systemctl restart ModemManager` starts it anew; the texts wait."
)
GONE = "The modem went away from ModemManager, which may be setting it up anew: `mmcli -L` lists what it has."
DENIED = (
    "ModemManager does not let this user read texts ({error}): a rule of polkit for {action} is missing,"
    " docs/modems.md has one."
)


class ManagerBus:
    """A connection to ModemManager. What is asked raises EngineTrouble."""

    def __init__(self, bus: MessageBus, sleep: Sleep) -> None:
        self._bus, self._sleep = bus, sleep

    @classmethod
    async def open(cls, address: str | None, sleep: Sleep = asyncio.sleep) -> "ManagerBus":
        """Connect to the system's bus, or to the one at `address`, and ask to be told of texts."""
        try:
            bus = await MessageBus(address, BusType.SYSTEM).connect()
        except Exception as error:  # OSError, AuthError, InvalidAddressError and others
            raise EngineTrouble("not_running", NO_BUS.format(error=error)) from error
        opened = cls(bus, sleep)
        for rule in WAKING:
            await opened.ask(BUS_PATH, BUS, "AddMatch", "s", rule, to=BUS)
        return opened

    def close(self) -> None:
        """Hang up."""
        self._bus.disconnect()

    async def instance(self) -> str:
        """Return what tells this run of ModemManager from all others: paths of texts mean nothing beyond it."""
        owner = await self.ask(BUS_PATH, BUS, "GetNameOwner", "s", NAME, to=BUS)
        return f"{await self.ask(BUS_PATH, BUS, 'GetId', to=BUS)}{owner}"

    async def modems(self) -> list[ManagedModem]:
        """Return all modems, in the order in which they came."""
        found = await self.ask(ROOT, OBJECTS, "GetManagedObjects")
        modems = [
            ManagedModem(path, {name: _bare(told) for name, told in faces.items()}) for path, faces in found.items()
        ]
        return sorted(modems, key=lambda modem: number_of(modem.path))

    async def facts(self, path: str, interface: str) -> dict[str, Any]:
        """Return all properties of an object."""
        return _bare(await self.ask(path, PROPERTIES, "GetAll", "s", interface))

    async def ask(self, path: str, interface: str, member: str, signature: str = "", *body: Any, to: str = NAME) -> Any:
        """Return the first value of an answer."""
        message = Message(to, path, interface, member, signature=signature, body=list(body))
        try:
            reply = await result_within(self._bus.call(message), ANSWER_SECONDS, self._sleep)
        except TimeoutError as error:
            raise EngineTrouble("silent", NO_ANSWER.format(member=member, seconds=ANSWER_SECONDS)) from error
        except (OSError, EOFError) as error:
            raise EngineTrouble("not_running", NO_BUS.format(error=error)) from error
        if reply is None:
            raise EngineTrouble("not_running", NO_BUS.format(error="it hung up"))
        if reply.message_type is MessageType.ERROR:
            raise _trouble_of(reply, member)
        return reply.body[0] if reply.body else None

    async def is_in_use(self, modem: ManagedModem) -> bool:
        """Whether a data connection of the modem is up, or about to be."""
        if modem.fact("State", default=0) >= DISCONNECTING:
            return True
        bearers = [await self.facts(path, BEARER) for path in modem.fact("Bearers", default=())]
        return any(bearer.get("Connected") for bearer in bearers)

    async def enable(self, path: str, *, is_enabled: bool) -> None:
        """Enable or disable a modem; returns when that is done. ModemManager reads the SIM's texts when it enables."""
        await self.ask(path, MODEM, "Enable", "b", is_enabled)

    def call_at_news(self, wake: Callable[[], None], came: Callable[[], None]) -> None:
        """Have `wake` called at each signal that may mean a text, and `came` before it at each that announces one."""

        def hear(message: Message) -> None:
            if message.message_type is not MessageType.SIGNAL:
                return
            if (message.interface, message.member) == (MESSAGING, "Added"):
                came()
            wake()

        self._bus.add_message_handler(hear)


def number_of(path: str) -> int:
    """Return the number at the end of an object's path."""
    return int(path.rpartition("/")[2])


def _trouble_of(reply: Message, member: str) -> EngineTrouble:
    name, said = reply.error_name or "", str(reply.body[0]) if reply.body else ""
    if name.endswith(("Unauthorized", "AccessDenied")):
        part = "Messaging" if member == "Delete" else "Device.Control"
        return EngineTrouble("no_access", DENIED.format(error=said, action=f"{NAME}.{part}"))
    if name.endswith(_ABSENT):
        return EngineTrouble("not_running", NOT_RUNNING)
    if name.endswith(_GONE):
        return EngineTrouble("port_missing", GONE)
    return EngineTrouble("starting", f"ModemManager answers {member} with {name.rpartition('.')[2]}: {said}")


def _bare(told: Mapping[str, Variant]) -> dict[str, Any]:
    return {name: value.value for name, value in told.items()}
