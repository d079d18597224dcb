"""The page of our lines in a real browser: modems, leases, traffic, and examples to paste."""

from datetime import UTC, date, datetime, timedelta

import httpx2
from playwright.sync_api import Page, expect

from smscatch.stores.base import DayCount
from smscatch.web.pages.lines import DAYS, draw_chart
from tests.data.smsgate import SAMPLES
from tests.pages.conftest import OpenContext
from tests.pages.serving import ONE, TWO, Server
from tests.samples import a_delivery


def test_a_line_says_how_its_modem_is(live_server: Server, tab: Page) -> None:
    now = datetime.now(UTC)
    live_server.report(
        ONE,
        state="ready",
        updated_at=now,
        last_contact_at=now,
        signal_dbm=-71,
        signal_percent=68,
        operator="Vodafone",
        storage_used=3,
        storage_size=25,
    )
    live_server.report(TWO, state="puk", updated_at=now, error="The SIM asks for its PUK.")
    tab.goto("/lines")
    one, two = tab.locator(".card-line").all()
    for text in ("Line one", ONE, "ready", "68 % (-71 dBm)", "Vodafone", "3 of 25 used", "Last seen"):
        expect(one).to_contain_text(text)
    expect(two.locator(".bad")).to_have_text("PUK needed The SIM asks for its PUK.")
    tab.goto("/")
    expect(tab.locator(".trouble")).to_contain_text("The SIM asks for its PUK.")


def test_a_line_says_who_has_it_and_that_it_rests(live_server: Server, tab: Page) -> None:
    tab.goto("/lines")
    state = tab.locator(".card-line").nth(1).locator(".lease-state")
    expect(state).to_have_text("free")
    lease = live_server.api("POST", "/api/v1/leases", json={"line": TWO, "holder": "ci-42", "ttl_seconds": 600})
    tab.reload()
    expect(state).to_contain_text("leased to ci-42")
    live_server.api("DELETE", f"/api/v1/leases/{lease['id']}")
    tab.reload()
    expect(state).to_contain_text("resting")
    expect(state).to_contain_text("after ci-42")


def test_the_lines_follow_what_happens_and_what_is_open_stays_so(live_server: Server, tab: Page) -> None:
    tab.goto("/lines")
    expect(tab.locator("#state")).to_have_text("Live")
    one, two = tab.locator(".card-line").all()
    two.locator("summary").first.click()
    tab.locator("#snippets").get_by_text("curl", exact=True).click()
    live_server.report(TWO, state="puk", updated_at=datetime.now(UTC), error="The SIM asks for its PUK.")
    expect(two.locator(".bad")).to_have_text("PUK needed The SIM asks for its PUK.")
    live_server.receive("See you at eight", line=ONE)
    expect(one.locator("dt", has_text="Texts kept").locator("+ dd")).to_have_text("1")
    lease = live_server.api("POST", "/api/v1/leases", json={"line": ONE, "holder": "ci-43", "ttl_seconds": 600})
    expect(one.locator(".lease-state")).to_contain_text("leased to ci-43")
    live_server.api("DELETE", f"/api/v1/leases/{lease['id']}")
    expect(one.locator(".lease-state")).to_contain_text("resting")
    expect(tab.locator("#snippets details[open] summary")).to_have_text("curl")
    live_server.receive("from a new line", line="+447700900009")
    expect(tab.locator(".card-line")).to_have_count(3)
    assert [each.get_attribute("open") is not None for each in tab.locator(".card-line").all()] == [True, False, False]


def test_twenty_lines_are_a_row_each_and_one_opens(live_server: Server, tab: Page) -> None:
    now = datetime.now(UTC)
    for number in range(18):
        live_server.report(f"+44770090{1000 + number}", state="ready", updated_at=now, signal_percent=61)
    live_server.report(ONE, state="puk", updated_at=now, error="The SIM asks for its PUK.")
    tab.goto("/lines")
    rows = tab.locator(".card-line")
    expect(rows).to_have_count(20)
    assert max(row.bounding_box()["height"] for row in rows.all()) < 60  # type: ignore[index]
    first = rows.first
    expect(first.locator("summary")).to_contain_text("✗ PUK needed")
    expect(first.locator(".checks")).to_be_hidden()
    first.locator("summary").click()
    expect(first.locator(".checks .wrong")).to_contain_text("Put the SIM into a phone and enter its PUK.")


def test_a_stuck_lease_is_ended_by_who_may_and_after_a_question(live_server: Server, open_context: OpenContext) -> None:
    live_server.api(
        "POST", "/api/v1/leases", json={"line": TWO, "holder": "stuck", "ttl_seconds": 600, "wait_seconds": 60}
    )
    reader = open_context(live_server.make_key("reader", "read", "lease")).new_page()
    reader.goto("/lines")
    expect(reader.locator(".lease-state").nth(1)).to_contain_text("leased to stuck")
    expect(reader.get_by_label("End the lease of Line two")).to_have_count(0)
    page = open_context().new_page()
    page.goto("/lines")
    page.get_by_label("End the lease of Line two").click()
    page.get_by_role("button", name="End this lease").click()
    expect(page).to_have_url(f"{live_server.url}/lines")
    expect(page.locator(".lease-state").nth(1)).to_contain_text("resting")
    expect(reader.locator(".lease-state").nth(1)).to_contain_text("resting")


def test_the_chart_says_how_many_texts_came_on_which_day(live_server: Server, tab: Page) -> None:
    now = datetime.now(UTC)
    times = [now, now, now - timedelta(days=13), now - timedelta(days=20)]
    live_server.fill([a_delivery(line=ONE, received_at=time) for time in times])
    page = tab
    page.goto("/lines")
    chart = page.locator(".chart").first
    first, last = now.date() - timedelta(days=13), now.date()
    expect(chart).to_have_attribute("aria-label", f"Texts a day from {first} to {last}: 3 in all, at most 2.")
    expect(chart.locator("rect")).to_have_count(DAYS)
    expect(chart.locator("rect.zero")).to_have_count(DAYS - 2)
    expect(chart.locator("title").last).to_have_text(f"{last}: 2")


def test_a_single_text_can_be_seen_beside_a_thousand() -> None:
    first = date(2026, 11, 9)
    counts = [DayCount(ONE, first, 1), DayCount(ONE, first + timedelta(days=1), 1000)]
    chart = draw_chart(first, counts)
    assert [bar.height for bar in chart.bars[:3]] == [3, chart.height, 1]
    assert all(bar.y + bar.height == chart.height for bar in chart.bars)


def test_the_examples_have_the_number_in_them_and_can_be_copied(live_server: Server, tab: Page) -> None:
    tab.goto("/lines")
    card = tab.locator("#snippets")
    for name, text in (
        ("curl", f"{live_server.url}/api/v1/code?line=%2B447700900001"),
        ("Python", f'sms.lease(line="{ONE}", ttl=120)'),
        ("pytest", f'line="{ONE}"'),
        ("JavaScript", "await fetch("),
    ):
        card.get_by_text(name, exact=True).click()
        expect(card.locator("details[open] code")).to_contain_text(text)
    card.locator("details[open] button").click()
    expect(card.locator("details[open] button")).to_have_text("Copied")
    card.get_by_label("Of the line").select_option(TWO)
    card.get_by_role("button", name="Show").click()
    card.get_by_text("Python", exact=True).click()
    expect(card.locator("details[open] code")).to_contain_text(f'sms.lease(line="{TWO}", ttl=120)')


def test_a_source_is_added_and_removed_and_what_it_sends_is_seen(live_server: Server, tab: Page) -> None:
    tab.goto("/lines")
    sources = tab.locator("#sources")
    sources.get_by_label("Name").fill("drawer")
    sources.get_by_label("Kind").select_option("smsgate")
    sources.get_by_role("button", name="Add", exact=True).click()
    address, secret = sources.locator("#made-source code").all_text_contents()
    assert address.endswith("/api/v1/inbound/drawer")
    post = SAMPLES.make("+447700900123", "Your code is 482913", "1")
    for signed_with in ("another", secret):
        signed = SAMPLES.sign(post, signed_with, address, datetime.now(UTC))
        httpx2.post(f"{live_server.url}/api/v1/inbound/drawer", content=post.content, headers=signed.headers)
    tab.goto("/lines")
    assert secret not in tab.content()
    card = sources.locator(".key-list > li")
    expect(card).to_contain_text("no secret fits")
    card.get_by_role("link", name="a text").click()
    expect(tab.locator(".text")).to_have_text("Your code is 482913")
    tab.goto("/lines")
    tab.get_by_label("Remove drawer").click()
    tab.get_by_role("button", name="Remove for good").click()
    expect(sources.locator(".key-list")).to_have_count(0)


def test_weather_is_made_on_the_page_seen_there_and_ended(live_server: Server, tab: Page) -> None:
    tab.goto("/lines")
    weather = tab.locator("#weather")
    expect(weather).to_contain_text("None: each text that your application sends arrives at once.")
    weather.get_by_text("Make weather").click()
    weather.get_by_label("To a number, or its end").fill("0199")
    weather.get_by_role("button", name="Make it").click()
    expect(weather.get_by_role("alert")).to_contain_text("This weather does nothing")
    expect(weather.get_by_label("To a number, or its end")).to_have_value("0199")
    weather.get_by_label("arrive twice").check()
    weather.get_by_label("Seconds until they arrive").fill("2.5")
    weather.get_by_label("Through the API of").select_option("telnyx")
    weather.locator("[name=lasts_seconds]").select_option("10 minutes")
    weather.get_by_role("button", name="Make it").click()
    expect(weather.get_by_role("listitem")).to_contain_text("arrive 2.5 s later, arrive twice to 0199 through telnyx")
    (rule,) = live_server.api("GET", "/api/v1/weather")["rules"]
    assert (rule["line"], rule["provider"], rule["delay_seconds"], rule["double"]) == ("0199", "telnyx", 2.5, True)
    weather.get_by_role("button", name="End it").click()
    expect(weather.get_by_role("listitem")).to_have_count(0)
    assert live_server.api("GET", "/api/v1/weather")["rules"] == []
