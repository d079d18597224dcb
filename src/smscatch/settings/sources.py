"""The tables `[sources.NAME]`: who delivers texts to us over HTTP, and how they sign."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from smscatch.settings.fields import Field, Given
from smscatch.settings.forms import parse_http
from smscatch.settings.lines import check_lines, lines_field
from smscatch.settings.tables import Table, parse_plain, read_table

# Deliveries of this kind come with an API key, and so need no table; their address is taken.
RESERVED = ("generic",)


def _parse_name(name: str, country: str | None) -> str:
    if name in RESERVED:
        raise ValueError(name)
    return parse_plain(name, country)


def _parse_secrets(secrets: tuple[str, ...]) -> tuple[str, ...]:
    stripped = tuple(secret.strip() for secret in secrets)
    if not stripped or not all(secret and secret.isprintable() for secret in stripped):
        raise ValueError
    return stripped


def _parse_address(url: str) -> str:
    """Return an address that a service calls; a user and a password in it are signed in more than one way."""
    if "@" in urlsplit(parse_http(url)).netloc or "#" in url:
        raise ValueError(url)
    return url


def _show_table(table: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in table.items()) or "(unset)"


class SourceSettings(msgspec.Struct, frozen=True):
    """Who delivers texts to `POST /api/v1/inbound/NAME`, in the form `kind` (sources/), signed with one of `secrets`.

    Two secrets are good while one takes the other's place (rotation). Only texts to `lines` are taken, to any if there
    are none. What `fields` and `signature` may have, their kind says when the server starts (sources/).
    """

    kind: Annotated[str, Field("whose form the deliveries have", "a kind of docs/sources.md, such as twilio")]
    secrets: Annotated[
        tuple[str, ...],
        Field(
            "what they are signed with; the old and the new while one takes the other's place",
            "a list of texts",
            _parse_secrets,
            is_secret=True,
        ),
    ]
    public_url: Annotated[
        str | None,
        Field("the address that the service calls, as it stands in its console", "https://HOST/…", _parse_address),
    ] = None
    lines: Annotated[tuple[str, ...], lines_field("the numbers that it may deliver to")] = ()
    fields: Annotated[
        dict[str, str],
        Field("for the kind signed: which field of a delivery is what", "a table of docs/signed.md", show=_show_table),
    ] = {}
    signature: Annotated[
        dict[str, str | dict[str, str]],
        Field("for the kind signed: how requests are signed", "a table of docs/signed.md, of texts", show=_show_table),
    ] = {}


SOURCES = Table(
    "who delivers texts over HTTP, signed",
    "[sources.NAME]",
    SourceSettings,
    check_lines("sources"),
    _parse_name,
    "NAME has up to 40 of a-z, 0-9, - and _, and is not generic",
)


def parse_source(name: str, values: Mapping[str, Any], country: str | None) -> SourceSettings:
    """Return a source that does not stand in a file, checked as those that do. Raises BadSetting.

    `values` may not name a file: whoever gives them is no user of this machine.
    """
    known = {key: value for key, value in values.items() if key in SourceSettings.__struct_fields__}
    entries, _ = read_table("sources", SOURCES, Given({name: known}, "the source"), country)
    source: SourceSettings = entries[name]
    return source
