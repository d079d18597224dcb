"""What a person's browser is told when something is refused, and the way on."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from smscatch.web.endpoint import render, texts_of
from smscatch.web.pages.login import home_of


def error_page(request: Request, status: int, sentence: str | None = None) -> Response:
    """Answer a person's browser with what went wrong, and a way on. Without `sentence` the catalogue has one."""
    texts = texts_of(request)
    access = getattr(request.state, "access", None)
    html = render(
        request,
        "error.html",
        status=status,
        heading=texts(f"error.{status}" if texts.has(f"error.{status}") else "error.other"),
        sentence=sentence or texts(f"error.{status}_hint"),
        language="en" if sentence else texts.language,
        home="/" if access is None else home_of(access.key),
    )
    return HTMLResponse(html, status)
