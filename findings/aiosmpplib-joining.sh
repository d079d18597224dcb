#!/bin/sh
# aiosmpplib 0.7.4 (PyPI) as ESME, smpp 0.5.1 (npm) as SMSC: long texts, which the former joins.
#
# One would guess: the parts are put together by their numbers, and it does not matter which of the two forms of the
# header they have (3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8).
# Seen on 2026-11-28: a text of three parts is right. Of ten parts the tenth comes behind the first: the numbers are
# sorted as strings. A text whose parts have a 16-bit reference never comes, though its parts are acknowledged, so that
# the network forgets them: total and number of the part are read as the rest of the reference.
# Source: none.
set -eu
room=$(mktemp -d)
smsc=
trap 'kill $smsc 2>/dev/null || :; rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q aiosmpplib==0.7.4
npm install --silent --no-audit --no-fund --prefix "$room" smpp@0.5.1

cat >"$room/smsc.js" <<'END'
const { appendFileSync } = require("fs");
const smpp = require("smpp");
const address = { source_addr: "447700900001", destination_addr: "447700900002", data_coding: 0 };
const REFERENCE = { 8: [0, 3, 7], 16: [8, 4, 1, 7] };
const send = (session, bits, total) => {
  for (let part = 1; part <= total; part++) {
    const header = [...REFERENCE[bits], total, part];
    const short_message = Buffer.from([header.length, ...header, ...Buffer.from(`(${part})`)]);
    session.deliver_sm({ ...address, esm_class: 0x40, short_message }, (answer) => {
      appendFileSync(process.argv[2], `parts with a reference of ${bits} bits: status ${answer.command_status}\n`);
    });
  }
};
const server = smpp.createServer((session) => {
  session.on("error", () => {});
  session.on("unbind", (pdu) => session.send(pdu.response()));
  session.on("bind_transceiver", (pdu) => {
    session.send(pdu.response());
    send(session, 8, 3);
    send(session, 8, 10);
    send(session, 16, 2);
    session.deliver_sm({ ...address, short_message: "end" });
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
        self.done = asyncio.Event()

    async def received(self, smpp_message, pdu, client_id):
        if isinstance(smpp_message, DeliverSm):
            print(smpp_message.short_message)
            if smpp_message.short_message == "end":
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
node "$room/smsc.js" "$room/answers" >"$room/port" &
smsc=$!
read -r port <"$room/port"
seen=$("$room/venv/bin/python" "$room/esme.py" "$port"; sort "$room/answers" | uniq -c | sed 's/^ *//')
expected='(1)(2)(3)
(1)(10)(2)(3)(4)(5)(6)(7)(8)(9)
end
2 parts with a reference of 16 bits: status 0
13 parts with a reference of 8 bits: status 0'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
