"""What one setting is, how what is given becomes its value, and what is said of a wrong one. No setting itself."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from smscatch.errors import BadSetting
from smscatch.times import write_age

T = TypeVar("T")
_PASSWORD = re.compile(r"(://[^:/@]*:).*@")


class Given(NamedTuple):
    """What is given for a setting, and where: an `origin` such as a file's path."""

    value: Any
    origin: str


def hide_password(url: str) -> str:
    """Return a URL that may be shown: with dots for the password in it."""
    return _PASSWORD.sub(r"\1…@", url)


def _show(value: Any) -> str:
    """Return a value as the setting takes it."""
    if isinstance(value, timedelta):
        return write_age(value)
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else hide_password(str(value))


def _keep(value: Any) -> Any:
    return value


class Field(NamedTuple):
    """One setting: what it is for, the form it takes, and how a value becomes what we use (ValueError if it does not).

    `parse` gets a text; in a table, what stands there, once its type is right. A secret is never shown, unless `show`
    says how, and may stand in a file of its own: the variable ends in _FILE then, in a table the name in _file.
    """

    help: str
    form: str
    parse: Callable[[Any], Any] = _keep
    default: str | None = None
    is_secret: bool = False
    show: Callable[[Any], str] = _show

    def read(self, name: str, given: Given) -> Any:
        """Return what we use for what is given. Raises BadSetting, without a secret."""
        try:
            return self.parse(given.value)
        except (ValueError, OverflowError) as error:
            raise self.refuse(name, given) from (None if self.is_secret else error)  # which quotes the value

    def refuse(self, name: str, given: Given) -> BadSetting:
        """Return the error for what is not of the form."""
        shown = "the value given" if self.is_secret else hide_password(repr(given.value))
        return BadSetting(f"{name} = {shown} ({given.origin}) is not accepted. Accepted: {self.form}.")

    def shown(self, value: Any) -> str:
        """Return a value as anybody may see it."""
        if value is None or value == "":
            return "(unset)"
        return "(set)" if self.is_secret and self.show is _show else self.show(value)


def annotations(struct: type[msgspec.Struct], kind: type[T]) -> dict[str, T]:
    """Return what of a kind stands at each field of a Struct: `name: Annotated[TYPE, KIND(…)]`."""
    return {
        field.name: note
        for field in msgspec.structs.fields(struct)
        for note in getattr(field.type, "__metadata__", ())
        if isinstance(note, kind)
    }


def refuse_unknown(prefix: str, names: Iterable[str], known: Sequence[str], origin: str) -> None:
    """Raise BadSetting for the first name that is not known, with the one that was meant, or with all there are."""
    for name in names:
        if name not in known:
            import difflib  # noqa: PLC0415 - for this refusal alone

            close = difflib.get_close_matches(name, known, n=1)
            meant = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known)}."
            raise BadSetting(f"{origin}: there is no setting {prefix + name!r}. {meant}")


def read_secret(name: str, path: str) -> str:
    """Return the secret in the file that a setting `name` names. Raises BadSetting."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, TypeError) as error:
        raise BadSetting(f"{name} = {path!r} cannot be read: {error}.") from error
