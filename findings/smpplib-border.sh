#!/bin/sh
# smpplib 2.2.4 (PyPI): how gsm.make_parts() cuts a text that is too long for one SMS.
#
# One would guess: a character is in one part, whole, as everybody who shows the parts, or joins their texts, needs it.
# Seen on 2026-11-29: parts have 153 septets and 134 octets whatever stands at the border. "€" in the GSM alphabet is an escape
# and an "e": the one is the last of the first part, the other the first of the second. An emoji in UCS-2 is cut between
# its surrogates. Who decodes part by part gets a space (or nothing) and an "e" for "€", and two broken characters for the emoji; one has to
# join the octets, and decode then. sms-segments-calculator 1.3.0 (npm) counts as if it were not cut: three parts, not two.
# Source: 3GPP TS 23.038, 6.2.1.1: what a lone escape shows as.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q smpplib==2.2.4
npm install --silent --no-audit --no-fund --prefix "$room" sms-segments-calculator@1.3.0

cat >"$room/cut.py" <<'END'
import json
import subprocess

from smpplib import gsm

COUNT = "const s = require('sms-segments-calculator');" + (
    "console.log(new s.SegmentedMessage(JSON.parse(process.argv[1])).segmentsCount)"
)
for name, text in (("€", "a" * 152 + "€" + "a" * 152), ("emoji", "я" * 66 + "😀" + "я" * 66)):
    parts = [bytes(part) for part in gsm.make_parts(text)[0]]
    said = subprocess.run(["node", "-e", COUNT, json.dumps(text)], capture_output=True, text=True, check=True).stdout
    print(f"{name}: cut into {len(parts)}, counted as {int(said)}")
    print(f"the first part ends in {parts[0][-2:].hex(' ')}, the second begins with {parts[1][6:8].hex(' ')}")
END

seen=$(cd "$room" && venv/bin/python -X utf8 cut.py)
expected='€: cut into 2, counted as 3
the first part ends in 61 1b, the second begins with 65 61
emoji: cut into 2, counted as 3
the first part ends in d8 3d, the second begins with de 00'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
