#!/bin/sh
# twilio 9.13.0 (PyPI) and twilio 6.3.1 (npm), the filter of a list of messages by time.
#
# One would guess: a time that knows its zone is asked for as the moment that it is.
# Seen on 2026-11-28: for 12:00 at +02:00 npm asks for 10:00Z, Python for 12:00Z: it writes the wall clock of any zone with
# a Z behind it. A list of what came since 12:00 in Athens leaves out the first two hours of it.
# Source: none.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q twilio==9.13.0
npm install --silent --no-audit --no-fund --prefix "$room" twilio@6.3.1

# Nothing is sent: a client of our own takes the request.
cat >"$room/ask.py" <<'END'
from datetime import datetime, timedelta, timezone

from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client


class Recorder(TwilioHttpClient):
    def request(self, method, url, params=None, **others):
        print("PyPI", params["DateSent>"])
        return Response(200, '{"messages": [], "next_page_uri": null}')


noon = datetime(2026, 11, 28, 12, tzinfo=timezone(timedelta(hours=2)))
Client("AC" + "0" * 32, "token", http_client=Recorder()).messages.list(date_sent_after=noon)
END

cat >"$room/ask.js" <<'END'
const recorder = {
  request({ params }) {
    console.log("npm", params["DateSent>"]);
    return Promise.resolve({ statusCode: 200, body: { messages: [], next_page_uri: null } });
  },
};
const client = require("twilio")("AC" + "0".repeat(32), "token", { httpClient: recorder });
client.messages.list({ dateSentAfter: new Date("2026-11-28T12:00:00+02:00") });
END

seen=$("$room/venv/bin/python" "$room/ask.py"; node "$room/ask.js")
expected='PyPI 2026-11-28T12:00:00Z
npm 2026-11-28T10:00:00Z'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
