"""A real browser for the tests of the pages, and for each of their modules a real server. For no other tests."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from smscatch import hook
from smscatch.modem.health import Health, write_health
from smscatch.sources import join_parts
from smscatch.stores import Delivery, open_store
from tests.patience import PATIENCE_MS, PATIENCE_SECONDS

expect.set_options(timeout=PATIENCE_MS)
# The same browser without its windows, where Debian's package of it is installed: a page takes a fifth of the work.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium") or "/usr/bin/chromium"
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
        self._client = httpx2.Client(
            headers={"authorization": f"Bearer {KEY}"}, verify=False, trust_env=False, timeout=PATIENCE_SECONDS
        )
        self.url = "http://127.0.0.1:0"

    @property
    def port(self) -> str:
        return self.url.rpartition(":")[2]

    def api(self, method: str, path: str, **options: Any) -> Any:
        """Call the API as the administrator; return the JSON of the answer, None if it has none."""
        answer = self._client.request(method, f"{self.url}{path}", **options)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def make_key(self, name: str, *scopes: str, lines: Sequence[str] = ()) -> str:
        """Make a key with the command; return its secret."""
        options = [f"--scope={','.join(scopes)}", *(f"--line={line}" for line in lines)]
        command = [sys.executable, "-m", "smscatch.cli", "keys", "add", name, *options]
        said = subprocess.run(command, env=self._environment, check=True, capture_output=True, text=True).stdout
        found = re.search(r"smscatch_[\w-]{43}", said)
        assert found, said
        return found[0]

    def report(self, line: str, **facts: Any) -> None:
        """Publish how the modem of a line is, as its link would."""
        write_health(self._spool, Health(line=line, device="/dev/ttyUSB0", **facts))

    def empty(self) -> None:
        """Run, without any message."""
        if self._process is None:
            self.start()
        for line in self.api("GET", "/api/v1/lines")["lines"]:
            self.api("DELETE", "/api/v1/messages", params={"line": line["number"]})
        shutil.rmtree(self._spool / "health", ignore_errors=True)

    def deliver(self, texts: Sequence[str]) -> None:
        """Have these come in, in this order, by one request, as from another machine."""
        self.api(
            "POST", "/api/v1/inbound/generic", json=[{"line": ONE, "sender": "Authy", "text": text} for text in texts]
        )

    def fill(self, deliveries: Sequence[Delivery]) -> None:
        """Have the store keep these, whose times are of the past or which are many, and start again."""
        self.stop()
        # In a thread: Playwright's synchronous API has a loop in this one.
        filling = threading.Thread(target=asyncio.run, args=(self._fill(deliveries),))
        filling.start()
        filling.join()
        self.start()

    async def _fill(self, deliveries: Sequence[Delivery]) -> None:
        store = await open_store(self._environment["SMSCATCH_STORE"], join_parts)
        for start in range(0, len(deliveries), 500):
            await store.add(deliveries[start : start + 500])
        await store.close()

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

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._client.close()

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


@pytest.fixture(scope="module")
def server_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.close()


@pytest.fixture
def live_server(server_of_module: Server) -> Server:
    """The server, running, without messages, leases excepted: those of other tests of the module stay."""
    server_of_module.empty()
    return server_of_module


# Not for the whole session: while Playwright's synchronous API is open no asyncio loop can run in this thread.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail(f"The tests of the page need Chromium, and there is none at {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


OpenContext = Callable[..., BrowserContext]
# What a screen reader is told, in order: the next may follow at once, as texts that come are told a second later.
HEARING = """
window.said = [];
addEventListener("DOMContentLoaded", () => {
  const announcer = document.getElementById("announcer");
  if (announcer) new MutationObserver(() => said.push(announcer.textContent)).observe(announcer, { childList: true });
});
"""


@pytest.fixture
def open_context(browser: Browser, live_server: Server) -> Iterator[OpenContext]:
    """Open a browser profile that is signed in, unless its `key` is None."""
    opened: list[BrowserContext] = []

    def open_context(key: str | None = KEY, **options: Any) -> BrowserContext:
        context = browser.new_context(base_url=live_server.url, **({"locale": "en-GB"} | options))
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(HEARING)
        opened.append(context)
        if key is not None:
            assert context.request.post("/login", form={"key": key}).ok
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


def rows(page: Page, text: str = "") -> Locator:
    return page.locator("#messages > li").filter(has_text=text)


def is_said(page: Page, text: str) -> None:
    """Return when a screen reader was told so."""
    page.wait_for_function("text => said.includes(text)", arg=text)


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()
