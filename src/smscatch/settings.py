"""What can be set, where each value came from, and what to say when one is wrong.

The only reader of os.environ and smscatch.toml. Settings are passed in, never global.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from smscatch.errors import BadSetting
from smscatch.messages import parse_age
from smscatch.numbers import compact, country_of, is_country, is_e164, is_national, is_number, readings

PREFIX = "SMSCATCH_"
CONFIG_PLACES = (Path("smscatch.toml"), Path("/etc/smscatch/smscatch.toml"))
LINES, SINKS = "lines", "sinks"
TABLES = (LINES, SINKS)
_PIN = re.compile(r"[0-9]{4,8}")  # 3GPP TS 31.101, 9.5.1
_SINK = re.compile(r"[a-z0-9_-]{1,40}")
_PASSWORD = re.compile(r"(://[^:/@]*:).*@")
STORES = ("sqlite", "postgresql", "postgres", "mongodb", "mongodb+srv")
MAX_SPAN = timedelta(days=36_500)


class LineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of one of our numbers: a label, and its modem.

    The modem is read by our link if it has a `device` (and then the SIM's `pin`, if it asks for one), or by the
    gammu-smsd whose PhoneID is `phone_id`.
    """

    label: str = ""
    device: str | None = None
    pin: str | None = None
    phone_id: str | None = None

    @property
    def reader(self) -> str:
        """What reads the modem, in half a sentence."""
        if self.device is not None:
            return f"read by our link at {self.device}"
        return f"read by the gammu-smsd that calls itself {self.phone_id}" if self.phone_id else "read by no modem here"


class SinkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where messages are sent to: of `lines`, or of all if there are none.

    `kind` is the form they are sent in (sinks/). The URL may hold a secret; its host may have a private address only
    with `allow_private`.
    """

    kind: str
    url: str
    lines: tuple[str, ...] = ()
    allow_private: bool = False

    @property
    def shown_url(self) -> str:
        """The URL as it may be shown: without user and password, path and query."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings, checked. `origins` says for each where its value came from; FIELDS describes them.

    `config` is the configuration file; None if there is none.
    """

    store: str
    store_listen: str | None
    host: str
    port: int
    spool: Path
    retention: timedelta
    part_timeout: timedelta
    lease_rest: timedelta
    lease_tolerance: timedelta
    admin_key: str | None
    url: str
    key: str | None
    country: str | None
    lines: dict[str, LineSettings]
    sinks: dict[str, SinkSettings]
    origins: dict[str, str]
    config: Path | None = None

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
        return bool(self.lines) and line not in self.lines


class Field(NamedTuple):
    """One setting: what it is for, how a text becomes its value (ValueError if it does not), the form that it takes."""

    help: str
    parse: Callable[[str], Any]
    form: str
    default: str | None
    is_secret: bool = False


def data_folder() -> Path:
    """Return where data goes by default: $XDG_DATA_HOME/smscatch (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return Path(base) / "smscatch"


def _parse_port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= 65535):
        raise ValueError(text)
    return int(text)


def _parse_folder(text: str) -> Path:
    if not text.strip():
        raise ValueError(text)
    return Path(text).expanduser()


def _parse_span(text: str) -> timedelta:
    age = parse_age(text)
    if not age or age > MAX_SPAN:
        raise ValueError(text)
    return age


def _parse_rest(text: str) -> timedelta:
    return timedelta(0) if parse_age(text) == timedelta(0) else _parse_span(text)


def _parse_store(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme == "sqlite" and (not rest.startswith("/") or rest in ("/", "/:memory:")):
        raise ValueError(text)
    if scheme not in STORES or not rest:
        raise ValueError(text)
    return text


def _parse_postgres(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme not in ("postgresql", "postgres") or not rest:
        raise ValueError(text)
    return text


def hide_password(url: str) -> str:
    """Return a URL that may be shown: with dots for the password in it."""
    return _PASSWORD.sub(r"\1…@", url)


def _parse_country(text: str) -> str:
    country = text.strip().upper()
    if not (len(country) == 2 and country.isascii() and country.isalpha() and is_country(country)):
        raise ValueError(text)
    return country


def _parse_url(text: str) -> str:
    text = text.strip()
    if not text.startswith(("http://", "https://")) or not urlsplit(text).hostname:
        raise ValueError(text)
    return text.rstrip("/")


def _parse_key(text: str) -> str:
    text = text.strip()  # what a key is read from ends in a line feed, often
    if len(text) < 16 or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(text)
    return text


STORE_FORM = "sqlite:///PATH, postgresql://USER:PASSWORD@HOST/DATABASE, mongodb://… or mongodb+srv://…"
_KEY_FORM = "at least 16 printable ASCII characters without blanks"

FIELDS: dict[str, Field] = {
    "store": Field("where messages are kept", _parse_store, STORE_FORM, None),
    "store_listen": Field(
        "for a store behind a pooler: where PostgreSQL itself is, to hear at once of other servers' messages",
        _parse_postgres,
        "postgresql://USER:PASSWORD@HOST/DATABASE",
        None,
    ),
    "host": Field("the address to listen on", str, "an IP address or host name", "127.0.0.1"),
    "port": Field("the port to listen on", _parse_port, "a number from 0 (any free one) to 65535", "7672"),
    "spool": Field("the folder for messages on their way to the store", _parse_folder, "a folder", None),
    "retention": Field("how long messages are kept", _parse_span, "an age such as 12h or 30d", "30d"),
    "part_timeout": Field(
        "how long a long message waits for missing parts", _parse_span, "an age such as 60s or 5m", "60s"
    ),
    "lease_rest": Field(
        "how long a line rests after a lease, for texts that come late", _parse_rest, "an age such as 0s or 5s", "5s"
    ),
    "lease_tolerance": Field(
        "how far the SMSC's clock may lag behind ours; a text sent longer before its lease began is late",
        _parse_rest,
        "an age such as 60s or 2h",
        "60s",
    ),
    "admin_key": Field(
        "the key of the administrator; made and printed once if unset", _parse_key, _KEY_FORM, None, True
    ),
    "country": Field(
        "where numbers without a country code are dialled; that of the lines, if they are all of one, if unset",
        _parse_country,
        "a country's two letters, such as DE or GB",
        None,
    ),
    "url": Field("for clients: where the server is", _parse_url, "http://HOST:PORT", None),
    "key": Field("for clients: the API key to use", _parse_key, _KEY_FORM, None, True),
}


class _Given(NamedTuple):
    value: str
    origin: str


def load_settings(
    overrides: Mapping[str, str | None] | None = None, environ: Mapping[str, str] = os.environ
) -> Settings:
    """Return the settings: command line before environment before configuration file before default.

    `overrides` are values of the command line; None means not given. Raises BadSetting, naming key, value and form.
    """
    table, path = _read_table(environ)
    given = _defaults()
    given |= _from_table(table, path)
    given |= _from_environment(environ)
    given |= {name: _Given(value, "command line") for name, value in (overrides or {}).items() if value is not None}
    values = {name: _parse(name, given.get(name)) for name in FIELDS}
    if values["url"] is None:
        values["url"] = _url_of(values["host"], values["port"])
    origins = {name: given[name].origin if name in given else "default" for name in FIELDS}
    return Settings(
        **values,
        lines=_parse_lines(table.get(LINES, {}), path, values["country"]),
        sinks=_parse_sinks(table.get(SINKS, {}), path, values["country"]),
        origins=origins,
        config=path,
    )


def find_server(url: str | None, key: str | None) -> tuple[str, str]:
    """Return where a server is and the key for it: what is given, and for None the settings `url` and `key`.

    If both are given, neither environment nor file is read. Raises BadSetting, without the key; also if none is set.
    """
    if url is None or key is None:
        found = load_settings()
        url, key = found.url if url is None else url, found.key if key is None else key
    if key is None:
        raise BadSetting(
            f"No key is set for the server at {hide_password(url)}: set SMSCATCH_KEY, or give it as an argument."
        )
    return _parse("url", _Given(str(url), "argument")), _parse("key", _Given(str(key), "argument"))


def _url_of(host: str, port: int) -> str:
    """Return where a client on this machine finds a server that listens on `host`."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def _defaults() -> dict[str, _Given]:
    defaults = {name: field.default for name, field in FIELDS.items() if field.default is not None}
    defaults |= {"store": f"sqlite:///{data_folder()}/smscatch.db", "spool": f"{data_folder()}/spool"}
    return {name: _Given(value, "default") for name, value in defaults.items()}


def _parse(name: str, given: _Given | None) -> Any:
    if given is None:
        return None
    field = FIELDS[name]
    try:
        return field.parse(given.value)
    except (ValueError, OverflowError) as error:
        shown = "the value given" if field.is_secret else repr(hide_password(given.value))
        wrong = BadSetting(f"{name} = {shown} ({given.origin}) is not accepted. Accepted: {field.form}.")
        raise wrong from (None if field.is_secret else error)  # which quotes the value


def _read_table(environ: Mapping[str, str]) -> tuple[dict[str, Any], Path | None]:
    chosen = environ.get(f"{PREFIX}CONFIG")
    path = Path(chosen) if chosen else next((place for place in CONFIG_PLACES if place.is_file()), None)
    if path is None:
        return {}, None
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")), path
    except OSError as error:
        raise BadSetting(f"The configuration file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise BadSetting(f"The configuration file {path} is not TOML: {error}.") from error


def _from_table(table: dict[str, Any], path: Path | None) -> dict[str, _Given]:
    for name, value in table.items():
        if name not in FIELDS and name not in TABLES:
            raise BadSetting(f"{path}: there is no setting {name!r}.{_did_you_mean(name)}")
        if name in FIELDS and (not isinstance(value, str | int) or isinstance(value, bool)):
            raise BadSetting(f"{path}: {name} = {value!r} is not accepted. Accepted: {FIELDS[name].form}.")
    return {name: _Given(str(table[name]), str(path)) for name in FIELDS if name in table}


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Given]:
    _refuse_misspelt(environ)
    given = {}
    for name, field in FIELDS.items():
        variable = f"{PREFIX}{name.upper()}"
        if environ.get(variable):
            given[name] = _Given(environ[variable], variable)
        elif field.is_secret and environ.get(f"{variable}_FILE"):
            given[name] = _Given(_read_secret(variable, environ[f"{variable}_FILE"]), f"{variable}_FILE")
    return given


def _refuse_misspelt(environ: Mapping[str, str]) -> None:
    """Raise BadSetting for a variable that is nearly one of ours; others may have their own with our prefix."""
    known = [f"{PREFIX}{name.upper()}" for name in (*FIELDS, "config")]
    known += [f"{PREFIX}{name.upper()}_FILE" for name, field in FIELDS.items() if field.is_secret]
    for variable in environ:
        close = difflib.get_close_matches(variable, known, n=1, cutoff=0.9) if variable.startswith(PREFIX) else []
        if close and variable not in known:
            raise BadSetting(f"There is no variable {variable}. Did you mean {close[0]}?")


def _read_secret(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{variable}_FILE = {path!r} cannot be read: {error}.") from error


def _did_you_mean(name: str) -> str:
    known = [*FIELDS, *TABLES]
    close = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]!r}?" if close else f" There are: {', '.join(known)}."


def _parse_lines(tables: Any, path: Path | None, country: str | None) -> dict[str, LineSettings]:
    form = 'Accepted: [lines."+49…"] with label, and device (and pin) or phone_id.'
    try:
        lines = msgspec.convert(tables, dict[str, LineSettings])
    except msgspec.ValidationError as error:
        raise BadSetting(f"{path}: lines: {error}. {form}") from error
    lines = _numbered(lines, path, country)
    for number, line in lines.items():
        if line.device and line.phone_id:
            raise BadSetting(f"{path}: lines.{number!r} has both device and phone_id: one reader per modem. {form}")
        if line.pin is not None and not _PIN.fullmatch(line.pin):
            raise BadSetting(f"{path}: the pin of lines.{number!r} is not accepted. Accepted: 4 to 8 digits in quotes.")
    _check_phone_ids(lines, path)
    return lines


def _numbered(tables: dict[str, LineSettings], path: Path | None, country: str | None) -> dict[str, LineSettings]:
    """Return the lines by their numbers, however these are written there."""
    lines: dict[str, LineSettings] = {}
    for written, line in tables.items():
        number = next(iter(readings(written, country)), written)
        if not is_e164(number):
            raise BadSetting(
                f"{path}: lines.{written!r} is no number in E.164, such as +4915112345678, nor one that can be read as"
                " such: without a country code it needs the setting `country`."
            )
        if number in lines:
            raise BadSetting(f"{path}: lines.{written!r} stands there twice: it is {number} as well.")
        lines[number] = line
    return lines


def _check_phone_ids(lines: dict[str, LineSettings], path: Path | None) -> None:
    names = [line.phone_id for line in lines.values() if line.phone_id]
    for name in names:
        if names.count(name) > 1:
            raise BadSetting(f"{path}: phone_id {name!r} stands in two lines; each modem has a name of its own.")


def _parse_sinks(tables: Any, path: Path | None, country: str | None) -> dict[str, SinkSettings]:
    """Return the sinks by name. What is said of a wrong one does not show its URL, which may hold a secret."""
    form = "Accepted: [sinks.NAME] with kind and url, perhaps lines and allow_private; NAME of a-z, 0-9, - and _."
    try:
        sinks = msgspec.convert(tables, dict[str, SinkSettings])
    except msgspec.ValidationError as error:
        raise BadSetting(f"{path}: sinks: {error}. {form}") from None
    for name, sink in sinks.items():
        if not _SINK.fullmatch(name):
            raise BadSetting(f"{path}: sinks.{name!r} is not accepted. {form}")
        if not _is_http(sink.url):
            raise BadSetting(
                f"{path}: sinks.{name}: the url is not accepted. Accepted: https://HOST/… or http://HOST/…"
            )
        numbers = tuple(next(iter(readings(line, country)), line) for line in sink.lines)
        for written, number in zip(sink.lines, numbers, strict=True):
            if not is_e164(number):
                raise BadSetting(f"{path}: sinks.{name}: {written!r} is no number in E.164, such as +4915112345678.")
        sinks[name] = msgspec.structs.replace(sink, lines=numbers)
    return sinks


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, a bracket too few
        return False
    return is_whole and parts.scheme in ("http", "https") and url.isprintable() and " " not in url
