"""Who may see what, in a real browser: signing in and out, keys and their lines, codes veiled on a shared screen."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import OpenContext, rows
from tests.pages.serving import ONE, TWO, Server

VEILED = "rgba(0, 0, 0, 0)"


def test_an_administrator_makes_a_key_that_sees_one_line_and_ends_it(
    live_server: Server, page: Page, open_context: OpenContext
) -> None:
    live_server.receive("for one 482913", line=ONE)
    live_server.receive("for two 730214", line=TWO)
    expect(rows(page)).to_have_count(2)
    page.get_by_role("link", name="Keys").click()
    page.get_by_label("Name").fill("CI of the <b>shop</b>")
    form = page.get_by_role("region", name="A new key")
    expect(form.get_by_label("all lines")).to_be_checked()
    form.get_by_label("only these").check()
    form.get_by_label("Line two").check()
    page.get_by_label("Ends").select_option("30")
    page.get_by_role("button", name="Make a key").click()
    made = page.locator("#made")
    expect(made).to_contain_text("CI of the <b>shop</b>")
    secret = made.locator("code").text_content() or ""
    key = page.locator(".key-list li").filter(has_text="CI of the")
    expect(key).to_contain_text("read · Line two")
    viewer = open_context(key=secret).new_page()
    viewer.goto("/")
    expect(viewer.locator(".text")).to_have_text("for two 730214")
    expect(viewer.get_by_role("link", name="Keys")).to_have_count(0)
    expect(viewer.locator("#choices a")).to_have_count(0)
    viewer.goto("/lines")
    expect(viewer.locator(".card-line")).to_have_count(1)
    viewer.goto(f"/?line=%2B{ONE[1:]}")
    expect(viewer.get_by_role("heading", level=1)).to_have_text("Not for this key")
    viewer.goto("/keys")
    expect(viewer.get_by_role("heading", level=1)).to_have_text("Not for this key")
    page.goto("/keys")
    expect(page.locator("#made")).to_have_count(0)
    assert secret not in page.content()
    key.get_by_text("Revoke", exact=True).click()
    key.get_by_role("button", name="Revoke for good").click()
    expect(key).to_have_count(0)
    viewer.goto("/lines")
    expect(viewer).to_have_url(f"{live_server.url}/login?next=%2Flines")


def test_an_administrator_limits_a_key_that_is_in_use(
    live_server: Server, tab: Page, open_context: OpenContext
) -> None:
    live_server.receive("for one 482913", line=ONE)
    live_server.receive("for two 730214", line=TWO)
    viewer = open_context(key=live_server.make_key("Support <i>desk</i>", "read", "lease")).new_page()
    viewer.goto("/")
    expect(rows(viewer)).to_have_count(2)
    tab.goto("/keys")
    key = tab.locator(".key-list li").filter(has_text="Support <i>desk</i>")
    key.get_by_text("Limit", exact=True).click()
    expect(key.get_by_role("checkbox", name="lease")).to_be_checked()
    key.get_by_role("checkbox", name="lease").uncheck()
    key.get_by_role("radio", name="only these").check()
    key.get_by_role("checkbox", name="Line two").check()
    key.get_by_role("button", name="Save").click()
    expect(key).to_contain_text("read · Line two")
    viewer.reload()
    expect(viewer).to_have_url(re.compile("/login"))


def test_a_limit_to_a_line_that_is_gone_does_not_become_none(live_server: Server, tab: Page) -> None:
    live_server.make_key("old", "read", lines=["+447700900009"])
    tab.goto("/keys")
    key = tab.locator(".key-list li").filter(has_text="+447700900009")
    key.get_by_text("Limit", exact=True).click()
    key.get_by_role("button", name="Save").click()
    expect(key).to_contain_text("read · +447700900009")


def test_ones_own_key_cannot_be_revoked_and_a_limited_administrator_makes_none(
    live_server: Server, tab: Page, open_context: OpenContext
) -> None:
    tab.goto("/keys")
    expect(tab.locator(".key-list li").filter(has_text="this one").locator("form")).to_have_count(0)
    assert tab.request.post("/keys/admin/revoke").status == 400
    assert tab.request.post("/keys/admin", form={"scope": "read"}).status == 400
    assert tab.request.post("/keys/none", form={"scope": "read"}).status == 404
    limited = open_context(key=live_server.make_key("limited", "admin", lines=[TWO]))
    for answer in (
        limited.request.get("/keys"),
        limited.request.post("/keys", form={"name": "mine", "scope": "admin"}),
        limited.request.post("/keys/admin/revoke"),
    ):
        assert answer.status == 403


@pytest.mark.parametrize(
    "form",
    [
        {"name": "x"},
        {"name": "", "scope": "read"},
        {"name": "x", "scope": "all"},
        {"name": "x", "scope": "read", "line": "+4912345678"},
        {"name": "x", "scope": "read", "days": "2"},
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(open_context: OpenContext, form: dict[str, str | float | bool]) -> None:
    assert open_context().request.post("/keys", form=form).status == 400


@pytest.mark.parametrize("path", ["/keys", "/keys/x/revoke", "/messages/x/delete", "/veil", "/login", "/logout"])
def test_no_other_site_may_post_here(open_context: OpenContext, path: str) -> None:
    answer = open_context().request.post(path, form={}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status == 403


def color_of(page: Page, selector: str) -> str:
    return str(page.locator(selector).first.evaluate("element => getComputedStyle(element).color"))


def test_codes_can_be_veiled_on_a_shared_screen_from_the_first_paint(live_server: Server, page: Page) -> None:
    live_server.receive("Your code is 482913, see https://example.org/482913")
    expect(rows(page)).to_have_count(1)
    page.get_by_label("Menu").click()
    page.get_by_role("button", name="Hide codes").click()
    expect(page.locator("html")).to_have_class("veiled")
    page.mouse.move(5, 5)
    for part in (".code code", ".text > span", ".text a"):
        assert color_of(page, part) == VEILED
    rows(page).hover()
    assert VEILED not in (color_of(page, ".code code"), color_of(page, ".text a"))
    page.mouse.move(5, 5)
    page.keyboard.press("j")
    assert color_of(page, ".code code") != VEILED
    live_server.receive("Your code is 118274")
    expect(rows(page)).to_have_count(2)
    assert color_of(page, ".code code") == VEILED
    rows(page).first.locator(".when").click()
    expect(page.get_by_role("heading", name="Why this code")).to_be_visible()
    page.mouse.move(5, 5)
    assert color_of(page, ".reasons code") == VEILED
    page.get_by_label("Menu").click()
    page.get_by_role("button", name="Show codes").click()
    expect(page.locator("html")).not_to_have_class("veiled")


def test_a_limit_that_loses_its_last_line_does_not_widen_to_all(live_server: Server, tab: Page) -> None:
    live_server.make_key("narrow", "read", lines=[TWO])
    tab.goto("/keys")
    key = tab.locator(".key-list li").filter(has_text="narrow")
    key.get_by_text("Limit", exact=True).click()
    key.get_by_role("checkbox", name="Line two").uncheck()
    key.get_by_role("checkbox", name="lease").check()
    key.get_by_role("button", name="Save").click()
    expect(key.get_by_role("alert")).to_contain_text("tick one at least")
    expect(key.get_by_role("checkbox", name="lease")).to_be_checked()
    tab.goto("/keys")
    expect(key).to_contain_text("read · Line two")
    key.get_by_text("Limit", exact=True).click()
    key.get_by_role("radio", name="all lines").check()
    key.get_by_role("button", name="Save").click()
    expect(key).to_contain_text("read · all lines")


def test_a_refused_form_keeps_what_was_filled_in(live_server: Server, open_context: OpenContext) -> None:
    page = open_context(locale="de").new_page()
    page.goto("/keys")
    form = page.get_by_role("region", name="Ein neuer Schlüssel")
    form.get_by_label("Name").fill("CI <1>")
    form.get_by_role("checkbox", name="read").uncheck()
    form.get_by_label("nur diese").check()
    form.get_by_label("Line two").check()
    form.get_by_label("Endet").select_option("30")
    form.get_by_role("button", name="Schlüssel machen").click()
    expect(form.get_by_role("alert")).to_have_text("Sag, was der Schlüssel darf: mindestens eines.")
    expect(form.get_by_label("Name")).to_have_value("CI <1>")
    expect(form.get_by_label("Line two")).to_be_checked()
    expect(form.get_by_label("Endet")).to_have_value("30")
    form.get_by_role("checkbox", name="lease").check()
    form.get_by_role("button", name="Schlüssel machen").click()
    expect(page.locator("#made")).to_contain_text("CI <1>")


def test_hiding_codes_does_not_cost_a_key_that_is_shown_once(live_server: Server, tab: Page) -> None:
    tab.goto("/keys")
    tab.get_by_label("Name").fill("shown once")
    tab.get_by_role("button", name="Make a key").click()
    secret = tab.locator("#made code").text_content()
    tab.get_by_label("Menu").click()
    with tab.expect_response("**/veil"):
        tab.get_by_role("button", name="Hide codes").click()
    expect(tab.locator("html")).to_have_class("veiled")
    expect(tab.locator("#made code")).to_have_text(secret or "")
    tab.goto("/")
    expect(tab.locator("html")).to_have_class("veiled")


def test_veiled_codes_stay_veiled_in_forced_colours_and_when_selected(live_server: Server, page: Page) -> None:
    live_server.receive("Your code is 482913")
    expect(rows(page)).to_have_count(1)
    page.get_by_label("Menu").click()
    page.get_by_role("button", name="Hide codes").click()
    page.mouse.move(5, 5)
    page.emulate_media(forced_colors="active")
    for part in (".code code", ".text > span"):
        assert color_of(page, part) == VEILED
    page.emulate_media(forced_colors="none")
    page.keyboard.press("Control+a")
    for part in (".code code", ".text > span"):
        style = page.locator(part).first.evaluate("one => getComputedStyle(one, '::selection').color")
        assert style == VEILED
    rows(page).hover()
    assert color_of(page, ".code code") != VEILED
