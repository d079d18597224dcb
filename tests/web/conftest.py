"""A real browser and a real server for the tests of the page. Self-contained: nothing here is for other tests."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from smscatch import hook

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    # A host name that is not localhost: over plain HTTP it has no navigator.clipboard, like a machine on a LAN.
    "--host-resolver-rules=MAP lan.test 127.0.0.1",
)
KEY = "a-key-for-the-tests"
ONE, TWO = "+447700900001", "+447700900002"
CONFIG = f"""
[lines."{ONE}"]
label = "Line one"
phone_id = "{ONE}"
[lines."{TWO}"]
label = "Line two"
phone_id = "{TWO}"
"""


class Server:
    """`smscatch serve` in a process of its own, and texts that come in through the real hook."""

    def __init__(self, folder: Path) -> None:
        self._spool = folder / "spool"
        self._spool.mkdir()
        self._log = folder / "server.log"
        config = folder / "smscatch.toml"
        config.write_text(CONFIG)
        settings = {"CONFIG": config, "STORE": f"sqlite:///{folder}/store.db", "SPOOL": self._spool, "ADMIN_KEY": KEY}
        self._environment = os.environ | {f"SMSCATCH_{name}": str(value) for name, value in settings.items()}
        self._process: subprocess.Popen[str] | None = None
        self.url = "http://127.0.0.1:0"

    @property
    def port(self) -> str:
        return self.url.rpartition(":")[2]

    def start(self) -> None:
        """Start; again on the same port if it ran before."""
        command = [sys.executable, "-m", "smscatch.cli", "serve", "--port", self.port]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                command, env=self._environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said.startswith("smscatch listens on"), self._log.read_text()
        self.url = said.split()[-1]

    def stop(self) -> None:
        if self._process is not None:
            with self._process as process:
                process.terminate()
            self._process = None

    def receive(self, text: str | None, sender: str = "Authy", line: str = ONE, **variables: str) -> None:
        """Let a text come in, whether the server runs or not; None is a message without text."""
        set_by_gammu = {
            "SMS_MESSAGES": "1",
            "DECODED_PARTS": "0",
            "PHONE_ID": line,
            "SMS_1_NUMBER": sender,
            "SMS_1_CLASS": "-1",
            "SMS_1_REFERENCE": "0",
        } | variables
        if text is not None:
            set_by_gammu["SMS_1_TEXT"] = text
        command = [sys.executable, "-I", "-S", "-E", str(Path(hook.__file__)), "--spool", str(self._spool)]
        subprocess.run(command, env=set_by_gammu, check=True)


@pytest.fixture
def live_server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


# Not for the whole session: while Playwright's synchronous API is open no asyncio loop can run in this thread.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail(f"The tests of the page need Chromium, and there is none at {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


OpenContext = Callable[..., BrowserContext]


@pytest.fixture
def open_context(browser: Browser, live_server: Server) -> Iterator[OpenContext]:
    """Open a browser profile that is signed in."""
    opened = []

    def open_context(**options: object) -> BrowserContext:
        context = browser.new_context(base_url=live_server.url, **options)  # type: ignore[arg-type]
        opened.append(context)
        assert context.request.post("/login", form={"key": KEY}).ok
        return context

    yield open_context
    for context in opened:
        context.close()


@pytest.fixture
def page(open_context: OpenContext) -> Page:
    """The live page, open and connected."""
    page = open_context().new_page()
    page.goto("/")
    expect(page.locator("#state")).to_have_text("Live")
    return page
