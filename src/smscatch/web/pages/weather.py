"""Making weather for texts that are caught from the page of the lines, and ending it."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from smscatch.errors import BadRequest, Forbidden
from smscatch.weather import NewWeather
from smscatch.web.endpoint import access_of
from smscatch.web.pages.lines import show_lines
from smscatch.web.pages.login import read_form
from smscatch.web.pages.rules import SWITCHES, WeatherForm

HOME = "/lines#weather"


async def make_weather(request: Request) -> Response:
    """Make a rule, and go back to the lines; one that is refused is shown again, with why."""
    given = {name: values[0].strip() for name, values in (await read_form(request)).items()}
    try:
        await access_of(request).add_weather(_parse(given))
    except (BadRequest, Forbidden) as error:
        return HTMLResponse(await show_lines(request, weather=WeatherForm(given, str(error))), error.status)
    return RedirectResponse(HOME, 303)


async def end_weather(request: Request) -> Response:
    """End a rule before its time, and go back to the lines."""
    await access_of(request).remove_weather(request.path_params["id"])
    return RedirectResponse(HOME, 303)


def _parse(given: dict[str, str]) -> NewWeather:
    """Return the rule that a form describes; what is empty there is not said. Raises BadRequest."""
    said: dict[str, Any] = {name: value for name, value in given.items() if value}
    try:
        return msgspec.convert(said | {name: True for name in SWITCHES if name in said}, NewWeather, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(f"This weather is not accepted: {error}.") from error
