"""Our numbers: how each one's modem is, who has it, how much comes to it, and how to use it from a test.

To a simulated modem a text can be sent from here: whoever may bring in texts (INGEST) may do that too.
"""

from collections.abc import Container, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from smscatch import letting
from smscatch.errors import BadRequest, NotFound
from smscatch.keys import INGEST, READ
from smscatch.messages import Line, Stored
from smscatch.stores.base import DayCount
from smscatch.times import format_time
from smscatch.web.endpoint import access_of, context_of, inbox_of, render
from smscatch.web.pages.gates import show_gates
from smscatch.web.pages.inbox import EXAMPLE_TEXT, find_folded
from smscatch.web.pages.login import read_form
from smscatch.web.pages.quoting import quote_javascript, quote_python, quote_shell
from smscatch.web.pages.redirects import own_redirects
from smscatch.web.pages.rows import LineTag, tags_of
from smscatch.web.pages.rules import WeatherForm, show_weather
from smscatch.web.stream import SideEvents, stream_events

DAYS = 14
MOST_OPEN = 2  # lines; of more only a row is shown until one asks for the rest
MOST_FOLDED = 50  # lines without a SIM that are named, those with the newest texts
LOOK_SECONDS = 2.0  # until a page shows what changed, at most
BAR_WIDTH, BAR_GAP, CHART_HEIGHT = 16, 4, 40
EXAMPLE_SENDER = "Authy"
MAX_TEST_SENDER, MAX_TEST_TEXT = 21, 600  # a number with its plus; four SMS of the longest kind


class Bar(NamedTuple):
    """One day of a chart: where its bar stands, how high it is, and for how many texts."""

    x: int
    y: int
    height: int
    day: date
    texts: int


class Chart(NamedTuple):
    """The texts of the last days."""

    bars: list[Bar]
    total: int
    most: int
    width: int = DAYS * (BAR_WIDTH + BAR_GAP) - BAR_GAP
    height: int = CHART_HEIGHT


class Snippet(NamedTuple):
    """How to use a line: the `name` of a language or program, and the lines to paste."""

    name: str
    code: str


class Card(NamedTuple):
    """A line as the page shows it. `takes_test`: its modem is simulated, and this key may send a text to it."""

    line: Line
    tag: LineTag
    seen_at: datetime | None
    is_resting: bool
    chart: Chart
    takes_test: bool


async def lines_page(request: Request) -> Response:
    """Our numbers, with their modems, leases and traffic, and examples that have the number in them."""
    return HTMLResponse(await show_lines(request))


async def show_lines(request: Request, *, weather: WeatherForm | None = None, **gates: Any) -> str:
    """Return the page; `weather` and `gates` are what the sections of that name have to show besides."""
    now = format_time(inbox_of(request).now())
    shown = await _shown(request) | await show_gates(request, **gates) | {"redirects": own_redirects(request)}
    shown |= _snippets(request, shown["cards"])
    return render(request, "lines.html", **shown, sky=await show_weather(request, weather), now=now)


def _snippets(request: Request, cards: Sequence[Card]) -> dict[str, Any]:
    """Return the examples, and for which line they are: the one that is asked for, or the first."""
    numbers = [card.line.number for card in cards]
    asked = request.query_params.get("line")
    chosen = asked if asked in numbers else next(iter(numbers), "")
    return {"chosen": chosen, "snippets": snippets_for(chosen, str(request.base_url).rstrip("/"))}


async def live(request: Request) -> Response:
    """The stream behind that page: all lines as HTML, whenever something about one is new."""
    seen: object = None

    async def no_row(_: Stored) -> None:
        return None

    async def look() -> str | None:
        nonlocal seen
        seen, before = await _state(request), seen
        return None if seen == before else render(request, "cards.html", **await _shown(request))

    return await stream_events(request, no_row, SideEvents(context_of(request).house.deletions, look, LOOK_SECONDS))


async def _state(request: Request) -> object:
    """Return what is another value when the page has something new to show, and is cheap to ask for."""
    house = context_of(request).house
    now, position, held = house.inbox.now(), await house.inbox.newest_position(), await house.leases.held()
    return position, held, [lease.expires_at <= now for lease in held], house.lines.modems()


async def end_lease(request: Request) -> Response:
    """End a lease that is stuck, from the form that asked first, and go back to the lines."""
    await letting.release(access_of(request), request.path_params["id"])
    return RedirectResponse("/lines", 303)


async def send_test(request: Request) -> Response:
    """Send a text to a line on a simulated modem, and go to where it will appear."""
    line = request.path_params["line"]
    access_of(request).check_line(line, doing="send to")
    send = context_of(request).test_lines.get(line)
    if send is None:
        raise NotFound(f"No text can be sent to {line} from here: only to the simulated modems of `smscatch demo`.")
    form = await read_form(request)
    await send(_field(form, "sender", MAX_TEST_SENDER), _field(form, "text", MAX_TEST_TEXT))
    reads = access_of(request).may((READ,))
    return RedirectResponse(f"/?{urlencode({'line': line})}" if reads else "/lines", 303)


def _field(form: Mapping[str, list[str]], name: str, most: int) -> str:
    """Return a field of a form. Raises BadRequest if it is missing, blank or too long."""
    value = form.get(name, [""])[0].strip()
    if not 1 <= len(value) <= most:
        raise BadRequest(f"The {name} has {len(value)} characters: give 1 to {most}.", parameter=name)
    return value


async def _shown(request: Request) -> dict[str, Any]:
    example = {"sender": EXAMPLE_SENDER, "text": EXAMPLE_TEXT}
    lines = await access_of(request).lines()
    folded = find_folded(request, lines)
    newest = sorted(folded, key=lambda line: str(line.last_received_at or ""), reverse=True)[:MOST_FOLDED]
    cards = await _cards(request, lines, {line.number for line in folded})
    return {
        "cards": cards,
        "most_open": MOST_OPEN,
        "folded": newest,
        "folded_count": len(folded),
        "example": example,
        "most": (MAX_TEST_SENDER, MAX_TEST_TEXT),
    }


async def _cards(request: Request, lines: Sequence[Line], hidden: Container[str]) -> list[Card]:
    now = await inbox_of(request).time()
    since = now - timedelta(days=DAYS - 1)
    counts = await context_of(request).house.lines.days(since)
    tested = context_of(request).test_lines if access_of(request).may((INGEST,)) else ()
    return [
        Card(
            line,
            tag,
            _seen_at(line),
            line.lease is not None and line.lease.expires_at <= now,
            draw_chart(since.date(), [count for count in counts if count.line == line.number]),
            takes_test=line.number in tested,
        )
        for line, tag in zip(lines, tags_of(lines).values(), strict=True)
        if line.number not in hidden
    ]


def _seen_at(line: Line) -> datetime | None:
    """Return when the modem of a line last answered, if that is known."""
    time = None if line.modem is None else line.modem.get("last_contact_at")
    return None if time is None else datetime.fromisoformat(time)


def draw_chart(first: date, counts: Sequence[DayCount]) -> Chart:
    """Return a bar for each of the DAYS from `first` on. A day with any text has a bar that can be seen."""
    by_day = {count.day: count.messages for count in counts}
    days = [first + timedelta(days=index) for index in range(DAYS)]
    numbers = [by_day.get(day, 0) for day in days]
    most = max(numbers)
    bars = []
    for index, (day, count) in enumerate(zip(days, numbers, strict=True)):
        height = max(3, round(CHART_HEIGHT * count / most)) if count else 1
        bars.append(Bar(index * (BAR_WIDTH + BAR_GAP), CHART_HEIGHT - height, height, day, count))
    return Chart(bars, sum(numbers), most)


def snippets_for(number: str, url: str) -> list[Snippet]:
    """Return examples that wait for a code at this line, ready to paste."""
    wait = f"{url}/api/v1/code?{urlencode({'line': number, 'timeout': 60})}"
    return [
        Snippet("curl", f'curl -u "$SMSCATCH_KEY:" {quote_shell(wait)}'),
        Snippet("python", _PYTHON.format(url=quote_python(url), number=quote_python(number))),
        Snippet("pytest", _PYTEST.format(url=quote_shell(url), number=quote_python(number))),
        Snippet("javascript", _JAVASCRIPT.format(wait=quote_javascript(wait))),
    ]


_PYTHON = """\
import os
from smscatch import Client

with Client({url}, os.environ["SMSCATCH_KEY"]) as sms:
    with sms.lease(line={number}, ttl=120) as phone:
        sign_up(phone.number)
        code = phone.wait_for_code(timeout=60)"""
_PYTEST = """\
# SMSCATCH_URL={url} SMSCATCH_KEY=… pytest
import pytest

@pytest.mark.sms(line={number})
def test_sign_up(sms_line):
    sign_up(sms_line.number)
    assert confirm(sms_line.wait_for_code(timeout=60))"""
_JAVASCRIPT = """\
const answer = await fetch({wait}, {{
  headers: {{ Authorization: `Bearer ${{process.env.SMSCATCH_KEY}}` }},
}});
if (!answer.ok) throw new Error((await answer.json()).message);
const code = await answer.text();"""
