"""A small web app that lets people in who have the phone they say they have: the app under test of the examples.

`flask --app examples/signup/app.py run` serves it on http://127.0.0.1:5000.
"""

import hmac
import secrets
import subprocess
import sys
from collections.abc import Callable

from flask import Flask, render_template_string, request

PAGE = """<!doctype html>
<html lang="en"><title>Example</title>
<h1>{{ heading }}</h1>
<form method="post" action="{{ action }}">
  {% if phone %}
    <input type="hidden" name="phone" value="{{ phone }}">
    <label>Code <input name="code" inputmode="numeric" autocomplete="one-time-code"></label>
  {% else %}
    <label>Phone <input name="phone" type="tel"></label>
  {% endif %}
  <button>Continue</button>
</form>
</html>"""

SendSms = Callable[[str, str], None]


def send_by_simulated_modem(number: str, text: str) -> None:
    """Text through the modem of a running `smscatch demo`. A real app calls Twilio, Vonage or its own gateway here."""
    command = [sys.executable, "-m", "smscatch.cli", "simulate", "--line", number, "--from", "Example", text]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def create_app(send_sms: SendSms = send_by_simulated_modem) -> Flask:
    """Return the app; `send_sms(number, text)` sends its texts."""
    app = Flask(__name__)
    codes: dict[str, str] = {}

    @app.get("/")
    def ask_phone() -> str:
        return render_template_string(PAGE, heading="Sign up", action="/sign-up")

    @app.post("/sign-up")
    def ask_code() -> str:
        phone = request.form["phone"]
        codes[phone] = f"{secrets.randbelow(10**6):06}"
        send_sms(phone, f"Your Example code is {codes[phone]}. Do not tell it to anyone.")
        return render_template_string(PAGE, heading="We sent you a code", action="/verify", phone=phone)

    @app.post("/verify")
    def let_in() -> tuple[str, int]:
        code = codes.pop(request.form["phone"], "")  # one try: a code that can be guessed again is none
        if not code or not hmac.compare_digest(code, request.form["code"]):
            return "<h1>That is not the code</h1>", 403
        return "<h1>Welcome</h1>", 200

    return app
