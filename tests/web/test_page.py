"""The live page in a real browser, with a real server and the real hook behind it."""

import re

from playwright.sync_api import Locator, Page, Route, expect

from tests.web.conftest import KEY, ONE, TWO, OpenContext, Server

MAX_FIRST_PAINT_BYTES = 60_000
# How a restart or an HTTP error looks to the page: it waits a second or two before it tries again.
RECONNECTED_MS = 15_000


def rows(page: Page, text: str = "") -> Locator:
    return page.locator("#messages > li").filter(has_text=text)


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()


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
    expect(page.locator("#announcer")).to_have_text("New from Authy, code 482913")
    assert page.evaluate("window.isSamePage")


def test_the_newest_text_is_on_top_before_and_after_a_reload(live_server: Server, page: Page) -> None:
    for number in range(3):
        live_server.receive(f"text {number}")
        expect(rows(page)).to_have_count(number + 1)
    in_order = ["text 2", "text 1", "text 0"]
    expect(page.locator(".text")).to_have_text(in_order)
    page.reload()
    expect(page.locator(".text")).to_have_text(in_order)


def test_an_empty_page_says_how_to_send_a_first_text_until_it_comes(live_server: Server, page: Page) -> None:
    commands = page.locator("#welcome .command code")
    expect(commands.nth(0)).to_contain_text(f"--line {ONE} --from Authy")
    expect(commands.nth(1)).to_contain_text(f"'{live_server.url}/api/v1/code?line=%2B447700900001&timeout=60'")
    live_server.receive("here it is")
    expect(rows(page)).to_have_count(1)
    expect(page.locator("#welcome")).to_have_count(0)


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
    expect(page.locator("#announcer")).to_have_text("Copied 730214")
    assert clipboard_of(page, live_server) == "730214"
    expect(page.get_by_role("button", name="Copy 730214")).to_have_text("Copy")


def test_copying_also_works_where_the_browser_has_no_clipboard_for_plain_http(
    live_server: Server, open_context: OpenContext
) -> None:
    page = open_context().new_page()
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
    expect(page.locator("#state")).to_have_text("Live", timeout=RECONNECTED_MS)
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
    expect(page.locator(".text")).to_have_text(["meanwhile", "before"], timeout=RECONNECTED_MS)
    assert [url.partition("?")[2] for url in asked] == ["after=0", "after=1"]


def test_a_session_that_ended_is_told_instead_of_tried_for_ever(live_server: Server, page: Page) -> None:
    page.context.clear_cookies()
    live_server.stop()
    live_server.start()
    expect(page.locator("#state")).to_have_text("Signed out", timeout=RECONNECTED_MS)


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


def test_the_time_of_a_text_leads_to_its_details_and_why_it_has_its_code(live_server: Server, page: Page) -> None:
    live_server.receive("Your Authy code is 482913, valid for 10 minutes.")
    rows(page).locator(".when").click()
    expect(page.get_by_role("heading", name="Why this code")).to_be_visible()
    expect(page.locator(".reasons li").first).to_contain_text("482913")
    page.locator(".copyable button").click()
    expect(page.locator("#announcer")).to_have_text("Copied 482913")


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


def test_one_signs_in_with_a_key_and_out_again(live_server: Server, open_context: OpenContext) -> None:
    context = open_context()
    context.clear_cookies()
    page = context.new_page()
    page.goto("/")
    expect(page).to_have_url(f"{live_server.url}/login")
    sign_in(page, "not-the-right-key")
    expect(page.get_by_role("alert")).to_contain_text("unknown, revoked or expired")
    sign_in(page, KEY)
    expect(page).to_have_url(f"{live_server.url}/")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{live_server.url}/login")
    page.goto("/")
    expect(page).to_have_url(f"{live_server.url}/login")


def test_the_page_can_be_read_and_filtered_without_javascript(live_server: Server, open_context: OpenContext) -> None:
    live_server.receive("Your code is 553018", line=ONE)
    live_server.receive("nothing to see", line=TWO)
    page = open_context(java_script_enabled=False).new_page()
    page.goto("/")
    while rows(page).count() < 2:  # no stream here: only a reload shows more
        page.reload()
    expect(page.locator(".code code")).to_have_text("553018")
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    expect(page.locator("#state")).to_be_hidden()
    expect(page.locator("time").first).to_have_text(re.compile(r"^\d\d \w{3} \d\d:\d\d UTC$"))
    page.get_by_role("link", name="Line one").click()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()


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


def test_a_browser_gets_errors_in_plain_words_and_a_program_gets_json(live_server: Server, page: Page) -> None:
    answer = page.goto("/?line=%2B4912345678")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing here")
    expect(page.locator("main")).to_contain_text("There is no line +4912345678")
    page.get_by_role("link", name="All messages").click()
    expect(page).to_have_url(f"{live_server.url}/")
    for_a_program = page.request.get("/?line=%2B4912345678", headers={"accept": "*/*"})
    assert for_a_program.json()["error"] == "unknown_line"


def test_nothing_leaves_the_host_and_nothing_is_complained_of(live_server: Server, open_context: OpenContext) -> None:
    page = open_context().new_page()
    hosts: set[str] = set()
    complaints: list[str] = []
    page.on("request", lambda request: hosts.add("/".join(request.url.split("/", 3)[:3])))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in ("/login", "/"):
        page.goto(path)
    live_server.receive(
        "Your code is 482913 https://example.org/never/fetched", sender="<img src=http://example.org/x>"
    )
    page.get_by_role("button", name="Copy 482913").click()
    expect(page.locator(".code button")).to_have_text(re.compile("Copied|Ctrl"))
    assert hosts == {live_server.url}
    assert complaints == []


def test_fifty_texts_come_to_the_screen_in_less_than_sixty_kilobytes(
    live_server: Server, open_context: OpenContext
) -> None:
    live_server.stop()
    for number in range(50):
        live_server.receive(
            f"Your Authy code is {482900 + number}. Don't share it: our employees will never ask for it."
        )
    live_server.start()
    page = open_context().new_page()
    loaded: list[float] = []
    session = page.context.new_cdp_session(page)
    session.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
    session.send("Network.enable")
    page.goto("/")
    expect(page.locator("#state")).to_have_text("Live")
    expect(rows(page)).to_have_count(50)
    assert 5 <= len(loaded) <= 9
    assert sum(loaded) < MAX_FIRST_PAINT_BYTES


def test_no_width_has_to_be_scrolled_sideways(live_server: Server, open_context: OpenContext) -> None:
    live_server.receive("A" * 400, sender="W" * 11, line="a-modem-with-an-uncommonly-long-name-and-no-line")
    live_server.receive("Your code is 12345678 " + "https://example.org/" + "x" * 200)
    page = open_context().new_page()
    page.goto("/")
    expect(rows(page)).to_have_count(2)
    for width in (320, 390, 768, 1024, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
