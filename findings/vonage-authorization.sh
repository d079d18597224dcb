#!/bin/sh
# vonage 4.9.1 (PyPI): one client that signs its texts (SMS API), checks a code by Basic (Verify API), and signs again.
#
# One would guess: a signed request has no secret in it; that is what the signature is for.
# Seen on 2026-11-29: the first text has none. After one call of another API each signed request has the account's
# secret beside its signature, in the header Authorization of that call.
# Source: none.
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q vonage==4.9.1

# Nothing is sent: an adapter of our own takes the requests, and answers for both APIs.
cat >"$room/send.py" <<'END'
import requests
from requests.adapters import BaseAdapter
from vonage import Auth, Vonage
from vonage_sms import SmsMessage


class Recorder(BaseAdapter):
    def send(self, request, **options):
        is_signed = "sig=" in (request.body if isinstance(request.body, str) else request.body.decode())
        print(request.path_url, "signed," if is_signed else "not signed,", request.headers.get("Authorization"))
        answer = requests.Response()
        answer.status_code = 200
        answer.headers["Content-Type"] = "application/json"
        answer._content = (
            b'{"message-count": "1", "messages": [{"status": "0"}], "request_id": "r", "status": "completed"}'
        )
        return answer


client = Vonage(Auth(api_key="abcd1234", api_secret="secret", signature_secret="signing"))
client.http_client._session.mount("https://", Recorder())
text = SmsMessage(to="447700900001", from_="Acme", text="482913")
client.sms.send(text)
client.verify.check_code("r", "482913")
client.sms.send(text)
END

seen=$("$room/venv/bin/python" "$room/send.py")
expected='/sms/json signed, None
/v2/verify/r not signed, Basic YWJjZDEyMzQ6c2VjcmV0
/sms/json signed, Basic YWJjZDEyMzQ6c2VjcmV0'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
