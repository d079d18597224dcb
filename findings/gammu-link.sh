#!/bin/sh
# python-gammu 3.5.1 (PyPI, with libGammu 1.45.1): LinkSMS(), which joins the parts of long texts.
#
# One would guess: two halves are of one text only if they came at about the same time, since the reference of parts is
# one octet, and a sender that numbers its texts is back at the same one after 256 of them.
# Seen on 2026-11-29: the times are not looked at. The first half of a text whose second was lost, left in the memory of
# the modem, becomes one text with the second half of another, a month later: "Your code for the old shop is ... 333333".
# And where both halves of both are there, but the older second half comes last, the two texts exchange their ends.
# Source: 3GPP TS 23.040, 9.2.3.24.1: parts belong together by reference, number of parts, originator and SMSC; it knows no age.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q python-gammu==3.5.1

cat >"$room/link.py" <<'END'
import gammu


def septets(text, fill):
    bits = "0" * fill + "".join(f"{ord(character):07b}"[::-1] for character in text)
    return bytes(int(bits[start : start + 8][::-1], 2) for start in range(0, len(bits), 8))


def part(number, month, text):
    """Return one of two parts with the reference 7, which came on the first of a month."""
    header = bytes.fromhex("05000307 02") + bytes((number,))
    data = header + septets(text, 1)  # the header takes seven septets, with a bit of fill
    time = bytes.fromhex("62") + bytes((month % 10 << 4 | month // 10,)) + bytes.fromhex("1021000000")
    pdu = bytes.fromhex("00440B915155214365F7 0000") + time + bytes((7 + len(text),)) + data
    return [gammu.DecodePDU(pdu)]


def show(what, *parts):
    print(what)
    for linked in gammu.LinkSMS(list(parts)):
        months = [message["DateTime"].strftime("%b") for message in linked]
        print("  ", "+".join(months), "".join(entry["Buffer"] for entry in gammu.DecodeSMS(linked)["Entries"]))


print("libGammu", gammu.Version()[0])
old = part(1, 9, "Your code for the old shop is "), part(2, 9, "111111")
new = part(1, 10, "Your code for the new shop is "), part(2, 10, "333333")
show("both whole, one after the other", *old, *new)
show("the old second half comes last", old[0], *new, old[1])
show("two halves, of two texts", old[0], new[1])
END
seen=$("$room/venv/bin/python" "$room/link.py")
printf '%s\n' "$seen"
expected='libGammu 1.45.1
both whole, one after the other
   Sep+Sep Your code for the old shop is 111111
   Oct+Oct Your code for the new shop is 333333
the old second half comes last
   Sep+Oct Your code for the old shop is 333333
   Oct+Sep Your code for the new shop is 111111
two halves, of two texts
   Sep+Oct Your code for the old shop is 333333'
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
