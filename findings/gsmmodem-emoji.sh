#!/bin/sh
# python-gsmmodem-new 0.13.0 (PyPI): what its PDU reader makes of an emoji, and of an "@" at the end.
#
# One would guess: a text in UCS-2 is read as UTF-16, which phones send today, and one in the GSM alphabet as long as its
# length says.
# Seen on 2026-11-29: an emoji becomes two halves of a surrogate pair, a str that no file, database or JSON in UTF-8 takes:
# what fails is not the reader but whoever keeps the text. And of a text with 8, 16, 24, … letters of which the last is
# "@", the septet 0, that one is taken for padding and left out; with one letter more it stays.
# Source: 3GPP TS 23.040, 9.2.3.16: TP-UDL counts septets, so it says whether the last one is meant.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q python-gsmmodem-new==0.13.0

cat >"$room/read.py" <<'END'
from gsmmodem.pdu import decodeSmsPdu

HEAD = "000405812366F500"  # SMS-DELIVER from 32665, without an SMSC
SENT = "62112221000000"
TEXTS = {
    "код 😀": f"08{SENT}0C043A043E04340020D83DDE00",
    "mail me@": f"00{SENT}08ED709A0D6A9701",
    "mail me @": f"00{SENT}09ED709A0D6A974100",
}
for text, rest in TEXTS.items():
    read = decodeSmsPdu(HEAD + rest)["text"]
    print(f"{text!r} is read as {read!r}")
    try:
        read.encode()
    except UnicodeEncodeError as error:
        print(f"which UTF-8 does not take: {error.reason}")
END

seen=$("$room/venv/bin/python" -X utf8 "$room/read.py" 2>/dev/null)
expected="'код 😀' is read as 'код \\ud83d\\ude00'
which UTF-8 does not take: surrogates not allowed
'mail me@' is read as 'mail me'
'mail me @' is read as 'mail me @'"
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
