"""What goes around every route: its face, what the handlers share, headers. The table of routes is in routes.py."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.convertors import Convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smscatch.access import House
from smscatch.arriving import LateArrivals
from smscatch.committing import Committer
from smscatch.deletions import Deletions
from smscatch.deliverers import Deliverers
from smscatch.errors import SmscatchError
from smscatch.hosts import CalledHosts
from smscatch.inbox import Inbox
from smscatch.keys import remember_configured
from smscatch.leases import Leases
from smscatch.lines import OwnLines
from smscatch.reads import Reads
from smscatch.repeats import Repeats
from smscatch.settings import Settings
from smscatch.sinks.callbacks import Callbacks
from smscatch.smpp.accounts import Accounts
from smscatch.smpp.states import BindStates
from smscatch.spool import Writer
from smscatch.tries import Tries
from smscatch.weather import Weather
from smscatch.web import pages
from smscatch.web.arrivals import SourceArrivals
from smscatch.web.endpoint import Context, Endpoint, Handler, SendTest
from smscatch.web.params import check_names
from smscatch.web.refusals import refuse_bug, refuse_http
from smscatch.web.routes import ENDPOINTS
from smscatch.web.static_files import mounts

SECURITY_HEADERS = {
    b"content-security-policy": b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src"
    b" 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",  # with no-referrer our own forms would have the origin null
    b"cache-control": b"no-store",
}
STATIC_HEADERS = {
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",  # a file by itself needs nothing else
    b"cache-control": b"no-cache",  # kept by the browser, which asks by ETag whether it changed
}


def make_app(inbox: Inbox, leases: Leases, settings: Settings, reads: Reads | None = None, **more: Any) -> ASGIApp:
    """Return the ASGI application over an open inbox, with what `make_context` makes of the same. Raises BadSetting."""
    return app_in(make_context(inbox, leases, settings, reads, **more))


def app_in(context: Context) -> ASGIApp:
    """Return the ASGI application whose handlers share a context."""
    return SecurityHeaders(Shortcut(_starlette(context)))  # around everything, also what Starlette answers to a bug


def make_context(  # noqa: PLR0913 - what a server runs beside it
    inbox: Inbox,
    leases: Leases,
    settings: Settings,
    reads: Reads | None = None,
    *,
    test_lines: Mapping[str, SendTest] = MappingProxyType({}),
    binds: BindStates | None = None,
    callbacks: Callbacks | None = None,
    late: LateArrivals | None = None,
    smpp_port: int | None = None,
) -> Context:
    """Return what the handlers share. Whoever gives `reads` sees to it that they are written.

    `test_lines` are the lines on simulated modems, each with what sends a text to it; `binds` is how those to SMSCs
    are. Whoever gives `callbacks` sees to it that they are made, and whoever gives `late` that it arrives.
    Raises BadSetting for a wrong source.
    """
    binds = binds or BindStates()
    spool = Writer(settings.spool)
    return Context(
        house=_make_house(inbox, leases, settings, reads=reads or Reads(inbox), binds=binds),
        tries=Tries(),
        render=_render,
        test_lines=test_lines,
        deliverers=Deliverers(settings, inbox),
        arrivals=SourceArrivals(),
        spool=spool,
        committer=Committer(inbox, spool),
        binds=binds,
        callbacks=callbacks or Callbacks(inbox, allows_private=False),
        repeats=Repeats(),
        hosts=CalledHosts(),
        late=late or LateArrivals(inbox, settings),
        accounts=Accounts(settings.smpp_server_rate),
        smpp_port=smpp_port,
    )


def _make_house(inbox: Inbox, leases: Leases, settings: Settings, *, reads: Reads, binds: BindStates) -> House:
    return House(
        settings=settings,
        inbox=inbox,
        leases=leases,
        lines=OwnLines(settings, inbox, leases, binds),
        reads=reads,
        deletions=Deletions(),
        remembered=remember_configured(settings.admin_key),
        weather=Weather(settings, inbox),
    )


def _starlette(context: Context) -> Starlette:
    app = Starlette(
        routes=[*(Route(each.path, _handler(each), methods=[each.method]) for each in ENDPOINTS), *mounts()],
        exception_handlers={HTTPException: refuse_http, Exception: refuse_bug},
    )
    app.router.redirect_slashes = False  # it would send a client to whatever its Host header says
    app.state.describe = _describe
    app.state.outlook = pages.outlook.PageState()
    app.state.context = context
    return app


def _handler(endpoint: Endpoint) -> Handler:
    face = endpoint.face

    async def handle(request: Request) -> Response:
        try:
            await face.let_in(request, endpoint)
            if face.checks_names:
                check_names(request, endpoint.parameters)
            return await endpoint.handler(request)
        except SmscatchError as error:
            return face.refuse(request, error)

    return handle


class Shortcut:
    """Hands what a row of the table takes to its handler at once (dispatch); to Starlette what none takes, and files.

    That one asks route by route, whatever the method, and puts four layers around each, which thousands who wait would
    all hold.
    """

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._plain = {(each.method, each.path): _handler(each) for each in ENDPOINTS if "{" not in each.path}
        self._patterns: dict[str, list[_Pattern]] = {}  # by method, in the order of the table
        for each in ENDPOINTS:
            if "{" in each.path:
                self._patterns.setdefault(each.method, []).append(_Pattern.of(each))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI
        handle = self._find(scope)
        if handle is None:
            await self._app(scope, receive, send)
        else:
            scope["app"] = self._app
            await self._answer(Request(scope, receive, send), send, handle)

    def _find(self, scope: Scope) -> Handler | None:
        """Return the handler of a request, and put what its path names into the scope."""
        method, path = scope.get("method", ""), scope.get("path", "")
        handle = self._plain.get((method, path))
        if handle is not None:
            return handle
        for pattern in self._patterns.get(method, ()):
            names = pattern.match(path)
            if names is not None:
                scope["path_params"] = names
                return pattern.handle
        return None

    async def _answer(self, request: Request, send: Send, handle: Handler) -> None:
        try:
            response = await handle(request)
        except HTTPException as error:
            response = await refuse_http(request, error)
        except Exception as error:
            response = await refuse_bug(request, error)
            await response(request.scope, request.receive, send)
            raise  # for the server's log
        await response(request.scope, request.receive, send)


class _Pattern(NamedTuple):
    """A path with parameters, as Starlette writes it, and what answers it."""

    regex: re.Pattern[str]
    convertors: Mapping[str, Convertor[Any]]
    handle: Handler

    @classmethod
    def of(cls, endpoint: Endpoint) -> "_Pattern":
        regex, _, convertors = compile_path(endpoint.path)
        return cls(regex, convertors, _handler(endpoint))

    def match(self, path: str) -> dict[str, Any] | None:
        """Return the parameters of a path, None if it is another."""
        found = self.regex.match(path)
        return found and {name: self.convertors[name].convert(value) for name, value in found.groupdict().items()}


def _describe() -> dict[str, Any]:
    from smscatch.web.openapi import describe_api  # noqa: PLC0415 - the first answer does not wait for it

    return describe_api(ENDPOINTS)


def _render(template: str, **values: Any) -> str:
    from smscatch.web.templating import render  # noqa: PLC0415 - pages alone need Jinja2, which is slow to load

    return render(template, **values)


class SecurityHeaders:
    """Adds the headers that keep a browser from running or loading anything but our own files."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                headers = SECURITY_HEADERS | (STATIC_HEADERS if scope["path"].startswith("/static/") else {})
                added = [(name, value) for name, value in headers.items() if name not in present]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
