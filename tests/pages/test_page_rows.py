"""What a row of the list does, and how many there are room for, in a real browser."""

import re

from playwright.sync_api import Page, expect

from tests.pages.conftest import OpenContext, rows
from tests.pages.serving import Server

LONG = "Dear customer, these are the new terms of your contract. " * 12
OPENED = re.compile("/messages/[0-9a-f]{32}$")


def test_a_click_anywhere_in_a_row_opens_its_message(live_server: Server, page: Page) -> None:
    live_server.receive("See you at eight")
    rows(page).locator(".line").click()
    expect(page).to_have_url(OPENED)
    page.go_back()
    rows(page).locator(".text").click()
    expect(page).to_have_url(OPENED)


def test_the_keyboard_opens_the_row_that_it_stands_on(live_server: Server, page: Page) -> None:
    live_server.receive("See you at eight")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(OPENED)


def test_what_a_row_offers_does_not_open_it(live_server: Server, page: Page) -> None:
    live_server.receive("Your code is 482913. " + LONG, sender="Authy")
    row = rows(page)
    row.get_by_role("button", name="Copy 482913").click()
    expect(row.locator(".code button")).to_have_text(re.compile("Copied|Ctrl"))
    row.get_by_role("button", name="more").click()
    text = row.locator(".text > span").bounding_box()
    assert text
    page.mouse.move(text["x"] + 2, text["y"] + 10)
    page.mouse.down()
    page.mouse.move(text["x"] + 150, text["y"] + 10)
    page.mouse.up()  # marks a part of the text
    assert page.evaluate("String(getSelection())").strip()
    assert not OPENED.search(page.url)


def test_a_long_text_shows_its_first_lines_and_more_on_demand(live_server: Server, page: Page) -> None:
    live_server.receive(LONG)
    live_server.receive("See you at eight")
    text = rows(page, "Dear").locator(".text")
    expect(text).to_be_visible()
    few = text.evaluate("text => text.clientHeight")
    assert text.evaluate("text => text.scrollHeight > text.clientHeight")
    more = rows(page).get_by_role("button", name="more")
    expect(more).to_have_count(1)  # not where all of it is to be seen
    expect(more).to_have_attribute("aria-expanded", "false")
    more.press("Enter")
    less = rows(page).get_by_role("button", name="less")
    expect(less).to_have_attribute("aria-expanded", "true")
    assert text.evaluate("text => text.scrollHeight === text.clientHeight")
    less.press("Enter")
    assert text.evaluate("text => text.clientHeight") == few


def test_without_scripts_a_long_text_is_whole(live_server: Server, open_context: OpenContext) -> None:
    live_server.receive(LONG)
    page = open_context(java_script_enabled=False).new_page()
    page.goto("/")
    text = rows(page).locator(".text")
    expect(text).to_be_visible()
    expect(rows(page).get_by_role("button", name="more")).to_be_hidden()
    expect(text).to_have_css("-webkit-line-clamp", "none")


def test_the_code_stands_at_the_first_line_of_its_text(live_server: Server, page: Page) -> None:
    live_server.receive("Your Authy code is 482913. " + "Don't share it with anybody. " * 8)
    middles = rows(page).evaluate("""row => {
        const line = document.createRange();
        line.setStart(row.querySelector(".text > span").firstChild, 0);
        line.setEnd(row.querySelector(".text > span").firstChild, 4);
        return [line, row.querySelector(".code code"), row.querySelector(".code button")].map((part) => {
          const { top, bottom } = part.getBoundingClientRect();
          return (top + bottom) / 2;
        });
    }""")
    assert max(middles) - min(middles) <= 2


def test_a_dense_list_shows_fifteen_texts_on_a_laptop_and_stays_so_in_this_browser(
    live_server: Server, open_context: OpenContext
) -> None:
    live_server.deliver([f"{number} {LONG} code {number + 100_000}" for number in range(30)])
    context = open_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.goto("/")
    expect(rows(page)).to_have_count(30)
    in_view = "rows => rows.filter((row) => row.getBoundingClientRect().bottom <= innerHeight).length"
    assert rows(page).evaluate_all(in_view) < 15
    page.get_by_label("Menu").click()
    with page.expect_response("**/dense"):
        page.get_by_role("button", name="Dense list").click()
    assert rows(page).evaluate_all(in_view) >= 15
    page.reload()
    expect(page.locator("#state")).to_have_text("Live")
    assert rows(page).evaluate_all(in_view) >= 15
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    other = open_context(viewport={"width": 1366, "height": 768}).new_page()
    other.goto("/")
    assert rows(other).evaluate_all(in_view) < 15
    page.get_by_label("Menu").click()
    with page.expect_response("**/dense"):
        page.get_by_role("button", name="Roomy list").click()
    assert rows(page).evaluate_all(in_view) < 15
