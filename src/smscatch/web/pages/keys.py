"""The keys there are: an administrator makes them, limits what they see and may, and ends them."""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from smscatch import keys
from smscatch.errors import BadRequest, Forbidden, StoreUnavailable
from smscatch.rights import end_forfeited
from smscatch.smppkeys import add_smpp_key
from smscatch.stores import Key
from smscatch.web.endpoint import access_of, context_of, inbox_of, render, texts_of
from smscatch.web.pages.login import read_form
from smscatch.web.pages.redirects import show_redirects
from smscatch.web.pages.rows import tags_of

LIFETIMES = (1, 7, 30, 90, 365)  # days


class KeyRow(NamedTuple):
    """What stands in a form of this page: of a new key if `key_id` is "". `error` says why it was refused, if it was.

    `lines` are those ticked; they count if `sees_all` is not chosen. `is_smpp`: it is for an application that sends by
    SMPP, so it may send alone.
    """

    key_id: str = ""
    name: str = ""
    scopes: tuple[str, ...] = ("read",)
    sees_all: bool = True
    lines: tuple[str, ...] = ()
    days: str = ""
    is_smpp: bool = False
    error: str = ""


class MadeKey(NamedTuple):
    """A key that was made just now, with its secret; of one for SMPP that is a password, for its id as system_id."""

    key: Key
    secret: str
    is_smpp: bool = False


async def keys_page(request: Request) -> Response:
    """The keys there are, and a form for another."""
    return await _page(request)


async def make_key(request: Request) -> Response:
    """Make a key, and show its secret: this once, in the answer itself, since nothing keeps it."""
    _own(request)
    entry = _read_entry(await read_form(request))
    try:
        scopes, lines = await _parse_limits(request, entry)
        if not entry.name:
            raise BadRequest(texts_of(request)("keys.no_name"))
        made = await _make(request, entry, scopes, lines)
    except BadRequest as error:
        return await _page(request, refused=entry._replace(error=str(error)))
    return await _page(request, made)


async def _make(request: Request, entry: KeyRow, scopes: tuple[str, ...], lines: tuple[str, ...] | None) -> MadeKey:
    """Make the key that a form describes. Raises BadRequest."""
    inbox, lifetime = inbox_of(request), _lifetime(entry.days)
    if entry.is_smpp:
        return MadeKey(*await add_smpp_key(inbox, entry.name, lines, lifetime=lifetime), is_smpp=True)
    return MadeKey(*await keys.add_key(inbox, entry.name, scopes, lines, lifetime=lifetime))


def _read_entry(form: dict[str, list[str]], key_id: str = "") -> KeyRow:
    lines, is_smpp = tuple(dict.fromkeys(form.get("line", []))), form.get("for") == ["smpp"]
    return KeyRow(
        key_id=key_id,
        name=form.get("name", [""])[0].strip(),
        scopes=(keys.SEND,) if is_smpp else tuple(dict.fromkeys(form.get("scope", []))),
        sees_all=form.get("reach") == ["all"],
        lines=lines,
        days=form.get("days", [""])[0],
        is_smpp=is_smpp,
    )


async def _parse_limits(
    request: Request, entry: KeyRow, lines_before: Sequence[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """Return the scopes and the lines that a form gives a key. `lines_before` need not be there any more."""
    if not entry.scopes:
        raise BadRequest(texts_of(request)("keys.no_scope"))
    keys.check_scopes(entry.scopes)
    if entry.sees_all:
        return entry.scopes, None
    if not entry.lines:
        raise BadRequest(texts_of(request)("keys.no_line"))  # not all of them: that has to be said
    known = {line.number for line in await access_of(request).lines()}.union(lines_before)
    if not known.issuperset(entry.lines):
        raise BadRequest(f"There is no line {', '.join(set(entry.lines) - known)}.")
    return entry.scopes, entry.lines


async def limit_key(request: Request) -> Response:
    """Change what a key may do and which lines it sees.

    Browsers that are signed in with it have to sign in anew, and its leases of lines that it loses end.
    """
    key_id = request.path_params["id"]
    if key_id in (_own(request), keys.CONFIGURED):
        raise BadRequest("You are signed in with this key, or it is in the configuration: it stays an administrator's.")
    key = next((key for key in await keys.list_keys(inbox_of(request)) if key.id == key_id), None)
    if key is None:
        raise keys.unknown_id()
    entry = _read_entry(await read_form(request), key_id)
    try:
        scopes, lines = await _parse_limits(request, entry, key.lines or ())
    except BadRequest as error:
        return await _page(request, refused=entry._replace(error=str(error)))
    changed = msgspec.structs.replace(key, scopes=scopes, lines=lines)
    await keys.change_key(inbox_of(request), context_of(request).house.remembered, changed)
    await _end_forfeited(request)
    return RedirectResponse("/keys", 303)


async def revoke_key(request: Request) -> Response:
    """End a key, the sessions made from it, and its leases."""
    key_id = request.path_params["id"]
    if key_id == _own(request):
        raise BadRequest("You are signed in with this key; another administrator's can revoke it.")
    await keys.revoke_key(inbox_of(request), context_of(request).house.remembered, key_id)
    await _end_forfeited(request)
    return RedirectResponse("/keys", 303)


async def _end_forfeited(request: Request) -> None:
    with contextlib.suppress(StoreUnavailable):  # the server's next round ends them (rights.keep_ending_forfeited)
        await end_forfeited(context_of(request).house.leases, inbox_of(request))


async def _page(request: Request, made: MadeKey | None = None, refused: KeyRow | None = None) -> Response:
    """Answer with the page, which shows a key made just now, or a form that was refused with what stood in it."""
    own = _own(request)
    present = await keys.list_keys(inbox_of(request))
    entries = {key.id: KeyRow(key.id, "", key.scopes, key.lines is None, key.lines or ()) for key in present}
    entries[""] = KeyRow()
    if refused is not None:
        entries[refused.key_id] = refused
    html = render(
        request,
        "keys.html",
        keys=present,
        entries=entries,
        made=made,
        redirects=_redirects(request, made),
        own=own,
        configured=keys.CONFIGURED,
        scopes=keys.SCOPES,
        tags=tags_of(await access_of(request).lines()),
        lifetimes=LIFETIMES,
        now=inbox_of(request).now(),
    )
    return HTMLResponse(html, 200 if refused is None else BadRequest.status)


def _redirects(request: Request, made: MadeKey | None) -> list[tuple[str, str]]:
    """Return how an SDK is pointed here with a key that was made just now, if it may send over HTTP."""
    is_shown = made is not None and keys.SEND in made.key.scopes and not made.is_smpp
    return show_redirects(request, made.secret) if made is not None and is_shown else []


def _own(request: Request) -> str:
    """Return the id of the key that is signed in. Raises Forbidden for one that sees some lines only.

    It could make itself a key that sees all.
    """
    access = access_of(request)
    if access.key.lines is not None:
        raise Forbidden("This key is limited to some lines, so it may not make keys.")
    return access.owner


def _lifetime(days: str) -> timedelta | None:
    """Return how long a key lasts; None is for ever. Raises BadRequest for what the form does not offer."""
    if not days:
        return None
    if days not in map(str, LIFETIMES):
        raise BadRequest(f"A key lasts for ever, or for one of these numbers of days: {LIFETIMES}.")
    return timedelta(days=int(days))
