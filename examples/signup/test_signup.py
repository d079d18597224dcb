"""Sign up in a real browser, with a real text on the way: what a test with smscatch looks like."""

import shutil
import threading
from collections.abc import Iterator

import pytest
from app import create_app
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

from smscatch import LeasedLine


@pytest.fixture(scope="session")
def app_url() -> Iterator[str]:
    """The app under test, on a port of its own."""
    server = make_server("127.0.0.1", 0, create_app(), threaded=True)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def page() -> Iterator[Page]:
    """A fresh page. (With the plugin pytest-playwright you have this fixture already.)"""
    with sync_playwright() as playwright:
        # Debian's Chromium; without it, the one that `playwright install chromium` got. As root there is no sandbox.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def test_a_new_user_signs_up_with_a_phone(page: Page, app_url: str, sms_line: LeasedLine) -> None:
    """The text arrives, and the code in it lets the user in."""
    page.goto(app_url)
    page.get_by_label("Phone").fill(sms_line.number)
    page.get_by_role("button", name="Continue").click()

    page.get_by_label("Code").fill(sms_line.wait_for_code(sender="Example"))
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("heading")).to_have_text("Welcome")


def test_a_guessed_code_lets_nobody_in(page: Page, app_url: str, sms_line: LeasedLine) -> None:
    """Another code than the one in the text does not."""
    page.goto(app_url)
    page.get_by_label("Phone").fill(sms_line.number)
    page.get_by_role("button", name="Continue").click()

    right = sms_line.wait_for_code(sender="Example")
    page.get_by_label("Code").fill("000000" if right != "000000" else "000001")
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("heading")).to_have_text("That is not the code")
