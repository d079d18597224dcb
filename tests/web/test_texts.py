"""The catalogues of the interface: complete, in step with each other and with what the pages ask for."""

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from smscatch.keys import SCOPES
from smscatch.modem.health import STATES
from smscatch.web import texts
from smscatch.web.texts import choose_language, languages, read_texts

WEB = Path(texts.__file__).parent
OTHERS = languages()[1:]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_every_text(language: str) -> None:
    assert read_texts(language).texts.keys() == read_texts("en").texts.keys()


@pytest.mark.parametrize("language", OTHERS)
def test_a_text_has_the_same_placeholders_in_every_language(language: str) -> None:
    english = read_texts("en").texts
    for name, text in read_texts(language).texts.items():
        assert placeholders(text) == placeholders(english[name]), name


@pytest.mark.parametrize("language", languages())
def test_only_a_text_that_says_so_holds_markup(language: str) -> None:
    marked = {name for name, text in read_texts(language).texts.items() if "<" in text}
    assert {name for name in marked if not name.endswith("_html")} == set()


def asked_for() -> Iterator[str]:
    """The names that stand in templates, scripts and handlers."""
    for path in [*WEB.rglob("*.html"), *WEB.rglob("pages/*.py")]:
        yield from re.findall(r"\b(?:t|t\.html|texts)\(\s*\"([\w.]+)\"[,)\s]", path.read_text("utf-8"))
    for path in WEB.glob("static/*.js"):
        yield from (f"script.{name}" for name in re.findall(r"\bt\(\"(\w+)\"", path.read_text("utf-8")))


def test_every_text_that_is_asked_for_is_there() -> None:
    names = {name for name in asked_for() if not name.endswith((".", "_"))}  # the others are put together
    assert len(names) > 100
    assert names - read_texts("en").texts.keys() == set()


def test_every_state_and_scope_has_a_name() -> None:
    names = {f"state.{state}" for state in STATES}
    names |= {f"keys.scope_{scope}{end}" for scope in SCOPES for end in ("", "_hint")}
    assert names - read_texts("en").texts.keys() == set()


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("DE-at, en;q=0.5", "de"),
        ("fr, de;q=0.3, en;q=0.8", "en"),
        ("en;q=0.2, de; q=0.9", "de"),
        ("de;q=0, en", "en"),
        ("fr, *;q=0.1", "en"),
        ("de;q=x, fr", "en"),
        ("xx-" * 9000, "en"),
        ("../../etc/passwd", "en"),
    ],
)
def test_a_browser_gets_the_language_it_likes_best_of_those_there_are(accepted: str, language: str) -> None:
    assert choose_language(accepted) == language


def test_what_is_filled_in_stays_text() -> None:
    filled = read_texts("en").html("inbox.only_sender_html", sender="<b>x</b>{}")
    assert "&lt;b&gt;x&lt;/b&gt;{}" in filled
