"""Finds the words in an SMS text that tell what a number is: the table is `words.txt`.

Whether a word belongs to a number is told in `scene`.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from smscatch.codes.folding import fold_word

Kind = Literal["code", "proof", "act", "other", "spoil", "prize", "money", "unit", "common"]

# A word that fits stems of several kinds is of the first of these.
_ORDER: tuple[Kind, ...] = ("spoil", "prize", "code", "money", "unit", "other", "proof", "act", "common")
# Scripts written without spaces: Thai, Lao, Burmese, Khmer, kana, Han; and Hangul, which glues particles on.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_UNSPACED_LETTER = re.compile(f"[{_UNSPACED}]")
# A word of other scripts runs to the next space, digit or punctuation. A class of what ends it, as Python's
# `\w` leaves out the vowel signs of Indic scripts. At most 40 characters, as looking up is cached.
_WORD = re.compile(
    rf"[^\s\x00-@\[-`{{-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u055a-\u055f\u0589\u05be\u05f3\u060c\u061b\u061f"
    rf"\u066a-\u066d\u06d4\u0964\u0965\u1361-\u1368{_UNSPACED}\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff"
    r"\u3000-\u303f\uff00-\uff20\uff5b-\uff65\U0001f000-\U0001faff]{2,40}"
)
_LONGEST_STEM = 16
# `Bestätigungscode` ends in a code word; `encode`, `unicode` and `vscode` do not.
_SHORTEST_HEAD = 4
# Between a code word and the word that spoils it: nothing, a hyphen or a short word.
_TOUCH = re.compile(r"[\s\-]{0,2}|\s(?:de|du|di|do|da|del|dei|up)\s")
# Currency codes (ISO 4217) that are words of some language when written small.
_ISO_4217 = frozenset(
    ("ALL", "BAM", "BOB", "CAD", "CUP", "LAK", "LEK", "MAD", "MOP", "PAB", "PEN", "SOS", "TOP", "TRY", "VES")
)


class Mark(NamedTuple):
    """A known word in the text."""

    start: int
    end: int
    kind: Kind


class _Table:
    """`words.txt`, made ready for looking up."""

    def __init__(self, text: str) -> None:
        self.whole: dict[str, Kind] = {}
        self.beginnings: dict[str, Kind] = {}
        self.endings: dict[str, Kind] = {}
        self.parts: dict[str, Kind] = {}
        self.unspaced: dict[str, dict[str, Kind]] = {}  # by first letter
        lines = text.splitlines()
        for kind in _ORDER:
            for line in lines:
                if line.startswith(f"  {kind} "):
                    for entry in line.split()[1:]:
                        self._add(entry, kind)
        self.unspaced = {first: _longest_first(words) for first, words in self.unspaced.items()}
        self.first_letter = re.compile("[" + "".join(self.unspaced) + "]")

    def _add(self, entry: str, kind: Kind) -> None:
        stem = entry.strip("*=")
        if _UNSPACED_LETTER.match(stem):
            self.unspaced.setdefault(stem[0], {}).setdefault(stem, kind)
        elif entry[0] == "=":
            self.whole.setdefault(stem, kind)
        elif entry[0] == "*":
            (self.parts if entry[-1] == "*" else self.endings).setdefault(fold_word(stem), kind)
        else:
            (self.beginnings if entry[-1] == "*" else self.whole).setdefault(fold_word(stem), kind)

    def kind_of(self, word: str) -> Kind | None:
        folded = fold_word(word)
        found = self.whole.get(word.casefold()) or self.whole.get(folded)
        if found:
            return found
        cuts = range(2, min(len(folded), _LONGEST_STEM) + 1)
        kinds = {self.beginnings.get(folded[:cut]) for cut in cuts}
        kinds.update(self.endings.get(folded[-cut:]) for cut in cuts if cut + _SHORTEST_HEAD <= len(folded))
        kinds.update(kind for part, kind in self.parts.items() if part in folded)
        return next((kind for kind in _ORDER if kind in kinds), None)


def _longest_first(words: dict[str, Kind]) -> dict[str, Kind]:
    return {word: words[word] for word in sorted(words, key=len, reverse=True)}


_TABLE = _Table(Path(__file__).with_name("words.txt").read_text("utf-8"))


@lru_cache(maxsize=8192)
def kind_of(word: str) -> Kind | None:
    """What `word` of a script with spaces stands for, or None."""
    return "money" if word in _ISO_4217 else _TABLE.kind_of(word)


def find_marks(text: str) -> tuple[list[Mark], frozenset[Kind]]:
    """The known words of `text` in order, without common ones, and all kinds that occur."""
    words = _WORD.findall(text)
    kinds = list(map(kind_of, words))
    marks, end = [], 0
    for word, kind in zip(words, kinds, strict=True):
        start = text.index(word, end)
        end = start + len(word)
        if kind is not None and kind != "common":
            marks.append(Mark(start, end, kind))
    if not text.isascii() and _UNSPACED_LETTER.search(text):
        marks += _find_unspaced(text)
        marks.sort()
        kinds += [mark.kind for mark in marks]
    return marks, frozenset(kind for kind in kinds if kind is not None)


def _find_unspaced(text: str) -> Iterator[Mark]:
    end = 0
    for match in _TABLE.first_letter.finditer(text):
        start = match.start()
        if start < end:
            continue
        for word, kind in _TABLE.unspaced[match[0]].items():
            if text.startswith(word, start):
                end = start + len(word)
                yield Mark(start, end, kind)
                break


def spoil(text: str, marks: list[Mark]) -> list[Mark]:
    """`marks` with the code words that name no secret as `spoil`: `promo code`, `code de suivi`, `code of`."""
    for at, mark in enumerate(marks):
        if mark.kind == "code" and (_is_spoilt(text, mark, marks[max(0, at - 1) : at + 2])):
            marks[at] = mark._replace(kind="spoil")
    return marks


def _is_spoilt(text: str, mark: Mark, near: list[Mark]) -> bool:
    if text.startswith(" of ", mark.end):
        return True
    spoilers = (other for other in near if other.kind == "spoil")
    gaps = ((other.end, mark.start) if other < mark else (mark.end, other.start) for other in spoilers)
    return any(_TOUCH.fullmatch(text, start, end) for start, end in gaps)
