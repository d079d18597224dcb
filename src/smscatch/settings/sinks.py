"""The tables `[sinks.NAME]`: where messages are sent on to."""

from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from smscatch.settings.fields import Field
from smscatch.settings.forms import parse_http
from smscatch.settings.lines import check_lines, lines_field
from smscatch.settings.tables import Table


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
        Field("where to", "https://HOST/… or http://HOST/…", parse_http, is_secret=True, show=_show_host),
    ]
    lines: Annotated[tuple[str, ...], lines_field("of which numbers")] = ()
    allow_private: Annotated[
        bool, Field("whether the host may be on this machine or in a private network", "true or false")
    ] = False

    @property
    def shown_url(self) -> str:
        """The URL as it may be shown."""
        return _show_host(self.url)


SINKS = Table("where messages are sent on to", "[sinks.NAME]", SinkSettings, check_lines("sinks"))
