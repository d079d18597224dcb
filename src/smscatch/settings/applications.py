"""The tables `[applications.NAME]`: where an application hears of texts, as it stands in its provider's console."""

from typing import Annotated

import msgspec

from smscatch.errors import BadSetting
from smscatch.settings.fields import Field
from smscatch.settings.forms import parse_http
from smscatch.settings.tables import Table

PROVIDERS = ("messagebird", "plivo", "sinch", "telnyx", "twilio", "vonage")  # those whose webhooks we write (webhooks/)


def _parse_provider(name: str) -> str:
    if name not in PROVIDERS:
        raise ValueError(name)
    return name


class ApplicationSettings(msgspec.Struct, frozen=True):
    """Where an application hears of texts to its `numbers` at a provider; of texts to any, if there are none.

    `secret` is what the provider signs with; None stands for the key with which the application sends.
    """

    provider: Annotated[str, Field("whose webhooks it takes", ", ".join(PROVIDERS), _parse_provider)]
    url: Annotated[str, Field("where it takes them", "https://HOST/… or http://HOST/…", parse_http)]
    secret: Annotated[
        str | None,
        Field(
            "what they are signed with, such as Twilio's Auth Token; the key that replies if unset",
            "a text",
            is_secret=True,
        ),
    ] = None
    numbers: Annotated[
        tuple[str, ...], Field("which of its numbers or services it hears of; of all if unset", "a list of texts")
    ] = ()


def _check(entries: dict[str, ApplicationSettings], _: str | None) -> dict[str, ApplicationSettings]:
    seen: dict[tuple[str, str], str] = {}
    for name, entry in entries.items():
        for number in entry.numbers or ("",):
            other = seen.setdefault((entry.provider, number), name)
            if other != name:
                what = f"the number {number}" if number else f"all numbers at {entry.provider}"
                raise BadSetting(f"applications.{name} and applications.{other} are both for {what}; keep one.")
    return entries


APPLICATIONS = Table(
    "where an application hears of texts, by a provider's webhook", "[applications.NAME]", ApplicationSettings, _check
)
