#!/bin/sh
# uvicorn 0.54.0 over httptools 0.9.0 and over h11 0.16.0 (PyPI), called by `curl --http2` as it is installed here.
#
# One would guess: over plain HTTP curl offers to go on in HTTP/2 (`Upgrade: h2c`), a server that does not know it goes on
# in HTTP/1.1, as RFC 9110, 7.8 allows, and the application reads the body of the request; with either parser.
# Seen on 2026-11-29: over h11 it does. Over httptools the application is told that the request has no body, and answers
# as to an empty one; curl sees a success.
# Source: none.
set -eu
room=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || :; rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q uvicorn==0.54.0 httptools==0.9.0 h11==0.16.0

cat >"$room/app.py" <<'APP'
async def app(scope, receive, send):
    body, is_more = b"", True
    while is_more:
        event = await receive()
        body += event.get("body", b"")
        is_more = event.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
APP

ask() {
    "$room/venv/bin/python" -m uvicorn --app-dir "$room" --http "$1" --port 0 --lifespan off --no-access-log app:app 2>"$room/log" &
    server=$!
    until port=$(sed -n 's/.*http:\/\/127.0.0.1:\([0-9]*\).*/\1/p' "$room/log") && [ -n "$port" ]; do sleep 0.2; done
    for version in --http1.1 --http2; do
        echo "$1, curl $version: body and status $(curl -s "$version" -d "a text" -w ' %{http_code}' "http://127.0.0.1:$port/")"
    done
    kill $server
    wait $server 2>/dev/null || :
}
seen=$(ask h11; ask httptools)
expected='h11, curl --http1.1: body and status a text 200
h11, curl --http2: body and status a text 200
httptools, curl --http1.1: body and status a text 200
httptools, curl --http2: body and status  200'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
