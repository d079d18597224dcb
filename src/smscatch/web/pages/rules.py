"""The weather on the page of the lines: the rules there are, and the form for another."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from starlette.requests import Request

from smscatch.keys import LEASE
from smscatch.replying import SMPP
from smscatch.settings.weather import EFFECTS
from smscatch.weather import WeatherRule
from smscatch.web.compat import SEND_APIS
from smscatch.web.endpoint import access_of

PROVIDERS = (*SEND_APIS, SMPP)
LASTS = (120, 600, 3600, 86_400)  # seconds, of those that the form offers
SWITCHES = ("drop", "double", "reorder", "throttle")  # effects that are on or off


class WeatherForm(NamedTuple):
    """What stands in the form of a new rule, by the names of its fields; `error` says why it was refused, if it was."""

    given: Mapping[str, str]
    error: str = ""

    @property
    def values(self) -> Mapping[str, str]:
        """What stands in each field: nothing where nothing was given."""
        return defaultdict(str, self.given)


class WeatherLine(NamedTuple):
    """A rule of the weather, and its effects with their values; one that is on or off has none."""

    rule: WeatherRule
    effects: list[tuple[str, object]]


class Sky(NamedTuple):
    """What the section shows: the rules, and the form, None for a key that may make no weather."""

    lines: list[WeatherLine]
    form: WeatherForm | None
    providers: tuple[str, ...] = PROVIDERS
    lasts: tuple[int, ...] = LASTS
    switches: tuple[str, ...] = SWITCHES


async def show_weather(request: Request, form: WeatherForm | None = None) -> Sky:
    """Return what the section shows to this key."""
    access = access_of(request)
    rules = [WeatherLine(rule, effects_of(rule)) for rule in await access.weather()]
    return Sky(rules, (form or WeatherForm({})) if access.may((LEASE,)) else None)


def effects_of(rule: WeatherRule) -> list[tuple[str, object]]:
    """Return what a rule does, by the names of the settings."""
    given = [(effect, getattr(rule, effect)) for effect in EFFECTS]
    return [(effect, f"{value:g}" if isinstance(value, float) else value) for effect, value in given if value]
