#!/bin/sh
# twilio 9.13.0 (PyPI) and 6.3.1 (npm): is a webhook signed whose address has an apostrophe in its query?
#
# One would guess: the two official validators agree on each request.
# Seen on 2026-11-29: the service may sign the address with %27 where a web framework tells it with an apostrophe. The
# package for Node.js tries that spelling as well and says yes; the one for Python says no. Both say yes to the address
# as it was signed.
# Source: none.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q twilio==9.13.0
npm install --silent --no-audit --no-fund --prefix "$room" twilio@6.3.1

cat >"$room/judge.py" <<'END'
import base64
import hashlib
import hmac
import json
import subprocess

from twilio.request_validator import RequestValidator

TOKEN, FORM = "12345", {"Body": "hello", "From": "+447700900001"}
SIGNED = "https://example.com/sms?team=o%27clock"
data = SIGNED + "".join(key + FORM[key] for key in sorted(FORM))
signature = base64.b64encode(hmac.new(TOKEN.encode(), data.encode(), hashlib.sha1).digest()).decode()
for url in (SIGNED, SIGNED.replace("%27", "'")):
    python = RequestValidator(TOKEN).validate(url, FORM, signature)
    program = "const [...given] = JSON.parse(process.argv[1]);console.log(require('twilio').validateRequest(...given))"
    given = json.dumps([TOKEN, signature, url, FORM])
    node = subprocess.run(["node", "-e", program, given], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{url}: Python {str(python).lower()}, Node.js {node}")
END
seen=$(cd "$room" && venv/bin/python judge.py)
printf '%s\n' "$seen"
expected="https://example.com/sms?team=o%27clock: Python true, Node.js true
https://example.com/sms?team=o'clock: Python false, Node.js true"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
