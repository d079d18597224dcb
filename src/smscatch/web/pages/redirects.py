"""The lines that point SDKs here, for pages: an application that sends through one is caught then."""

from starlette.requests import Request

from smscatch.keys import SEND
from smscatch.redirecting import TARGETS, redirects
from smscatch.web.endpoint import access_of
from smscatch.web.pages.gates import server_of
from smscatch.web.pages.quoting import quote_python

NO_KEY = "KEY"  # where a page knows none: they are kept hashed


def show_redirects(request: Request, key: str = NO_KEY) -> list[tuple[str, str]]:
    """Return each SDK with its line."""
    server = quote_python(server_of(request))[1:-1]  # a browser says where it found us
    return [each for provider in TARGETS for each in redirects(server, key, provider)]


def own_redirects(request: Request) -> list[tuple[str, str]]:
    """Return them for who may send; none for others."""
    return show_redirects(request) if access_of(request).may((SEND,)) else []
