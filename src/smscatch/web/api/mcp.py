"""The tools for agents over HTTP (streamable HTTP of the Model Context Protocol), behind the key of the request.

What the tools do is in smscatch/mcp.py, which needs the extra `mcp` and is loaded at the first request.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from smscatch.errors import NotFound


class ToolsAnswer(Response):
    """Answers a message of an agent's client. No session is kept: each request is whole by itself."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self._app = request.app  # now: another application writes its own into the scope
        self._address = (request.client.host, request.client.port) if request.client else ("", 0)
        self._credentials = request.headers.get("authorization", "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI
        from smscatch.mcp import answer_http, ask_inside  # noqa: PLC0415 - needs the extra

        open_api = ask_inside(self._app, self._address, self._credentials)
        await answer_http(open_api, scope, receive, send)


async def call_tools(request: Request) -> Response:
    """POST /mcp"""
    try:
        import smscatch.mcp  # noqa: F401, PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        raise NotFound(f"{error.name} is missing at the server: pip install 'smscatch[mcp]'") from error
    return ToolsAnswer(request)
