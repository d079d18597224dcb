#!/bin/sh
# Two users sign up, each with a number of their own, with nothing but curl.
# Needs SMSCATCH_URL and SMSCATCH_KEY, and the app of examples/signup at APP_URL (http://127.0.0.1:5000 if not set).
set -eu
api="$SMSCATCH_URL/api/v1"
app="${APP_URL:-http://127.0.0.1:5000}"

sms() { curl --silent --show-error --fail-with-body -H "Authorization: Bearer $SMSCATCH_KEY" "$@"; }
say() { echo "$1" >&2; exit 1; }

# Both numbers at once, or none. The answer is a group: its id releases all, each lease has an id for its messages.
group=$(sms -d '{"count": 2, "holder": "two_users.sh", "ttl_seconds": 120, "wait_seconds": 60}' "$api/leases") || say "$group"
id=$(echo "$group" | sed 's/^{"id":"\([^"]*\)".*/\1/')
trap 'sms -X DELETE "$api/leases/$id"' EXIT
trap 'exit 1' INT TERM

# A line each: the lease's id, a blank, the number.
each=$(echo "$group" | grep -o '"id":"[^"]*","line":"[^"]*"' | sed 's/"id":"\([^"]*\)","line":"\([^"]*\)"/\1 \2/')

echo "$each" | while read -r lease number; do
  curl --silent --show-error --fail --output /dev/null --data-urlencode "phone=$number" "$app/sign-up"
done
echo "$each" | while read -r lease number; do
  code=$(sms "$api/leases/$lease/code?sender=Example&timeout=60") || say "$code"
  curl --silent --show-error --fail --data-urlencode "phone=$number" -d "code=$code" "$app/verify"
done
