"""Query parameters and bodies to values; each refusal says what was given and what is taken."""

import msgspec
from starlette.requests import Request

from smscatch.access import MAX_CONTAINS, Wait
from smscatch.cursors import Range, check_cursor, parse_range
from smscatch.errors import BadRequest, BadTimeout
from smscatch.letting import MAX_TIMEOUT_SECONDS
from smscatch.messages import MAX_QUIET_SECONDS, QUIET_SECONDS, Query
from smscatch.search import WAYS
from smscatch.waits import Choice
from smscatch.web.endpoint import Parameter, access_of, inbox_of

DEFAULT_TIMEOUT_SECONDS = 30
MAX_LIMIT = 500
DEFAULT_LIMIT = 50
MAX_SKIPPED = 100
MAX_SKIP = 300
FLAGS = {"true": True, "1": True, "false": False, "0": False}

LINE = Parameter("line", "string", "Only this number of ours, in any spelling; may be repeated.", is_list=True)
CHOSEN = Parameter("line", "string", "The number of ours that the examples have in them.")
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
WAY = Parameter("way", "string", "Only texts that went so.", limits={"enum": list(WAYS)})
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
LAST_EVENT_ID = Parameter("Last-Event-ID", "string", "The id of the last event that came; goes before `after`.")
NEXT = Parameter("next", "string", "The page to go to afterwards.")
THESE_LINES = LINE._replace(
    help="The numbers whose messages are meant; may be repeated.",
    is_required=True,
    limits={"minLength": 1},
    items={"minItems": 1},
)
HOW = (TIMEOUT, NEWEST, QUIET, SKIP)
WAIT = (*FILTERS, AFTER, *HOW)
LEASE_WAIT = (SENDER, CONTAINS, AFTER, *HOW)


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
    """Return the filters of a request, limited to the lines of its key: see Access.query."""
    given = request.query_params
    return await access_of(request).query(given.getlist("line"), given.get("sender"), given.get("contains"))


def parse_way(request: Request) -> str | None:
    """Return which way the texts went that are asked for, None for all. Raises BadRequest."""
    way = request.query_params.get("way") or None
    if way not in (None, *WAYS):
        raise BadRequest(f"way = {way[:40]!r} is not accepted: give one of {', '.join(WAYS)}.", parameter="way")
    return way


def place_of(request: Request) -> tuple[str | None, str | None]:
    """Return what a request gives as `after` and `before`."""
    return request.query_params.get("after"), request.query_params.get("before")


def parse_deletion(request: Request, query: Query, position: int) -> tuple[Query, int]:
    """Return what is to be deleted of a store that is at `position`: the query, limited to times, and up to where.

    Nothing of it is guessed anew: `up_to` and `as_sent` say what was shown. Raises BadRequest without any filter, for
    an `after` or `before` that is a position, and for an `up_to` that is none; LostCursor for one in the future.
    """
    if not any(request.query_params.get(name) for name in ("line", "sender", "contains", "way", "after", "before")):
        raise BadRequest("Say which messages to delete: by line, sender, contains, after or before.")
    after, before = place_of(request)
    query, bounds = parse_range(query, after, before, position=position, now=inbox_of(request).now())
    if bounds != Range(0, None):
        raise BadRequest("Say after and before as times here: `up_to` is the position.")
    given = request.query_params.get("up_to", "")
    if not (given.isascii() and given.isdecimal() and len(given) < 19):
        raise BadRequest(f"up_to = {given!r} is not accepted: give the position of the newest message to delete.")
    check_cursor(int(given), position, given)
    as_sent = _parse_flag(request, "as_sent", default=False)
    return msgspec.structs.replace(query, as_sent=as_sent), int(given)


def _parse_timeout(request: Request) -> float:
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


async def parse_wait(request: Request, *, has_code: bool = False) -> Wait:
    """Return what is waited for, perhaps with a code. Raises as parse_query does, and BadTimeout."""
    query = msgspec.structs.replace(await parse_query(request), has_code=has_code)
    return Wait(query, request.query_params.get("after"), _parse_timeout(request), _parse_choice(request))


def _parse_choice(request: Request) -> Choice:
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
