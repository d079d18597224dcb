"""The live list: the newest messages, found by line, sender and text, page by page. What a row shows is in rows."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from smscatch.cursors import Range, parse_range
from smscatch.inbox import within_bytes
from smscatch.keys import ADMIN
from smscatch.messages import Line, Query, Stored
from smscatch.search import WAYS, Search
from smscatch.settings import data_folder
from smscatch.times import format_time
from smscatch.web.endpoint import access_of, context_of, inbox_of, render, texts_of
from smscatch.web.pages.outlook import outlook_of
from smscatch.web.pages.quoting import quote_shell
from smscatch.web.pages.rows import LineTag, rows_of, tags_of
from smscatch.web.params import parse_deletion, parse_query, parse_way, place_of
from smscatch.web.responses import value_response
from smscatch.web.stream import SideEvents, stream_events

PAGE_ROWS = 40
MOST_LISTED = 8  # lines without a SIM; more are folded into one entry
ALIVE_SECONDS = 10.0  # a page takes four times as much without a sign of life for lost
EXAMPLE_LINE = "+447700900001"  # Ofcom keeps it free for drama: nobody has it
EXAMPLE_TEXT = "Your Authy code is 482913"
PLACE = ("before", "after")


class Extract(NamedTuple):
    """A page of the list, newest first: whether it is the newest one, and whether there is anything older."""

    messages: list[Stored]
    is_newest: bool
    has_older: bool


class LineChoice(NamedTuple):
    """A way to narrow or widen the list: what it says, where it leads, and whether it is the present one."""

    tag: LineTag | None
    href: str
    is_current: bool


class WayChoice(NamedTuple):
    """A way that texts went, "" for all, where the list of them is, and whether it is the present one."""

    way: str
    href: str
    is_current: bool


async def inbox_page(request: Request) -> Response:
    """The newest messages; later ones appear by themselves. `before` and `after` lead to older pages and back."""
    position = await inbox_of(request).newest_position()  # before the list: what comes in between, the stream brings
    after, before = place_of(request)
    now, access = inbox_of(request).now(), access_of(request)
    query, bounds = parse_range(await parse_query(request), after, before, position=position, now=now)
    extract = await _read(access.search(query, parse_way(request)), bounds, position)
    access.note(extract.messages)
    lines = await access.lines()
    tags, asked = tags_of(lines), _asked(request)
    filters = {name: request.query_params.get(name, "") for name in ("sender", "contains")}
    kept = _parameters(request)
    html = render(
        request,
        "inbox.html",
        rows=await rows_of(request, extract.messages, tags),
        title=_title(request, asked, tags),
        **_surroundings(request, lines),
        asked=asked,
        filters=filters,
        way=parse_way(request),
        unfiltered=_address([("line", line) for line in asked]),
        senders=sorted({stored.message.sender for stored in extract.messages if stored.message.sender}),
        pages=_pages(kept, extract),
        is_newest=extract.is_newest,
        deletion=_deletion(request, query, position) if extract.messages and bounds == Range(0, None) else None,
        first_steps=None if extract.messages else _first_steps(request, next(iter([*asked, *tags]), None)),
        now=format_time(now),
        stream=f"/live?{urlencode([*kept, ('after', position)])}",
    )
    return HTMLResponse(html)


async def live(request: Request) -> Response:
    """The stream behind the live page: each message as the HTML of its row, and what stands around the list."""
    lines, version = await access_of(request).lines(), 0
    search = access_of(request).search(await parse_query(request), parse_way(request))

    async def as_row(stored: Stored) -> tuple[str, str] | None:
        nonlocal lines
        if not await search.matches(stored.message):
            return None
        if stored.message.line not in {line.number for line in lines}:
            lines = await access_of(request).lines()  # it is the first text of its line
        (row,) = await rows_of(request, [stored], tags_of(lines))
        return "message", render(request, "row.html", row=row)

    async def look() -> str | None:
        nonlocal lines, version
        present = await outlook_of(request).version(request)
        if present == version:
            return None
        lines, version = await access_of(request).lines(), present
        return render(request, "outlook.html", **_surroundings(request, lines))

    return await stream_events(request, as_row, SideEvents(context_of(request).house.deletions, look, ALIVE_SECONDS))


def _surroundings(request: Request, lines: Sequence[Line]) -> dict[str, Any]:
    """Return what stands around the list: the lines to choose from, and how the modems are."""
    tags, asked, kept = tags_of(lines), _asked(request), _parameters(request)
    folded = {line.number for line in find_folded(request, lines)}
    listed = {number: tag for number, tag in tags.items() if number not in folded or number in asked}
    return {
        "choices": _choices(kept, listed, asked),
        "ways": _ways(kept, parse_way(request)) if parse_way(request) or _virtual(request, lines) else [],
        "folded": len(folded),
        "modems": [(tags[line.number], line.modem) for line in lines if line.modem is not None],
    }


def _asked(request: Request) -> list[str]:
    settings = context_of(request).settings
    return [settings.line_named(line) for line in request.query_params.getlist("line") if line]


async def _read(search: Search, bounds: Range, position: int) -> Extract:
    if bounds.after and bounds.before is None:  # the page in front of a message
        newer = await search.after(bounds.after, PAGE_ROWS + 1)
        shown = within_bytes(newer[:PAGE_ROWS])
        if len(shown) < len(newer):
            return Extract(shown[::-1], is_newest=False, has_older=True)
    before = position + 1 if bounds.before is None else min(bounds.before, position + 1)
    found = await search.newest(PAGE_ROWS + 1, before=before)
    shown = within_bytes(found[:PAGE_ROWS])
    is_newest = bounds.before is None and search.query.until is None
    return Extract(shown, is_newest, has_older=len(shown) < len(found))


def _deletion(request: Request, query: Query, position: int) -> str | None:
    """Return where all that this list shows is deleted; None if it has no filter or the key must not.

    An age is a time there, and the sender one and the same: what is deleted is what was shown, however late.
    """
    times = {"after": query.since, "before": query.until}
    narrowed = [*_parameters(request), *((name, format_time(time)) for name, time in times.items() if time)]
    if not narrowed or not access_of(request).may((ADMIN,)):
        return None
    as_sent = [("as_sent", "true")] if query.as_sent else []
    return f"/messages/delete?{urlencode([*narrowed, *as_sent, ('up_to', position)])}"


async def delete_shown(request: Request) -> Response:
    """Delete what a list with a filter showed, as far as the key may see it; say how many, or go back to the list."""
    position = await inbox_of(request).newest_position()
    query, up_to = parse_deletion(request, await parse_query(request), position)
    deleted = await access_of(request).delete_found(query, up_to, parse_way(request))
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/", 303)
    return value_response({"deleted": deleted})


def _title(request: Request, asked: Sequence[str], tags: Mapping[str, LineTag]) -> str:
    texts = texts_of(request)
    names = [tags[line].name if line in tags else line for line in asked]
    return texts("inbox.and").join(names) or texts("inbox.all_lines")


def _parameters(request: Request) -> list[tuple[str, str]]:
    """Return the filters of this page, without the empty ones of a form and the place in the list."""
    return [(name, value) for name, value in request.query_params.multi_items() if value and name not in PLACE]


def _pages(kept: list[tuple[str, str]], extract: Extract) -> dict[str, str]:
    """Return where the other pages are, by name."""
    pages = {}
    if not extract.is_newest:
        pages["newest"] = _address(kept)
        if extract.messages:
            pages["newer"] = _address([*kept, ("after", str(extract.messages[0].position))])
    if extract.has_older:
        pages["older"] = _address([*kept, ("before", str(extract.messages[-1].position))])
    return pages


def _choices(kept: list[tuple[str, str]], tags: Mapping[str, LineTag], asked: list[str]) -> list[LineChoice]:
    """Return all lines, then each; none if there is nothing to choose."""
    if len(tags) < 2 and not asked:
        return []
    others = [(name, value) for name, value in kept if name != "line"]
    each = [LineChoice(tag, _address([("line", tag.number), *others]), asked == [tag.number]) for tag in tags.values()]
    return [LineChoice(None, _address(others), not asked), *each]


def _ways(kept: list[tuple[str, str]], asked: str | None) -> list[WayChoice]:
    others = [(name, value) for name, value in kept if name != "way"]
    each = [WayChoice(way, _address([*others, ("way", way)]), way == asked) for way in WAYS]
    return [WayChoice("", _address(others), not asked), *each]


def find_folded(request: Request, lines: Sequence[Line]) -> list[Line]:
    """Return the lines without a SIM, if they are too many to be listed one by one."""
    virtual = _virtual(request, lines)
    return virtual if len(virtual) > MOST_LISTED else []


def _virtual(request: Request, lines: Sequence[Line]) -> list[Line]:
    settings = context_of(request).settings

    def is_virtual(line: Line) -> bool:
        is_any = settings.virtual_default and line.number not in settings.lines and line.modem is None
        return is_any or settings.is_virtual(line.number)

    return [line for line in lines if is_virtual(line)]


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
        "send": f'{" ".join(map(quote_shell, send))} "{EXAMPLE_TEXT}"',
        "wait": f'curl -u "$SMSCATCH_KEY:" {quote_shell(code)}',
    }
