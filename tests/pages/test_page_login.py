"""Signing in and out in a real browser: where it leads, and what a key that sees little is offered."""

import re

import pytest
from playwright.sync_api import expect

from smscatch.web.pages.login import safe_path
from tests.pages.conftest import OpenContext, sign_in
from tests.pages.serving import KEY, TWO, Server


def test_one_signs_in_with_a_key_and_out_again(live_server: Server, open_context: OpenContext) -> None:
    page = open_context(key=None).new_page()
    page.goto("/")
    expect(page).to_have_url(f"{live_server.url}/login")
    sign_in(page, "not-the-right-key")
    expect(page.get_by_role("alert")).to_contain_text("unknown, revoked or expired")
    sign_in(page, KEY)
    expect(page).to_have_url(f"{live_server.url}/")
    page.get_by_label("Menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{live_server.url}/login")
    page.goto("/")
    expect(page).to_have_url(f"{live_server.url}/login")


def test_signing_in_leads_to_the_page_that_was_asked_for(live_server: Server, open_context: OpenContext) -> None:
    page = open_context(key=None).new_page()
    page.goto(f"/?line=%2B{TWO[1:]}&contains=a%26b")
    expect(page).to_have_url(re.compile("/login"))
    sign_in(page, "wrong")
    sign_in(page, KEY)
    expect(page).to_have_url(f"{live_server.url}/?line=%2B{TWO[1:]}&contains=a%26b")
    expect(page.get_by_role("searchbox", name="Search the texts")).to_have_value("a&b")


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/lines", "/lines"),
        ("/messages/latest", "/messages/latest"),
        ("/live", "/"),
        ("/logout", "/"),
        ("/messages/x/raw", "/"),
        ("/?line=%2B44&sender=x", "/?line=%2B44&sender=x"),
        (None, "/"),
        ("", "/"),
        ("lines", "/"),
        ("//evil.test/", "/"),
        ("/\\evil.test/", "/"),
        ("/\t/evil.test/", "/"),
        ("\t//evil.test/", "/"),
        ("/\r\nset-cookie: a=b", "/"),
        ("https://evil.test/", "/"),
        ("javascript:alert(1)", "/"),
        ("/ä", "/"),
    ],
)
def test_signing_in_leads_to_no_other_site(path: str | None, leads_to: str) -> None:
    assert safe_path(path) == leads_to


def test_a_key_that_only_leases_lands_where_it_may_be_and_can_leave(
    live_server: Server, open_context: OpenContext
) -> None:
    page = open_context(key=None).new_page()
    page.goto("/")
    sign_in(page, live_server.make_key("tests", "lease"))
    expect(page).to_have_url(f"{live_server.url}/lines")
    expect(page.locator(".places a, .card-line .hint a")).to_have_text(["Lines"])
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not for this key")
    page.get_by_role("link", name="Lines").click()
    expect(page.locator(".card-line")).to_have_count(2)
    page.goto("/keys")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()


def test_a_key_that_may_see_no_page_can_leave(live_server: Server, open_context: OpenContext) -> None:
    page = open_context(key=None).new_page()
    page.goto("/login")
    sign_in(page, live_server.make_key("phone", "ingest"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Not for this key")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()


def test_a_refused_key_is_told_in_the_language_of_the_page(live_server: Server, open_context: OpenContext) -> None:
    page = open_context(key=None, locale="de").new_page()
    page.goto("/login?next=/live")
    page.get_by_label("API-Schlüssel").fill("falsch")
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("alert")).to_contain_text("Diesen Schlüssel gibt es nicht")
    page.get_by_label("API-Schlüssel").fill(KEY)
    page.get_by_role("button", name="Anmelden").click()
    expect(page).to_have_url(f"{live_server.url}/")
