#!/bin/sh
# vonage 4.9.1 (PyPI): one client that sends by the SMS API, by the Messages API, and by the SMS API again.
#
# One would guess: two calls with the same arguments make the same request.
# Seen on 2026-11-28: the SMS API's form is labelled application/x-www-form-urlencoded until the client has made any JSON
# call, and application/json from then on, though it is a form still. A stand-in for the provider that goes by
# Content-Type cannot read the second text; nor can a proxy that logs.
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
from vonage_messages import Sms
from vonage_sms import SmsMessage


class Recorder(BaseAdapter):
    def send(self, request, **options):
        body = request.body if isinstance(request.body, str) else request.body.decode()
        print(request.path_url, request.headers["Content-Type"], body)
        answer = requests.Response()
        answer.status_code = 200
        answer.headers["Content-Type"] = "application/json"
        answer._content = b'{"message-count": "1", "messages": [{"status": "0"}], "message_uuid": "m"}'
        return answer


client = Vonage(Auth(api_key="abcd1234", api_secret="secret"))
client.http_client._session.mount("https://", Recorder())
text = SmsMessage(to="447700900001", from_="Acme", text="482913")
client.sms.send(text)
client.messages.send(Sms(to="447700900001", from_="447700900002", text="482913"))
client.sms.send(text)
END

seen=$("$room/venv/bin/python" "$room/send.py")
expected='/sms/json application/x-www-form-urlencoded to=447700900001&from=Acme&text=482913
/v1/messages application/json {"to": "447700900001", "from": "447700900002", "text": "482913", "channel": "sms", "message_type": "text"}
/sms/json application/json to=447700900001&from=Acme&text=482913'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
