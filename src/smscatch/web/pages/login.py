"""Signing in with a key, signing out, and what a browser keeps of how its pages look."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from smscatch.errors import Unauthorized
from smscatch.keys import ADMIN, LEASE, READ, SESSION, end_session, get_key, start_session
from smscatch.stores import Key
from smscatch.web.auth import COOKIE, slow_down
from smscatch.web.bodies import read_body
from smscatch.web.endpoint import DENSE, VEIL, inbox_of, render

YEAR_SECONDS = 365 * 86_400
PAGE = re.compile(r"/|/lines|/keys|/docs|/messages/[^/]+")


async def login_page(request: Request) -> Response:
    """Where a person gives a key."""
    path = safe_path(request.query_params.get("next"))
    return HTMLResponse(render(request, "login.html", is_refused=False, next=path))


async def login(request: Request) -> Response:
    """Make a session from a key, and go to the page that was asked for."""
    form = await read_form(request)
    path = safe_path(form.get("next", [""])[0])
    secret = form.get("key", [""])[0].strip()
    try:
        session = await slow_down(request, secret, lambda: start_session(inbox_of(request), secret))
    except Unauthorized as error:
        return HTMLResponse(render(request, "login.html", is_refused=True, next=path), error.status)
    if path == "/":
        path = home_of(await get_key(inbox_of(request), session)) or "/"
    response = RedirectResponse(path, 303)
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
    await end_session(inbox_of(request), request.cookies.get(COOKIE, ""))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE)
    return response


async def veil(request: Request) -> Response:
    """Veil codes in this browser, or show them, and go back to the page."""
    return await _switch(request, "veil", VEIL)


async def dense(request: Request) -> Response:
    """Let a text take one line of the list in this browser, or as many as it needs, and go back to the page."""
    return await _switch(request, "dense", DENSE)


async def _switch(request: Request, field: str, cookie: str) -> Response:
    form = await read_form(request)
    response = RedirectResponse(safe_path(form.get("next", [""])[0]), 303)
    response.set_cookie(cookie, "on" if form.get(field) == ["on"] else "off", max_age=YEAR_SECONDS, samesite="lax")
    return response


def to_login(request: Request) -> Response:
    """Send a person to the login, which leads back here."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    path = here if request.method == "GET" else "/"
    return RedirectResponse("/login" if path == "/" else f"/login?{urlencode({'next': path})}", 303)


def home_of(key: Key) -> str | None:
    """Return the first page that a key may see; None if it may see none."""
    if {READ, ADMIN} & {*key.scopes}:
        return "/"
    return "/lines" if LEASE in key.scopes else None


def safe_path(path: str | None) -> str:
    """Return `path` if it leads to a page of this server, otherwise the first page.

    Browsers take `//host`, `/\\host` and, since they drop tabs and line ends, `/<tab>/host` for another host (WHATWG
    URL, 4.4).
    """
    if not path or not path.startswith("/") or path[1:2] in ("/", "\\"):
        return "/"
    if not path.isascii() or not path.isprintable():
        return "/"
    parts = urlsplit(path)
    return path if not parts.netloc and PAGE.fullmatch(parts.path) else "/"


async def read_form(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form."""
    return parse_qs((await read_body(request)).decode(errors="replace"))
