"""Many texts at once on an open page, in a real browser: what is counted is the work, never the time it takes."""

from collections.abc import Sequence

import pytest
from playwright.sync_api import Page, expect

from smscatch.stores import Delivery
from tests.pages.conftest import OpenContext, rows
from tests.pages.serving import ONE, Server
from tests.samples import a_delivery

# Counts what a burst has the browser do. `perTurn` is the most insertions on top between two frames or timers: where
# the browser draws no frame for a while (hidden, or a busy machine), the page's timer goes on instead.
COUNTING = """
window.counted = { insertions: 0, layouts: 0, perTurn: 0, said: 0, glowing: 0 };
let inTurn = 0;
const frame = () => {
  inTurn = 0;
  counted.glowing = Math.max(counted.glowing, document.getAnimations().length);
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
const later = window.setTimeout;
window.setTimeout = (act, delay, ...values) => later(() => {
  inTurn = 0;
  act(...values);
}, delay);
const { prepend } = Element.prototype;
Element.prototype.prepend = function (...nodes) {
  counted.insertions += 1;
  inTurn += 1;
  counted.perTurn = Math.max(counted.perTurn, inTurn);
  return prepend.apply(this, nodes);
};
const height = Object.getOwnPropertyDescriptor(Element.prototype, "scrollHeight");
Object.defineProperty(Element.prototype, "scrollHeight", {
  get() {
    counted.layouts += 1;
    return height.get.call(this);
  },
});
addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => (counted.said += 1)).observe(document.getElementById("announcer"), { childList: true });
});
"""


@pytest.fixture
def counting_page(live_server: Server, open_context: OpenContext) -> Page:
    """The live page, open and connected, counting."""
    context = open_context()
    context.add_init_script(COUNTING)
    page = context.new_page()
    page.goto("/")
    expect(page.locator("#state")).to_have_text("Live")
    return page


def a_burst(count: int, text: str = "burst") -> Sequence[Delivery]:
    return [
        a_delivery(line=ONE, text=f"{text} {number:03}: your code is {100_000 + number}") for number in range(count)
    ]


def test_of_a_burst_the_newest_five_hundred_are_shown_with_few_insertions_and_no_layout_in_between(
    live_server: Server, counting_page: Page
) -> None:
    counting_page.emulate_media(reduced_motion="no-preference")
    live_server.fill(a_burst(530))  # the page connects again, to what came meanwhile all at once
    expect(rows(counting_page).first).to_contain_text("burst 529")
    expect(rows(counting_page)).to_have_count(500)
    expect(rows(counting_page).last).to_contain_text("burst 030")
    texts = counting_page.locator(".text").all_inner_texts()
    assert texts == sorted(texts, reverse=True)
    counted = counting_page.evaluate("counted")
    assert counted["layouts"] == 0, "at the top nothing has to be held in its place"
    assert counted["perTurn"] == 1, "a batch a turn"
    assert counted["insertions"] <= 250
    assert counted["said"] <= 60
    assert 1 <= counted["glowing"] <= 30, "every row that glows costs each frame"


def test_a_burst_does_not_move_what_one_reads_and_is_counted_whole(live_server: Server, counting_page: Page) -> None:
    live_server.fill(a_burst(40, "old"))
    expect(rows(counting_page)).to_have_count(40)
    read = rows(counting_page, "old 020")
    read.evaluate("row => row.scrollIntoView({ block: 'center', behavior: 'instant' })")
    before = read.bounding_box()
    counting_page.evaluate("Object.assign(counted, { insertions: 0, layouts: 0, perTurn: 0 })")
    live_server.fill(a_burst(200, "new"))
    expect(counting_page.locator("#pill")).to_have_text("200 new")
    assert read.bounding_box() == before
    counted = counting_page.evaluate("counted")
    assert counted["layouts"] == 2 * counted["insertions"], "one before and one after a batch"
    assert counted["perTurn"] == 1


def test_a_text_that_is_deleted_while_its_row_waits_for_a_frame_is_never_shown(
    live_server: Server, counting_page: Page
) -> None:
    # No frame comes to the list until this says so, and no timer instead of it. Nor may the test wait for frames: a
    # browser that has nothing to draw may leave them out. (A function: to ask an expression again needs eval.)
    counting_page.evaluate("""
        window.frames = [];
        window.requestAnimationFrame = (act) => act.name === "next" && frames.push(act);
        const { setTimeout } = window;
        window.setTimeout = (act, ms) => (ms === 250 ? 0 : setTimeout(act, ms));
    """)
    live_server.receive("deleted at once")
    counting_page.wait_for_function("() => frames.length", polling=50)
    gone = live_server.api("GET", "/api/v1/messages/latest")["id"]
    live_server.api("DELETE", f"/api/v1/messages/{gone}")
    is_gone = "id => import(document.querySelector('[href$=\"/list.js\"]').href).then((list) => list.isGone(`m-${id}`))"
    counting_page.wait_for_function(is_gone, arg=gone, polling=50)
    counting_page.evaluate("frames.splice(0).forEach((act) => act(0))")
    assert rows(counting_page).count() == 0
