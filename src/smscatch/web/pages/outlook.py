"""How the lines are, as open pages show it: which there are, and how their modems do. What a page shows is in inbox."""

import time

from starlette.requests import Request

from smscatch.web.endpoint import context_of, inbox_of

SECONDS = 5.0


class PageState:
    """What all open pages depend on, read once in SECONDS at most, however many watch, and only while one does."""

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._position = -1
        self._lines: tuple[str, ...] = ()
        self._version = 0
        self._seen: object = None

    async def version(self, request: Request) -> int:
        """Return a number that is another one as soon as a line or the state of a modem is."""
        now = time.monotonic()
        if now - self._read_at >= SECONDS:
            self._read_at = now  # first: whoever asks meanwhile gets what was read before
            await self._read(request)
        return self._version

    async def _read(self, request: Request) -> None:
        lines, position = context_of(request).house.lines, await inbox_of(request).newest_position()
        if position != self._position:  # only a text can bring a new line
            self._position, self._lines = position, tuple(await lines.used())
        modems = lines.modems().values()
        shown = [(one.line, one.state, one.error, one.operator, one.signal_percent) for one in modems]
        if (self._lines, shown) != self._seen:
            self._seen = (self._lines, shown)
            self._version += 1


def outlook_of(request: Request) -> PageState:
    """Return what is shared by the open pages."""
    outlook: PageState = request.app.state.outlook
    return outlook
