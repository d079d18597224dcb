"""What is given for the settings: by the configuration file, and by variables of the environment. No setting itself."""

from collections.abc import Collection, Iterable, Mapping, Set
from pathlib import Path
from typing import Any

from smscatch.errors import BadSetting
from smscatch.settings.fields import Field, Given, read_secret, refuse_unknown

PREFIX = "SMSCATCH_"


def read_file(
    environ: Mapping[str, str], places: Iterable[Path], *, for_client: bool = False
) -> tuple[dict[str, Any], Path | None]:
    """Return what the configuration file says and where it is: the one that is chosen, or the first of the places.

    One that a server has in such a place, and that only its user may read, is none for a client.

    Raises BadSetting: it cannot be read, or is not TOML.
    """
    chosen = environ.get(f"{PREFIX}CONFIG")
    path = Path(chosen) if chosen else next((place for place in places if _may_be_there(place)), None)
    if path is None:
        return {}, None
    import tomllib  # noqa: PLC0415 - who has no file does without

    try:
        return tomllib.loads(path.read_text(encoding="utf-8")), path
    except PermissionError as error:
        if for_client and not chosen:
            return {}, None
        raise BadSetting(
            f"The configuration file {path} cannot be read: {error.strerror}. Be a user who may read it, as with sudo,"
            f" or name another in {PREFIX}CONFIG."
        ) from error
    except OSError as error:
        raise BadSetting(f"The configuration file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise BadSetting(f"The configuration file {path} is not TOML: {error}.") from error


def _may_be_there(place: Path) -> bool:
    try:
        return place.is_file()
    except PermissionError:  # of its folder; reading it says so
        return True


def flatten(file: Mapping[str, Any], sections: Set[str], fields: Mapping[str, Field], path: str) -> dict[str, Any]:
    """Return a file in which `[virtual] labels` is `virtual_labels`, and a list of texts one with commas in between.

    Raises BadSetting: a section is no table, or has a name that is not known.
    """
    flat = {name: value for name, value in file.items() if name not in sections}
    for section in sections & file.keys():
        known = [name.removeprefix(f"{section}_") for name in fields if name.startswith(f"{section}_")]
        if not isinstance(file[section], dict):
            raise BadSetting(f"{path}: {section} is not accepted. Accepted: [{section}] with {', '.join(known)}.")
        refuse_unknown(f"{section}.", file[section], known, path)
        for name, value in file[section].items():
            is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
            plain = ", ".join(value) if is_list else str(value).lower() if isinstance(value, bool) else value
            flat[f"{section}_{name}"] = plain
    return flat


def from_file(
    file: Mapping[str, Any], fields: Mapping[str, Field], tables: Collection[str], path: str
) -> dict[str, Given]:
    """Return what a file that was made flat gives for fields. Raises BadSetting: for none of them, or no text."""
    refuse_unknown("", file, [*fields, *tables], path)
    for name, value in file.items():
        if name in fields and (not isinstance(value, str | int) or isinstance(value, bool)):
            raise fields[name].refuse(name, Given(value, path))
    return {name: Given(str(file[name]), path) for name in fields if name in file}


def from_environment(environ: Mapping[str, str], fields: Mapping[str, Field]) -> dict[str, Given]:
    """Return what variables give for fields: SMSCATCH_NAME, or SMSCATCH_NAME_FILE for a secret. Raises BadSetting."""
    _refuse_misspelt(environ, fields)
    given = {}
    for name, field in fields.items():
        variable = f"{PREFIX}{name.upper()}"
        if environ.get(variable):
            given[name] = Given(environ[variable], variable)
        elif field.is_secret and environ.get(f"{variable}_FILE"):
            given[name] = Given(read_secret(f"{variable}_FILE", environ[f"{variable}_FILE"]), f"{variable}_FILE")
    return given


def _refuse_misspelt(environ: Mapping[str, str], fields: Mapping[str, Field]) -> None:
    """Raise BadSetting for a variable that is nearly one of ours; others may have their own with our prefix."""
    known = [f"{PREFIX}{name.upper()}" for name in (*fields, "config")]
    known += [f"{PREFIX}{name.upper()}_FILE" for name, field in fields.items() if field.is_secret]
    for variable in environ:
        if variable in known or not variable.startswith(PREFIX):
            continue
        import difflib  # noqa: PLC0415 - few have a variable that we do not know

        close = difflib.get_close_matches(variable, known, n=1, cutoff=0.9)
        if close:
            raise BadSetting(f"There is no variable {variable}. Did you mean {close[0]}?")
