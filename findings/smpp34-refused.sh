#!/bin/sh
# smpp34 1.5.0 (PyPI): a client whose password the SMSC refuses.
#
# One would guess: connect() raises at once, and says that the password was wrong (command_status 0x0E, ESME_RINVPASWD), as
# the clients smpplib and smpp (npm) do.
# Seen on 2026-11-29: the answer is passed over. connect() raises when its connect_timeout_ms is over, "bind timed out": who
# reads that looks for the fault in the network.
# Source: SMPP 3.4, 4.1.6 and 5.1.3: a bind_transceiver_resp with a status that is not 0 is the answer to the bind.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q smpp34==1.5.0 smpplib==2.2.4

cat >"$room/bind.py" <<'END'
import asyncio
import logging
import struct
import threading

import smpp34
import smpplib.client

logging.disable(logging.CRITICAL)
answered = threading.Event()


async def refuse(reader, writer):
    size, command, _, sequence = struct.unpack(">4L", await reader.readexactly(16))
    await reader.readexactly(size - 16)
    body = b"smsc\0"
    writer.write(struct.pack(">4L", 16 + len(body), command | 0x80000000, 0x0E, sequence) + body)
    await writer.drain()
    answered.set()
    await reader.read()
    writer.close()


async def main():
    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    def other():
        client = smpplib.client.Client("127.0.0.1", port)
        client.connect()
        try:
            client.bind_transceiver(system_id="app", password="wrong")
        except Exception as error:
            return f"smpplib: {type(error).__name__} {error}"
        finally:
            client.disconnect()

    print(await asyncio.to_thread(other))
    answered.clear()
    try:
        await smpp34.Client("127.0.0.1", port, "app", "wrong", connect_timeout_ms=2000).connect()
    except Exception as error:
        print(f"smpp34: {type(error).__name__} {error}; it had been answered: {answered.is_set()}")
    server.close()


asyncio.run(main())
END

seen=$("$room/venv/bin/python" "$room/bind.py")
printf '%s\n' "$seen"
expected="smpplib: PDUError ('(14) bind_transceiver_resp: Invalid Password', 14)
smpp34: SmppError bind timed out; it had been answered: True"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
