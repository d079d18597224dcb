"""Tables of smscatch.toml, `[NAME.ENTRY]`: how one is declared, read and checked. No table itself.

A new table is a module like `settings/sinks.py` and one line in Settings; `smscatch config`, what is said of what is
wrong, and the test that docs/settings.md has each of its rows follow. The module has a Struct, whose fields are each
annotated with a Field, and a Table, which may check all entries together:

    class SourceSettings(msgspec.Struct, frozen=True):
        kind: Annotated[str, Field("the form of what is sent", "the name of a kind")]
        secrets: Annotated[tuple[str, ...], Field("what it is signed with", "a list of texts", is_secret=True)] = ()

    SOURCES = Table("who may send to us", "[sources.NAME]", SourceSettings, check_lines("sources"))

    sources: Annotated[dict[str, SourceSettings], SOURCES]    # in Settings
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin

import msgspec

from smscatch.errors import BadSetting
from smscatch.settings.fields import Field, Given, annotations, read_secret, refuse_unknown

_BARE = re.compile(r"[A-Za-z0-9_-]+")  # TOML 1.0.0, "Keys": needs no quotes
_PLAIN = re.compile(r"[a-z0-9_-]{1,40}")


def parse_plain(name: str, _: str | None) -> str:
    """Return the name of an entry that has no meaning but to its owner. Raises ValueError."""
    if not _PLAIN.fullmatch(name):
        raise ValueError(name)
    return name


def _check_nothing(entries: dict[str, Any], _: str | None) -> dict[str, Any]:
    return entries


class Table(NamedTuple):
    """A kind of table: what its entries are, how the header of one is written, and what each has.

    `check` returns the entries, perhaps with values put into their one form, or raises BadSetting for what is wrong
    between them. `parse_name` raises ValueError for a name that is not of `name_form`. Both get the setting `country`.
    """

    help: str
    header: str
    entry: type[msgspec.Struct]
    check: Callable[[dict[str, Any], str | None], dict[str, Any]] = _check_nothing
    parse_name: Callable[[str, str | None], str] = parse_plain
    name_form: str = "NAME has up to 40 of a-z, 0-9, - and _"

    @property
    def fields(self) -> Mapping[str, Field]:
        """The keys of an entry."""
        return _fields_of(self.entry)

    @property
    def form(self) -> str:
        """What is accepted, in half a sentence."""
        fields = msgspec.structs.fields(self.entry)
        keys = ", ".join(field.name if field.required else f"{field.name} (optional)" for field in fields)
        return f"{self.header} with {keys}; {self.name_form}"


@cache
def _fields_of(entry: type[msgspec.Struct]) -> Mapping[str, Field]:
    """Return the fields of an entry. Finding them takes most of the time of reading a table, and is done once."""
    return annotations(entry, Field)


def read_table(name: str, table: Table, file: Given, country: str | None) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the entries of a table, checked, and the origin of each value by its whole name. Raises BadSetting."""
    entries: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for written, values in _parse_dict(name, table, file).items():
        where = whole_name(name, written)
        try:
            known = table.parse_name(written, country)
        except ValueError:
            raise BadSetting(f"{file.origin}: {where} is not accepted. Accepted: {table.form}.") from None
        if known in entries:
            raise BadSetting(f"{file.origin}: {where} stands there twice: it is {known} as well.")
        given = _pick(where, table, file._replace(value=values))
        entries[known] = _read_entry(where, table, given, file.origin)
        origins |= {whole_name(name, known, key): each.origin for key, each in given.items()}
    try:
        return table.check(entries, country), origins
    except BadSetting as error:
        raise BadSetting(f"{file.origin}: {error}") from None


def _parse_dict(where: str, table: Table, given: Given) -> dict[str, Any]:
    if not isinstance(given.value, dict):
        raise BadSetting(f"{given.origin}: {where} is not accepted. Accepted: {table.form}.")
    return given.value


def _pick(where: str, table: Table, file: Given) -> dict[str, Given]:
    """Return what is given for the keys of an entry, secrets from their files. Raises BadSetting for other keys."""
    values = _parse_dict(where, table, file)
    in_files = {f"{key}_file": key for key, field in table.fields.items() if field.is_secret}
    refuse_unknown(f"{where}.", values, [*table.fields, *in_files], file.origin)
    for name in in_files.keys() & values.keys():
        if in_files[name] in values:
            raise BadSetting(f"{file.origin}: {where} has both {in_files[name]} and {name}; give one of them.")
    return {
        in_files.get(name, name): Given(read_secret(f"{where}.{name}", value), str(value))
        if name in in_files
        else Given(value, file.origin)
        for name, value in values.items()
    }


def _read_entry(where: str, table: Table, given: dict[str, Given], path: str) -> Any:
    values = {}
    for attribute in msgspec.structs.fields(table.entry):
        name, field = f"{where}.{attribute.name}", table.fields[attribute.name]
        if attribute.name in given:
            values[attribute.name] = field.read(name, _converted(name, field, attribute.type, given[attribute.name]))
        elif attribute.required:
            raise BadSetting(f"{path}: {name} is missing. Accepted: {table.form}.")
    return table.entry(**values)


def _converted(name: str, field: Field, annotated: Any, given: Given) -> Given:
    """Return what is given, in its field's type. A text stands for the list of its lines, as in a secret's file."""
    kind = get_args(annotated)[0]
    is_text_for_list = get_origin(kind) is tuple and isinstance(given.value, str)
    try:
        return given._replace(
            value=msgspec.convert(given.value.splitlines() if is_text_for_list else given.value, kind)
        )
    except msgspec.ValidationError:
        raise field.refuse(name, given) from None


def whole_name(*names: str) -> str:
    """Return the name of a value in a table, as TOML has it: sinks.ci.url, lines."+4915112345678".pin"""
    return ".".join(name if _BARE.fullmatch(name) else f'"{name}"' for name in names)
