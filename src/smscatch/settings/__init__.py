"""What can be set, where each value came from, and what to say when one is wrong.

The only reader of os.environ and smscatch.toml. Settings are passed in, never global. One setting is one line of
`Settings`; how one of a table looks is said in tables.py, how the file and the environment are read in given.py.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import msgspec

from smscatch import fiction
from smscatch.errors import BadSetting
from smscatch.numbers import compact, country_of, is_national, is_number, readings
from smscatch.settings import forms
from smscatch.settings.applications import APPLICATIONS, ApplicationSettings
from smscatch.settings.fields import Field, Given, annotations, hide_password
from smscatch.settings.given import flatten, from_environment, from_file, read_file
from smscatch.settings.lines import LINES, LineSettings
from smscatch.settings.sinks import SINKS, SinkSettings
from smscatch.settings.smpp import SMPP, SmppSettings
from smscatch.settings.sources import SOURCES, SourceSettings
from smscatch.settings.tables import Table, read_table, whole_name
from smscatch.settings.weather import WEATHER, WeatherSettings

__all__ = [
    "CONFIG_PLACES",
    "FIELDS",
    "TABLES",
    "ApplicationSettings",
    "LineSettings",
    "Settings",
    "SinkSettings",
    "SmppSettings",
    "SourceSettings",
    "data_folder",
    "find_server",
    "hide_password",
    "load_settings",
]

# Tables of the file that stand once: a key of one is a flat setting with both names.
SECTIONS = frozenset({"virtual", "smpp_server"})
CONFIG_PLACES = (Path("smscatch.toml"), Path("/etc/smscatch/smscatch.toml"))


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings, checked. `origins` says where each value came from; of a table's entries, those that are set.

    `config` is the configuration file; None if there is none.
    """

    store: Annotated[str, Field("where messages are kept", forms.STORE_FORM, forms.parse_store)]
    store_listen: Annotated[
        str | None,
        Field(
            "for a store behind a pooler: where PostgreSQL itself is, to hear at once of other servers' messages",
            "postgresql://USER:PASSWORD@HOST/DATABASE",
            forms.parse_postgres,
        ),
    ]
    host: Annotated[str, Field("the address to listen on", "an IP address or host name", default="127.0.0.1")]
    port: Annotated[
        int, Field("the port to listen on", "a number from 0 (any free one) to 65535", forms.parse_port, "7672")
    ]
    spool: Annotated[Path, Field("the folder for messages on their way to the store", "a folder", forms.parse_path)]
    smstools: Annotated[
        Path | None,
        Field(
            "the folder in which smstools3 puts what it receives, to be taken from there",
            "a folder that is ours",
            forms.parse_path,
        ),
    ]
    retention: Annotated[
        timedelta, Field("how long messages are kept", "an age such as 12h or 30d", forms.parse_span, "30d")
    ]
    retention_messages: Annotated[
        int | None,
        Field("how many messages are kept at most, of all lines", f"a number from {forms.MIN_KEPT}", forms.parse_kept),
    ]
    retention_size: Annotated[
        int | None,
        Field(
            "how large the store may grow, with its indexes, before the oldest messages go",
            "a size from 10MB, such as 400MB or 2GB",
            forms.parse_size,
            show=forms.show_size,
        ),
    ]
    part_timeout: Annotated[
        timedelta,
        Field("how long a long message waits for missing parts", "an age such as 60s or 5m", forms.parse_span, "60s"),
    ]
    lease_rest: Annotated[
        timedelta,
        Field(
            "how long a line rests after a lease, for texts that come late",
            "an age such as 0s or 5s",
            forms.parse_rest,
            "5s",
        ),
    ]
    lease_tolerance: Annotated[
        timedelta,
        Field(
            "how far the SMSC's clock may lag behind ours; a text sent longer before its lease began is late",
            "an age such as 60s or 2h",
            forms.parse_rest,
            "60s",
        ),
    ]
    admin_key: Annotated[
        str | None,
        Field(
            "the key of the administrator; made and printed once if unset",
            forms.KEY_FORM,
            forms.parse_key,
            is_secret=True,
        ),
    ]
    country: Annotated[
        str | None,
        Field(
            "where numbers without a country code are dialled; that of the lines, if they are all of one, if unset",
            "a country's two letters, such as DE or GB",
            forms.parse_country,
        ),
    ]
    virtual_ranges: Annotated[
        tuple[fiction.Numbers, ...],
        Field(
            "the fictitious numbers of virtual lines, given in this order; of a country those kept for drama",
            fiction.FORM,
            fiction.parse_ranges,
            "US, DE, GB, FR, SE, AU",
            show=fiction.show_ranges,
        ),
    ]
    virtual_labels: Annotated[
        tuple[str, ...],
        Field(
            "the labels with which a lease gets a virtual line, if no line of that label is free",
            "labels with commas between them; * is any",
            forms.parse_labels,
            "virtual",
        ),
    ]
    virtual_default: Annotated[
        bool,
        Field(
            "whether a lease that names neither line nor label gets a virtual line, if no line is free",
            "true or false",
            forms.parse_truth,
            "false",
        ),
    ]
    virtual_real: Annotated[
        bool,
        Field(
            "whether a text that is caught on its way to one of `lines` belongs to whoever leases that",
            "true or false",
            forms.parse_truth,
            "false",
        ),
    ]
    virtual_callbacks: Annotated[
        bool,
        Field(
            "whether applications may be called back at private addresses; they are while `host` is this machine alone",
            "true or false",
            forms.parse_truth,
            "false",
        ),
    ]
    virtual_codes: Annotated[
        tuple[forms.FixedCode, ...],
        Field(
            "the codes of verifications that are not random: of numbers, where an x is any digit, and of their endings",
            forms.CODES_FORM,
            forms.parse_codes,
            "",
            show=forms.show_codes,
        ),
    ]
    smpp_server_port: Annotated[
        int | None,
        Field(
            "the port on which applications are caught that send by SMPP; none is, if unset",
            "a number from 0 (any free one) to 65535; usual is 2775",
            forms.parse_port,
        ),
    ]
    smpp_server_host: Annotated[
        str, Field("the address to listen on for them", "an IP address or host name", default="127.0.0.1")
    ]
    smpp_server_system_id: Annotated[
        str,
        Field(
            "the system_id that goes with `smpp_server_password`",
            "1 to 15 printable ASCII characters without blanks",
            forms.parse_system_id,
            "smscatch",
        ),
    ]
    smpp_server_password: Annotated[
        str | None,
        Field(
            "a password for applications that send by SMPP, beside those of `smscatch keys add --smpp`",
            "6 to 8 printable ASCII characters without blanks: SMPP has no room for more",
            forms.parse_smpp_password,
            is_secret=True,
        ),
    ]
    smpp_server_certificate: Annotated[
        Path | None,
        Field(
            "the certificate that encrypts SMPP (TLS), with those that vouch for it; not encrypted if unset",
            "a file (PEM)",
            forms.parse_path,
        ),
    ]
    smpp_server_certificate_key: Annotated[
        Path | None,
        Field("its private key, unless the same file has it", "a file (PEM)", forms.parse_path),
    ]
    smpp_server_rate: Annotated[
        int,
        Field(
            "how many texts a second an application may send by SMPP before it is throttled (ESME_RTHROTTLED)",
            "a number; 0 is no limit",
            forms.parse_count,
            "0",
        ),
    ]
    smpp_server_receipt_after: Annotated[
        timedelta,
        Field(
            "how long after its text a delivery receipt is sent by SMPP",
            "an age such as 0s or 5s",
            forms.parse_rest,
            "0s",
        ),
    ]
    url: Annotated[str, Field("for clients: where the server is", "http://HOST:PORT", forms.parse_server)]
    key: Annotated[
        str | None, Field("for clients: the API key to use", forms.KEY_FORM, forms.parse_key, is_secret=True)
    ]
    lines: Annotated[dict[str, LineSettings], LINES]
    sinks: Annotated[dict[str, SinkSettings], SINKS]
    sources: Annotated[dict[str, SourceSettings], SOURCES]
    smpp: Annotated[dict[str, SmppSettings], SMPP]
    applications: Annotated[dict[str, ApplicationSettings], APPLICATIONS]
    weather: Annotated[dict[str, WeatherSettings], WEATHER]
    origins: dict[str, str]
    config: Path | None = None

    def is_virtual_label(self, label: str) -> bool:
        """Return whether a lease with a label may be of a virtual line."""
        return label in self.virtual_labels or "*" in self.virtual_labels

    def line_of(self, phone_id: str) -> str:
        """Return the line that a modem called `phone_id` serves: never an error, a message must not be lost over it.

        The configured one; a number that is none of ours is a line of its own, which is shown as unconfigured; else the
        only line that names no modem at all; else the name itself.
        """
        named = [number for number, line in self.lines.items() if phone_id and line.phone_id == phone_id]
        free = [number for number, line in self.lines.items() if line.phone_id is None and line.device is None]
        if named:
            return named[0]
        number = self.line_named(phone_id)
        return free[0] if len(free) == 1 and not is_number(number) else number or "unknown"

    def line_named(self, written: str) -> str:
        """Return the line that a person means, however they write its number: one of ours, if it may be one.

        Otherwise the likeliest number, as E.164; what is no number, or a national one of an unknown country, stays.
        """
        if written in self.lines:
            return written
        country = self.country
        if country is None and is_national(written):
            country = country_of(tuple(self.lines))
        found = readings(written, country)
        ours = (number for number in found if number in self.lines)
        return next(ours, None) or next(iter(found), None) or compact(written)

    def is_unconfigured(self, line: str) -> bool:
        """Return whether a line is none of ours. While no line is configured at all, every line is taken for ours."""
        return bool(self.lines) and line not in self.lines and not self.is_virtual(line)

    @property
    def calls_private(self) -> bool:
        """Whether applications are called back at private addresses (SSRF).

        Where only this machine reaches the server, whoever asks it to call an address could do so itself.
        """
        return self.virtual_callbacks or self.host in ("127.0.0.1", "localhost", "::1")

    def is_virtual(self, line: str) -> bool:
        """Return whether a line has a fictitious number, and is none of those that are configured."""
        return line not in self.lines and any(line in numbers for numbers in self.virtual_ranges)

    def rows(self) -> Iterator[tuple[str, Field, str]]:
        """Yield each setting, those of the entries of tables too: its whole name, what it is, its value to be shown."""
        for name, field in FIELDS.items():
            yield name, field, field.shown(getattr(self, name))
        for table_name, table in TABLES.items():
            for entry_name, entry in getattr(self, table_name).items():
                for name, field in table.fields.items():
                    yield whole_name(table_name, entry_name, name), field, field.shown(getattr(entry, name))


FIELDS: Mapping[str, Field] = annotations(Settings, Field)
TABLES: Mapping[str, Table] = annotations(Settings, Table)


def data_folder() -> Path:
    """Return where data goes by default: $XDG_DATA_HOME/smscatch (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return Path(base) / "smscatch"


def load_settings(
    overrides: Mapping[str, str | None] | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    for_client: bool = False,
    defaults: Mapping[str, str] = MappingProxyType({}),
) -> Settings:
    """Return the settings: command line before environment before configuration file before default.

    `overrides` are values of the command line; None means not given. A client needs no tables, whose secrets it may not
    read. `defaults` stand in the place of those of every command. Raises BadSetting, naming key, value and form.
    """
    file, path = read_file(environ, CONFIG_PLACES, for_client=for_client)
    file = flatten(file, SECTIONS, FIELDS, str(path))
    given = _defaults(defaults) | from_file(file, FIELDS, TABLES, str(path)) | from_environment(environ, FIELDS)
    given |= {name: Given(value, "command line") for name, value in (overrides or {}).items() if value is not None}
    values: dict[str, Any] = {
        name: field.read(name, given[name]) if name in given else None for name, field in FIELDS.items()
    }
    if values["url"] is None:
        values["url"] = _url_of(values["host"], values["port"])
    origins = {name: given[name].origin if name in given else "default" for name in FIELDS}
    for name, table in TABLES.items():
        there = {} if for_client else file.get(name, {})
        values[name], found = read_table(name, table, Given(there, str(path)), values["country"])
        origins |= found
    return Settings(**values, origins=origins, config=path)


def find_server(url: str | None, key: str | None) -> tuple[str, str]:
    """Return where a server is and the key for it: what is given, and for None the settings `url` and `key`.

    If both are given, neither environment nor file is read. Raises BadSetting, without the key; also if none is set.
    """
    if url is None or key is None:
        found = load_settings(for_client=True)
        url, key = found.url if url is None else url, found.key if key is None else key
    if key is None:
        raise BadSetting(
            f"No key is set for the server at {hide_password(url)}: set SMSCATCH_KEY, or give it as an argument."
        )
    given = {"url": Given(str(url), "argument"), "key": Given(str(key), "argument")}
    return FIELDS["url"].read("url", given["url"]), FIELDS["key"].read("key", given["key"])


def _url_of(host: str, port: int) -> str:
    """Return where a client on this machine finds a server that listens on `host`."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def _defaults(given: Mapping[str, str]) -> dict[str, Given]:
    defaults = {name: field.default for name, field in FIELDS.items() if field.default is not None}
    defaults |= {"store": f"sqlite:///{data_folder()}/smscatch.db", "spool": f"{data_folder()}/spool", **given}
    return {name: Given(value, "default") for name, value in defaults.items()}
