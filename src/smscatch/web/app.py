"""The route table, and what goes around every route: keys, errors, headers."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smscatch.access import ORIGINS
from smscatch.errors import SmscatchError, TooManyTries, Unauthorized
from smscatch.inbox import Inbox
from smscatch.keys import ADMIN, INGEST, LEASE, READ
from smscatch.leases import Leases
from smscatch.messages import format_time
from smscatch.settings import Settings
from smscatch.web import api, inbound, leases, pages
from smscatch.web.auth import identify, refuse_other_sites, remember
from smscatch.web.deletions import Deletions
from smscatch.web.endpoint import Context, Endpoint, Parameter
from smscatch.web.openapi import describe_api
from smscatch.web.params import AFTER, BEFORE, FILTERS, LEASE_WAIT, LIMIT, LINE, TICKET, WAIT, check_names
from smscatch.web.reads import Reads
from smscatch.web.tries import Tries

HERE = Path(__file__).parent
LAST_EVENT_ID = Parameter("Last-Event-ID", "string", "The id of the last event that came; goes before `after`.")
NEXT = Parameter("next", "string", "The page to go to afterwards.")
EVENTS, HTML = "text/event-stream", "text/html"
RETRY_AFTER_SECONDS = 2
# Pages are not compressed: they hold secrets beside what the address asked for, and their length would tell (BREACH).
STATIC = GZipMiddleware(StaticFiles(directory=HERE / "static"))
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

log = logging.getLogger(__name__)


async def openapi(request: Request) -> Response:
    """This description."""
    return api.value_response(describe_api(ENDPOINTS))


PAGES = tuple(
    Endpoint(method, path, handler, scopes, answer, parameters, is_page=True)
    for method, path, handler, scopes, answer, parameters in (
        ("GET", "/", pages.inbox.inbox_page, (READ,), HTML, (*FILTERS, AFTER, BEFORE)),
        ("GET", "/live", pages.inbox.live, (READ,), EVENTS, (*FILTERS, AFTER)),
        ("GET", "/messages/{id}", pages.message.message_page, (READ,), HTML, ()),
        ("GET", "/messages/{id}/raw", pages.message.download_raw, ORIGINS, "application/octet-stream", ()),
        ("POST", "/messages/{id}/delete", pages.message.delete, (ADMIN,), HTML, ()),
        ("GET", "/lines", pages.lines.lines_page, (READ, LEASE), HTML, ()),
        ("GET", "/keys", pages.keys.keys_page, (ADMIN,), HTML, ()),
        ("POST", "/keys", pages.keys.make_key, (ADMIN,), HTML, ()),
        ("POST", "/keys/{id}", pages.keys.limit_key, (ADMIN,), HTML, ()),
        ("POST", "/keys/{id}/revoke", pages.keys.revoke_key, (ADMIN,), HTML, ()),
        ("GET", "/docs", pages.docs.docs_page, (READ,), HTML, ()),
        ("GET", "/login", pages.login.login_page, (), HTML, (NEXT,)),
        ("POST", "/login", pages.login.login, (), HTML, ()),
        ("POST", "/logout", pages.login.logout, (), HTML, ()),
        ("POST", "/veil", pages.login.veil, (), HTML, ()),
        ("POST", "/dense", pages.login.dense, (), HTML, ()),
        ("GET", "/icon/{count}.svg", pages.icons.unread_icon, (), "image/svg+xml", ()),
        ("GET", "/manifest.webmanifest", pages.icons.manifest, (), "application/manifest+json", ()),
    )
)
ENDPOINTS = (
    *PAGES,
    Endpoint("GET", "/api/v1/code", api.next_code, (READ,), "text/plain", WAIT),
    Endpoint("GET", "/api/v1/cursor", api.get_cursor, (READ, LEASE), "text/plain"),
    Endpoint("GET", "/api/v1/messages", api.list_messages, (READ,), "MessagePage", (*FILTERS, AFTER, BEFORE, LIMIT)),
    Endpoint("DELETE", "/api/v1/messages", api.delete_messages, (ADMIN,), "", (LINE,), status=204),
    Endpoint("GET", "/api/v1/messages/next", api.next_message, (READ,), "Message", WAIT),
    Endpoint("GET", "/api/v1/messages/{id}", api.get_message, (READ,), "Message", FILTERS),
    Endpoint("GET", "/api/v1/messages/{id}/reads", api.list_reads, ORIGINS, "ReadList", FILTERS),
    Endpoint("DELETE", "/api/v1/messages/{id}", api.delete_message, (ADMIN,), "", FILTERS, status=204),
    Endpoint("GET", "/api/v1/lines", api.list_lines, (READ, LEASE), "LineList"),
    Endpoint("GET", "/api/v1/leases", leases.list_leases, (READ, LEASE), "LeaseList"),
    Endpoint("POST", "/api/v1/leases", leases.acquire, (LEASE,), "Lease|LeaseGroup", body="LeaseRequest", status=201),
    Endpoint("DELETE", "/api/v1/leases", leases.give_up, (LEASE,), "", (TICKET,), status=204),
    Endpoint("GET", "/api/v1/leases/{id}", leases.get_lease, (READ, LEASE), "Lease|LeaseGroup"),
    Endpoint("DELETE", "/api/v1/leases/{id}", leases.release, (LEASE,), "", status=204),
    Endpoint("GET", "/api/v1/leases/{id}/messages", leases.list_messages, (LEASE,), "MessagePage"),
    Endpoint("POST", "/api/v1/leases/{id}/extend", leases.extend, (LEASE,), "Lease|LeaseGroup", body="Extension"),
    Endpoint("GET", "/api/v1/leases/{id}/next", leases.next_message, (LEASE,), "Message", LEASE_WAIT),
    Endpoint("GET", "/api/v1/leases/{id}/code", leases.next_code, (LEASE,), "text/plain", LEASE_WAIT),
    Endpoint("GET", "/api/v1/events", api.events, (READ,), EVENTS, (*FILTERS, AFTER), headers=(LAST_EVENT_ID,)),
    Endpoint("POST", "/api/v1/inbound/{source}", inbound.receive, (INGEST,), api.JSON, body="GenericDelivery"),
    Endpoint("POST", "/api/v1/explain", api.explain, (READ,), api.JSON, body="Text"),
    Endpoint("GET", "/json", api.json_of_2018, (READ,), api.JSON, (LINE,)),
    Endpoint("GET", "/healthz", api.health, (), api.JSON),
    Endpoint("GET", "/readyz", api.readiness, (READ,), api.JSON),
    Endpoint("GET", "/openapi.json", openapi, (READ,), api.JSON),
)


def make_app(inbox: Inbox, leases: Leases, settings: Settings, reads: Reads | None = None) -> ASGIApp:
    """Return the ASGI application over an open inbox. Whoever gives `reads` sees to it that they are written."""
    app = Starlette(
        routes=[_route(endpoint) for endpoint in ENDPOINTS] + [Mount("/static", STATIC)],
        exception_handlers={
            SmscatchError: _refuse,
            HTTPException: _refuse_http,
            Exception: _refuse_bug,
        },
    )
    app.router.redirect_slashes = False  # it would send a client to whatever its Host header says
    app.state.describe = lambda: describe_api(ENDPOINTS)
    app.state.outlook = pages.outlook.Outlook()
    app.state.context = Context(
        inbox,
        leases,
        settings,
        reads or Reads(inbox.store, inbox.now),
        Deletions(),
        remember(settings),
        Tries(),
        _renderer(),
    )
    return SecurityHeaders(app)  # around everything, also what Starlette answers to a bug


def _route(endpoint: Endpoint) -> Route:
    async def handle(request: Request) -> Response:
        if endpoint.scopes:
            await identify(request, endpoint)
        elif endpoint.method == "POST":
            refuse_other_sites(request)
        check_names(request, endpoint.parameters)
        return await endpoint.handler(request)

    return Route(endpoint.path, _with_login(handle) if endpoint.is_page else handle, methods=[endpoint.method])


def _with_login(handle: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Send a person who is not signed in to the login, where a program would get a 401."""

    async def handle_page(request: Request) -> Response:
        try:
            return await handle(request)
        except Unauthorized:
            if not _is_person(request):
                raise
            return pages.login.to_login(request)

    return handle_page


def _is_person(request: Request) -> bool:
    """Whether a browser asks for something to look at."""
    return "authorization" not in request.headers and "text/html" in request.headers.get("accept", "")


def _renderer() -> Callable[..., str]:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters["time"] = format_time
    environment.filters["spans"] = pages.docs.mark_code
    environment.filters["clock"] = lambda time: f"{time:%Y-%m-%d %H:%M} UTC"  # for readers without our scripts

    def render(template: str, **values: Any) -> str:
        return environment.get_template(template).render(values)

    return render


def _error_response(request: Request, status: int, code: str, message: str, **details: Any) -> Response:
    if _is_person(request):
        response = pages.errors.error_page(request, status, message)
    else:
        content = msgspec.json.encode({"error": code, "message": message, **details})
        response = api.json_response(content, status)
    if status == Unauthorized.status:
        response.headers["www-authenticate"] = 'Bearer realm="smscatch"'
    if status in (503, TooManyTries.status):
        response.headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    return response


async def _refuse(request: Request, error: Exception) -> Response:
    if not isinstance(error, SmscatchError):
        raise error
    return _error_response(request, error.status, error.code, str(error), **error.details)


async def _refuse_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "bad_request")
    sentence = {
        "not_found": f"There is no {request.url.path} here; /openapi.json lists what there is.",
        "method_not_allowed": f"{request.method} is not for {request.url.path}; /openapi.json says what is.",
    }.get(code, str(error.detail))
    if _is_person(request) and code != "bad_request":
        response = pages.errors.error_page(request, error.status_code)
    else:
        response = _error_response(request, error.status_code, code, sentence)
    if error.status_code == 405:
        response.headers["allow"] = _methods_of(request)
    return response


def _methods_of(request: Request) -> str:
    """Return what the path takes; the error names only the methods of the first of its routes (RFC 9110, 10.2.1)."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    taken = {
        method for route in routes if route.matches(request.scope)[0] != Match.NONE for method in route.methods or ()
    }
    return ", ".join(sorted(taken)) or "GET, HEAD"  # a file in /static


async def _refuse_bug(request: Request, error: Exception) -> Response:
    # What went wrong is for the log; a client learns only that it was not its fault.
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _error_response(request, 500, SmscatchError.code, "A bug of smscatch; its log says more.")


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
