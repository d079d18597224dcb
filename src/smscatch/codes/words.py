"""Finds the words in an SMS text that tell what a number is: the table is `words.txt`.

Whether a word belongs to a number is told in `scene`.
"""

import re
from functools import lru_cache
from itertools import accumulate
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
    rf"([^\s\x00-@\[-`{{-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u055a-\u055f\u0589\u05be\u05f3\u060c\u061b\u061f"
    rf"\u066a-\u066d\u06d4\u0964\u0965\u1361-\u1368{_UNSPACED}\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff"
    r"\u3000-\u303f\uff00-\uff20\uff5b-\uff65\U0001f000-\U0001faff]{2,40})"
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
        self.unspaced: dict[str, Kind] = {}
        lines = text.splitlines()
        for kind in _ORDER:
            for line in lines:
                if line.startswith(f"  {kind} "):
                    for entry in line.split()[1:]:
                        self._add(entry, kind)
        # By first letter, as `re` tries one branch after the other; the longest word first.
        behind: dict[str, list[str]] = {}
        for word in sorted(self.unspaced, key=len, reverse=True):
            behind.setdefault(word[0], []).append(word[1:])
        branches = (f"{first}(?:{'|'.join(rests)})" for first, rests in behind.items())
        self.any_unspaced = re.compile(f"({'|'.join(branches)})")

    def _add(self, entry: str, kind: Kind) -> None:
        stem = entry.strip("*=")
        if _UNSPACED_LETTER.match(stem):
            self.unspaced.setdefault(stem, kind)
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


_TABLE = _Table(Path(__file__).with_name("words.txt").read_text("utf-8"))


@lru_cache(maxsize=8192)
def kind_of(word: str) -> Kind | None:
    """What `word` of a script with spaces stands for, or None."""
    return "money" if word in _ISO_4217 else _TABLE.kind_of(word)


def find_marks(text: str) -> tuple[list[Mark], frozenset[Kind]]:
    """The known words of `text` in order, without common ones, and all kinds that occur."""
    starts, ends, words = _find_all(_WORD, text)
    kinds = [*map(kind_of, words)]
    known = zip(starts, ends, kinds, strict=False)
    marks = [Mark(start, end, kind) for start, end, kind in known if kind and kind != "common"]
    all_kinds = {kind for kind in kinds if kind}
    if not text.isascii() and _UNSPACED_LETTER.search(text):
        starts, ends, words = _find_all(_TABLE.any_unspaced, text)
        unspaced = [_TABLE.unspaced[word] for word in words]
        marks = sorted([*marks, *map(Mark, starts, ends, unspaced)])
        all_kinds.update(unspaced)
    return marks, frozenset(all_kinds)


def _find_all(pattern: re.Pattern[str], text: str) -> tuple[list[int], list[int], list[str]]:
    """Where the matches of `pattern`, which is one group, start and end, and the matches; faster than `finditer`."""
    parts = pattern.split(text)
    ends = [*accumulate(map(len, parts))]
    return ends[:-1:2], ends[1::2], parts[1::2]


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
