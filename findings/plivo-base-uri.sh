#!/bin/sh
# plivo 4.63.0 (PyPI): a client whose public attribute base_uri is set to a stand-in's address.
#
# One would guess: the text then goes to the stand-in, as with twilio's base_url or telnyx'.
# Seen on 2026-11-28: it goes to api.plivo.com, without a word, and the attribute is back at that address: it is set anew
# by each request. A test that relies on it sends, and pays for, real texts. What helps is the module's constant,
# plivo.rest.client.PLIVO_API_BASE_URI, for all clients of the process.
# Source: none.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q plivo==4.63.0

# Nothing is sent: an adapter of our own takes the request.
cat >"$room/send.py" <<'END'
import plivo
import requests
from requests.adapters import BaseAdapter


class Recorder(BaseAdapter):
    def send(self, request, **options):
        print("sent to", request.url)
        answer = requests.Response()
        answer.status_code = 202
        answer.headers["Content-Type"] = "application/json"
        answer._content = b'{"message": "queued", "message_uuid": ["m"], "api_id": "a"}'
        return answer


client = plivo.RestClient("MA" + "X" * 18, "token")
for scheme in ("http://", "https://"):
    client.session.mount(scheme, Recorder())
print("base_uri", client.base_uri)
client.base_uri = "http://127.0.0.1:7672/v1/Account"
print("base_uri", client.base_uri)
client.messages.create(src="447700900001", dst="447700900002", text="Your code is 482913")
print("base_uri", client.base_uri)
END

seen=$("$room/venv/bin/python" "$room/send.py")
expected='base_uri https://api.plivo.com/v1/Account
base_uri http://127.0.0.1:7672/v1/Account
sent to https://api.plivo.com/v1/Account/MAXXXXXXXXXXXXXXXXXX/Message/
base_uri https://api.plivo.com/v1/Account'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
