"""The weather over HTTP: what becomes of texts that are caught. Handlers parse, call, answer."""

from starlette.requests import Request
from starlette.responses import Response

from smscatch.weather import NewWeather, WeatherRules
from smscatch.web.bodies import parse_body
from smscatch.web.endpoint import access_of
from smscatch.web.responses import value_response


async def list_rules(request: Request) -> Response:
    """The weather, the newest rule first, those of the settings last: the first that fits a text is the one."""
    return value_response(WeatherRules(rules=await access_of(request).weather()))


async def add_rule(request: Request) -> Response:
    """Makes weather for texts that are caught: they are late, lost, doubled, undelivered, refused for a while.

    It goes before all rules that there are. A key that is limited to lines makes it for one of these alone.
    """
    new = await parse_body(request, NewWeather)
    return value_response(await access_of(request).add_weather(new), 201)


async def remove_rule(request: Request) -> Response:
    """Ends a rule before its time."""
    await access_of(request).remove_weather(request.path_params["id"])
    return Response(status_code=204)
