"""The API for people: the OpenAPI description as a page. What it says is in the route table and the handlers."""

import re
from typing import Any, NamedTuple

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from smscatch.web.endpoint import render


class ListedCall(NamedTuple):
    """One call of the API as the page shows it."""

    method: str
    path: str
    anchor: str
    operation: dict[str, Any]
    body: str
    answer: str


async def docs_page(request: Request) -> Response:
    """What the API can do, call by call."""
    description = request.app.state.describe()
    calls = [
        ListedCall(method.upper(), path, _anchor(method, path), operation, _body(operation), _answer(operation))
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    ]
    return HTMLResponse(render(request, "docs.html", calls=calls, schemas=description["components"]["schemas"]))


def mark_code(text: str) -> Markup:
    """Return a text in which what stands between backticks is code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


def _anchor(method: str, path: str) -> str:
    return f"{method}-{'-'.join(part.strip('{}') for part in path.split('/') if part)}"


def _body(operation: dict[str, Any]) -> str:
    """Return the name of the schema of the body, or ""."""
    return _schema(operation.get("requestBody", {}))


def _answer(operation: dict[str, Any]) -> str:
    """Return what a good answer is: the name of a schema, or a MIME type."""
    good = next(response for status, response in operation["responses"].items() if status.startswith("2"))
    return _schema(good) or next(iter(good.get("content", {})), "")


def _schema(described: dict[str, Any]) -> str:
    contents = described.get("content", {}).values()
    references = (content["schema"].get("$ref", "") for content in contents)
    return next((reference.rpartition("/")[2] for reference in references if reference), "")
