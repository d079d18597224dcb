#!/bin/sh
# phonenumberslite 9.0.42 (PyPI; libphonenumber 9.0.42): a mobile number as providers write it, country code and no +.
#
# One would guess: with the number's own country as region, parse() takes the country code off in every country or in none.
# Seen on 2026-11-28: of the numbers for examples of five countries it is taken off, of the German one it is not:
# 49 171 3920001 becomes +49 49 171 3920001, and is said to be valid. German numbers differ so much in length that these
# digits fit one as they are, and only digits that do not are looked at for a country code.
# Source: the comments in phonenumberutil.py, _maybe_extract_country_code
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q phonenumberslite==9.0.42

cat >"$room/parse.py" <<'END'
from phonenumbers import PhoneNumberFormat, format_number, is_valid_number, parse

for region, digits in (
    ("AU", "61491570156"),
    ("DE", "491713920001"),
    ("FR", "33639980001"),
    ("GB", "447700900001"),
    ("SE", "46701740605"),
    ("US", "12025550123"),
):
    print(region, digits, "is read as", format_number(parse(digits, region), PhoneNumberFormat.E164))
print("the German one is valid:", is_valid_number(parse("491713920001", "DE")))
END

seen=$("$room/venv/bin/python" "$room/parse.py")
expected='AU 61491570156 is read as +61491570156
DE 491713920001 is read as +49491713920001
FR 33639980001 is read as +33639980001
GB 447700900001 is read as +447700900001
SE 46701740605 is read as +46701740605
US 12025550123 is read as +12025550123
the German one is valid: True'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
