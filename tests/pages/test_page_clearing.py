"""Deleting what a filter shows in a real browser: with time to undo it, and only what was shown."""

from playwright.sync_api import Page, expect

from tests.pages.conftest import OpenContext, rows
from tests.pages.serving import Server


def texts(live_server: Server) -> list[str]:
    return sorted(message["text"] for message in live_server.api("GET", "/api/v1/messages")["messages"])


def test_what_a_filter_shows_is_deleted_unless_that_is_undone_and_what_comes_meanwhile_stays(
    live_server: Server, own_page: Page
) -> None:
    for text in ("parcel one", "parcel two", "a letter"):
        live_server.receive(text)
    expect(rows(own_page)).to_have_count(3)
    expect(own_page.locator("#clear")).to_have_count(0)
    own_page.clock.install()
    own_page.get_by_role("searchbox", name="Search the texts").fill("parcel")
    own_page.clock.run_for(1000)
    ask = own_page.locator("#clear summary")
    expect(ask).to_have_text("Delete what is shown (2)")
    live_server.receive("parcel three")
    own_page.clock.run_for(1000)
    expect(ask).to_have_text("Delete what is shown (3)")
    ask.click()
    expect(rows(own_page)).to_have_count(0)
    own_page.get_by_role("button", name="Undo").click()
    expect(rows(own_page)).to_have_count(3)
    own_page.clock.fast_forward(60_000)
    assert len(texts(live_server)) == 4
    ask.click()
    live_server.receive("parcel four")
    expect(rows(own_page)).to_have_count(1)
    own_page.clock.fast_forward(10_000)
    expect(own_page.locator("#note")).to_have_text("3 deleted")
    expect(rows(own_page)).to_have_count(1)
    assert texts(live_server) == ["a letter", "parcel four"]


def test_leaving_the_list_keeps_what_it_showed(live_server: Server, own_page: Page) -> None:
    live_server.receive("a parcel")
    expect(rows(own_page)).to_have_count(1)
    own_page.clock.install()
    own_page.goto("/?contains=parcel")
    own_page.locator("#clear summary").click()
    expect(own_page.get_by_role("button", name="Undo")).to_be_visible()
    own_page.get_by_role("searchbox", name="Search the texts").fill("")
    own_page.clock.run_for(1000)
    expect(rows(own_page)).to_have_count(1)
    expect(own_page.locator("#toast")).to_be_hidden()
    own_page.clock.fast_forward(60_000)
    assert texts(live_server) == ["a parcel"]


def test_without_javascript_it_asks_first(live_server: Server, page: Page, open_context: OpenContext) -> None:
    for text in ("a parcel", "a letter"):
        live_server.receive(text)
    expect(rows(page)).to_have_count(2)
    still = open_context(java_script_enabled=False).new_page()
    still.goto("/?contains=parcel")
    expect(still.get_by_role("button", name="Delete for good")).to_be_hidden()
    still.locator("#clear summary").click()
    still.get_by_role("button", name="Delete for good").click()
    expect(still).to_have_url(f"{live_server.url}/")
    assert texts(live_server) == ["a letter"]
    expect(rows(page)).to_have_count(1)  # the page that was open is told
