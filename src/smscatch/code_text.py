"""Takes an SMS text apart for the code reader: folded digits, known words, runs that hold a digit.

It judges nothing: whether a run is a code is said in `code_rules`.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal["code", "proof", "act", "other", "spoil", "prize", "money", "unit", "common"]

_MARKS = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe0e\ufe0f\ufeff"
_INVISIBLE = re.compile(f"[{_MARKS}]+")
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_UNSPACED_LETTER = re.compile(f"[{_UNSPACED}]")
# A word is what no space, digit, ASCII punctuation, other punctuation or unspaced script interrupts.
_WORD = re.compile(
    rf"[^\s\x00-@\[-`{{-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u0589\u05be\u05f3\u060c\u061b\u061f\u066a-\u066d"
    rf"\u06d4\u0964\u0965\u1361-\u1368{_UNSPACED}\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u3000-\u303f"
    r"\uff00-\uff20\uff5b-\uff65\U0001f000-\U0001faff]{2,}"
)
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u0652\u0670]")
_PLAIN_LETTERS = str.maketrans("đłøıħŧ", "dloiht")
_LONGEST_WORD, _LONGEST_STEM = 40, 16
# A word that stems of several kinds fit is of the first of these.
_ORDER: tuple[Kind, ...] = ("spoil", "prize", "code", "money", "unit", "other", "proof", "act", "common")
# Between a code word and the word that spoils it: nothing, a hyphen or a short word such as `de`.
_TOUCH = re.compile(r"[\s\-]{0,2}|\s(?:de|du|di|do|da|del|dei|up)\s")
# Currency codes (ISO 4217) that in lower case are words of some language.
_ISO_4217 = frozenset("ALL ANG BAM BOB CAD CUP GIP LAK LEK MAD MOP PAB PEN SOS TOP TRY VES WST XAF XOF XPF".split())

# A run: letters and digits with at least one digit, joined by single marks; or digits in groups with one space.
_RUN = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"\+?[0-9]{1,7}(?![0-9A-Za-z]|[.,:/-][0-9])(?:[ \xa0\u202f][0-9]{1,7}(?![0-9A-Za-z]|[.,:/-][0-9]))+"
    r"|(?:[A-Za-z]{1,9}-)?+[A-Za-z*#•]*+[0-9][0-9A-Za-z*•]*+"
    r"(?:(?:[-–—*•_/]|[.,:'’](?=[0-9]))(?:[0-9]|(?=[A-Z0-9*•]+(?![0-9A-Za-z])))[0-9A-Za-z*•]*+)*+"
    r")"
)


class Mark(NamedTuple):
    """A known word in the text."""

    start: int
    end: int
    kind: Kind


def strip_invisible(text: str) -> str:
    """`text` without bidi controls, zero-width characters and variation selectors."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def fold_digits(text: str) -> str:
    """`text` of the same length with the decimal digits of every script as 0-9 (Unicode property Nd)."""
    if text.isascii() or not _FOREIGN_DIGIT.search(text):
        return text
    return _FOREIGN_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), text)


def plain(word: str) -> str:
    """`word` in lower case and without accents."""
    word = word.casefold()
    if word.isascii():
        return word
    return _ACCENTS.sub("", unicodedata.normalize("NFD", word)).translate(_PLAIN_LETTERS)


class _Words:
    """The table of `code_words.txt`, made ready for looking up."""

    def __init__(self, table: str) -> None:
        self.whole: dict[str, Kind] = {}
        self.beginnings: dict[str, Kind] = {}
        self.endings: dict[str, Kind] = {}
        self.parts: dict[str, Kind] = {}
        self.unspaced: dict[str, Kind] = {}
        for kind in _ORDER:
            for line in table.splitlines():
                if line.startswith(f"  {kind} "):
                    for entry in line.split()[1:]:
                        self._add(entry, kind)

    def _add(self, entry: str, kind: Kind) -> None:
        stem = entry.strip("*=")
        if _UNSPACED_LETTER.match(stem):
            self.unspaced.setdefault(stem, kind)
        elif entry[0] == "=":
            self.whole.setdefault(stem, kind)
        elif entry[0] == "*":
            (self.parts if entry[-1] == "*" else self.endings).setdefault(plain(stem), kind)
        else:
            (self.beginnings if entry[-1] == "*" else self.whole).setdefault(plain(stem), kind)

    def kind_of(self, word: str) -> Kind | None:
        """What `word` stands for: the whole word counts first, then the kind that comes first in `_ORDER`."""
        bare = plain(word)
        found = self.whole.get(word.casefold()) or self.whole.get(bare)
        if found:
            return found
        cuts = range(2, min(len(bare), _LONGEST_STEM) + 1)
        kinds = {self.beginnings.get(bare[:cut]) for cut in cuts}
        kinds.update(self.endings.get(bare[-cut:]) for cut in cuts)
        kinds.update(kind for part, kind in self.parts.items() if part in bare)
        return next((kind for kind in _ORDER if kind in kinds), None)


_WORDS = _Words(Path(__file__).with_name("code_words.txt").read_text("utf-8"))
_UNSPACED_WORD = re.compile("|".join(sorted(map(re.escape, _WORDS.unspaced), key=len, reverse=True)))


@lru_cache(maxsize=8192)
def kind_of(word: str) -> Kind | None:
    """What `word` of a script with spaces stands for, or None."""
    if word in _ISO_4217:
        return "money"
    return _WORDS.kind_of(word[:_LONGEST_WORD])


def find_marks(folded: str) -> list[Mark]:
    """The known words of `folded`, in order."""
    marks = [
        Mark(match.start(), match.end(), kind)
        for match in _WORD.finditer(folded)
        if (kind := kind_of(match[0])) is not None
    ]
    if not folded.isascii() and _UNSPACED_LETTER.search(folded):
        found = _UNSPACED_WORD.finditer(folded)
        marks += [Mark(match.start(), match.end(), _WORDS.unspaced[match[0]]) for match in found]
        marks.sort()
    return marks


def spoil(folded: str, marks: list[Mark]) -> list[Mark]:
    """`marks` with each code word that is no secret made a spoiling one (`promo code`, `code de suivi`, `code of`)."""
    for at, mark in enumerate(marks):
        if mark.kind == "code" and (
            folded.startswith(" of ", mark.end)
            or any(_touch(folded, *sorted((mark, near))) for near in marks[max(0, at - 1) : at + 2])
        ):
            marks[at] = mark._replace(kind="spoil")
    return marks


def _touch(folded: str, first: Mark, second: Mark) -> bool:
    return "spoil" in (first.kind, second.kind) and _TOUCH.fullmatch(folded, first.end, second.start) is not None


def find_runs(folded: str) -> Iterator[re.Match[str]]:
    """Every stretch of `folded` that holds a digit, as wide as one number may be printed."""
    return _RUN.finditer(folded)
