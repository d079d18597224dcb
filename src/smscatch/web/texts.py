"""The words of the interface: a catalogue for each language, and which of them a browser asks for.

No page is made here. A further language is a further file in catalogues/; tests/web/test_texts.py says what it lacks.
"""

import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from markupsafe import Markup

CATALOGUES = Path(__file__).parent / "catalogues"
DEFAULT = "en"


class Texts:
    """The texts of one language by name, such as `inbox.title`. `language` is its tag (BCP 47)."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self.texts = texts

    def __call__(self, name: str, /, **values: object) -> str:
        """Return a text, with `values` in the place of its placeholders."""
        return self.texts[name].format(**values)

    def html(self, name: str, /, **values: object) -> Markup:
        """Return a text that has markup of ours, with `values` escaped."""
        return Markup(self.texts[name]).format(**values)  # noqa: S704 - the catalogue is ours; format escapes the rest

    def has(self, name: str) -> bool:
        """Return whether there is such a text."""
        return name in self.texts

    def section(self, name: str) -> dict[str, str]:
        """Return the texts whose names begin with `name`, without that beginning: for scripts."""
        start = f"{name}."
        return {key.removeprefix(start): text for key, text in self.texts.items() if key.startswith(start)}


@cache
def languages() -> tuple[str, ...]:
    """Return the languages there are, the default one first."""
    found = sorted(path.stem for path in CATALOGUES.glob("*.toml"))
    return (DEFAULT, *(language for language in found if language != DEFAULT))


@cache
def read_texts(language: str) -> Texts:
    """Return the texts of a language there is."""
    tables = tomllib.loads((CATALOGUES / f"{language}.toml").read_text("utf-8"))
    return Texts(language, {f"{table}.{name}": text for table, texts in tables.items() for name, text in texts.items()})


@lru_cache(maxsize=256)  # clients choose the argument
def choose_language(accepted: str) -> str:
    """Return the best language for a header Accept-Language; the default one if none is wanted or it makes no sense.

    Source: RFC 9110, 12.5.4, and the lookup of RFC 4647, 3.4: `de-AT` finds `de`.
    """
    for wanted in _by_weight(accepted[:1000]):
        subtags = wanted.split("-")
        for length in range(len(subtags), 0, -1):
            tag = "-".join(subtags[:length])
            if tag in languages():
                return tag
    return DEFAULT


def _by_weight(accepted: str) -> list[str]:
    """Return the tags of the header, the most wanted first, without those that are refused (q=0)."""
    weighed = []
    for item in accepted.split(","):
        tag, _, parameter = item.partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1) if parameter else 1.0
        except ValueError:
            weight = 0.0
        if weight > 0:
            weighed.append((weight, tag.strip().lower()))
    return [tag for _, tag in sorted(weighed, key=lambda pair: -pair[0])]
