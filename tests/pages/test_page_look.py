"""How pages look on narrow screens, on paper, in forced colours, without scripts: nothing is cut, lost or too small."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Locator, Page, expect

from tests.pages.conftest import OpenContext, rows
from tests.pages.serving import ONE, TWO, Server

LEAST_TARGET = 24  # CSS pixels: WCAG 2.2, 2.5.8


def box(element: Locator) -> tuple[float, float]:
    found = element.bounding_box()
    assert found is not None
    return found["width"], found["height"]


def test_what_can_be_clicked_is_large_enough(live_server: Server, tab: Page) -> None:
    live_server.receive("Your code is 482913", sender="X")
    tab.goto("/?contains=code")
    expect(rows(tab)).to_have_count(1)
    targets = [tab.locator(".sender a"), tab.get_by_role("link", name="Show all")]
    heights = [box(target)[1] for target in targets]
    rows(tab).locator(".when").click()
    heights.append(box(tab.get_by_text("The delivery as it came"))[1])
    tab.goto("/lines")
    heights.append(box(tab.get_by_role("link", name="Messages of this line").first)[1])
    assert min(heights) >= LEAST_TARGET


def test_the_narrowest_screen_cuts_no_word(live_server: Server, open_context: OpenContext) -> None:
    page = open_context(locale="de", viewport={"width": 320, "height": 700}).new_page()
    page.goto("/")
    expect(page.locator("#state")).to_have_text("Live")
    is_cut = "one => one.scrollWidth > one.clientWidth"
    assert not page.locator(".places").evaluate(is_cut)
    # A placeholder has no size of its own: as a value it has.
    page.locator(".find input[type=search]").evaluate_all("all => all.forEach(one => one.value = one.placeholder)")
    assert page.locator(".find input[type=search]").evaluate_all(f"all => all.filter({is_cut}).length") == 0
    page.goto("/keys")
    inside = page.locator(".fields input:visible, .fields select, .fields button")
    right = page.locator(".sheet").last.evaluate("one => one.getBoundingClientRect().right")
    assert inside.evaluate_all("all => Math.max(...all.map(one => one.getBoundingClientRect().right))") < right


def test_forced_colours_lose_no_state(live_server: Server, tab: Page) -> None:
    now = datetime.now(UTC)
    live_server.report(ONE, state="ready", updated_at=now)
    live_server.report(TWO, state="puk", updated_at=now)
    live_server.receive("Your code is 482913")
    tab.emulate_media(forced_colors="active")
    tab.goto("/")
    for width in (390, 1440):
        tab.set_viewport_size({"width": width, "height": 844})
        expect(tab.locator("#state")).to_have_text("Live")
        states_are_seen(tab)


def states_are_seen(page: Page) -> None:
    expect(page.locator("#state")).not_to_have_css("font-size", "0px")
    background = "(one, part) => getComputedStyle(one, part).backgroundColor"
    page_color = page.locator("body").evaluate(background)
    for selector, part in ((".choices .dot", None), ("#state", "::before"), ("#modems .good", "::before")):
        assert page.locator(selector).first.evaluate(background, part) != page_color
    radius = "one => getComputedStyle(one, '::before').borderRadius"
    assert page.locator("#modems .good").evaluate(radius) != page.locator("#modems .bad").evaluate(radius)
    for place in (".places", ".choices"):
        expect(page.locator(f"{place} [aria-current]")).to_have_css("border-top-width", "2px")


def test_print_has_the_texts_and_nothing_to_press(live_server: Server, page: Page) -> None:
    live_server.receive("Your code is 482913")
    expect(rows(page)).to_have_count(1)
    page.emulate_media(media="print")
    expect(rows(page).locator(".code code")).to_be_visible()
    for selector in (".top", "#find", "#pager", ".code button"):
        expect(page.locator(selector)).to_be_hidden()


def test_addresses_that_are_no_page_are_told_in_the_readers_words(
    live_server: Server, open_context: OpenContext
) -> None:
    page = open_context().new_page()
    page.goto("/nope")
    expect(page.locator("main")).to_contain_text("There is no such page.")
    answer = page.goto("/logout")
    assert answer is not None
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    expect(page.locator("main")).to_contain_text("This address only takes what a form sends.")
    program = page.request.get("/nope", headers={"accept": "*/*"}).json()
    assert program == {"error": "not_found", "message": "There is no /nope here; /openapi.json lists what there is."}
    german = open_context(locale="de").new_page()
    german.goto("/nope")
    expect(german.locator("main p").first).to_have_text("Diese Seite gibt es nicht.")


def test_a_german_chart_has_german_dates(live_server: Server, open_context: OpenContext) -> None:
    page = open_context(locale="de").new_page()
    page.goto("/lines")
    today, first = (datetime.now(UTC) - timedelta(days=days) for days in (0, 13))
    expect(page.locator(".axis span").first).to_have_text(f"{first:%d.%m.%Y}")
    expect(page.locator(".chart title").first).to_have_text(f"{first:%d.%m.%Y}: 0")
    label = f"Nachrichten am Tag von {first:%d.%m.%Y} bis {today:%d.%m.%Y}: insgesamt 0, höchstens 0."
    expect(page.locator(".chart").first).to_have_attribute("aria-label", label)


def test_without_javascript_a_modem_was_seen_at_a_time_one_can_read(
    live_server: Server, open_context: OpenContext
) -> None:
    now = datetime.now(UTC)
    live_server.report(ONE, state="ready", updated_at=now, last_contact_at=now)
    page = open_context(java_script_enabled=False).new_page()
    page.goto("/lines")
    expect(page.locator(".card-line").first.locator("dl time").first).to_have_text(f"{now:%Y-%m-%d %H:%M} UTC")


def test_a_command_on_a_phone_breaks_between_words(live_server: Server, open_context: OpenContext) -> None:
    page = open_context(viewport={"width": 390, "height": 844}).new_page()
    page.goto("/")
    words = page.locator("#welcome .command").first.locator("span")
    assert words.filter(has_text="--from").evaluate("one => one.getClientRects().length") == 1
    assert box(words.filter(has_text="--from"))[1] < 30
    expect(page.locator("#welcome .command code").first).to_contain_text(f'--line {ONE} --from Authy "Your Authy code')
