"""What holds for every page, in a real browser: accessible, light, in the reader's language, also without scripts."""

import json
import re
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import OpenContext, rows, sign_in
from tests.pages.serving import ONE, TWO, Server

MAX_FIRST_PAINT_BYTES = 60_000
MAX_REQUESTS = 16
WIDTHS = (390, 1440)
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# In the dark only colours are others; on a narrow screen places are, and what lies behind a text, or names nothing.
NARROW = ["color-contrast", "scrollable-region-focusable", "target-size", "button-name", "link-name", "label"]
ALIKE = ".docs section:nth-of-type(n + 6)"  # what is made as those before, and would take most of the work
LOOKS: tuple[tuple[Literal["light", "dark"], int, dict[str, Any]], ...] = (
    ("light", WIDTHS[1], {"type": "tag", "values": WCAG}),
    ("dark", WIDTHS[0], {"type": "rule", "values": NARROW}),
)


def test_an_empty_page_says_how_to_send_a_first_text_until_it_comes(live_server: Server, page: Page) -> None:
    commands = page.locator("#welcome .command code")
    expect(commands.nth(0)).to_contain_text(f"--line {ONE} --from Authy")
    expect(commands.nth(1)).to_contain_text(f"'{live_server.url}/api/v1/code?line=%2B447700900001&timeout=60'")
    live_server.receive("here it is")
    expect(rows(page)).to_have_count(1)
    expect(page.locator("#welcome")).to_have_count(0)


def test_a_browser_gets_errors_in_plain_words_and_a_program_gets_json(live_server: Server, tab: Page) -> None:
    answer = tab.goto("/?line=%2B4912345678")
    assert answer is not None
    assert answer.status == 404
    expect(tab.get_by_role("heading", level=1)).to_have_text("Nothing here")
    expect(tab.locator("main")).to_contain_text("There is no line +4912345678")
    tab.get_by_role("link", name="All messages").click()
    expect(tab).to_have_url(f"{live_server.url}/")
    for_a_program = tab.request.get("/?line=%2B4912345678", headers={"accept": "*/*"})
    assert for_a_program.json()["error"] == "unknown_line"


def test_nothing_leaves_the_host_and_nothing_is_complained_of(live_server: Server, tab: Page) -> None:
    page = tab
    hosts: set[str] = set()
    complaints: list[str] = []
    page.on("request", lambda request: hosts.add("/".join(request.url.split("/", 3)[:3])))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in ("/login", "/lines", "/keys", "/docs", "/"):
        page.goto(path)
    live_server.receive(
        "Your code is 482913 https://example.org/never/fetched", sender="<img src=http://example.org/x>"
    )
    page.get_by_role("button", name="Copy 482913").click()
    expect(page.locator(".code button")).to_have_text(re.compile("Copied|Ctrl"))
    assert hosts == {live_server.url}
    assert complaints == []


def test_a_full_list_comes_to_the_screen_in_less_than_sixty_kilobytes(live_server: Server, tab: Page) -> None:
    text = "Your Authy code is {}. Don't share it: our employees will never ask for it."
    live_server.deliver([text.format(482900 + number) for number in range(50)])
    page = tab
    loaded: list[float] = []
    session = page.context.new_cdp_session(page)
    session.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
    session.send("Network.enable")
    session.send("Network.clearBrowserCache")  # what the tests before have loaded
    page.goto("/")
    expect(page.locator("#state")).to_have_text("Live")
    expect(rows(page)).to_have_count(40)
    assert 10 <= len(loaded) <= MAX_REQUESTS
    assert sum(loaded) < MAX_FIRST_PAINT_BYTES


def test_no_width_has_to_be_scrolled_sideways(live_server: Server, open_context: OpenContext) -> None:
    live_server.receive("A" * 400, sender="W" * 11, line="a-modem-with-an-uncommonly-long-name-and-no-line")
    live_server.receive("Your code is 12345678 " + "https://example.org/" + "x" * 200)
    page = open_context(locale="de").new_page()  # whose words are long
    page.goto("/")
    expect(rows(page)).to_have_count(2)
    message = rows(page).first.locator(".when").get_attribute("href") or ""
    for path in ("/", message, "/lines", "/keys", "/docs", "/login"):
        page.goto(path)
        for width in (320, 390, 768, 1024, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def axe() -> str:
    package = find_spec("axe_playwright_python")
    assert package is not None
    assert package.origin is not None
    return (Path(package.origin).parent / "axe.min.js").read_text("utf-8")


def violations(page: Page, part: str = "html") -> dict[str, list[str]]:
    """What axe-core finds wrong with a page in all LOOKS: rules and the elements that break them."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe())
    wrong = {}
    page.locator(ALIKE).evaluate_all("all => all.forEach(one => one.remove())")
    for scheme, width, rules in LOOKS:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        options = {"runOnly": rules, "resultTypes": ["violations"]}
        found: dict[str, Any] = page.evaluate("([part, options]) => axe.run(part, options)", [part, options])
        for one in found["violations"]:
            wrong[f"{page.url} {part} {scheme} {width} {one['id']}"] = [node["html"] for node in one["nodes"]]
    return wrong


def test_no_page_breaks_a_rule_of_wcag(live_server: Server, page: Page) -> None:
    wrong = violations(page)
    page.keyboard.press("?")
    wrong |= violations(page, "dialog")
    now = datetime.now(UTC)
    live_server.report(ONE, state="ready", updated_at=now, signal_percent=68, signal_dbm=-71, operator="Vodafone")
    live_server.report(TWO, state="puk", updated_at=now, error="The SIM asks for its PUK.")
    live_server.api("POST", "/api/v1/leases", json={"line": ONE, "holder": "ci-42", "ttl_seconds": 600})
    live_server.receive("Your code is 482913, not 4, see https://example.org/", SMS_1_CLASS="0")
    live_server.receive("رمز 118274", sender="بنك", line=TWO)
    expect(rows(page)).to_have_count(2)
    message = rows(page, "482913").locator(".when").get_attribute("href") or ""
    for path in ("/", "/?contains=nothing+at+all", message, "/lines", "/keys", "/docs", "/messages/none"):
        page.goto(path)
        page.locator("main details").evaluate_all("all => all.forEach(one => one.open = true)")
        wrong |= violations(page)
    page.goto("/keys")
    page.get_by_label("Menu").click()
    wrong |= violations(page, "#menu")
    page.get_by_role("button", name="Hide codes").click()
    page.goto("/")
    wrong |= violations(page)
    page.context.clear_cookies()
    page.goto("/login")
    sign_in(page, "wrong")
    wrong |= violations(page)
    assert wrong == {}


@pytest.mark.parametrize(("width", "scheme"), [(WIDTHS[0], "dark"), (WIDTHS[1], "light")])
def test_everything_can_be_done_at_every_width_in_the_light_and_in_the_dark(
    live_server: Server, open_context: OpenContext, width: int, scheme: str
) -> None:
    context = open_context(viewport={"width": width, "height": 844}, color_scheme=scheme, has_touch=width == WIDTHS[0])
    page = context.new_page()
    page.goto("/")
    expect(page.locator("#state")).to_have_text("Live")
    live_server.receive("Your code is 482913", sender="Google")
    live_server.receive("See you at eight")
    expect(rows(page)).to_have_count(2)
    page.get_by_role("button", name="Copy 482913").click()
    expect(page.locator(".code button")).to_have_text("Copied")
    page.get_by_role("searchbox", name="Search the texts").fill("code")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("link", name="Line two").click()
    expect(page.get_by_role("heading", name="Nothing matches yet")).to_be_visible()
    page.get_by_role("link", name="All", exact=True).click()
    rows(page).first.locator(".when").click()
    expect(page.get_by_role("heading", name="Why this code")).to_be_visible()
    for name in ("Lines", "Keys", "Messages"):
        page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
        expect(page.locator(".places [aria-current]")).to_have_text(name)
    page.get_by_label("Menu").click()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_role("button", name="Close").click()
    page.get_by_label("Menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_focused()


def test_every_page_can_be_read_without_javascript(live_server: Server, open_context: OpenContext) -> None:
    live_server.receive("Your code is 553018", line=ONE)
    live_server.receive("nothing to see", line=TWO)
    page = open_context(java_script_enabled=False).new_page()
    page.goto("/")
    while rows(page).count() < 2:  # no stream here: only a reload shows more
        page.reload()
    expect(page.locator(".code code")).to_have_text("553018")
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    expect(page.locator("#state")).to_be_hidden()
    expect(page.locator("time").first).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d UTC$"))
    page.get_by_role("link", name="Line one").click()
    expect(rows(page)).to_have_count(1)
    rows(page).locator(".when").click()
    expect(page.get_by_role("heading", name="Why this code")).to_be_visible()
    page.get_by_role("link", name="Lines").click()
    expect(page.locator(".card-line")).to_have_count(2)
    page.get_by_label("Menu").click()
    page.get_by_role("link", name="API").click()
    expect(page.get_by_role("heading", name="/api/v1/messages/next")).to_be_visible()
    page.get_by_label("Menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()


def test_a_german_browser_gets_german_pages(live_server: Server, open_context: OpenContext) -> None:
    page = open_context(locale="de-AT").new_page()
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("heading", name="Warten auf die erste Nachricht")).to_be_visible()
    live_server.receive("Dein Code ist 482913")
    page.get_by_role("button", name="482913 kopieren").click()
    expect(page.locator(".code button")).to_have_text("Kopiert")
    expect(rows(page).locator("time")).to_have_text(re.compile("jetzt|vor"))
    for path, heading in (("/lines", "Nummern"), ("/keys", "Schlüssel"), ("/messages/none", "Hier ist nichts")):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def test_the_page_can_be_installed(live_server: Server, open_context: OpenContext) -> None:
    context = open_context(key=None)
    manifest = context.request.get("/manifest.webmanifest")
    assert manifest.headers["content-type"] == "application/manifest+json"
    icons = json.loads(manifest.text())["icons"]
    assert [(icon["sizes"], icon["purpose"]) for icon in icons] == [
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    ]
    for icon in icons:
        body = context.request.get(icon["src"]).body()
        assert body[:8] == b"\x89PNG\r\n\x1a\n"
        assert "x".join(str(int.from_bytes(body[start : start + 4])) for start in (16, 20)) == icon["sizes"]


def test_an_icon_has_a_number_on_it_and_nothing_else(live_server: Server, open_context: OpenContext) -> None:
    context = open_context(key=None)
    assert ">7</text>" in context.request.get("/icon/7.svg").text()
    assert [context.request.get(f"/icon/{name}.svg").status for name in ("100", "x", "-1", "<b>")] == [404] * 4


def test_the_api_is_described_for_people(live_server: Server, tab: Page) -> None:
    tab.goto("/docs")
    described = live_server.api("GET", "/openapi.json")["paths"]
    headings = tab.locator(".docs section h2 code").all_text_contents()
    assert headings == [path for path, operations in described.items() for _ in operations]
    ids = tab.locator("[id]").evaluate_all("all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))
    tab.get_by_role("link", name="POST /api/v1/leases", exact=True).click()
    expect(tab.get_by_role("heading", name="POST /api/v1/leases", exact=True)).to_be_in_viewport()
