"""The tables `[sinks.NAME]`: where messages are sent on to."""

from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from smscatch.settings.fields import Field
from smscatch.settings.lines import parse_numbers
from smscatch.settings.tables import Table, whole_name


def _parse_url(url: str) -> str:
    parts = urlsplit(url)  # ValueError for a port that is none, a bracket too few
    is_whole = bool(parts.hostname) and parts.port != 0 and parts.scheme in ("http", "https")
    if not is_whole or not url.isprintable() or " " in url:
        raise ValueError(url)
    return url


def _show_host(url: str) -> str:
    """Return a URL as it may be shown: without user and password, path and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"


class SinkSettings(msgspec.Struct, frozen=True):
    """Where messages are sent to: of `lines`, or of all if there are none.

    `kind` is the form they are sent in (sinks/). The URL may hold a secret; its host may have a private address only
    with `allow_private`.
    """

    kind: Annotated[str, Field("the form that messages are sent in", "json")]
    url: Annotated[
        str,
        Field("where to", "https://HOST/… or http://HOST/…", _parse_url, is_secret=True, show=_show_host),
    ]
    lines: Annotated[
        tuple[str, ...],
        Field("of which numbers", "a list of numbers; all by default", show=lambda lines: ", ".join(lines) or "(all)"),
    ] = ()
    allow_private: Annotated[
        bool, Field("whether the host may be on this machine or in a private network", "true or false")
    ] = False

    @property
    def shown_url(self) -> str:
        """The URL as it may be shown."""
        return _show_host(self.url)


def _check(sinks: dict[str, SinkSettings], country: str | None) -> dict[str, SinkSettings]:
    return {
        name: msgspec.structs.replace(
            sink, lines=parse_numbers(whole_name("sinks", name, "lines"), sink.lines, country)
        )
        for name, sink in sinks.items()
    }


SINKS = Table("where messages are sent on to", "[sinks.NAME]", SinkSettings, _check)
