#!/bin/sh
# smpp 0.5.1 (npm) as SMSC and aiosmpplib 0.7.4 (PyPI) as ESME, both as they are by default.
#
# One would guess: a text in the GSM alphabet arrives as it was sent; both libraries know that alphabet.
# Seen on 2026-11-28: "@" arrives as NUL, "_" as 0x11, "$" as 0x02, "[" as ESC "<"; digits and most letters are right,
# so it is not noticed. npm writes GSM septets and labels them data_coding 1, which in SMPP 3.4 is IA5 (ASCII), and
# PyPI believes the label. With data_coding 0 given by hand the text is right.
# Source: SMPP 3.4, 5.2.19; npm's lib/defs.js has encodings.ASCII, "GSM 03.38".
set -eu
room=$(mktemp -d)
smsc=
trap 'kill $smsc 2>/dev/null || :; rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q aiosmpplib==0.7.4
npm install --silent --no-audit --no-fund --prefix "$room" smpp@0.5.1

cat >"$room/smsc.js" <<'END'
const smpp = require("smpp");
const text = { source_addr: "447700900001", destination_addr: "447700900002", short_message: "a_b@c.de $5 [482913]" };
const server = smpp.createServer((session) => {
  session.on("error", () => {});
  session.on("unbind", (pdu) => session.send(pdu.response()));
  session.on("bind_transceiver", (pdu) => {
    session.send(pdu.response());
    session.deliver_sm(text);
    session.deliver_sm({ ...text, data_coding: 0 });
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
END

cat >"$room/esme.py" <<'END'
import asyncio
import sys

from aiosmpplib import ESME, DeliverSm
from aiosmpplib.hook import AbstractHook


class Hook(AbstractHook):
    def __init__(self):
        self.awaited, self.done = 2, asyncio.Event()

    async def received(self, smpp_message, pdu, client_id):
        if isinstance(smpp_message, DeliverSm):
            print(smpp_message.encoding or "default", ascii(smpp_message.short_message))
            self.awaited -= 1
            if not self.awaited:
                self.done.set()

    async def sending(self, smpp_message, pdu, client_id): ...

    async def send_error(self, smpp_message, error, client_id): ...


async def main():
    hook = Hook()
    esme = ESME("127.0.0.1", int(sys.argv[1]), "system", "word", hook=hook, log_level="ERROR")
    running = asyncio.create_task(esme.start())
    await asyncio.wait_for(hook.done.wait(), 30)
    await esme.stop()
    await running


asyncio.run(main())
END

mkfifo "$room/port"
node "$room/smsc.js" >"$room/port" &
smsc=$!
read -r port <"$room/port"
seen=$("$room/venv/bin/python" "$room/esme.py" "$port")
expected="ascii 'a\\x11b\\x00c.de \\x025 \\x1b<482913\\x1b>'
default 'a_b@c.de \$5 [482913]'"
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
