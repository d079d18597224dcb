#!/bin/sh
# serialport-gsm 4.0.1 (npm), with enableConcatenation: the long texts in a modem's memory, as getSimInbox() tells them.
#
# One would guess: the parts of a long text are those of one sender. The reference of parts is one octet that each sender
# counts for itself, so of a few hundred long texts several have the same.
# Seen on 2026-11-29: parts are joined by their reference alone. Two texts from two numbers, each in two parts, become one
# of four parts: from the first number, and the order of its pieces is first, first, second, second.
# Source: 3GPP TS 23.040, 9.2.3.24.1: a reference is of one originator, to one SMSC.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
npm install --silent --no-audit --no-fund --prefix "$room" serialport-gsm@4.0.1

cat >"$room/inbox.js" <<'END'
const modem = require("serialport-gsm").Modem();
(async () => {
  await modem.open(process.argv[2], { baudRate: 115200, enableConcatenation: true, incomingSMSIndication: false });
  await modem.setModemMode(null, "PDU");
  const { data } = await modem.getSimInbox();
  for (const { sender, message } of data) console.log(sender, JSON.stringify(message));
  process.exit();
})();
END
cat >"$room/modem.py" <<'END'
"""A modem with four texts in its memory: it echoes commands, answers AT+CMGL=4 with them, and all else with OK."""

import os
import pty
import select
import subprocess
import sys
import tty


def septets(text):
    bits = "0" + "".join(f"{ord(character):07b}"[::-1] for character in text)  # a bit of fill behind the header
    return bytes(int(bits[start : start + 8][::-1], 2) for start in range(0, len(bits), 8))


def part(sender, number, text):
    header = bytes.fromhex("0500030702") + bytes((number,))
    swapped = "".join(high + low for low, high in zip(sender[::2], (sender + "F")[1::2], strict=True))
    start = bytes.fromhex(f"07919471010000F0440B91{swapped}000062112221000000")
    return start + bytes((7 + len(text),)) + header + septets(text)


TEXTS = [
    part("15552010001", 1, "Acme: your code "),
    part("15552010002", 1, "Bank: your code "),
    part("15552010001", 2, "is 111111"),
    part("15552010002", 2, "is 222222"),
]
LIST = "".join(f"\r\n+CMGL: {n},1,,{len(pdu) - 8}\r\n{pdu.hex().upper()}" for n, pdu in enumerate(TEXTS, 1))

ours, theirs = pty.openpty()
tty.setraw(theirs)
reader = subprocess.Popen(["node", "inbox.js", os.ttyname(theirs)])
command = b""
while reader.poll() is None:
    if not select.select([ours], [], [], 0.1)[0]:
        continue
    command += os.read(ours, 1000)
    if command.endswith(b"\r"):
        os.write(ours, command + ((LIST if b"CMGL=4" in command else "") + "\r\nOK\r\n").encode())
        command = b""
sys.exit(reader.wait())
END
seen=$(cd "$room" && python3 modem.py)
printf '%s\n' "$seen"
expected='15552010001 "Acme: your code Bank: your code is 111111is 222222"'
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
