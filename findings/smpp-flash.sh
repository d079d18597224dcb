#!/bin/sh
# smpp 0.5.1 (npm): a text in UCS-2 that has a message class, so one that is shown at once (flash).
#
# One would guess: the data_coding 0x18 differs from 0x08 in the class alone, so the text is sent in UCS-2 with either.
# Seen on 2026-11-29: the text goes out in the GSM alphabet, in which every letter that is not in it is "@" (0x00): of
# "Код 482913" the digits are left. The other side is told that these are UCS-2, and reads other characters; the
# library's own reader too. With 0x1A (class 2) it is the same, and its reader returns a Buffer.
# Source: 3GPP TS 23.038, 4: bits 3 and 2 are the alphabet (10: UCS2), bit 4 says that bits 1 and 0 are a class.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
npm install --silent --no-audit --no-fund --prefix "$room" smpp@0.5.1

cat >"$room/flash.js" <<'END'
const smpp = require("smpp");
for (const data_coding of [0x08, 0x18, 0x1a]) {
  const given = { source_addr: "1", destination_addr: "2", data_coding, short_message: "Код 482913" };
  const octets = new smpp.PDU("submit_sm", given).toBuffer();
  const text = octets.toString("hex").replace(/^.*00(14|0a)/, ""); // what stands behind sm_default_msg_id and sm_length
  console.log(`data_coding 0x${data_coding.toString(16)}: ${text}`);
  const { message } = new smpp.PDU(octets).short_message;
  console.log("  read back:", Buffer.isBuffer(message) ? `a Buffer, ${message.toString("hex")}` : JSON.stringify(message));
}
END
seen=$(cd "$room" && node flash.js)
printf '%s\n' "$seen"
expected='data_coding 0x8: 041a043e04340020003400380032003900310033
  read back: "Код 482913"
data_coding 0x18: 00000020343832393133
  read back: "\u0000 㐸㈹ㄳ"
data_coding 0x1a: 00000020343832393133
  read back: a Buffer, 00000020343832393133'
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
