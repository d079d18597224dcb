#!/bin/sh
# node-sms-pdu 0.3.0, node-pdu 2.1.1 and pdu.ts 1.1.4 (npm): the zone of the service centre's time, TP-SCTS.
#
# One would guess: whichever parser of the three reads it, a text was sent at the same moment, wherever its centre is.
# Seen on 2026-11-29: they agree where the zone is a whole number of hours east. West of Greenwich, so in all of America,
# node-sms-pdu's time ends in "+aN:aN" and is no time; pdu.ts takes the sign for a digit and the moment is hours off. Of
# Nepal's zone, node-pdu's text form is "+5.75:00", which Date does not read. None of them raises an error.
# Source: 3GPP TS 23.040, 9.2.3.11: quarters of an hour in swapped nibbles, and a sign in bit 3 of the first octet.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
npm install --silent --no-audit --no-fund --prefix "$room" node-sms-pdu@0.3.0 node-pdu@2.1.1 pdu.ts@1.1.4

cat >"$room/zones.js" <<'END'
const nodePdu = require("node-pdu");
const nodeSmsPdu = require("node-sms-pdu");
const { PDUParser } = require("pdu.ts");
// SMS-DELIVER of "Hi" through a centre with a number; 14:05:09 on 2026-11-29 by the centre's clock.
const pdu = (zone) => "07919471010000F0" + "040B918110325476F8" + "0000" + "621192415090" + zone + "02C834";
const ZONES = { "+02:00": "80", "-05:00": "0A", "+05:45": "32" };
for (const [zone, octet] of Object.entries(ZONES)) {
  const text = pdu(octet);
  console.log(`sent at ${new Date(`2026-11-29T14:05:09${zone}`).toISOString().slice(0, 19)}Z, zone ${zone}`);
  console.log("  node-sms-pdu", nodeSmsPdu.parse(text).timestamp);
  console.log("  node-pdu    ", nodePdu.parse(text).serviceCenterTimeStamp.getIsoString());
  console.log("  pdu.ts      ", new Date(PDUParser.Parse(text).time).toISOString().slice(0, 19) + "Z");
}
END
seen=$(cd "$room" && TZ=UTC node zones.js)
printf '%s\n' "$seen"
expected='sent at 2026-11-29T12:05:09Z, zone +02:00
  node-sms-pdu 2026-11-29T14:05:09+02:00
  node-pdu     2026-11-29T14:05:09+02:00
  pdu.ts       2026-11-29T12:05:09Z
sent at 2026-11-29T19:05:09Z, zone -05:00
  node-sms-pdu 2026-11-29T14:05:09+aN:aN
  node-pdu     2026-11-29T14:05:09-05:00
  pdu.ts       2026-11-29T11:35:09Z
sent at 2026-11-29T08:20:09Z, zone +05:45
  node-sms-pdu 2026-11-29T14:05:09+05:45
  node-pdu     2026-11-29T14:05:09+5.75:00
  pdu.ts       2026-11-29T08:20:09Z'
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
