"""The tables `[weather.NAME]`: what becomes of texts that are caught, so that a test meets bad days."""

from typing import Annotated

import msgspec

from smscatch.errors import BadSetting
from smscatch.settings.fields import Field
from smscatch.settings.tables import Table, whole_name

MAX_DELAY_SECONDS, MAX_SLOW_SECONDS = 86_400.0, 60.0


def _parse_seconds(most: float, seconds: float) -> float:
    if not 0 <= seconds <= most:
        raise ValueError(seconds)
    return seconds


class WeatherSettings(msgspec.Struct, frozen=True):
    """What becomes of the texts to numbers that end in `line`, from senders that end in `sender`, through `provider`.

    Those that are empty fit all.
    """

    line: Annotated[str, Field("to which numbers: one, or how they end; to all if unset", "a number, or its end")] = ""
    sender: Annotated[
        str, Field("from which senders: one, or how they end; from all if unset", "a sender, or its end")
    ] = ""
    provider: Annotated[str, Field("through which provider; through any if unset", "a name, such as twilio")] = ""
    delay_seconds: Annotated[
        float,
        Field(
            "how long they take to arrive",
            "seconds, up to 86400",
            lambda given: _parse_seconds(MAX_DELAY_SECONDS, given),
        ),
    ] = 0.0
    drop: Annotated[bool, Field("whether they never arrive, and nobody is told", "true or false")] = False
    double: Annotated[bool, Field("whether they arrive twice", "true or false")] = False
    reorder: Annotated[bool, Field("whether each second one arrives before the one it followed", "true or false")] = (
        False
    )
    undelivered: Annotated[
        str, Field("the provider's error code with which they are undelivered", "a code, such as Twilio's 30003")
    ] = ""
    throttle: Annotated[bool, Field("whether they are refused, with 429", "true or false")] = False
    slow_seconds: Annotated[
        float,
        Field(
            "how late the answer to a send comes",
            "seconds, up to 60",
            lambda given: _parse_seconds(MAX_SLOW_SECONDS, given),
        ),
    ] = 0.0


EFFECTS = ("delay_seconds", "drop", "double", "reorder", "undelivered", "throttle", "slow_seconds")


def _check(entries: dict[str, WeatherSettings], _: str | None) -> dict[str, WeatherSettings]:
    for name, entry in entries.items():
        if not any(getattr(entry, effect) for effect in EFFECTS):
            raise BadSetting(f"{whole_name('weather', name)} does nothing: set one of {', '.join(EFFECTS)}.")
    return entries


WEATHER = Table("what becomes of texts that are caught", "[weather.NAME]", WeatherSettings, _check)
