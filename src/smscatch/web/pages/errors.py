"""What a person's browser is told when something is refused, and the way on."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from smscatch.web.endpoint import render, texts_of


def error_page(request: Request, status: int, sentence: str) -> Response:
    """Answer a person's browser with what went wrong, and a way on."""
    texts = texts_of(request)
    heading = texts(f"error.{status}" if texts.has(f"error.{status}") else "error.other")
    return HTMLResponse(render(request, "error.html", status=status, heading=heading, sentence=sentence), status)
