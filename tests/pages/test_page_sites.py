"""What pages of other sites may do here, in a real browser over plain HTTP: nothing."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import OpenContext, sign_in
from tests.pages.serving import KEY, Server

FORM = b"""<!doctype html><title>evil</title><form method="post" action="%s">
<input name="name" value="stolen"><input name="scope" value="admin"><input name="reach" value="all">
<input name="key" value="not-yours"><button>Go</button></form>"""


class EvilPage(BaseHTTPRequestHandler):
    """A form that posts to the address in the query."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        if "quiet" in self.path:
            self.send_header("referrer-policy", "no-referrer")
        self.end_headers()
        self.wfile.write(FORM % self.path.partition("?")[2].encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def evil_port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), EvilPage) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def lan_page(live_server: Server, open_context: OpenContext) -> Page:
    """A page of somebody signed in over plain HTTP, where browsers send no Sec-Fetch-Site."""
    page = open_context(key=None).new_page()
    page.goto(f"http://lan.test:{live_server.port}/login")
    sign_in(page, KEY)
    expect(page.locator("#state")).to_have_text("Live")
    return page


def test_a_form_on_another_port_may_not_act_in_a_persons_name(
    live_server: Server, lan_page: Page, evil_port: int
) -> None:
    here, there = (f"http://lan.test:{port}" for port in (live_server.port, evil_port))
    for form in (f"open?{here}/keys", f"quiet?{here}/keys", f"open?{here}/login", f"open?{here}/logout"):
        lan_page.goto(f"{there}/{form}")
        with lan_page.expect_navigation() as gone:
            lan_page.get_by_role("button").click()
        assert gone.value.status == 403, form
        lan_page.goto(f"{here}/keys")
        expect(lan_page.get_by_role("heading", level=1)).to_have_text("Keys")
        expect(lan_page.locator(".key-list")).not_to_contain_text("stolen")


def test_our_own_forms_work_over_plain_http(lan_page: Page) -> None:
    lan_page.get_by_role("link", name="Keys").click()
    lan_page.get_by_label("Name").fill("made over plain HTTP")
    lan_page.get_by_role("button", name="Make a key").click()
    expect(lan_page.locator("#made")).to_contain_text("made over plain HTTP")
    lan_page.get_by_label("Menu").click()
    lan_page.get_by_role("button", name="Sign out").click()
    expect(lan_page.get_by_label("API key")).to_be_visible()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # a program
        ({"origin": "http://sms.test"}, 200),
        ({"origin": "https://sms.test", "host": "sms.test:443"}, 200),  # TLS ends at a proxy
        ({"origin": "http://sms.test", "host": "10.0.0.2:8080", "x-forwarded-host": "sms.test, inner"}, 200),
        ({"origin": "https://sms.test", "host": "10.0.0.2:8080", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "http://sms.test", "host": "10.0.0.2:8080"}, 403),
        ({"origin": "http://sms.test:81"}, 403),
        ({"origin": "http://evil.sms.test"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://sms.test", "sec-fetch-site": "same-site"}, 403),
    ],
)
def test_a_form_is_taken_from_the_host_that_the_browser_asked_for(
    live_server: Server, open_context: OpenContext, headers: dict[str, str], status: int
) -> None:
    answer = open_context().request.post("/veil", form={"veil": "on"}, headers={"host": "sms.test"} | headers)
    assert answer.status == status


def test_a_program_with_a_key_is_not_asked_where_it_comes_from(live_server: Server) -> None:
    headers = {"origin": "http://evil.test", "sec-fetch-site": "cross-site"}
    live_server.api("POST", "/api/v1/explain", json={"text": "Your code is 482913"}, headers=headers)
