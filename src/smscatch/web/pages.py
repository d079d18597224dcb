"""The pages for people: the live list, signing in and out, and errors in plain words. No JSON is made here."""

import shlex
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from smscatch.codes import find_codes
from smscatch.errors import Unauthorized
from smscatch.messages import Line, Message, Stored, format_time
from smscatch.numbers import canonical_number
from smscatch.settings import data_folder
from smscatch.web.api import NEWEST, find_message, lines_of
from smscatch.web.auth import COOKIE, SESSION, end_session, start_session
from smscatch.web.bodies import read_body
from smscatch.web.endpoint import context_of, inbox_of, render
from smscatch.web.params import parse_query
from smscatch.web.stream import stream_events

EXAMPLE_LINE = "+447700900001"  # Ofcom keeps it free for drama: nobody has it
EXAMPLE_TEXT = "Your Authy code is 482913"
HUES = 6
# What a mark of a message means: a word or two, and a sentence.
MARKS = {
    "flash": ("flash", "A phone shows it at once and does not keep it."),
    "mms": ("MMS", "The notice of a picture message that waits for download."),
    "status_report": ("status report", "The network reports on a text that was sent from this line."),
    "undecodable": ("undecodable", "It is no text, or its header makes no sense; the delivery is kept as it came."),
    "mixed_senders": ("mixed parts", "gammu joined parts of several senders; each has its own back."),
    "damaged_characters": ("damaged characters", "Some characters did not survive the way from the modem."),
    "possible_duplicate": ("possible duplicate", "Perhaps one text read twice: the modem's reader restarted."),
}
INCOMPLETE = ("incomplete", "A part of this long text did not arrive.")
HEADINGS = {
    401: "Sign in first",
    403: "Not for this key",
    404: "Nothing here",
    405: "Not like this",
    500: "That was our fault",
    503: "Back in a moment",
}


class LineTag(NamedTuple):
    """How a line is shown: its number, its label or "", and which of the HUES colours its dot."""

    number: str
    label: str
    hue: int


class Piece(NamedTuple):
    """A stretch of a text, and where it links to, if it does."""

    text: str
    href: str | None = None


class Badge(NamedTuple):
    """Something peculiar about a message, in a word or two, and in a sentence."""

    name: str
    meaning: str


class Row(NamedTuple):
    """A message as the page shows it."""

    message: Message
    line: LineTag
    pieces: list[Piece]
    badges: list[Badge]


class Modem(NamedTuple):
    """How the modem of a line is: what is wrong, as a sentence, or None; and what else there is to say."""

    line: LineTag
    trouble: str | None
    facts: list[str]


class Choice(NamedTuple):
    """A way to narrow or widen the list: what it says, where it leads, and whether it is the present one."""

    tag: LineTag | None
    href: str
    is_current: bool


async def inbox_page(request: Request) -> Response:
    """The newest messages; later ones appear by themselves."""
    query = await parse_query(request)
    store = inbox_of(request).store
    position = await store.position()  # before the list: what comes in between, the stream brings
    newest = await store.newest(query, NEWEST, before=position + 1)
    lines = await lines_of(request)
    tags = _tags(lines)
    asked = [canonical_number(line) for line in request.query_params.getlist("line") if line]
    html = render(
        request,
        "inbox.html",
        rows=[_row(stored.message, tags) for stored in newest],
        limit=NEWEST,
        title=" and ".join(tags[line].label or line if line in tags else line for line in asked) or "All lines",
        choices=_choices(request, tags, asked),
        filters={name: request.query_params.get(name, "") for name in ("sender", "contains")},
        unfiltered=_address([("line", line) for line in asked]),
        first_steps=None if newest else _first_steps(request, next(iter([*asked, *tags]), None)),
        modems=[_modem(line, tags[line.number]) for line in lines if line.modem is not None],
        now=format_time(inbox_of(request).now()),
        stream=f"/live?{urlencode([*request.query_params.multi_items(), ('after', position)])}",
    )
    return HTMLResponse(html)


async def message_page(request: Request) -> Response:
    """One message: its text, its times, and which code it holds for what reason."""
    message = (await find_message(request)).message
    tags = _tags(await lines_of(request))
    reading = find_codes(message.text)
    html = render(
        request,
        "detail.html",
        row=_row(message, tags),
        candidates=[*reading.codes, *reading.rejected],
        accepted=len(reading.codes),
        facts=_facts(message),
        now=format_time(inbox_of(request).now()),
    )
    return HTMLResponse(html)


def _facts(message: Message) -> dict[str, str]:
    """Return what else is known of a message, by name."""
    facts = {"Received": format_time(message.received_at)}
    if message.sent_at is not None:
        delay = message.received_at - message.sent_at
        facts["Sent (SMSC)"] = f"{format_time(message.sent_at)}, {delay.total_seconds():.0f} s before"
    facts |= {"Parts": str(message.parts), "Read by": message.source, "Cursor": message.cursor, "Id": message.id}
    if message.bound_hosts:
        facts["Bound to"] = ", ".join(message.bound_hosts)
    return facts


async def live(request: Request) -> Response:
    """The stream behind the live page: each message as the HTML of its row."""
    tags = _tags(await lines_of(request))

    def as_row(stored: Stored) -> tuple[str, str]:
        return "message", render(request, "message.html", row=_row(stored.message, tags))

    return await stream_events(request, as_row)


def _tags(lines: list[Line]) -> dict[str, LineTag]:
    return {line.number: LineTag(line.number, line.label, index % HUES) for index, line in enumerate(lines)}


def _row(message: Message, tags: dict[str, LineTag]) -> Row:
    badges = [Badge(*MARKS.get(mark, (mark.replace("_", " "), ""))) for mark in message.marks]
    if not message.complete:
        badges.insert(0, Badge(*INCOMPLETE))
    if message.parts > 1:
        badges.append(Badge(f"{message.parts} parts", "A long text, sent in this many SMS and joined again."))
    line = tags.get(message.line) or LineTag(message.line, "", 0)
    return Row(message, line, list(_pieces(message)), badges)


def _pieces(message: Message) -> Iterator[Piece]:
    """Cut the text at its links. Only what was found to be a link becomes one, and only with http or https."""
    start = 0
    for link in message.links:
        found = message.text.find(link, start)
        if found < 0:
            continue
        has_scheme = link.lower().startswith(("http://", "https://"))
        yield Piece(message.text[start:found])
        yield Piece(link, link if has_scheme else f"https://{link}")
        start = found + len(link)
    yield Piece(message.text[start:])


def _modem(line: Line, tag: LineTag) -> Modem:
    """Return what to say of a line's modem; `line.modem` is a health record as JSON."""
    health = line.modem or {}
    state = health["state"].replace("_", " ")
    facts = [state]
    if health["operator"]:
        facts.append(health["operator"])
    if health["signal_percent"] is not None:
        facts.append(f"signal {health['signal_percent']} % ({health['signal_dbm']} dBm)")
    if health["storage_size"]:
        facts.append(f"{health['storage_used']} of {health['storage_size']} on the SIM")
    trouble = None if health["state"] == "ready" else health["error"] or f"The modem is {state}."
    return Modem(tag, trouble, facts)


def _choices(request: Request, tags: dict[str, LineTag], asked: list[str]) -> list[Choice]:
    """Return all lines, then each; none if there is nothing to choose."""
    if len(tags) < 2 and not asked:
        return []
    others = [(name, value) for name, value in request.query_params.multi_items() if name != "line"]
    each = [Choice(tag, _address([("line", tag.number), *others]), asked == [tag.number]) for tag in tags.values()]
    return [Choice(None, _address(others), not asked), *each]


def _address(parameters: list[tuple[str, str]]) -> str:
    return f"/?{urlencode(parameters)}" if parameters else "/"


def _first_steps(request: Request, line: str | None) -> dict[str, str]:
    """Return the commands with which a first text comes, for a shell: one sends it, one waits for its code."""
    number = line or EXAMPLE_LINE
    spool = context_of(request).settings.spool
    # The demo's own modem takes the text from anywhere on this machine; another server has a spool at least.
    where = [] if data_folder() / "demo" in spool.parents else ["--spool", str(spool.absolute())]
    send = ["smscatch", "simulate", *where, "--line", number, "--from", "Authy"]
    code = f"{request.base_url}api/v1/code?{urlencode({'line': number, 'timeout': 60})}"
    return {
        "line": number,
        "send": f'{shlex.join(send)} "{EXAMPLE_TEXT}"',
        "wait": f'curl -u "$SMSCATCH_KEY:" {shlex.quote(code)}',
    }


async def login_page(request: Request) -> Response:
    """Where a person gives a key."""
    return HTMLResponse(render(request, "login.html", error=None))


async def login(request: Request) -> Response:
    """Make a session from a key, and go to the page."""
    form = parse_qs((await read_body(request)).decode(errors="replace"))
    try:
        session = await start_session(inbox_of(request), form.get("key", [""])[0].strip())
    except Unauthorized as error:
        return HTMLResponse(render(request, "login.html", error=str(error)), error.status)
    response = RedirectResponse("/", 303)
    response.set_cookie(
        COOKIE,
        session,
        max_age=int(SESSION.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


async def logout(request: Request) -> Response:
    """End the session, and go to the login."""
    await end_session(inbox_of(request).store, request.cookies.get(COOKIE, ""))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE)
    return response


def error_page(request: Request, status: int, sentence: str) -> Response:
    """Answer a person's browser with what went wrong, and a way on."""
    heading = HEADINGS.get(status, "That did not work")
    return HTMLResponse(render(request, "error.html", status=status, heading=heading, sentence=sentence), status)
