"""What a refusal looks like: JSON for a program, a page for a person's browser."""

import logging
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from smscatch.errors import BadSignature, SmscatchError, StoreUnavailable, TooManyTries, Unauthorized, WrongMethod
from smscatch.web import pages
from smscatch.web.api import inbound
from smscatch.web.responses import json_response

RETRY_AFTER_SECONDS = 2

log = logging.getLogger(__name__)


def refuse(request: Request, error: SmscatchError) -> Response:
    """Answer an error of ours."""
    return _error_response(request, error.status, error.code, str(error), **error.details)


def refuse_page(request: Request, error: SmscatchError) -> Response:
    """Answer an error of ours; a person who is not signed in is sent to the login, where a program gets a 401."""
    if isinstance(error, Unauthorized) and _is_person(request):
        return pages.login.to_login(request)
    return refuse(request, error)


def refuse_provider(request: Request, error: SmscatchError) -> Response:
    """Answer an error of ours to a service; which part of a signature differs is for our administrators alone."""
    told = str(error)
    if isinstance(error, BadSignature):
        inbound.note_refused(request, error)
        told = "This is not signed as it should be; the log of smscatch says what differs."
    response = _json_response(error.status, error.code, told)
    if error.status == StoreUnavailable.status:
        response.headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    if isinstance(error, WrongMethod):
        response.headers["allow"] = error.details["allow"]
    return response


def _is_person(request: Request) -> bool:
    """Whether a browser asks for something to look at."""
    return "authorization" not in request.headers and "text/html" in request.headers.get("accept", "")


def _error_response(request: Request, status: int, code: str, message: str, **details: Any) -> Response:
    if _is_person(request):
        response = pages.errors.error_page(request, status, message)
    else:
        response = _json_response(status, code, message, **details)
    if status == Unauthorized.status:
        response.headers["www-authenticate"] = 'Bearer realm="smscatch"'
    if status in (503, TooManyTries.status):
        response.headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    return response


def _json_response(status: int, code: str, message: str, **details: Any) -> Response:
    return json_response(msgspec.json.encode({"error": code, "message": message, **details}), status)


async def refuse_http(request: Request, error: Exception) -> Response:
    """Answer what no route takes."""
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
    """Return what the path takes; the error names only the methods of the first of its routes (RFC 9110, 10.2.1).

    `/messages/next` is no `/messages/{id}`, though it looks like one: the first route that matches says which it is.
    """
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    matching = [route for route in routes if route.matches(request.scope)[0] != Match.NONE]
    taken = {method for route in matching if route.path == matching[0].path for method in route.methods or ()}
    return ", ".join(sorted(taken)) or "GET, HEAD"  # a file in /static


async def refuse_bug(request: Request, error: Exception) -> Response:
    """Answer an error that is none of ours, and log it."""
    # What went wrong is for the log; a client learns only that it was not its fault.
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _error_response(request, 500, SmscatchError.code, "A bug of smscatch; its log says more.")
