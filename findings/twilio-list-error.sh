#!/bin/sh
# twilio 9.13.0 (PyPI): what is raised when the service refuses a request.
#
# One would guess: always TwilioRestException, with its status and code, as the documentation of the package says of errors.
# Seen on 2026-11-29: so it is where one message is fetched or sent. Where messages are listed it is a TwilioException, the
# base class, without status and code: they are in the response that stands as second of its args. A test that expects
# TwilioRestException from client.messages.list() with a wrong key fails with another error than its own.
# Source: none.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q twilio==9.13.0

# Nothing is sent: the answer of a service that refuses the key is ours.
cat >"$room/ask.py" <<'END'
import json

from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

REFUSAL = {"code": 20003, "message": "Authenticate", "more_info": "https://www.twilio.com/docs/errors/20003", "status": 401}


class Refusing(HttpClient):
    def __init__(self):
        super().__init__(logger=None, is_async=False)

    def request(self, *_args, **_options):
        return Response(401, json.dumps(REFUSAL))


messages = Client("AC" + "0" * 32, "a wrong token", http_client=Refusing()).messages
asked = {
    "create": lambda: messages.create(to="+447700900001", from_="+447700900002", body="hello"),
    "fetch": lambda: messages("SM" + "0" * 32).fetch(),
    "list": lambda: messages.list(limit=1),
}
for name, ask in asked.items():
    try:
        ask()
    except TwilioException as error:
        code = error.code if isinstance(error, TwilioRestException) else json.loads(error.args[1].text)["code"]
        print(f"{name}: {type(error).__name__}, code {code}, has a code: {hasattr(error, 'code')}")
END

seen=$("$room/venv/bin/python" "$room/ask.py")
expected='create: TwilioRestException, code 20003, has a code: True
fetch: TwilioRestException, code 20003, has a code: True
list: TwilioException, code 20003, has a code: False'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
