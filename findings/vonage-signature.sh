#!/bin/sh
# vonage-http-client 1.5.2 (PyPI) and @vonage/auth 1.15.0 (npm): the signature of the same parameters by the same secret.
#
# One would guess: two clients of one provider sign alike, as the provider has to check both.
# Seen on 2026-11-28: they do not, already for one plain parameter. Python signs "&api_key=abcd1234&text=482913…", with =
# and & in values made "_", which is the rule in Vonage's documentation. npm leaves out the first &, writes the
# parameters as in a URL, and makes *every* & and = "_": "api_key_abcd1234_text_482913…".
# Source: https://developer.vonage.com/en/getting-started/concepts/signing-messages ("manually generate a signature")
set -eu
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q vonage-http-client==1.5.2
npm install --silent --no-audit --no-fund --prefix "$room" @vonage/auth@1.15.0

cat >"$room/sign.py" <<'END'
import hashlib
import hmac

from vonage_http_client.auth import Auth

auth = Auth(api_key="abcd1234", signature_secret="0123456789abcdef", signature_method="sha256")
print("PyPI", auth.sign_params({"api_key": "abcd1234", "text": "482913", "timestamp": "1795867200"}))
for signed in (
    "&api_key=abcd1234&text=482913&timestamp=1795867200",
    "api_key_abcd1234_text_482913_timestamp_1795867200",
):
    print(hmac.new(b"0123456789abcdef", signed.encode(), hashlib.sha256).hexdigest(), "of", signed)
END

cat >"$room/sign.js" <<'END'
const { Auth } = require("@vonage/auth");
const signature = { secret: "0123456789abcdef", algorithm: "SHA256HMAC" };
new Auth({ apiKey: "abcd1234", signature })
  .createSignatureHash({ text: "482913", timestamp: "1795867200" })
  .then(({ sig }) => console.log("npm", sig));
END

seen=$("$room/venv/bin/python" "$room/sign.py"; node "$room/sign.js")
expected='PyPI 58ce9873839616cca9d661d4dc05e3dbc27b9b25b09485002ea120d1a3923fe3
58ce9873839616cca9d661d4dc05e3dbc27b9b25b09485002ea120d1a3923fe3 of &api_key=abcd1234&text=482913&timestamp=1795867200
087e229a96bfc623830afc775b669b1f03a27237f9e66e528c7c408c371bc3ef of api_key_abcd1234_text_482913_timestamp_1795867200
npm 087e229a96bfc623830afc775b669b1f03a27237f9e66e528c7c408c371bc3ef'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
