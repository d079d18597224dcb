#!/bin/sh
# python-gammu 3.5.1 (PyPI, with libGammu 1.45.1): the sender in an SMS-DELIVER, as DecodePDU() reads it.
#
# One would guess: a sender is what a telephone shows: "Müller", "A_B", "*100#".
# Seen on 2026-11-28: a name is unpacked, but its septets stay those of the GSM alphabet (3GPP TS 23.040, 9.1.2.5) and are
# taken for ASCII: "Müller" is "M~ller", the _ of "A_B" is U+0011. Of a number the * and # are dropped, so "*100#", which
# an operator sends its texts from, is "100", another number. The text beside it is decoded as it should be.
# Source: none.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q python-gammu==3.5.1

cat >"$room/decode.py" <<'END'
import gammu

GSM = {"ü": 0x7E, "_": 0x11}
DIGITS = "0123456789*#"


def septets(text):
    bits = "".join(f"{GSM.get(character, ord(character)):07b}"[::-1] for character in text)
    return bytes(int(bits[start : start + 8][::-1], 2) for start in range(0, len(bits), 8))


def address(sender):
    """Return an originating address: length, type of number, value."""
    if not set(sender) <= set(DIGITS):
        return bytes((2 * len(septets(sender)), 0xD0)) + septets(sender)
    nibbles = [DIGITS.index(digit) for digit in sender] + [15] * (len(sender) % 2)
    pairs = zip(nibbles[::2], nibbles[1::2], strict=True)
    return bytes((len(sender), 0x81)) + bytes(high << 4 | low for low, high in pairs)


print("libGammu", gammu.Version()[0])
for sender in ("Amazon", "Müller", "A_B", "12345", "*100#"):
    pdu = bytes.fromhex("0004") + address(sender) + bytes.fromhex("00006211822100000006") + septets("482913")
    message = gammu.DecodePDU(pdu)
    print(ascii(sender), "is read as", ascii(message["Number"]), "text", message["Text"])
END

seen=$("$room/venv/bin/python" "$room/decode.py")
expected="libGammu 1.45.1
'Amazon' is read as 'Amazon' text 482913
'M\\xfcller' is read as 'M~ller' text 482913
'A_B' is read as 'A\\x11B' text 482913
'12345' is read as '12345' text 482913
'*100#' is read as '100' text 482913"
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
