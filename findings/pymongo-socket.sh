#!/bin/sh
# pymongo 4.20.0 (PyPI): an AsyncMongoClient that is closed while it still connects, as when a server is told to end at
# a moment at which the database does not answer.
#
# One would guess: close() closes the client's sockets.
# Seen on 2026-11-28: the socket that was connecting stays open until the garbage collector finds it, with a
# ResourceWarning "unclosed socket". Where warnings are errors, the test that is blamed is a later one. The socket is
# closed after an OSError of the connect, not after the cancellation.
# Source: none.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q pymongo==4.20.0

cat >"$room/close.py" <<'END'
import asyncio
import gc
import socket
import warnings

from pymongo import AsyncMongoClient

# A port that takes no more connections: its queue is full, so that who comes waits.
listener = socket.create_server(("127.0.0.1", 0), backlog=0)
port = listener.getsockname()[1]
queue = [socket.socket() for _ in range(3)]
for one in queue:
    one.setblocking(False)
    one.connect_ex(("127.0.0.1", port))


async def main():
    client = AsyncMongoClient(f"mongodb://127.0.0.1:{port}/?directConnection=true")
    await client.aconnect()
    await asyncio.sleep(0.5)
    await client.close()


with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", ResourceWarning)
    asyncio.run(main())
    gc.collect()
unclosed = sum("unclosed <socket" in str(warning.message) for warning in caught)
print("sockets left open by close():", unclosed)
for one in (*queue, listener):
    one.close()
END

seen=$("$room/venv/bin/python" "$room/close.py")
expected='sockets left open by close(): 1'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
