#!/bin/sh
# twilio 9.13.0 (PyPI) and twilio 6.3.1 (npm) in an environment that names a proxy.
#
# One would guess: as the API is https, HTTPS_PROXY leads calls through the proxy and HTTP_PROXY does not, as with curl.
# Seen on 2026-11-28: so it is with Python. npm heeds HTTP_PROXY alone, for https too, and goes straight out past
# HTTPS_PROXY: behind a firewall its texts fail, and a proxy that should see them does not.
# Source: https://github.com/twilio/twilio-node/issues/922
set -eu
room=$(mktemp -d)
proxy=
trap 'kill $proxy 2>/dev/null || :; rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q twilio==9.13.0
npm install --silent --no-audit --no-fund --prefix "$room" twilio@6.3.1
unset HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
unset NODE_USE_ENV_PROXY TWILIO_EDGE TWILIO_REGION

# A proxy that notes what it is asked for, and refuses. The name .invalid leads nowhere without it.
cat >"$room/proxy.js" <<'END'
const { appendFileSync } = require("fs");
require("net").createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", (data) => {
    appendFileSync(process.argv[2], "  the proxy: " + data.toString().split(" HTTP/")[0] + "\n");
    socket.end("HTTP/1.1 502 Refused\r\nContent-Length: 0\r\n\r\n");
  });
}).listen(0, "127.0.0.1", function () { console.log(this.address().port); });
END

cat >"$room/send.py" <<'END'
from twilio.rest import Client

client = Client("AC" + "0" * 32, "token")
client.api.base_url = "https://api.twilio.invalid"
try:
    client.messages.create(to="+447700900001", from_="+447700900002", body="Your code is 482913")
except Exception:
    pass
END

cat >"$room/send.js" <<'END'
const client = require("twilio")("AC" + "0".repeat(32), "token");
client.api.baseUrl = "https://api.twilio.invalid";
client.messages.create({ to: "+447700900001", from: "+447700900002", body: "Your code is 482913" }).catch(() => {});
END

mkfifo "$room/port"
node "$room/proxy.js" "$room/asked" >"$room/port" &
proxy=$!
read -r port <"$room/port"
url=http://127.0.0.1:$port
for name in HTTPS_PROXY HTTP_PROXY; do
    echo "PyPI, $name" >>"$room/asked"
    env "$name=$url" "$room/venv/bin/python" "$room/send.py"
    echo "npm, $name" >>"$room/asked"
    env "$name=$url" node "$room/send.js"
done
seen=$(cat "$room/asked")
expected='PyPI, HTTPS_PROXY
  the proxy: CONNECT api.twilio.invalid:443
npm, HTTPS_PROXY
PyPI, HTTP_PROXY
npm, HTTP_PROXY
  the proxy: CONNECT api.twilio.invalid:443'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
