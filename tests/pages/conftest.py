"""A real browser for the tests of the pages, and for each of their modules a real server. For no other tests."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.pages.serving import KEY, Server, kept_port
from tests.patience import PATIENCE_MS

expect.set_options(timeout=PATIENCE_MS)
# The same browser without its windows, where Debian's package of it is installed: a page takes a fifth of the work.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium") or "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    # One process for our pages, and none apart for drawing and for the network: each message between them costs.
    *("--process-per-site", "--in-process-gpu", "--enable-features=NetworkServiceInProcess2"),
    # A host name that is not localhost: over plain HTTP it has no navigator.clipboard, like a machine on a LAN.
    "--host-resolver-rules=MAP lan.test 127.0.0.1",
)


@pytest.fixture(scope="package")
def port() -> Iterator[int]:
    """The port of all servers here, so that the browser keeps what it has cached of the one before."""
    with kept_port() as port:
        yield port


@pytest.fixture(scope="module")
def server_of_module(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"), port)
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


def new_context(browser: Browser, port: int, **options: Any) -> BrowserContext:
    usual = {"locale": "en-GB", "reduced_motion": "reduce"}  # what moves is drawn anew sixty times a second
    context = browser.new_context(base_url=f"http://127.0.0.1:{port}", **(usual | options))
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(HEARING)
    return context


@pytest.fixture
def open_context(browser: Browser, port: int, live_server: Server) -> Iterator[OpenContext]:
    """Open a browser profile of one's own that is signed in, unless its `key` is None."""
    opened: list[BrowserContext] = []

    def open_context(key: str | None = KEY, **options: Any) -> BrowserContext:
        context = new_context(browser, port, **options)
        opened.append(context)
        if key is not None:
            assert context.request.post("/login", form={"key": key}).ok
        return context

    yield open_context
    for context in opened:
        context.close()


class SharedProfile:
    """A browser profile that stays from test to test: its process runs, and it has our scripts already.

    For who opens pages in it and changes nothing of the profile but cookies and what pages remember.
    """

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._signed_in: list[Any] = []
        self._keeper: Page | None = None  # while it is open, the process of our pages goes on

    def open_tab(self) -> Page:
        """Return a new page of somebody signed in, who has been nowhere yet."""
        if not self._signed_in or self._context.cookies() != self._signed_in:
            self._context.clear_cookies()
            assert self._context.request.post("/login", form={"key": KEY}).ok
            self._signed_in = list(self._context.cookies())
        if self._keeper is None:
            self._keeper = self._context.new_page()
            self._keeper.goto("/icon/1.svg")
        # From a page of ours, since a page that Playwright opens begins in a process of its own.
        with self._context.expect_page() as opened:
            self._keeper.evaluate("() => void open('', '_blank', 'noopener')")
        return opened.value

    def tidy(self) -> None:
        """Close all tabs, and forget what they left."""
        assert self._keeper is not None
        for page in self._context.pages:
            if page is not self._keeper:
                page.close()
        self._context.clear_permissions()
        assert "[native code]" in self._keeper.evaluate("localStorage.clear(); `${Date}`"), "a clock: open_context!"

    def forget_session(self) -> None:
        """Sign in anew, as the server is another."""
        self._signed_in = []


@pytest.fixture(scope="package")
def profile_of_package(browser: Browser, port: int) -> Iterator[SharedProfile]:
    context = new_context(browser, port)
    yield SharedProfile(context)
    context.close()


@pytest.fixture(scope="module")
def profile(profile_of_package: SharedProfile, server_of_module: Server) -> SharedProfile:
    profile_of_package.forget_session()
    return profile_of_package


@pytest.fixture
def tab(profile: SharedProfile, live_server: Server) -> Iterator[Page]:
    """A page of the profile that all share, signed in, nowhere yet. Who sets the clock takes open_context."""
    yield profile.open_tab()
    profile.tidy()


@pytest.fixture
def page(tab: Page) -> Page:
    """The live page, open and connected."""
    return go_live(tab)


@pytest.fixture
def own_page(open_context: OpenContext) -> Page:
    """The same in a profile of its own: for who sets the clock."""
    return go_live(open_context().new_page())


def go_live(page: Page) -> Page:
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
