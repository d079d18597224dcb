"""Two users sign up, each with a number of their own, with the Python client alone.

Needs SMSCATCH_URL and SMSCATCH_KEY, and the app of examples/signup at APP_URL (http://127.0.0.1:5000 if not set).
"""

import os

import httpx2

from smscatch import Client

APP = os.environ.get("APP_URL", "http://127.0.0.1:5000")

# Both at once, or none: who holds one line and waits for a second may wait for somebody who does the same.
with Client() as sms, sms.lease(count=2, holder="two_users.py") as (alice, bob):
    for phone in (alice, bob):
        httpx2.post(f"{APP}/sign-up", data={"phone": phone.number}).raise_for_status()
    for name, phone in (("Alice", alice), ("Bob", bob)):
        code = phone.wait_for_code(sender="Example", timeout=60)
        httpx2.post(f"{APP}/verify", data={"phone": phone.number, "code": code}).raise_for_status()
        print(f"{name} is in, with {phone.number}")
