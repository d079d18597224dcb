"""The tables `[sinks.NAME]`: where messages are sent on to."""

import re
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec

from smscatch.errors import BadSetting
from smscatch.settings.fields import Field
from smscatch.settings.forms import parse_http
from smscatch.settings.lines import check_lines, lines_field
from smscatch.settings.tables import Table, whole_name

EMULATOR: Final = "emulator"  # the kind that has no address, but an adb
ADB = "adb"
# adb's `emu` speaks to no other device (packages/modules/adb, client/console.cpp: adb_get_emulator_console_port).
_SERIAL = re.compile(r"emulator-[0-9]{1,5}")


def _show_host(url: str) -> str:
    """Return a URL as it may be shown: without user and password, path and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"


def parse_serial(text: str) -> str:
    """Return the serial number of an emulator. Raises ValueError."""
    if not _SERIAL.fullmatch(text):
        raise ValueError(text)
    return text


def _parse_adb(text: str) -> str:
    if not text.strip():
        raise ValueError(text)
    return text


class SinkSettings(msgspec.Struct, frozen=True):
    """Where messages are sent to: of `lines`, or of all if there are none.

    `kind` is the form they are sent in (sinks/). The URL may hold a secret; its host may have a private address only
    with `allow_private`. EMULATOR has neither, but `serial` and `adb`.
    """

    kind: Annotated[str, Field("the form that messages are sent in", "json, emulator")]
    url: Annotated[
        str,
        Field(
            "where to; needed but for emulator",
            "https://HOST/… or http://HOST/…",
            parse_http,
            is_secret=True,
            show=_show_host,
        ),
    ] = ""
    lines: Annotated[tuple[str, ...], lines_field("of which numbers")] = ()
    allow_private: Annotated[
        bool, Field("whether the host may be on this machine or in a private network", "true or false")
    ] = False
    serial: Annotated[
        str,
        Field("for emulator: which one, if several run", "a serial number of adb devices: emulator-5554", parse_serial),
    ] = ""
    adb: Annotated[
        str, Field("for emulator: Android's adb, if it is not in the PATH", "the path of a program", _parse_adb)
    ] = ADB

    @property
    def shown_url(self) -> str:
        """The URL as it may be shown."""
        return _show_host(self.url)


_put_lines_right = check_lines("sinks")
_UNSET = SinkSettings("")


def _check(entries: dict[str, Any], country: str | None) -> dict[str, Any]:
    """Refuse what is not for the kind of a sink, and do as check_lines does."""
    for name, entry in entries.items():
        where = whole_name("sinks", name)
        if entry.kind != EMULATOR and not entry.url:
            raise BadSetting(f"{where}.url is missing. Accepted: {SINKS.form}.")
        for key in ("url", "allow_private") if entry.kind == EMULATOR else ("serial", "adb"):
            if getattr(entry, key) != getattr(_UNSET, key):
                raise BadSetting(f"{where}.{key} is not for the kind {entry.kind}: leave it out.")
    return _put_lines_right(entries, country)


SINKS = Table("where messages are sent on to", "[sinks.NAME]", SinkSettings, _check)
