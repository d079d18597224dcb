#!/bin/sh
# pdu 1.1.0 (npm): a text from a sender with a name, as almost all services have one.
#
# One would guess: parse() tells the sender's name, the text, and the time that the service centre gave.
# Seen on 2026-11-29: the sender "Authy" is "11210313113970", its octets read as digits, and nothing tells it from a
# number. "@" is U+0000, of "€" the escape and an "e" are left, and the text ends in as many U+0000 as the buffer had
# room. The time has the milliseconds of the present moment, so the same PDU parsed twice was sent at two times.
# Source: 3GPP TS 23.040, 9.1.2.5 (type of number 101: GSM alphabet); 3GPP TS 23.038, 6.2.1.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
npm install --silent --no-audit --no-fund --prefix "$room" pdu@1.1.0

cat >"$room/read.js" <<'END'
const pdu = require("pdu");
const AUTHY = "000409D0C13A1D9D07" + "000062112221000000"; // SMS-DELIVER, from "Authy"
const show = (text) => JSON.stringify(text.replace(/\0+$/, (end) => `(${end.length > 9 ? "many" : end.length} × NUL)`));
const { sender, time } = pdu.parse(AUTHY + "0435D0A60C");
console.log("sender", sender);
for (const [text, data] of [["@ home", "060010FADD2E03"], ["5 €", "0435D0A60C"]])
  console.log(JSON.stringify(text), "is", show(pdu.parse(AUTHY + data).text));
const moments = new Set();
for (let n = 0; n < 100000 && moments.size < 2; n += 1) moments.add(+pdu.parse(AUTHY + "0435D0A60C").time);
console.log("the same PDU parsed again was sent at the same time:", moments.size === 1);
END
seen=$(cd "$room" && node read.js)
printf '%s\n' "$seen"
expected='sender 11210313113970
"@ home" is "\u0000 home(many × NUL)"
"5 €" is "5 \u001be(many × NUL)"
the same PDU parsed again was sent at the same time: false'
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
