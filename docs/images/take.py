"""Takes the pictures of the pages that README shows: a server on a temporary folder, filled with believable texts.

Draws the icons for installed pages too. Nothing is tested here.
"""

import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import httpx2
from playwright.sync_api import Browser, expect, sync_playwright

from smscatch.hook import encode_body
from smscatch.modem.health import Health, write_health

IMAGES = Path(__file__).parent
STATIC = IMAGES.parent.parent / "src" / "smscatch" / "web" / "static"
ICONS = (("192", 192, 1.0, "transparent"), ("512", 512, 1.0, "transparent"), ("maskable", 512, 0.9, "#0d8471"))
KEY = "a-key-for-the-pictures"
# Numbers that Ofcom and the Bundesnetzagentur keep free for drama.
ONE, TWO, THREE = "+447700900001", "+4915200000017", "+447700900003"
LINES = {ONE: "Sign-up tests", TWO: "Staging", THREE: "Team logins"}
MADE_KEYS = {"CI of the shop": ["read", "lease"], "Support desk": ["read"], "Android in the drawer": ["ingest"]}
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


class Shot(NamedTuple):
    """A picture: its name, the page's address, and how the page is looked at. An address may be of the newest text."""

    name: str
    path: str
    scheme: str = "light"
    viewport: Mapping[str, int] = MappingProxyType(WIDE)


SHOTS = (
    Shot("page-light", "/"),
    Shot("page-dark", "/", "dark"),
    Shot("page-phone", "/", viewport=PHONE),
    Shot("message", "/messages/{newest}"),
    Shot("lines", "/lines"),
    Shot("keys", "/keys"),
)


def main() -> None:
    """Write the pictures of SHOTS, and the ICONS."""
    quantizer = shutil.which("pngquant")
    if quantizer is None:
        sys.exit("The pictures are made small with pngquant: apt-get install pngquant")
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        )
        newest = prepare(url)
        for shot in SHOTS:
            path = IMAGES / f"{shot.name}.png"
            take(browser, url + shot.path.format(newest=newest), path, shot)
            subprocess.run([quantizer, "--force", "--strip", "--speed=1", "--output", path, "64", path], check=True)
        draw_icons(browser)
        browser.close()


def prepare(url: str) -> str:
    """Make keys and a lease to be seen; return the id of the newest message."""
    with httpx2.Client(base_url=url, auth=(KEY, "")) as api:
        api.post("/api/v1/leases", json={"line": THREE, "holder": "team-logins", "ttl_seconds": 1800})
        for name, scopes in MADE_KEYS.items():
            api.post("/keys", data={"name": name, "scope": scopes, "line": TWO})
        return str(api.get("/api/v1/messages/latest").json()["id"])


def draw_icons(browser: Browser) -> None:
    """Write the PNG icons that installed pages have, from icon.svg; the safe zone of a maskable one is a circle."""
    svg = (STATIC / "icon.svg").read_text("utf-8")
    for name, size, scale, background in ICONS:
        page = browser.new_page(viewport={"width": size, "height": size})
        drawn = svg.replace("<svg ", f"<svg width={size * scale} height={size * scale} ")
        style = f"margin:0;height:100vh;display:grid;place-items:center;background:{background}"
        page.set_content(f'<body style="{style}">{drawn}')
        page.screenshot(path=STATIC / f"icon-{name}.png", omit_background=True)
        page.close()


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
    now = datetime.now(UTC)
    for line, signal, operator in ((ONE, 68, "O2"), (TWO, 81, "Telekom")):
        health = Health(
            line=line,
            device="/dev/serial/by-id/usb-HUAWEI_HUAWEI_Mobile-if00-port0",
            state="ready",
            updated_at=now,
            last_contact_at=now,
            signal_percent=signal,
            signal_dbm=-113 + 62 * signal // 100,
            operator=operator,
            storage_used=0,
            storage_size=25,
            maker="huawei",
            model="E3531",
        )
        write_health(spool, health)
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


def take(browser: Browser, url: str, path: Path, shot: Shot) -> None:
    """Sign in, and take a picture of a page."""
    context = browser.new_context(
        color_scheme=shot.scheme,  # type: ignore[arg-type]
        viewport=dict(shot.viewport),  # type: ignore[arg-type]
        device_scale_factor=2,
        locale="en-GB",
    )
    page = context.new_page()
    page.goto(url)
    page.get_by_label("API key").fill(KEY)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("time").first).to_have_text(re.compile("now|ago|20"))
    if shot.path == "/":
        expect(page.locator("#messages > li")).to_have_count(len(SAMPLES))
    if shot.path in ("/", "/lines"):
        expect(page.locator("#state")).to_have_text("Live")
    page.screenshot(path=path)
    context.close()


if __name__ == "__main__":
    main()
