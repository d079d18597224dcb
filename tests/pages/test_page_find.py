"""Finding messages in a real browser: search, pages, and the keyboard, also among ten thousand."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from tests.pages.conftest import OpenContext, is_said, rows
from tests.pages.serving import ONE, TWO, Server
from tests.samples import a_delivery

MANY = 10_000


def test_the_list_can_be_narrowed_to_a_line_and_stays_narrow(live_server: Server, page: Page) -> None:
    live_server.receive("for one", line=ONE)
    live_server.receive("for two", line=TWO)
    expect(rows(page)).to_have_count(2)
    page.get_by_role("navigation", name="Lines").get_by_role("link", name="Line two").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Line two")
    expect(page.locator(".choices [aria-current]")).to_have_text(f"Line two {TWO}")
    expect(page.locator(".text")).to_have_text("for two")
    expect(page.locator("#state")).to_have_text("Live")
    live_server.receive("one again", line=ONE)
    live_server.receive("two again", line=TWO)
    expect(page.locator(".text")).to_have_text(["two again", "for two"])


def test_a_filter_by_sender_can_be_seen_and_taken_away(live_server: Server, page: Page) -> None:
    live_server.receive("from the bank", sender="Bank")
    expect(rows(page)).to_have_count(1)
    page.goto("/?sender=Authy")
    expect(page.locator(".filters")).to_contain_text("Only from Authy")
    expect(rows(page)).to_have_count(0)
    expect(page.get_by_role("heading", level=2)).to_have_text("Nothing matches yet")
    page.get_by_role("link", name="Show all").click()
    expect(rows(page)).to_have_count(1)


def search(page: Page, text: str) -> None:
    page.get_by_role("searchbox", name="Search the texts").press_sequentially(text, delay=10)


def test_a_search_finds_as_one_types_and_its_address_can_be_shared_and_left(live_server: Server, page: Page) -> None:
    for text in ("a parcel comes", "a parcel waits", "your code is 482913"):
        live_server.receive(text)
    expect(rows(page)).to_have_count(3)
    page.evaluate("window.isSamePage = true")
    search(page, "Parcel c")
    expect(page.locator(".text")).to_have_text(["a parcel comes"])
    expect(page).to_have_url(f"{live_server.url}/?contains=Parcel+c")
    is_said(page, "1 shown")
    live_server.receive("no match")
    live_server.receive("another parcel came")
    expect(page.locator(".text")).to_have_text(["another parcel came", "a parcel comes"])
    page.get_by_role("searchbox", name="Search the texts").blur()
    page.get_by_role("combobox", name="Sender").fill("Nobody")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing matches yet")).to_be_visible()
    page.go_back()
    expect(rows(page)).to_have_count(2)
    page.go_back()
    expect(rows(page)).to_have_count(5)
    expect(page.get_by_role("searchbox", name="Search the texts")).to_have_value("")
    assert page.evaluate("window.isSamePage")
    page.go_forward()
    page.reload()
    expect(rows(page)).to_have_count(2)
    expect(page.get_by_role("searchbox", name="Search the texts")).to_have_value("Parcel c")


def test_a_search_finds_senders_holders_and_labels_and_so_does_what_comes_live(live_server: Server, page: Page) -> None:
    live_server.receive("from the bank", sender="Sparkasse", line=ONE)
    lease = live_server.api("POST", "/api/v1/leases", json={"line": TWO, "holder": "Checkout 7", "ttl_seconds": 600})
    live_server.receive("for the checkout", sender="Authy", line=TWO)
    expect(rows(page)).to_have_count(2)
    field = page.get_by_role("searchbox", name="Search the texts")
    for part, found in (
        ("kass", "from the bank"),
        ("LINE ONE", "from the bank"),
        ("out 7", "for the checkout"),
        ("the check", "for the checkout"),
    ):
        field.fill(part)
        expect(page.locator(".text")).to_have_text([found])
    field.fill("checkout 7")
    expect(page.locator(".text")).to_have_text(["for the checkout"])
    live_server.receive("not for it", sender="Other", line=ONE)
    live_server.receive("for it too", sender="Other", line=TWO)
    expect(page.locator(".text")).to_have_text(["for it too", "for the checkout"])
    live_server.api("DELETE", f"/api/v1/leases/{lease['id']}")


def test_a_refused_search_says_why(live_server: Server, tab: Page) -> None:
    tab.goto("/?contains=" + "x" * 501)
    expect(tab.locator("main")).to_contain_text("at most 500")


def test_the_keyboard_does_it_all(live_server: Server, page: Page) -> None:
    for number in (1, 2, 3):
        live_server.receive(f"Your code is 10000{number}", sender=f"Sender {number}")
        expect(rows(page)).to_have_count(number)
    page.keyboard.press("j")
    expect(rows(page).nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(rows(page).nth(1)).to_be_focused()
    page.keyboard.press("c")
    is_said(page, "Copied 100002")
    page.keyboard.press("k")
    expect(rows(page).nth(0)).to_be_focused()
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Search the texts")
    expect(field).to_be_focused()
    page.keyboard.type("jkc")
    expect(field).to_have_value("jkc")
    expect(rows(page)).to_have_count(0)
    field.fill("")
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    is_said(page, "Copied 100003")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sender 2")


def test_the_help_is_a_dialog_and_single_keys_can_be_switched_off(live_server: Server, page: Page) -> None:
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    page.get_by_label("Single keys are shortcuts").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    page.reload()
    page.get_by_label("Menu").click()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Single keys are shortcuts").check()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(dialog).to_be_visible()


def test_ten_thousand_can_be_scrolled_searched_and_left_and_found_again(
    live_server: Server, open_context: OpenContext
) -> None:
    now = datetime.now(UTC)
    live_server.fill(
        [
            a_delivery(
                text=f"Your code is {100000 + number}",
                line=(ONE, TWO)[number % 2],
                received_at=now - timedelta(minutes=MANY - number),
            )
            for number in range(MANY)
        ]
    )
    page = open_context(viewport={"width": 390, "height": 844}, has_touch=True).new_page()
    page.goto("/")
    expect(page.locator("#state")).to_have_text("Live")
    expect(rows(page)).to_have_count(40)
    for count in (80, 120):
        page.evaluate("scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
        expect(rows(page).nth(count - 1)).to_be_attached()
    codes = page.locator(".code code").all_text_contents()
    assert codes == [str(100000 + MANY - 1 - index) for index in range(len(codes))]
    live_server.receive("a newer one")
    expect(page.locator("#pill")).to_have_text("1 new")
    row = rows(page, "Your code is 109895")
    row.locator(".when").click()
    expect(page.get_by_role("heading", name="Why this code")).to_be_visible()
    page.go_back()
    expect(rows(page, "Your code is 109895")).to_be_focused()
    expect(rows(page, "Your code is 109895")).to_be_in_viewport()
    search(page, "100007")
    expect(page.locator(".text")).to_have_text(["Your code is 100007"])
    page.get_by_role("link", name="Line one").click()
    expect(page.get_by_role("heading", name="Nothing matches yet")).to_be_visible()


def test_pages_lead_both_ways_without_javascript(live_server: Server, open_context: OpenContext) -> None:
    live_server.deliver([f"text {number:03}" for number in range(100)])
    page = open_context(java_script_enabled=False).new_page()
    page.goto("/")
    first = page.locator(".text").all_text_contents()
    assert (first[0], first[-1]) == ("text 099", "text 060")
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".text").first).to_have_text("text 059")
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".text")).to_have_count(20)
    expect(page.get_by_role("link", name="Older")).to_have_count(0)
    page.get_by_role("link", name="Newer").click()
    expect(page.locator(".text").first).to_have_text("text 059")
    page.get_by_role("link", name="Newer").click()
    assert page.locator(".text").all_text_contents() == first
    expect(page.get_by_role("link", name="Newer")).to_have_count(0)
    page.get_by_role("searchbox", name="Search the texts").fill("text 01")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".text")).to_have_count(10)
    expect(page).to_have_url(re.compile("contains=text"))


def test_an_older_page_counts_what_comes_and_leads_to_it(live_server: Server, tab: Page) -> None:
    live_server.deliver([f"text {number:03}" for number in range(50)])
    page = tab
    newest = live_server.api("GET", "/api/v1/messages?limit=1")["cursor"]
    page.goto(f"/?before={int(newest) - 20}")
    expect(page.locator("#state")).to_have_text("Live")
    live_server.receive("the newest")
    expect(page.locator("#pill")).to_have_text("1 new")
    expect(rows(page, "the newest")).to_have_count(0)
    page.locator("#pill").click()
    expect(rows(page).first).to_contain_text("the newest")
    expect(page).to_have_url(f"{live_server.url}/")


def test_escape_leaves_the_search_as_it_is(live_server: Server, page: Page) -> None:
    live_server.receive("a parcel comes")
    live_server.receive("your code is 482913")
    expect(rows(page)).to_have_count(2)
    field = page.get_by_role("searchbox", name="Search the texts")
    search(page, "parcel")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("Escape")
    expect(field).not_to_be_focused()
    expect(field).to_have_value("parcel")
    expect(rows(page)).to_have_count(1)


def test_a_sender_is_looked_for_when_all_of_it_is_there(live_server: Server, page: Page) -> None:
    live_server.receive("Your Authy code is 482913", sender="Authy")
    live_server.receive("from the bank", sender="Bank")
    expect(rows(page)).to_have_count(2)
    sender = page.get_by_role("combobox", name="Sender")
    sender.press_sequentially("Auth")
    sender.press_sequentially("y", delay=400)  # longer than the pause after which texts are searched
    expect(page).to_have_url(f"{live_server.url}/")
    expect(rows(page)).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.locator(".text")).to_have_text(["Your Authy code is 482913"])


def test_loading_again_stays_where_one_is(live_server: Server, tab: Page) -> None:
    live_server.deliver([f"text {number:03}" for number in range(60)])
    page = tab
    page.goto("/")
    rows(page, "text 025").locator(".when").click()
    expect(page.locator(".detail")).to_be_visible()
    page.go_back()
    expect(rows(page, "text 025")).to_be_focused()
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    page.reload()
    expect(page.locator("#state")).to_have_text("Live")
    expect(rows(page, "text 059")).to_be_in_viewport()
    expect(rows(page, "text 025")).not_to_be_focused()


def test_c_copies_what_is_in_view_and_says_so_there(live_server: Server, tab: Page) -> None:
    texts = [f"Your code is {100000 + number}" for number in range(30)]
    live_server.deliver(["no more", *texts])
    page = tab
    page.goto("/")
    expect(page.locator("#state")).to_have_text("Live")
    page.evaluate("scrollTo({ top: 900, behavior: 'instant' })")
    page.keyboard.press("c")
    copied = page.locator(".code button.done")
    expect(copied).to_be_in_viewport()
    expect(rows(page, "100029").locator(".done")).to_have_count(0)
    rows(page, "no more").focus()
    page.keyboard.press("c")
    expect(page.locator("#note")).to_have_text("There is no code to copy.")
