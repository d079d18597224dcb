#!/bin/sh
# smsd 3.1.21 (Debian 12: smstools 3.1.21-4+b1): the sender in the file of a received text.
#
# One would guess: `From:` is what a telephone shows: "*100#", "Müller", "A_B".
# Seen on 2026-11-29: "*100#", which an operator sends its texts from, is "A100B": the semi-octets of * and # are shown as
# if they were hexadecimal, below a header "Warning: Invalid character(s) in sender address". "Müller" is "M~ller", and
# the _ of "A_B" is U+0011, with no warning: the septets of a name are taken for ASCII, though the text below is decoded as
# it should be. A name of seven letters is whole.
# Source: 3GPP TS 23.040, 9.1.2.3 (semi-octets: A is *, B is #) and 9.1.2.5 (a name is in the GSM alphabet).
set -eu
smsd=$(command -v smsd || command -v /usr/sbin/smsd) || { echo "Needs smsd: apt-get install smstools" >&2; exit 1; }
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM

cat >"$room/modem.py" <<'END'
"""A modem with four texts in its memory for the real smsd, and what that made of them."""

import os
import pty
import re
import select
import subprocess
import sys
import time
import tty
from pathlib import Path

GSM = {"ü": 0x7E, "_": 0x11}
DIGITS = "0123456789*#"


def septets(text):
    bits = "".join(f"{GSM.get(character, ord(character)):07b}"[::-1] for character in text)
    return bytes(int(bits[start : start + 8][::-1], 2) for start in range(0, len(bits), 8))


def address(sender):
    """Return an originating address: length, type of number, value."""
    if not set(sender) <= set(DIGITS):
        return bytes((2 * len(septets(sender)), 0xD0)) + septets(sender)
    nibbles = [DIGITS.index(digit) for digit in sender] + [15] * (len(sender) % 2)
    pairs = zip(nibbles[::2], nibbles[1::2], strict=True)
    return bytes((len(sender), 0x81)) + bytes(high << 4 | low for low, high in pairs)


def deliver(sender, text):
    tpdu = bytes((4,)) + address(sender) + bytes.fromhex("0000621192215100 00") + bytes((len(text),)) + septets(text)
    return (bytes.fromhex("07919471010000F0") + tpdu).hex().upper()


def answer(command):
    if "CPMS" in command:
        return f'\r\n+CPMS: "SM",{len(texts)},20,"SM",{len(texts)},20,"SM",{len(texts)},20'
    number = int((re.search(r"CMG[RD]=(\d+)", command) or [0, 0])[1])
    if "CMGR" in command and number in texts:
        return f"\r\n+CMGR: 1,,{len(texts[number]) // 2 - 8}\r\n{texts[number]}"
    if "CMGD" in command:
        texts.pop(number, None)
    return "\r\n+CREG: 0,1" if "CREG" in command else ""


senders = ["Example", "*100#", "Müller", "A_B"]
texts = {place: deliver(sender, f"for {sender}") for place, sender in enumerate(senders, 1)}
room = Path(sys.argv[2])
ours, theirs = pty.openpty()
tty.setraw(theirs)
folders = {name: room / name for name in ("incoming", "outgoing", "checked", "failed", "sent")}
for folder in folders.values():
    folder.mkdir()
(room / "smsd.conf").write_text(
    "devices = GSM1\nincoming_utf8 = yes\ndelaytime = 1\nlogfile = /dev/null\n"
    + "".join(f"{name} = {folder}\n" for name, folder in folders.items())
    + f"infofile = {room}/info\npidfile = {room}/pid\n"
    + f"[GSM1]\ndevice = {os.ttyname(theirs)}\nincoming = yes\ninit = AT\n"
)
smsd = subprocess.Popen([sys.argv[1], "-t", f"-c{room}/smsd.conf"], stdout=subprocess.DEVNULL)
command, until = b"", time.monotonic() + 60
while texts and time.monotonic() < until:
    if select.select([ours], [], [], 0.2)[0]:
        command += os.read(ours, 1000)
    if command.endswith((b"\r", b"\n")):
        os.write(ours, (answer(command.decode("latin1")) + "\r\nOK\r\n").encode())
        command = b""
smsd.terminate()
smsd.wait()
for file in folders["incoming"].iterdir():
    head, _, text = file.read_text(encoding="utf-8").partition("\n\n")
    told = re.search("^From: (.*)$", head, re.MULTILINE)[1]
    print(text.strip(), "is from", ascii(told), "with a warning" if "Warning" in head else "")
END
seen=$(python3 "$room/modem.py" "$smsd" "$room" | LC_ALL=C sort | sed 's/ *$//')
printf '%s\n' "$seen"
expected="for *100# is from 'A100B' with a warning
for A_B is from 'A\\x11B'
for Example is from 'Example'
for Müller is from 'M~ller'"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
