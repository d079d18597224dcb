"""What else an open page is told, and what it does without a server, or while nobody looks at it."""

import time
from datetime import UTC, datetime

from playwright.sync_api import Page, expect

from tests.pages.conftest import OpenContext, rows
from tests.pages.serving import ONE, TWO, Server
from tests.patience import PATIENCE_SECONDS
from tests.samples import a_delivery

NEW_LINE = "+447700900000"  # sorts in front of the others


def report(live_server: Server, line: str, state: str, **facts: object) -> None:
    live_server.report(line, state=state, updated_at=datetime.now(UTC), **facts)


def test_an_open_page_follows_how_the_modems_are(live_server: Server, page: Page) -> None:
    expect(page.locator("#no-modem")).to_be_visible()
    report(live_server, ONE, "puk", error="The SIM asks for its PUK.")
    expect(page.locator(".trouble")).to_have_text("Line one The SIM asks for its PUK.")
    expect(page.locator("#modems")).to_contain_text("Line one PUK needed")
    expect(page.locator("#no-modem")).to_be_hidden()
    report(live_server, ONE, "ready", operator="Vodafone")
    expect(page.locator("#modems")).to_contain_text("Line one ready · Vodafone")
    expect(page.locator(".trouble")).to_have_count(0)


def test_a_new_line_can_be_chosen_on_a_page_that_was_open_before_and_moves_the_colours(
    live_server: Server, page: Page
) -> None:
    live_server.receive("for one", line=ONE)
    expect(rows(page).locator(".dot")).to_have_class("dot hue0")
    live_server.receive("for a new line", line=NEW_LINE)
    choice = page.locator("#choices").get_by_role("link", name=NEW_LINE)
    expect(choice).to_be_visible()
    expect(rows(page, "for one").locator(".dot")).to_have_class("dot hue1")
    expect(rows(page, "for a new line").locator(".dot")).to_have_class("dot hue0")
    choice.click()
    expect(page.locator(".text")).to_have_text("for a new line")


def test_a_viewer_hears_nothing_of_modems_of_other_lines(live_server: Server, open_context: OpenContext) -> None:
    page = open_context(key=live_server.make_key("one only", "read", lines=[ONE])).new_page()
    page.goto("/")
    report(live_server, TWO, "puk", error="The SIM asks for its PUK.")
    report(live_server, ONE, "ready")
    expect(page.locator("#modems")).to_contain_text("Line one ready")
    expect(page.locator("body")).not_to_contain_text("PUK")


def test_a_server_that_froze_is_not_called_live(live_server: Server, open_context: OpenContext) -> None:
    page = open_context().new_page()
    page.clock.install()
    page.goto("/")
    expect(page.locator("#state")).to_have_text("Live")
    with live_server.frozen():
        page.clock.fast_forward(41_000)
        expect(page.locator("#state")).to_have_text("Reconnecting…")
    expect(page.locator("#state")).to_have_text("Live")
    live_server.receive("after the thaw")
    expect(page.locator(".text")).to_have_text("after the thaw")


HIDE = "Object.defineProperty(document, 'hidden', { value: %s, configurable: true });"
CHANGE = "document.dispatchEvent(new Event('visibilitychange'))"


def connections(live_server: Server) -> int:
    return int(live_server.api("GET", "/readyz")["waiting"])


def wait_for_connections(live_server: Server, page: Page, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while connections(live_server) != count:
        assert time.monotonic() < deadline, f"There are {connections(live_server)} connections still, not {count}."
        page.wait_for_timeout(50)  # the browser goes on


def test_a_hidden_tab_gives_its_connection_back_looks_in_and_misses_nothing(
    live_server: Server, open_context: OpenContext
) -> None:
    page = open_context().new_page()
    page.clock.install()
    page.goto("/")
    live_server.receive("before")
    expect(rows(page)).to_have_count(1)
    page.evaluate(HIDE % "true" + CHANGE)
    page.clock.fast_forward(31_000)
    wait_for_connections(live_server, page, 0)
    live_server.receive("while hidden")
    page.clock.fast_forward(61_000)
    expect(page).to_have_title("(1) smscatch")
    wait_for_connections(live_server, page, 0)
    live_server.receive("while hidden again")
    page.evaluate(HIDE % "false" + CHANGE)
    expect(page.locator(".text")).to_have_text(["while hidden again", "while hidden", "before"])
    expect(page.locator("#state")).to_have_text("Live")
    assert connections(live_server) == 1


def test_a_search_that_found_no_server_is_done_when_it_is_back(live_server: Server, page: Page) -> None:
    live_server.receive("a parcel comes")
    live_server.receive("your code is 482913")
    expect(rows(page)).to_have_count(2)
    live_server.stop()
    page.get_by_role("searchbox", name="Search the texts").fill("parcel")
    expect(page.locator("#late")).to_be_visible()
    live_server.start()
    expect(page.locator(".text")).to_have_text(["a parcel comes"])
    expect(page.locator("#late")).to_be_hidden()


def test_older_texts_are_not_taken_from_the_login(live_server: Server, page: Page) -> None:
    for number in range(2):
        live_server.receive(f"text {number}")
    expect(rows(page)).to_have_count(2)
    page.context.clear_cookies()
    page.evaluate(
        """() => {
          const link = document.createElement("a");
          Object.assign(link, { href: "/?before=1", rel: "next", textContent: "Older" });
          document.querySelector("#pager").replaceChildren(link);
        }"""
    )
    live_server.receive("another")  # makes the page look at the end of its list anew
    expect(page.locator("#state")).to_have_text("Signed out")
    expect(page.locator("#pager")).to_have_text("Older")
    expect(page.locator("main")).not_to_contain_text("null")


def test_what_a_full_list_lets_go_of_can_be_had_again(live_server: Server, page: Page) -> None:
    live_server.receive("text 000")
    expect(rows(page)).to_have_count(1)
    page.reload()
    expect(page.locator("#pager")).to_have_text("There is nothing older.")
    now = datetime.now(UTC)
    live_server.fill([a_delivery(text=f"text {number:03}", received_at=now) for number in range(1, 507)])
    expect(rows(page).first).to_contain_text("text 506")
    expect(rows(page)).to_have_count(500)
    expect(page.locator("#pager")).to_have_text("Older")
    page.evaluate("scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
    expect(rows(page)).to_have_count(507)
    expect(rows(page).last).to_contain_text("text 000")
    expect(page.locator("#pager")).to_have_text("There is nothing older.")
