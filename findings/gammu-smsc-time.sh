#!/bin/sh
# python-gammu 3.5.1 (PyPI, with libGammu 1.45.1): the two times of a received text, DateTime and SMSCDateTime.
#
# One would guess: DateTime is when it was received, SMSCDateTime is the service centre's time stamp from the PDU.
# Seen on 2026-11-28: for an SMS-DELIVER DateTime is the service centre's time stamp, and SMSCDateTime the present moment
# of this computer: whenever an old text is read from the SIM, its "SMSC time" is now.
# Source: libGammu's gammu-message.h has a comment that SMSCTime is for delivery reports.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q python-gammu==3.5.1

# From +447700900001, "482913", time stamp 2020-02-29 12:34:56 +01:00.
cat >"$room/decode.py" <<'END'
from datetime import UTC, datetime, timedelta

import gammu

pdu = "0004" "0C91447700090010" "0000" "02209221436540" "06" "341B49963301"
message = gammu.DecodePDU(bytes.fromhex(pdu))
print("DateTime", message["DateTime"])
is_now = abs(datetime.now(UTC) - message["SMSCDateTime"]) < timedelta(minutes=1)
print("SMSCDateTime", "now" if is_now else message["SMSCDateTime"])
END

seen=$("$room/venv/bin/python" "$room/decode.py")
expected='DateTime 2020-02-29 12:34:56+01:00
SMSCDateTime now'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
