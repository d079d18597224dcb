#!/bin/sh
# Sign up with a phone, with nothing but curl.
# Needs SMSCATCH_URL and SMSCATCH_KEY, and the app of examples/signup at APP_URL (http://127.0.0.1:5000 if not set).
set -eu
api="$SMSCATCH_URL/api/v1"
app="${APP_URL:-http://127.0.0.1:5000}"

# --fail-with-body: a refusal ends the script, and `say` passes its sentence on: who has the line, what came instead.
sms() { curl --silent --show-error --fail-with-body -H "Authorization: Bearer $SMSCATCH_KEY" "$@"; }
say() { echo "$1" >&2; exit 1; }
field() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }

# A number that is ours alone.
lease=$(sms -d '{"holder": "signup.sh", "ttl_seconds": 120, "wait_seconds": 60}' "$api/leases") || say "$lease"
id=$(echo "$lease" | field id)
number=$(echo "$lease" | field line)
# Whatever happens, it is free again at the end.
trap 'sms -X DELETE "$api/leases/$id"' EXIT
trap 'exit 1' INT TERM

curl --silent --show-error --fail --output /dev/null --data-urlencode "phone=$number" "$app/sign-up"
code=$(sms "$api/leases/$id/code?sender=Example&timeout=60") || say "$code"
curl --silent --show-error --fail --data-urlencode "phone=$number" -d "code=$code" "$app/verify"
