"""Finds the words in an SMS text that tell what a number is: the table is `words.txt`.

What a word means in its text is told in `senses`, whether it belongs to a number in `scene`.
"""

import re
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Literal, NamedTuple

from smscatch.codes.folding import fold_word

Kind = Literal[
    "code",
    "number",
    "proof",
    "act",
    "place",
    "other",
    "spoil",
    "trade",
    "deal",
    "away",
    "door",
    "prize",
    "money",
    "unit",
    "common",
]

# A word that fits stems of several kinds is of the first of these.
_ORDER: tuple[Kind, ...] = (
    "spoil",
    "deal",
    "trade",
    "prize",
    "code",
    "money",
    "unit",
    "number",
    "other",
    "door",
    "away",
    "proof",
    "act",
    "place",
    "common",
)
# Scripts written without spaces: Thai, Lao, Burmese, Khmer, kana, Han; and Hangul, which glues particles on.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_UNSPACED_LETTER = re.compile(f"[{_UNSPACED}]")
# `photoTAN`, `smsPIN`: its end in capitals is the code word.
_CAPITAL_END = re.compile(r"(?<=[a-z])(?:TAN|PIN|OTP)s?$")
# A word of other scripts runs to the next space, digit or punctuation. A class of what ends it, as Python's
# `\w` leaves out the vowel signs of Indic scripts. At most 40 characters, as looking up is cached.
_LETTER = (
    r"[^\s\x00-@\[-`{-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u02b9-\u02bf\u055a-\u055f\u0589\u05be\u05f3\u060c"
    rf"\u061b\u061f\u066a-\u066d\u06d4\u0964\u0965\u1361-\u1368{_UNSPACED}\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff"
    r"\u3000-\u303f\uff00-\uff20\uff5b-\uff65\U0001f000-\U0001faff]"
)
# What is printed for an apostrophe; a word goes on behind it: `won't`, `l'offre`, `ro‘yxat`.
_APOSTROPHE = r"['’‘`´\u02b9-\u02bf]"
_WORD = re.compile(rf"({_LETTER}{{2,40}}+(?:{_APOSTROPHE}{_LETTER}{{1,20}}+)?)")
_APOSTROPHES = re.compile(f"({_APOSTROPHE})")
_LONGEST_STEM = 16
# `Bestätigungscode` ends in a code word; `encode`, `unicode` and `vscode` do not.
_SHORTEST_HEAD = 4


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
        self.printed: dict[str, Kind] = {}
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
        elif entry.isascii() and entry.isupper():
            self.printed.setdefault(stem, kind)
        elif entry[0] == "=":
            self.whole.setdefault(stem, kind)
        elif entry[0] == "*":
            (self.parts if entry[-1] == "*" else self.endings).setdefault(fold_word(stem), kind)
        else:
            (self.beginnings if entry[-1] == "*" else self.whole).setdefault(fold_word(stem), kind)

    def kind_of(self, word: str) -> Kind | None:
        parts = _APOSTROPHES.split(word)[::2]
        joined = self._kind_of_part("".join(parts))
        # `Ro'yxat` is one word, `dell'ordine` two; what is cut off from `won't` is no word.
        if joined or len(parts) == 1 or parts[-1] in ("t", "T"):
            return joined
        kinds = [self._kind_of_part(part) for part in parts]
        return next((kind for kind in _ORDER if kind in kinds), None)

    def _kind_of_part(self, word: str) -> Kind | None:
        folded = fold_word(word)
        found = self.printed.get(word) or self.whole.get(word.casefold()) or self.whole.get(folded)
        if found:
            return found
        if _CAPITAL_END.search(word):
            return "code"
        cuts = range(2, min(len(folded), _LONGEST_STEM) + 1)
        kinds = {self.beginnings.get(folded[:cut]) for cut in cuts}
        kinds.update(self.endings.get(folded[-cut:]) for cut in cuts if cut + _SHORTEST_HEAD <= len(folded))
        kinds.update(kind for part, kind in self.parts.items() if part in folded)
        if "number" in kinds and "proof" in kinds and not kinds & {"spoil", "deal", "trade"}:
            return "code"  # `Sicherheitsnummer`
        return next((kind for kind in _ORDER if kind in kinds), None)


_TABLE = _Table(Path(__file__).with_name("words.txt").read_text("utf-8"))


@lru_cache(maxsize=8192)
def kind_of(word: str) -> Kind | None:
    """What `word` of a script with spaces stands for, or None."""
    return _TABLE.kind_of(word)


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
