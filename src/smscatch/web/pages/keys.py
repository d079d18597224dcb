"""The keys there are: an administrator makes them, limits what they see and may, and ends them."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from smscatch.errors import BadRequest, Forbidden, NotFound
from smscatch.stores import Key
from smscatch.web.api import lines_of
from smscatch.web.auth import CONFIGURED, add_key, check_scopes
from smscatch.web.endpoint import SCOPES, inbox_of, key_of, render
from smscatch.web.pages.login import read_form
from smscatch.web.pages.rows import tags_of

GONE = "There is no such key; it may have been revoked already."
LIFETIMES = (1, 7, 30, 90, 365)  # days


async def keys_page(request: Request) -> Response:
    """The keys there are, and a form for another."""
    return await _page(request)


async def make_key(request: Request) -> Response:
    """Make a key, and show its secret: this once, in the answer itself, since nothing keeps it."""
    _own(request)
    form = await read_form(request)
    scopes, lines = await _parse_limits(request, form)
    name = form.get("name", [""])[0].strip()
    made = await add_key(inbox_of(request), name, scopes, lines, lifetime=_lifetime(form.get("days", [""])[0]))
    return await _page(request, made)


async def _parse_limits(
    request: Request, form: dict[str, list[str]], lines_before: Sequence[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """Return the scopes and the lines that a form gives a key. `lines_before` need not be there any more."""
    scopes = tuple(dict.fromkeys(form.get("scope", [])))
    if not scopes:
        raise BadRequest("A key needs at least one scope; what it may not do, it refuses.")
    check_scopes(scopes)
    lines = tuple(dict.fromkeys(form.get("line", []))) or None
    known = {line.number for line in await lines_of(request)}.union(lines_before)
    if lines is not None and not known.issuperset(lines):
        raise BadRequest(f"There is no line {', '.join(set(lines) - known)}.")
    return scopes, lines


async def limit_key(request: Request) -> Response:
    """Change what a key may do and which lines it sees. Browsers that are signed in with it have to sign in anew."""
    key_id = request.path_params["id"]
    if key_id in (_own(request), CONFIGURED):
        raise BadRequest("You are signed in with this key, or it is in the configuration: it stays an administrator's.")
    key = next((key for key in await inbox_of(request).store.keys() if key.id == key_id), None)
    if key is None:
        raise NotFound(GONE)
    scopes, lines = await _parse_limits(request, await read_form(request), key.lines or ())
    if not await inbox_of(request).store.change_key(msgspec.structs.replace(key, scopes=scopes, lines=lines)):
        raise NotFound(GONE)
    return RedirectResponse("/keys", 303)


async def revoke_key(request: Request) -> Response:
    """End a key, and the sessions made from it."""
    key_id = request.path_params["id"]
    if key_id == _own(request):
        raise BadRequest("You are signed in with this key; another administrator's can revoke it.")
    if not await inbox_of(request).store.revoke_key(key_id):
        raise NotFound(GONE)
    return RedirectResponse("/keys", 303)


async def _page(request: Request, made: tuple[Key, str] | None = None) -> Response:
    own = _own(request)
    html = render(
        request,
        "keys.html",
        keys=await inbox_of(request).store.keys(),
        made=made,
        own=own,
        configured=CONFIGURED,
        scopes=SCOPES,
        tags=tags_of(await lines_of(request)),
        lifetimes=LIFETIMES,
        now=inbox_of(request).now(),
    )
    return HTMLResponse(html)


def _own(request: Request) -> str:
    """Return the id of the key that is signed in. Raises Forbidden for one that sees some lines only.

    It could make itself a key that sees all.
    """
    key = key_of(request)
    if key.lines is not None:
        raise Forbidden("This key is limited to some lines, so it may not make keys.")
    return key.parent or key.id


def _lifetime(days: str) -> timedelta | None:
    """Return how long a key lasts; None is for ever. Raises BadRequest for what the form does not offer."""
    if not days:
        return None
    if days not in map(str, LIFETIMES):
        raise BadRequest(f"A key lasts for ever, or for one of these numbers of days: {LIFETIMES}.")
    return timedelta(days=int(days))
