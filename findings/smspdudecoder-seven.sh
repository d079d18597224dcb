#!/bin/sh
# smspdudecoder 2.2.0 (PyPI): the sender of a text whose name has seven letters.
#
# One would guess: a name is read as it was written, as names of three, six, eight and eleven letters are.
# Seen on 2026-11-29: one of seven letters ends in "@". Seven letters of the GSM alphabet are 49 bits in seven octets, so
# the last seven bits, all zero, are a letter too: "@". The field's length tells it from padding, since it counts half
# octets that are used (13 for seven letters, 14 for eight), and is not asked. A test that waits for the sender "Authy12"
# waits in vain. (bitstring is pinned since the package cannot be imported beside bitstring 5, which it would get.)
# Source: 3GPP TS 23.040, 9.1.2.5: the length of an address is the number of useful semi-octets.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q smspdudecoder==2.2.0 bitstring==4.4.0

cat >"$room/read.py" <<'END'
from smspdudecoder.easy import read_incoming_sms

# SMS-DELIVER without an SMSC; only the sender differs.
AFTER = "0000" + "62112221000000" + "05E8329BFD06"  # TP-PID and TP-DCS, TP-SCTS, "hello"
SENDERS = {
    "Abc": "06D041F118",
    "Authy1": "0BD0C13A1D9D8F01",
    "Authy12": "0DD0C13A1D9D8FC900",
    "Authy123": "0ED0C13A1D9D8FC966",
    "MyBank Code": "14D0CDBC30EC5E83866F7219",
}
for name, address in SENDERS.items():
    print(f"{name} is read as {read_incoming_sms('0004' + address + AFTER)['sender']}")
END

seen=$("$room/venv/bin/python" "$room/read.py")
expected='Abc is read as Abc
Authy1 is read as Authy1
Authy12 is read as Authy12@
Authy123 is read as Authy123
MyBank Code is read as MyBank Code'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
