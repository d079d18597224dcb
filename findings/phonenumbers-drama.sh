#!/bin/sh
# phonenumberslite 9.0.42 (PyPI): numbers that regulators keep for films, as is_valid_number() judges them.
#
# One would guess: what no subscriber has is alike in all plans, so a test that types such a number is refused everywhere or
# nowhere, and within a country it does not matter which of the kept ranges it takes.
# Seen on 2026-11-29: Britain's and France's mobile ranges (+44 7700 900xxx, +33 6 39 98 xx xx) are invalid and of no type,
# though those of their fixed lines are valid; the mobile ones of Germany, Sweden and Australia are valid, and so is
# 555-01xx in the United States. All are "possible". So a sign-up that asks is_valid_number() turns down the very number that
# Ofcom gives to whoever needs one, and +44 20 7946 0xxx gets through as a landline, to which no code is sent.
# Source: the ranges are Ofcom's, ARCEP's (décision 2018-0881), the Bundesnetzagentur's (Mitteilung 148/2021), PTS's, ACMA's
# and NANPA's; no page of the library speaks of them.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q phonenumberslite==9.0.42

cat >"$room/judge.py" <<'END'
import phonenumbers

KEPT = {
    "GB mobile": "+447700900123",
    "GB London": "+442079460123",
    "FR mobile": "+33639981234",
    "FR Paris": "+33199001234",
    "DE mobile": "+491713920012",
    "SE mobile": "+46701740650",
    "AU mobile": "+61491570156",
    "US": "+12025550123",
}
for name, written in KEPT.items():
    number = phonenumbers.parse(written)
    kind = phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(number))
    valid = "valid" if phonenumbers.is_valid_number(number) else "invalid"
    print(name, written, "possible" if phonenumbers.is_possible_number(number) else "impossible", valid, kind)
END

seen=$("$room/venv/bin/python" "$room/judge.py")
expected="GB mobile +447700900123 possible invalid UNKNOWN
GB London +442079460123 possible valid FIXED_LINE
FR mobile +33639981234 possible invalid UNKNOWN
FR Paris +33199001234 possible valid FIXED_LINE
DE mobile +491713920012 possible valid MOBILE
SE mobile +46701740650 possible valid MOBILE
AU mobile +61491570156 possible valid MOBILE
US +12025550123 possible valid FIXED_LINE_OR_MOBILE"
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
