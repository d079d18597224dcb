#!/bin/sh
# standardwebhooks 1.1.0 (PyPI) and 1.0.0 (npm): a webhook with two signatures, as while a secret is replaced, joined by ", ".
#
# One would guess: the two packages of one project say the same of the same header. The specification wants a blank between
# signatures; Supabase Auth, whose hooks are "Standard Webhooks", writes a comma and a blank.
# Seen on 2026-11-29: npm's finds ours among them in either form. Python's raises ValueError at the comma, no
# WebhookVerificationError: a hook that catches that one answers 500, from the day on which a second secret is set.
# Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Webhook Headers"; the
# form with a comma is strings.Join(signatures, ", ") in Supabase Auth's hooks.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q standardwebhooks==1.1.0
npm install --silent --no-audit --no-fund --prefix "$room" standardwebhooks@1.0.0

cat >"$room/judge.py" <<'END'
import base64
import json
import subprocess
from datetime import datetime, timezone

from standardwebhooks import Webhook

NODE = "const [secret, headers] = JSON.parse(process.argv[1]);" + (
    "new (require('standardwebhooks').Webhook)(secret).verify('{}', headers); console.log('yes')"
)
ours, other = (base64.b64encode(letter * 24).decode() for letter in (b"a", b"b"))
now = datetime.now(timezone.utc)
signed = [Webhook(secret).sign("msg_1", now, "{}") for secret in (other, ours)]
for name, between in (("a blank", " "), ("a comma and a blank", ", ")):
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": between.join(signed),
    }
    try:
        Webhook(ours).verify("{}", headers)
        python = "yes"
    except Exception as error:
        python = type(error).__name__
    done = subprocess.run(["node", "-e", NODE, json.dumps([ours, headers])], capture_output=True, text=True)
    print(f"joined by {name}: Python {python}, Node.js {done.stdout.strip() or 'no'}")
END

seen=$(cd "$room" && venv/bin/python judge.py)
expected='joined by a blank: Python yes, Node.js yes
joined by a comma and a blank: Python ValueError, Node.js yes'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
