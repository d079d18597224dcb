#!/bin/sh
# mailosaur 11.1.1 (npm), whose client takes the base URL of a server as its second argument.
#
# One would guess: it calls that URL, with its port, as the same option of the Python package does.
# Seen on 2026-11-28: it keeps host and path, and calls port 443. So it cannot be pointed at a server for tests that listens
# on a port of its own, but by a proxy.
# Source: none.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
npm install --silent --no-audit --no-fund --prefix "$room" mailosaur@11.1.1

# Nothing is sent: where the client would connect to is noted, and the call refused.
cat >"$room/call.js" <<'END'
const https = require("https");
https.request = ({ hostname, port, path }) => {
  console.log("calls", hostname, "port", port || https.globalAgent.defaultPort, path);
  process.exit();
};
const url = "https://127.0.0.1:18443/inbox/";
console.log("is told", url);
new (require("mailosaur"))("key", url).messages.list("abcd1234");
END

seen=$(node "$room/call.js")
expected='is told https://127.0.0.1:18443/inbox/
calls 127.0.0.1 port 443 /inbox/api/messages?server=abcd1234'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
