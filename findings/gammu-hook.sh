#!/bin/sh
# gammu-smsd 1.42.0 (Debian 12: gammu-smsd 1.42.0-8), with the service "null" and a RunOnReceive program that fails.
#
# One would guess: a text whose program says that it failed (exit status 1) stays where it is, and is tried again.
# Seen on 2026-11-28: it is deleted from the phone. The exit status is looked at only to be logged, so with "null" the
# text is gone, and nothing tells but the log.
# Source: https://github.com/gammu/gammu/issues/291
set -eu
command -v gammu-smsd >/dev/null || { echo "Needs gammu-smsd: apt-get install gammu-smsd" >&2; exit 1; }
gammu-smsd --version | head -n 1
room=$(mktemp -d)
smsd=
trap 'kill $smsd 2>/dev/null || :; wait; rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM

# gammu's dummy phone keeps its texts in files, one each.
mkdir -p "$room/phone/sms/1"
cat >"$room/text" <<'END'
[SMSBackup000]
PDU = Deliver
DateTime = 20261128T120000Z
State = UnRead
Number = "+447700900001"
Coding = Default_No_Compression
Text00 = 003400380032003900310033
Folder = 1
Length = 6
Class = -1
END
cat >"$room/hook" <<'END'
#!/bin/sh
echo "the program got $SMS_1_TEXT, and fails" >>"${0%/*}/heard"
exit 1
END
chmod +x "$room/hook"
cat >"$room/smsdrc" <<END
[gammu]
model = dummy
connection = none
port = $room/phone
[smsd]
service = null
runonreceive = $room/hook
receivefrequency = 1
loopsleep = 1
logfile = $room/log
END
: >"$room/heard"
gammu-smsd -c "$room/smsdrc" &
smsd=$!
mv "$room/text" "$room/phone/sms/1/1"
for second in $(seq 20); do
    [ -s "$room/heard" ] && [ -z "$(ls "$room/phone/sms/1")" ] && break
    sleep 1
done
seen=$(
    cat "$room/heard"
    grep -o "Process failed with exit status 1" "$room/log"
    echo "texts on the phone: $(ls "$room/phone/sms/1" | wc -l)"
)
expected='the program got 482913, and fails
Process failed with exit status 1
texts on the phone: 0'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; cat "$room/log"; exit 1; }
