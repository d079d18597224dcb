#!/bin/sh
# mailosaur 8.1.1 (PyPI): messages.get() without received_after, which looks back one hour.
#
# One would guess: an hour before the call, as with npm's mailosaur.
# Seen on 2026-11-28: an hour before the *import*. The time is a default argument, made once for the process; each later
# call of a long run of tests looks further back, and finds the codes of the tests before.
# Source: the signature, https://github.com/mailosaur/mailosaur-python, mailosaur/operations/messages_operations.py
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q mailosaur==8.1.1

# A server without messages notes what it is asked for: twice, two seconds apart.
cat >"$room/wait.py" <<'END'
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from mailosaur import MailosaurClient
from mailosaur.models import MailosaurException, SearchCriteria

asked = []


class Empty(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        asked.append(parse_qs(urlsplit(self.path).query)["receivedAfter"][0])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"items": []}')

    def log_message(self, *args):
        pass


server = HTTPServer(("127.0.0.1", 0), Empty)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = MailosaurClient("key", f"http://127.0.0.1:{server.server_port}/")
criteria = SearchCriteria()
criteria.sent_to = "+447700900001"
for pause in (2, 0):
    try:
        client.messages.get("abcd1234", criteria, timeout=1)
    except MailosaurException:
        time.sleep(pause)
first, second = asked
print("two calls, two seconds apart, ask for messages after", "the same time" if first == second else "two times")
END

seen=$("$room/venv/bin/python" "$room/wait.py")
expected='two calls, two seconds apart, ask for messages after the same time'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
