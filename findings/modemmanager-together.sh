#!/bin/sh
# ModemManager 1.20.4 (Debian 12): three texts that a modem announces in one go.
#
# One would guess: all three are in the list of its texts, over D-Bus and in `mmcli --messaging-list-sms`.
# Seen on 2026-11-29: one is, at most. While ModemManager waits to read a text (+CMGR) it drops the announcements of
# others: they stay on the SIM, in no list, until the modem is disabled and enabled again: then all are read (+CMGL).
# Announced one by one all three come, if ModemManager has nothing else to ask the modem meanwhile.
# Source: 3GPP TS 27.005, 3.4.1: +CMTI is one line for each text, and nothing says that two may not follow each other.
# Needs the Debian packages modemmanager and dbus-daemon. It runs them on a bus of its own, with a modem of 60 lines.
set -eu
PATH=$PATH:/usr/sbin
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q dbus-fast==5.2.0
cat >"$room/bus.conf" <<END
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type><listen>unix:path=$room/bus</listen><auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/>
  </policy>
</busconfig>
END

cat >"$room/see.py" <<'END'
import asyncio
import contextlib
import os
import subprocess
import sys
from typing import Annotated

from dbus_fast import BusType, Message, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusSignature, DBusStr, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method

ROOM, NAME, ROOT = sys.argv[1], "org.freedesktop.ModemManager1", "/org/freedesktop/ModemManager1"
SOCKET = f"abstract:modem-{os.getpid()}"
PDU = "0004039144F70000621182000000000141"  # "A", 2026-11-28 00:00:00 UTC, sender +447
ANSWERS = {
    "+GCAP": "+GCAP: +CGSM", "+CGMI": "Maker", "+CGMM": "Model", "+CGMR": "1", "+CGSN": "490154203237518",
    "+CIMI": "001010123456789", "+CPIN?": "+CPIN: READY", "+CFUN?": "+CFUN: 1", "+CMGF=?": "+CMGF: (0)",
    "+CREG?": "+CREG: 0,1", "+CREG=?": "+CREG: (0-2)", "+CSQ": "+CSQ: 17,99", "+CLCK=?": '+CLCK: ("SC")',
    "+CPMS=?": '+CPMS: ("SM"),("SM"),("SM")', "+CNMI=?": "+CNMI: (0-2),(0-3),(0-3),(0-2),(0,1)",
    "+WS46=?": "+WS46: (12)", "+CSCS=?": '+CSCS: ("IRA")', "+COPS=?": "+COPS: ", "+COPS?": '+COPS: 0,0,"Net"',
}
PLAIN = ("+CMEE", "+CFUN=", "+CMGF=", "+CREG=", "+CNMI=", "+CSCS=", "+COPS=", "+CMER")


class Modem:
    """Answers AT commands, and announces texts; `sim` is what lies on its SIM."""

    def __init__(self) -> None:
        self.sim, self.next, self.writer = set(), 0, None

    async def answer(self, reader, writer):
        self.writer = writer
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.CancelledError):
            while line := await reader.readuntil(b"\r"):
                writer.write(("\r\n" + "\r\n".join([*self.lines(line.decode().strip()), ""])).encode())

    def lines(self, line):
        command = line[2:]
        name, _, value = command.partition("=")
        if name == "+CMGL" and value != "?":
            return [each for index in sorted(self.sim) for each in (f"+CMGL: {index},1,,{len(PDU) // 2 - 1}", PDU)] + ["OK"]
        if name == "+CMGR":
            return [f"+CMGR: 0,,{len(PDU) // 2 - 1}", PDU, "OK"]
        if name == "+CPMS" and value != "?":
            return ["+CPMS: " + ",".join(3 * [f"{len(self.sim)},20"]), "OK"]
        if command in ANSWERS:
            return [ANSWERS[command], "OK"]
        is_plain = not command.startswith("+") or command.startswith(PLAIN)
        return ["OK"] if is_plain else ["ERROR"]

    def announce(self, count):
        new = range(self.next, self.next + count)
        self.next += count
        self.sim.update(new)
        self.writer.write("".join(f'\r\n+CMTI: "SM",{index}\r\n' for index in new).encode())


class Authority(ServiceInterface):
    """PolicyKit, which ModemManager asks whether we may: always."""

    @dbus_method()
    def CheckAuthorization(
        self,
        subject: Annotated[tuple, DBusSignature("(sa{sv})")],
        action: DBusStr,
        details: Annotated[dict, DBusSignature("a{ss}")],
        flags: DBusUInt32,
        cancellation: DBusStr,
    ) -> Annotated[list, DBusSignature("(bba{ss})")]:
        return [True, False, {}]


async def see():
    bus = await MessageBus(f"unix:path={ROOM}/bus", BusType.SYSTEM).connect()
    bus.export("/org/freedesktop/PolicyKit1/Authority", Authority("org.freedesktop.PolicyKit1.Authority"))
    await bus.request_name("org.freedesktop.PolicyKit1")

    async def call(path, interface, member, signature="", *body):
        while True:
            reply = await bus.call(Message(NAME, path, interface, member, signature=signature, body=list(body)))
            if reply.message_type.name != "ERROR":
                return reply.body
            await asyncio.sleep(0.2)  # not there yet

    modem = Modem()
    await asyncio.start_unix_server(modem.answer, f"\0{SOCKET}")
    await call(ROOT, f"{NAME}.Test", "SetProfile", "ssas", "one", "generic", [SOCKET])
    found = {}
    while not found:
        (found,) = await call(ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
    path = next(iter(found))

    async def listed():
        await asyncio.sleep(3)
        return len((await call(path, f"{NAME}.Modem.Messaging", "List"))[0])

    async def enable(is_enabled):
        await call(path, f"{NAME}.Modem", "Enable", "b", is_enabled)

    async def state():
        return (await call(path, "org.freedesktop.DBus.Properties", "Get", "ss", f"{NAME}.Modem", "State"))[0].value

    await enable(True)
    while await state() < 8:  # it is setting the modem up, and searches a network
        await asyncio.sleep(1)
    counts = [await listed()]
    for _ in range(3):
        modem.announce(1)
        counts.append(await listed())
    print("announced one by one, listed:", *counts[1:], flush=True)
    modem.announce(3)
    together = await listed() - counts[-1]
    print("three more announced together, listed of them at most one:", together <= 1, flush=True)
    await enable(False)
    await enable(True)
    anew = await listed()
    print("disabled and enabled, listed of all six:", anew, flush=True)
    return (counts, together <= 1, anew) == ([0, 1, 2, 3], True, 6)


with subprocess.Popen(["dbus-daemon", f"--config-file={ROOM}/bus.conf", "--nofork", "--nopidfile", "--print-address=1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as daemon:
    daemon.stdout.readline()
    options = ["--test-enable", "--test-no-udev", "--test-no-suspend-resume", "--no-auto-scan"]
    environ = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={ROOM}/bus"}
    manager = subprocess.Popen(["ModemManager", *options], env=environ, stderr=subprocess.DEVNULL)
    try:
        is_so = asyncio.run(asyncio.wait_for(see(), 180))
    finally:
        manager.kill()
        manager.wait()
        daemon.kill()
sys.exit(not is_so)
END
"$room/venv/bin/python" "$room/see.py" "$room"
