"""Takes the pictures of the page that README shows: a server on a temporary folder, filled with believable texts.

Nothing is tested here.
"""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from playwright.sync_api import Browser, expect, sync_playwright

from smscatch.hook import encode_body

IMAGES = Path(__file__).parent
KEY = "a-key-for-the-pictures"
# Numbers that Ofcom and the Bundesnetzagentur keep free for drama.
ONE, TWO, THREE = "+447700900001", "+4915200000017", "+447700900003"
LINES = {ONE: "Sign-up tests", TWO: "Staging", THREE: "Team logins"}
WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


class Sample(NamedTuple):
    """A text that came some seconds ago."""

    age_seconds: int
    line: str
    sender: str
    text: str
    facts: Mapping[str, str] = MappingProxyType({})


SAMPLES = (
    Sample(8, ONE, "Authy", "Your Authy code is 482913. Don’t share it: our employees will never ask for it."),
    Sample(41, THREE, "Google", "G-730214 is your Google verification code. Don't share your code with anyone."),
    Sample(
        190,
        TWO,
        "DHL",
        "Ihre Sendung kommt heute zwischen 13:30 und 15:00 Uhr. Änderungen unter"
        " https://dhl.example/track/JJD0003999 – Viele Grüße 📦",
    ),
    Sample(
        460,
        TWO,
        "Sparkasse",
        "Ihre TAN lautet 914 060. Überweisung von 129,00 € an Stadtwerke München. Geben Sie die TAN niemals weiter.",
    ),
    Sample(1260, ONE, "+447700900456", "Running ten minutes late, sorry! Save me a croissant? 🥐🙏"),
    Sample(2900, ONE, "微信", "【微信】验证码 603817，用于登录，5分钟内有效。请勿转发给他人。"),
    Sample(
        5400,
        THREE,
        "GitHub",
        "553018 is your GitHub authentication code.\n\n@github.com #553018",
    ),
    Sample(9000, TWO, "Εθνική", "Ο κωδικός επιβεβαίωσης είναι 27491. Μην τον κοινοποιήσετε σε κανέναν."),
    Sample(
        22000,
        ONE,
        "Octopus",
        "Your smart meter was read on 21 November. This month you used 212 kWh, 9 % less than a year ago. Your next"
        " statement comes on Friday, and there is nothing that you need to do. Questions? Reply HELP, or have a look"
        " at https://octopus.example/faq. To stop these texts reply STOP.",
        {"SMS_MESSAGES": "2", "SMS_2_NUMBER": "Octopus", "DECODED_PARTS": "1"},
    ),
    Sample(40000, THREE, "Stripe", "Your Stripe verification code is: 118-274. It expires in 10 minutes."),
    Sample(90000, ONE, "Flash", "Balance: £4.20. Valid until 31 Dec.", {"SMS_1_CLASS": "0"}),
)


def main() -> None:
    """Write page-light.png, page-dark.png and page-phone.png."""
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        )
        take(browser, url, IMAGES / "page-light.png", color_scheme="light", viewport=WIDE, device_scale_factor=2)
        take(browser, url, IMAGES / "page-dark.png", color_scheme="dark", viewport=WIDE, device_scale_factor=2)
        take(browser, url, IMAGES / "page-phone.png", color_scheme="light", viewport=PHONE, device_scale_factor=2)
        browser.close()


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run a server that has received SAMPLES; give its URL."""
    spool = folder / "spool"
    spool.mkdir()
    for sample in sorted(SAMPLES, key=lambda sample: -sample.age_seconds):
        put(spool, sample)
    config = folder / "smscatch.toml"
    config.write_text(
        "".join(f'[lines."{line}"]\nlabel = "{label}"\nphone_id = "{line}"\n' for line, label in LINES.items())
    )
    settings = {"CONFIG": config, "STORE": f"sqlite:///{folder}/store.db", "SPOOL": spool, "PORT": 0, "ADMIN_KEY": KEY}
    environment = os.environ | {f"SMSCATCH_{name}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-m", "smscatch.cli", "serve"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        yield str(process.stdout and process.stdout.readline()).split()[-1]
        process.terminate()


def put(spool: Path, sample: Sample) -> None:
    """Leave in the spool what the hook would have written when the text came."""
    variables = {
        "PHONE_ID": sample.line,
        "SMS_MESSAGES": "1",
        "SMS_1_NUMBER": sample.sender,
        "SMS_1_CLASS": "-1",
        "SMS_1_REFERENCE": "0",
        "DECODED_PARTS": "0",
        "DECODED_1_TEXT": sample.text,
        **sample.facts,
    }
    then = time.time_ns() - sample.age_seconds * 10**9
    environment = {name.encode(): value.encode() for name, value in variables.items()}
    body = encode_body(environment, [], then)
    (spool / f"{then:020}-{secrets.token_hex(8)}.sms").write_bytes(b"smscatch/1 gammu %d\n" % len(body) + body)


def take(browser: Browser, url: str, path: Path, **look: object) -> None:
    """Sign in, and take a picture of the page."""
    context = browser.new_context(**look)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{url}/login")
    page.get_by_label("API key").fill(KEY)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#messages > li")).to_have_count(len(SAMPLES))
    expect(page.locator("#state")).to_have_text("Live")
    page.screenshot(path=path)
    context.close()


if __name__ == "__main__":
    main()
