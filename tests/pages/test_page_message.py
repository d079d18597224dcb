"""One message on a page of its own, in a real browser: why, when, for whom, read by whom, and its end."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from smscatch.web.pages.message import show_raw
from tests.pages.conftest import OpenContext, is_said, rows
from tests.pages.serving import ONE, Server
from tests.samples import a_delivery


def test_the_time_of_a_text_leads_to_its_details_and_why_it_has_its_code(live_server: Server, page: Page) -> None:
    live_server.receive("Your Authy code is 482913, valid for 10 minutes.")
    rows(page).locator(".when").click()
    expect(page.get_by_role("heading", name="Why this code")).to_be_visible()
    expect(page.locator(".reasons li").first).to_contain_text("482913")
    page.locator(".copyable button").click()
    is_said(page, "Copied 482913")


def the_latest(live_server: Server) -> str:
    """The address of the newest message's page."""
    return f"/messages/{live_server.api('GET', '/api/v1/messages/latest')['id']}"


def test_a_message_tells_its_links_its_delay_and_what_it_was_made_of(
    live_server: Server, open_context: OpenContext
) -> None:
    now = datetime.now(UTC)
    text = "129.00 EUR: use 482913 at https://bank.example/confirm, or call +44 7700 900456"
    live_server.fill([a_delivery(text=text, sent_at=now - timedelta(seconds=7), received_at=now, parts=2)])
    page = open_context(timezone_id="Europe/Berlin").new_page()
    page.goto(the_latest(live_server))
    expect(page.locator(".reasons li").first).to_contain_text("482913")
    expect(page.locator(".reasons li.rejected").first).to_contain_text("rejected")
    link = page.locator(".links a")
    expect(link).to_have_attribute("href", "https://bank.example/confirm")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    facts = page.locator(".facts dl")
    expect(facts).to_contain_text("7 s")
    expect(facts).to_contain_text(now.astimezone().strftime("%Y"))
    expect(page.locator(".badges")).to_have_text("2 parts")


def test_a_message_of_a_lease_names_its_holder(live_server: Server, page: Page) -> None:
    lease = live_server.api("POST", "/api/v1/leases", json={"line": ONE, "holder": "ci-42", "ttl_seconds": 600})
    live_server.receive("Your code is 730214")
    expect(rows(page)).to_have_count(1)
    page.goto(the_latest(live_server))
    expect(page.locator(".facts dl")).to_contain_text("ci-42")
    live_server.api("DELETE", f"/api/v1/leases/{lease['id']}")


def test_who_read_a_message_stands_beside_it_for_an_administrator(
    live_server: Server, open_context: OpenContext, tab: Page
) -> None:
    secret = live_server.make_key("The <i>curious</i>", "read")
    live_server.receive("a secret")
    reader = open_context(key=secret).new_page()
    reader.goto("/")
    expect(rows(reader)).to_have_count(1)
    reader.goto(the_latest(live_server))
    expect(reader.locator(".reads, #delete, .raw")).to_have_count(0)
    tab.goto(the_latest(live_server))
    readers = tab.locator(".reads li").filter(has_text="The <i>curious</i>")
    while readers.count() == 0:  # it is written behind the answers
        tab.reload()
    reads = live_server.api("GET", f"/api/v1{the_latest(live_server)}/reads")["reads"]
    assert "The <i>curious</i>" in [read["name"] for read in reads]
    assert reader.request.get(f"{the_latest(live_server)}/raw").status == 403


def test_an_administrator_sees_the_delivery_as_it_came(live_server: Server, page: Page) -> None:
    live_server.receive("<script>alert(1)</script>")
    expect(rows(page)).to_have_count(1)
    page.goto(the_latest(live_server))
    page.get_by_text("The delivery as it came").click()
    expect(page.locator(".raw pre").first).to_contain_text("SMS_1_TEXT=<script>alert(1)</script>␀")
    expect(page.locator(".raw pre").last).to_contain_text(re.compile("^0000  ([0-9a-f]{2} ){15}"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert b"SMS_1_TEXT=<script>" in download.value.path().read_bytes()


@pytest.mark.parametrize(
    ("raw", "text", "hexadecimal", "left_out"),
    [
        (b"a=b\0\x1b\n", "a=b␀\n␛\n", "0000  61 3d 62 00 1b 0a", 0),
        (b"\xff\x00", None, "0000  ff 00", 0),
        ("ä".encode() * 1025, "ä" * 1024, None, 2),
        (b"x" + "ä".encode() * 1024, "x" + "ä" * 1023, None, 1),
    ],
)
def test_a_delivery_is_shown_as_text_only_if_it_is_one(
    raw: bytes, text: str | None, hexadecimal: str | None, left_out: int
) -> None:
    shown = show_raw(raw)
    assert (shown.text, shown.left_out) == (text, left_out)
    assert hexadecimal in (None, shown.hexadecimal)


def ids(live_server: Server) -> list[str]:
    return [message["id"] for message in live_server.api("GET", "/api/v1/messages")["messages"]]


def test_a_deleted_message_is_hidden_at_once_and_comes_back_when_that_is_undone(
    live_server: Server, own_page: Page
) -> None:
    live_server.receive("to be deleted, or not")
    expect(rows(own_page)).to_have_count(1)
    own_page.clock.install()
    own_page.goto(the_latest(live_server))
    own_page.get_by_text("Delete", exact=True).click()
    expect(own_page.locator("#message")).to_be_hidden()
    own_page.get_by_role("button", name="Undo").click()
    expect(own_page.locator("#message")).to_be_visible()
    own_page.clock.fast_forward(60_000)
    assert len(ids(live_server)) == 1
    own_page.get_by_text("Delete", exact=True).click()
    own_page.clock.fast_forward(10_000)
    expect(own_page).to_have_url(f"{live_server.url}/")
    expect(rows(own_page)).to_have_count(0)
    assert ids(live_server) == []


def test_leaving_the_page_deletes_what_was_not_undone(live_server: Server, page: Page) -> None:
    live_server.receive("to be deleted")
    expect(rows(page)).to_have_count(1)
    page.goto(the_latest(live_server))
    page.get_by_text("Delete", exact=True).click()
    page.goto("/lines")
    while ids(live_server):
        page.reload()


def test_without_javascript_deleting_asks_first(live_server: Server, open_context: OpenContext) -> None:
    live_server.receive("to be deleted")
    while not ids(live_server):
        pass
    page = open_context(java_script_enabled=False).new_page()
    page.goto(the_latest(live_server))
    expect(page.get_by_role("button", name="Delete for good")).to_be_hidden()
    page.get_by_text("Delete", exact=True).click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page).to_have_url(f"{live_server.url}/")
    assert ids(live_server) == []


def test_a_deletion_that_fails_brings_the_message_back_and_says_why(live_server: Server, own_page: Page) -> None:
    live_server.receive("to be deleted")
    expect(rows(own_page)).to_have_count(1)
    own_page.clock.install()
    own_page.goto(the_latest(live_server))
    toast = own_page.locator("#toast span")
    live_server.stop()
    own_page.get_by_text("Delete", exact=True).click()
    own_page.clock.fast_forward(10_000)
    expect(toast).to_have_text("The text could not be deleted: the server does not answer.")
    expect(own_page.locator("#message")).to_be_visible()
    live_server.start()
    own_page.context.clear_cookies()
    own_page.get_by_text("Delete", exact=True).click()
    own_page.clock.fast_forward(10_000)
    expect(toast).to_have_text("The text could not be deleted: you are signed out.")
    expect(own_page.get_by_role("button", name="Undo")).to_be_hidden()
    assert len(ids(live_server)) == 1


def test_deleting_leads_back_to_the_list_one_came_from(live_server: Server, own_page: Page) -> None:
    live_server.receive("one parcel")
    live_server.receive("two parcels")
    live_server.receive("a letter")
    expect(rows(own_page)).to_have_count(3)
    own_page.clock.install()
    own_page.get_by_role("searchbox", name="Search the texts").fill("parcel")
    own_page.clock.run_for(1000)
    expect(rows(own_page)).to_have_count(2)
    rows(own_page, "one parcel").locator(".when").click()
    own_page.wait_for_url("**/messages/*")  # and for its scripts
    own_page.get_by_text("Delete", exact=True).click()
    own_page.clock.fast_forward(10_000)
    expect(own_page).to_have_url(f"{live_server.url}/?contains=parcel")
    expect(own_page.locator(".text")).to_have_text(["two parcels"])


@pytest.mark.parametrize("waited", [0, 60_000])
def test_a_message_left_before_it_is_deleted_is_not_in_the_list_again(
    live_server: Server, own_page: Page, waited: int
) -> None:
    own_page.clock.install()
    for text in ("to be deleted", "to be kept"):
        live_server.receive(text)
    expect(rows(own_page)).to_have_count(2)
    own_page.route("**/api/v1/messages/*", lambda route: None)  # the server takes its time
    rows(own_page, "to be deleted").locator(".when").click()
    own_page.wait_for_url("**/messages/*")  # and for its scripts
    own_page.get_by_text("Delete", exact=True).click()
    own_page.clock.fast_forward(waited)
    own_page.go_back()
    expect(own_page.locator("#state")).to_have_text("Live")
    expect(own_page.locator(".text")).to_have_text(["to be kept"])
