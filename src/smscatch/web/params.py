"""Query parameters and bodies to values; each refusal says what was given and what is taken."""

from datetime import datetime
from typing import NamedTuple

import msgspec
from starlette.requests import Request

from smscatch.errors import BadRequest, BadTimeout, LostCursor, UnknownLine
from smscatch.inbox import Choice
from smscatch.messages import MAX_QUIET_SECONDS, QUIET_SECONDS, Query, misread_time, parse_after
from smscatch.numbers import sender_forms
from smscatch.web.endpoint import Parameter, access_of, context_of, inbox_of, key_of

MAX_TIMEOUT_SECONDS = 300
DEFAULT_TIMEOUT_SECONDS = 30
MAX_LIMIT = 500
DEFAULT_LIMIT = 50
MAX_CONTAINS = 500
MAX_SKIPPED = 100
MAX_SKIP = 300
FLAGS = {"true": True, "1": True, "false": False, "0": False}

LINE = Parameter("line", "string", "Only this number of ours, in any spelling; may be repeated.", is_list=True)
SENDER = Parameter(
    "sender",
    "string",
    "Only from this sender: a number, a short code or a name; case does not matter. Digits without '+' mean the sender"
    " written so, or, while none such is kept, the international number too.",
)
CONTAINS = Parameter(
    "contains", "string", "Only texts that contain this; case does not matter.", limits={"maxLength": MAX_CONTAINS}
)
FILTERS = (LINE, SENDER, CONTAINS)
AFTER = Parameter("after", "string", "Only behind this: a cursor, a time (ISO 8601 with zone) or an age such as 10m.")
BEFORE = Parameter("before", "string", "Only in front of this: a cursor, a time or an age.")
UP_TO = Parameter("up_to", "integer", "Nothing behind this position.", is_required=True, limits={"minimum": 0})
AS_SENT = Parameter("as_sent", "boolean", "true: only the sender that is written just so, not an international number.")
SKIP = Parameter(
    "skip",
    "string",
    "Pass over this message, by its id or cursor; a blank and why may follow, which the explanation repeats. May be"
    " repeated.",
    is_list=True,
    limits={"maxLength": MAX_SKIP},
    items={"maxItems": MAX_SKIPPED},
)
LIMIT = Parameter(
    "limit", "integer", "How many at most.", limits={"minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
)
TICKET = Parameter(
    "ticket", "string", "The ticket that a line was asked for with.", is_required=True, limits={"minLength": 1}
)
TIMEOUT = Parameter(
    "timeout",
    "number",
    "Seconds to wait.",
    limits={"minimum": 0, "maximum": MAX_TIMEOUT_SECONDS, "default": DEFAULT_TIMEOUT_SECONDS},
)
NEWEST = Parameter(
    "newest",
    "boolean",
    "true: not the oldest match but the newest, once it is quiet; when the time is up first, the newest so far. It is"
    " true where `quiet` is given.",
)
QUIET = Parameter(
    "quiet",
    "number",
    "Seconds, from the beginning of the wait on, in which nothing must come that fits line, sender and"
    " contains. What comes starts them anew.",
    limits={"minimum": 0, "maximum": MAX_QUIET_SECONDS, "default": QUIET_SECONDS},
)
HOW = (TIMEOUT, NEWEST, QUIET, SKIP)
WAIT = (*FILTERS, AFTER, *HOW)
LEASE_WAIT = (SENDER, CONTAINS, AFTER, *HOW)


class Range(NamedTuple):
    """Positions between which to look, both excluded; None: open."""

    after: int
    before: int | None


def check_names(request: Request, parameters: tuple[Parameter, ...]) -> None:
    """Raise BadRequest for a parameter that the route does not take: a misspelt filter must not be ignored."""
    names = [parameter.name for parameter in parameters]
    lists = [parameter.name for parameter in parameters if parameter.is_list]
    for name in request.query_params:
        if name not in names:
            raise BadRequest(
                f"There is no parameter {name!r} here; there are: {', '.join(names) or 'none'}.", parameter=name
            )
        if name not in lists and len(request.query_params.getlist(name)) > 1:
            raise BadRequest(f"The parameter {name!r} stands there more than once.", parameter=name)


async def parse_query(request: Request) -> Query:
    """Return the filters of a request, limited to the lines of its key.

    Raises UnknownLine, or Forbidden for a line that the key must not see.
    """
    contains = request.query_params.get("contains") or None
    if contains and len(contains) > MAX_CONTAINS:
        raise BadRequest(f"'contains' has {len(contains)} characters; at most {MAX_CONTAINS} are taken.")
    query = Query(
        lines=await _parse_lines(request), sender=request.query_params.get("sender") or None, contains=contains
    )
    return await _as_sent(request, query)


async def _as_sent(request: Request, query: Query) -> Query:
    """Return `query` for the sender who is written just as it was typed, if there is one, and no other."""
    if query.sender is None or len(sender_forms(query.sender)) == 1:
        return query
    literal = Query(lines=query.lines, sender=query.sender, as_sent=True)
    is_known = bool(await inbox_of(request).store.newest(literal, 1))
    return msgspec.structs.replace(query, as_sent=is_known)


async def _parse_lines(request: Request) -> tuple[str, ...] | None:
    allowed = key_of(request).lines
    asked = [line for line in request.query_params.getlist("line") if line]
    if not asked:
        return allowed
    settings = context_of(request).settings
    lines = tuple(dict.fromkeys(settings.line_named(line) for line in asked))
    for line in lines:
        await check_line(request, line)
    return lines


async def check_line(request: Request, line: str) -> None:
    """Raise Forbidden if the key of a request must not see a line, UnknownLine if there is none."""
    access_of(request).check_line(line)
    if line in context_of(request).settings.lines or await _has_received(request, line):
        return
    await inbox_of(request).catch_up()  # its first text may be in the spool still
    if not await _has_received(request, line):
        raise UnknownLine(
            f"There is no line {line}: it is not in the configuration and never received anything."
            " GET /api/v1/lines lists them.",
            line=line,
        )


async def _has_received(request: Request, line: str) -> bool:
    return bool(await inbox_of(request).store.newest(Query(lines=(line,)), 1))


async def parse_start(request: Request, query: Query, override: str | None = None) -> tuple[Query, int]:
    """Return from where a wait reads: the query, perhaps limited to a time, and a position. Not given means now."""
    given = override or request.query_params.get("after")
    if not given:
        return query, await inbox_of(request).position()
    start = parse_after(given, inbox_of(request).now())
    if isinstance(start, datetime):
        return msgspec.structs.replace(query, since=start), 0
    _check_cursor(start, await inbox_of(request).store.position(), given)
    return query, start


def _check_cursor(cursor: int, position: int, given: str) -> None:
    """Raise BadCursor if a cursor lies in the future: it is Unix time, or else LostCursor, of another database."""
    if cursor > position:
        raise misread_time(given) or LostCursor(
            f"The cursor {cursor} lies in the future: it is of another database. Take a new one from /api/v1/messages.",
            value=given,
        )


def parse_range(request: Request, query: Query, position: int) -> tuple[Query, Range]:
    """Return where a list looks, of a store that is at `position`: the query, perhaps limited to times, and positions.

    Raises BadCursor for a cursor that lies in the future.
    """
    now = inbox_of(request).now()
    after, before = (
        parse_after(value, now) if (value := request.query_params.get(name)) else None for name in ("after", "before")
    )
    for name, cursor in (("after", after), ("before", before)):
        if isinstance(cursor, int):
            _check_cursor(cursor, position, request.query_params[name])
    if isinstance(after, datetime):
        query, after = msgspec.structs.replace(query, since=after), None
    if isinstance(before, datetime):
        query, before = msgspec.structs.replace(query, until=before), None
    return query, Range(after or 0, before)


def parse_deletion(request: Request, query: Query, position: int) -> tuple[Query, int]:
    """Return what is to be deleted of a store that is at `position`: the query, limited to times, and up to where.

    Nothing of it is guessed anew: `up_to` and `as_sent` say what was shown. Raises BadRequest without any filter, for
    an `after` or `before` that is a position, and for an `up_to` that is none; LostCursor for one in the future.
    """
    if not any(request.query_params.get(name) for name in ("line", "sender", "contains", "after", "before")):
        raise BadRequest("Say which messages to delete: by line, sender, contains, after or before.")
    query, bounds = parse_range(request, query, position)
    if bounds != Range(0, None):
        raise BadRequest("Say after and before as times here: `up_to` is the position.")
    given = request.query_params.get("up_to", "")
    if not (given.isascii() and given.isdecimal() and len(given) < 19):
        raise BadRequest(f"up_to = {given!r} is not accepted: give the position of the newest message to delete.")
    _check_cursor(int(given), position, given)
    as_sent = _parse_flag(request, "as_sent", default=False)
    return msgspec.structs.replace(query, as_sent=as_sent), int(given)


def parse_timeout(request: Request) -> float:
    """Return the seconds to wait. Raises BadTimeout if they are no number, or out of range."""
    advice = " For a longer wait, ask again with the cursor of the answer."
    return _parse_seconds(request, "timeout", DEFAULT_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS, advice=advice)


def _parse_seconds(request: Request, name: str, default: float, most: float, *, advice: str = "") -> float:
    given = request.query_params.get(name)
    if given is None:
        return default
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= most:  # also false for nan
        raise BadTimeout(f"{name} = {given!r} is not accepted: give seconds from 0 to {most}.{advice}", value=given)
    return seconds


def parse_choice(request: Request) -> Choice:
    """Return which of several matches is asked for. Raises BadRequest for what is none, and BadTimeout."""
    quiet_seconds = _parse_seconds(request, "quiet", QUIET_SECONDS, MAX_QUIET_SECONDS)
    wants_newest = _parse_flag(request, "newest", default="quiet" in request.query_params)
    return Choice(_parse_skip(request), quiet_seconds if wants_newest else None)


def _parse_flag(request: Request, name: str, *, default: bool) -> bool:
    given = request.query_params.get(name, str(default).lower())
    if given not in FLAGS:
        raise BadRequest(f"{name} = {given!r} is not accepted: give true or false.", parameter=name, value=given)
    return FLAGS[given]


def _parse_skip(request: Request) -> dict[str, str]:
    """Return which messages to pass over, by id or cursor, and why."""
    given = request.query_params.getlist("skip")
    if len(given) > MAX_SKIPPED or any(len(value) > MAX_SKIP for value in given):
        raise BadRequest(f"At most {MAX_SKIPPED} messages can be skipped, each with at most {MAX_SKIP} characters.")
    skipped = (value.partition(" ") for value in given)
    return {name: why or "it was to be passed over" for name, _, why in skipped}


def parse_limit(request: Request) -> int:
    """Return how many messages a list has at most. Raises BadRequest if it is out of range."""
    given = request.query_params.get("limit")
    if given is None:
        return DEFAULT_LIMIT
    if not (given.isascii() and given.isdecimal() and len(given) < 6 and 1 <= int(given) <= MAX_LIMIT):
        raise BadRequest(f"limit = {given!r} is not accepted: give a number from 1 to {MAX_LIMIT}.", value=given)
    return int(given)
