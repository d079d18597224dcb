"""The live list in a real browser: texts as they come, with a real server and the real hook behind it."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.pages.conftest import OpenContext, is_said, rows, sign_in
from tests.pages.serving import KEY, ONE, TWO, Server

# How a restart or an HTTP error looks to the page: it waits a second or two before it tries again.


def clipboard_of(page: Page, live_server: Server) -> str:
    """What is in the clipboard, read from a page on localhost, which alone may ask for it."""
    page.context.grant_permissions(["clipboard-read"], origin=live_server.url)
    reader = page.context.new_page()
    reader.goto(f"{live_server.url}/login")
    reader.bring_to_front()
    return str(reader.evaluate("navigator.clipboard.readText()"))


def test_a_text_appears_on_the_open_page_without_a_reload(live_server: Server, page: Page) -> None:
    page.evaluate("window.isSamePage = true")
    live_server.receive("Your Authy code is 482913", sender="Authy")
    row = rows(page)
    expect(row.locator(".code code")).to_have_text("482913")
    expect(row.get_by_role("heading")).to_have_text("Authy")
    expect(row.locator(".text")).to_have_text("Your Authy code is 482913")
    expect(row.locator(".line")).to_have_text(f"Line one {ONE}")
    expect(row.locator("time")).to_have_text(re.compile("now|s ago"))
    is_said(page, "New from Authy, code 482913")
    assert page.evaluate("window.isSamePage")


def test_the_newest_text_is_on_top_before_and_after_a_reload(live_server: Server, page: Page) -> None:
    for number in range(3):
        live_server.receive(f"text {number}")
        expect(rows(page)).to_have_count(number + 1)
    in_order = ["text 2", "text 1", "text 0"]
    expect(page.locator(".text")).to_have_text(in_order)
    page.reload()
    expect(page.locator(".text")).to_have_text(in_order)


def test_a_text_without_a_code_leaves_no_hole(live_server: Server, page: Page) -> None:
    live_server.receive("See you at eight")
    expect(rows(page)).to_have_count(1)
    expect(page.locator(".code")).to_have_count(0)
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)


def test_the_copy_button_copies_the_code_and_says_so(live_server: Server, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live_server.url)
    live_server.receive("Your code is 730214")
    page.get_by_role("button", name="Copy 730214").click()
    expect(page.locator(".code button")).to_have_text("Copied")
    is_said(page, "Copied 730214")
    assert clipboard_of(page, live_server) == "730214"
    expect(page.get_by_role("button", name="Copy 730214")).to_have_text("Copy")


def test_copying_also_works_where_the_browser_has_no_clipboard_for_plain_http(live_server: Server, tab: Page) -> None:
    page = tab
    page.goto(f"http://lan.test:{live_server.port}/login")
    sign_in(page, KEY)
    assert page.evaluate("navigator.clipboard === undefined")
    live_server.receive("Your code is 118274")
    page.get_by_role("button", name="Copy 118274").click()
    expect(page.locator(".code button")).to_have_text("Copied")
    assert clipboard_of(page, live_server) == "118274"


def test_what_came_while_the_server_was_away_appears_once(live_server: Server, page: Page) -> None:
    live_server.receive("before")
    expect(rows(page)).to_have_count(1)
    live_server.stop()
    expect(page.locator("#state")).to_have_text("Reconnecting…")
    live_server.receive("meanwhile, first")
    live_server.receive("meanwhile, second")
    live_server.start()
    expect(page.locator("#state")).to_have_text("Live")
    live_server.receive("after")
    expect(page.locator(".text")).to_have_text(["after", "meanwhile, second", "meanwhile, first", "before"])


def test_a_stream_that_an_http_error_ended_for_good_is_opened_anew_behind_the_last_message(
    live_server: Server, page: Page
) -> None:
    asked: list[str] = []

    def refuse_once(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.fulfill(status=503, body="")
        else:
            route.continue_()

    live_server.receive("before")
    expect(rows(page)).to_have_count(1)
    page.route("**/live?*", refuse_once)
    live_server.stop()
    live_server.receive("meanwhile")
    live_server.start()
    expect(page.locator(".text")).to_have_text(["meanwhile", "before"])
    refused, resumed = (int(url.partition("after=")[2]) for url in asked)
    assert resumed == refused + 1


def test_a_machine_that_slept_connects_anew_behind_the_last_message(
    live_server: Server, open_context: OpenContext
) -> None:
    page = open_context().new_page()
    page.clock.install()
    page.goto("/")
    live_server.receive("before")
    expect(rows(page)).to_have_count(1)
    with page.expect_request(re.compile("/live")) as anew:
        page.clock.fast_forward("10:00:00")
    assert re.search(r"after=[1-9]\d*$", anew.value.url)
    live_server.receive("after")
    expect(page.locator(".text")).to_have_text(["after", "before"])


def test_a_session_that_ended_is_told_instead_of_tried_for_ever(live_server: Server, page: Page) -> None:
    page.context.clear_cookies()
    live_server.stop()
    live_server.start()
    expect(page.locator("#state")).to_have_text("Signed out")
    page.get_by_role("link", name="Signed out").click()
    sign_in(page, KEY)
    expect(page).to_have_url(f"{live_server.url}/")


def test_markup_in_a_text_and_its_sender_stays_text(live_server: Server, page: Page) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    text = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>bold</b> {{ 7 * 7 }} &lt;i&gt;"
    live_server.receive(text, sender="<i>x</i>")
    live_server.receive(text, sender='"><script>alert(3)</script>')
    expect(rows(page)).to_have_count(2)
    page.reload()
    expect(rows(page)).to_have_count(2)
    expect(page.locator(".text")).to_have_text([text, text])
    expect(page.locator(".sender").last).to_have_text("<i>x</i>")
    assert page.locator("#messages").locator("script, img, i:not(.dot), .text b, .text i").count() == 0
    assert dialogs == []


def test_only_web_links_are_clickable_and_give_nothing_away(live_server: Server, page: Page) -> None:
    live_server.receive('Go to https://example.org/a?b=1&c="2" or javascript:alert(1) or data:text/html,x now.')
    links = rows(page).locator(".text a")
    expect(links).to_have_count(1)
    expect(links).to_have_attribute("href", "https://example.org/a?b=1&c=")
    expect(links).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(rows(page).locator(".text")).to_contain_text("javascript:alert(1)")


def test_what_is_peculiar_about_a_text_is_a_quiet_badge(live_server: Server, page: Page) -> None:
    live_server.receive("Balance: 4.20", SMS_1_CLASS="0")
    expect(rows(page).first.locator(".badges")).to_have_text("flash")
    live_server.receive(None)
    expect(rows(page).first.locator(".badges")).to_have_text("undecodable")
    expect(rows(page).first.locator(".text")).to_have_text("No text.")
    live_server.receive("a part of", DECODED_1_TEXT="a part of", DECODED_PARTS="1")
    expect(rows(page).first.locator(".badges")).to_have_text("incomplete")


def test_new_texts_do_not_move_what_one_is_reading(live_server: Server, page: Page) -> None:
    for number in range(20):
        live_server.receive(f"old {number}")
    expect(rows(page)).to_have_count(20)
    pill = page.locator("#pill")
    expect(pill).to_be_hidden()
    page.evaluate("window.scrollTo({ top: 500, behavior: 'instant' })")
    read = rows(page, "old 10").bounding_box()
    live_server.receive("new 1")
    live_server.receive("new 2\nof several\nlines")
    expect(pill).to_have_text("2 new")
    expect(page).to_have_title(re.compile(r"^\(2\) "))
    assert rows(page, "old 10").bounding_box() == read
    pill.click()
    expect(pill).to_be_hidden()  # which it is once the top is reached
    expect(rows(page).first).to_be_in_viewport()
    expect(rows(page).first).to_contain_text("new 2")
    expect(page).to_have_title("smscatch")


def test_times_tick_and_give_the_exact_time_on_hover(live_server: Server, open_context: OpenContext) -> None:
    page = open_context(locale="en-GB", timezone_id="Europe/Berlin").new_page()
    page.clock.install()
    page.goto("/")
    live_server.receive("tick")
    time = rows(page).locator("time")
    expect(time).to_have_text(re.compile("now|s ago"))
    page.clock.fast_forward("02:10")
    expect(time).to_have_text("2 min ago")
    page.clock.fast_forward("03:00:00")
    expect(time).to_have_text("3 h ago")
    expect(time).to_have_attribute("title", re.compile(r"\d\d:\d\d:\d\d CES?T$"))


def test_a_text_that_belongs_to_a_lease_says_for_whom_it_is(live_server: Server, page: Page) -> None:
    lease = live_server.api("POST", "/api/v1/leases", json={"line": TWO, "holder": "ci-<b>42</b>", "ttl_seconds": 600})
    live_server.receive("Your code is 730214", line=TWO)
    expect(rows(page).locator(".badges")).to_have_text("for ci-<b>42</b>")
    live_server.api("DELETE", f"/api/v1/leases/{lease['id']}")
    live_server.receive("Your code is 118274", line=TWO)
    expect(rows(page).first.locator(".badges")).to_have_text("late")
    page.reload()
    expect(page.locator(".badges")).to_have_text(["late", "for ci-<b>42</b>"])


def test_many_parts_and_sixteen_hundred_characters_stay_in_their_column(live_server: Server, page: Page) -> None:
    parts = {f"SMS_{number}_NUMBER": "Octopus" for number in range(2, 12)}
    text = "Sixteen hundred characters, " * 57
    live_server.receive(text, sender="Octopus", SMS_MESSAGES="11", DECODED_PARTS="1", DECODED_0_TEXT=text, **parts)
    expect(rows(page)).to_have_count(1)
    expect(rows(page).locator(".text")).to_contain_text("Sixteen hundred characters")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_text_from_right_to_left_reads_from_right_to_left(live_server: Server, page: Page) -> None:
    live_server.receive("رمز التحقق الخاص بك هو 482913", sender="بنك")
    text = rows(page).locator(".text")
    expect(text).to_have_css("direction", "rtl")
    expect(rows(page).locator(".code code")).to_have_css("direction", "ltr")


@pytest.mark.parametrize("sender", ["javascript:0", "<script>0"])
def test_a_sender_that_looks_like_code_is_a_name(live_server: Server, page: Page, sender: str) -> None:
    live_server.receive("javascript:alert(1) http://javascript:alert(1) https://a.test/<script>", sender=sender)
    expect(rows(page).locator(".sender")).to_have_text(sender)
    hrefs = page.locator("#messages a").evaluate_all("links => links.map(link => link.href)")
    assert all(href.startswith(("http://", "https://")) for href in hrefs)
    rows(page).locator(".sender a").click()
    expect(page.get_by_role("combobox", name="Sender")).to_have_value(sender)
    expect(rows(page)).to_have_count(1)


def test_what_is_deleted_disappears_from_open_pages(live_server: Server, page: Page) -> None:
    for text in ("one", "two", "three"):
        live_server.receive(text)
    expect(rows(page)).to_have_count(3)
    live_server.api("DELETE", "/api/v1/messages/latest", params={"contains": "two"})
    expect(page.locator(".text")).to_have_text(["three", "one"])
    live_server.api("DELETE", "/api/v1/messages", params={"line": ONE})
    expect(page.get_by_role("heading", name="Waiting for the first text")).to_be_visible()
    live_server.receive("four")
    expect(page.locator(".text")).to_have_text(["four"])


def test_the_tab_counts_what_came_unseen(live_server: Server, page: Page) -> None:
    icon = page.locator("#icon")
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    live_server.receive("one")
    expect(page).to_have_title("(1) smscatch")
    expect(icon).to_have_attribute("href", "/icon/1.svg")
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page).to_have_title("smscatch")
    expect(icon).to_have_attribute("href", re.compile("icon.svg$"))


def test_a_notification_is_asked_for_by_a_click_and_shown_in_the_background(live_server: Server, tab: Page) -> None:
    page = tab
    page.add_init_script(
        """
        window.shown = [];
        window.Notification = class extends EventTarget {
          static permission = "default";
          static async requestPermission() { window.asked = true; return (this.permission = "granted"); }
          constructor(title, options) { super(); window.shown.push([title, options.body]); }
        };
        """
    )
    page.goto("/")
    expect(page.locator("#state")).to_have_text("Live")
    assert not page.evaluate("window.asked")
    page.get_by_label("Menu").click()
    page.get_by_role("button", name="Notify me here").click()
    expect(page.locator("#notify")).to_have_text("Stop notifying")
    live_server.receive("in the foreground")
    expect(rows(page)).to_have_count(1)
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    live_server.receive("Your code is 482913", sender="Google")
    expect(rows(page)).to_have_count(2)
    assert page.evaluate("window.shown") == [["Google", "Code 482913"]]
