#!/bin/sh
# uvicorn 0.54.0 (PyPI), given an ASGI application that is an async method of an object.
#
# One would guess: it serves it as it serves a function of the same three parameters; the method is a coroutine function.
# Seen on 2026-11-28: every request is answered 500. An async function is recognised as ASGI 3, so is an object whose
# __call__ is async; a bound method is neither for uvicorn, and is called as ASGI 2, with the scope alone. interface="asgi3"
# helps.
# Source: none.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q uvicorn==0.54.0

cat >"$room/serve.py" <<'END'
import http.client
import threading
import time

import uvicorn


async def answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


class Application:
    async def __call__(self, scope, receive, send):
        await answer(scope, receive, send)

    async def serve(self, scope, receive, send):
        await answer(scope, receive, send)


def ask(application):
    config = uvicorn.Config(application, port=0, lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    connection = http.client.HTTPConnection(*server.servers[0].sockets[0].getsockname())
    connection.request("GET", "/")
    status = connection.getresponse().status
    connection.close()
    server.should_exit = True
    thread.join()
    return f"{config.interface}, {status}"


application = Application()
print("function:", ask(answer))
print("object with __call__:", ask(application))
print("bound method:", ask(application.serve))
END

seen=$("$room/venv/bin/python" "$room/serve.py")
expected='function: asgi3, 200
object with __call__: asgi3, 200
bound method: asgi2, 500'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
