"""What a text says about each number in it: the words before and after, and how they are bound to it.

Nothing is judged here; `rules` draws the conclusions.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, takewhile
from operator import attrgetter
from typing import Literal, NamedTuple

from smscatch.codes.senses import settle
from smscatch.codes.shapes import CODE_SHAPES, Found, find_hash, find_numbers, find_words
from smscatch.codes.words import Kind, Mark, find_marks

Bond = Literal["tight", "linked", "loose", "crossed"]

_FARTHEST_BEFORE, _FARTHEST_BEHIND, _MOST_LABELS = 110, 60, 6
_FARTHEST_CLOSE = 20

# `Ref. 123`, `No. 123`: the full stop of an abbreviation ends no sentence.
_ABBREVIATIONS = "no nr id ref tel ph acc acct ac rs txn trx num amt bal mr dr st ext cod тел руб"
# The class at the start tells the same as the branches behind it, and lets the search skip all other characters.
_SENTENCE_END = re.compile(
    r"[。！？;；।۔።؟\n!?….](?:(?<=[。！？;；।۔።؟])|(?<=\n)(?<![:：]\n)|(?<=[!?…])(?=\s|$)|(?<=\.)(?=\s+[^\s0-9]|\s*$)"
    r"|(?<=\.)(?=\s)" + "".join(rf"(?<!\b(?i:{word})\.)" for word in _ABBREVIATIONS.split()) + ")"
)
_GLUE = r"\s:=\-–—~\"'«»“”‘’„*|.,،：，、。「」『』【】\[\](){}<>（）/#№"
_NUMBER_WORD = "no|nr|number|num|numero|número|numéro|nummer|nambari|lambar|id"
_IS = (
    "is|are|as|of|es|est|ist|lautet|é|e|è|hè|à|är|ar|er|on|to|eshte|është|jest|je|да|это|е|adalah|ialah|ni|este|yra|ir|la|huwa|ass|dia|waa"
    "|ko|ithi|هو|هي|است|है|हो|হলো|છે"
)
_CLOSE = re.compile(
    rf"[{_GLUE}]{{0,6}}+(?:(?P<tight>(?:(?:{_NUMBER_WORD})[{_GLUE}]{{1,4}})?)"
    rf"|(?P<linked>(?:{_IS})[{_GLUE}]{{1,6}}|(?:是|为|為|係|は|는|은)[{_GLUE}]{{0,4}}))",
    re.IGNORECASE,
)
_LINK_AT_END = re.compile(
    r"(?:[:：=]|\s(?:is|es|est|ist|lautet|é|e|è|hè|är|ar|er|on|jest|to|je|este|eshte|është|with|mit|met|avec|con|com|med|с|з))"
    r"[\s\"'“«\[(*「【]*$",
    re.IGNORECASE,
)
# The only code word with a digit in it; MFA says the same at the same length.
_TWO_FACTOR = re.compile("(?<![0-9A-Za-z-])2(?:FA|fa)(?![0-9A-Za-z])")
# `10 %`, `5 EUR off`.
_DISCOUNT = re.compile(r"[0-9]{1,3} ?%|[0-9] ?(?:[^\W\d_]{1,8} |[€£$] ?)?off\b", re.IGNORECASE)
_AROUND = " \n\t\r.!\"'[]()<>#*"
# `Dear customer, 123456 is ...`: the comma parts what it follows from the number.
_COMMA = (", ", ",", "，", "، ")


class Label(NamedTuple):
    """A known word in the sentence of a number.

    `gap` is the distance in characters. One before the number is bound `tight` (only punctuation in between),
    `linked` (by `is`, a colon, `with`), `loose`, or `crossed` (another number lies in between).
    """

    kind: Kind
    gap: int
    bond: Bond

    @property
    def close(self) -> bool:
        """Whether it is bound to the number."""
        return self.bond in ("tight", "linked")


@dataclass(slots=True)
class Spot:
    """One number, or one word that looks random, with its labels (nearest first) and the characters around."""

    scene: "Scene"
    start: int
    end: int
    shape: str
    printed: str
    value: str
    before: str
    after: str
    left: list[Label] = field(default_factory=list)
    _right: list[Label] | None = None

    @property
    def right(self) -> list[Label]:
        """The labels behind: found when first asked for, as most codes are known by what stands before."""
        if self._right is None:
            self._right = self.scene.labeller.labels_behind(self) if self.scene.labeller else []
        return self._right


@dataclass(slots=True)
class Scene:
    """A text, the kinds of words in it, and its spots in order.

    What takes a look at the whole text is told here, once for all spots: or reading would take quadratic time.
    `bare_text` is without the spaces and marks around it.
    """

    text: str
    retriever_hash: str | None
    marks: list[Mark]
    kinds: frozenset[Kind]
    bare_text: str = ""
    has_discount: bool = False
    money: list[Mark] = field(default_factory=list)
    labeller: "_Labeller | None" = None
    unit_starts: frozenset[int] = frozenset()
    spots: list[Spot] = field(default_factory=list)
    shapes: frozenset[str] = frozenset()

    def money_near(self, spot: Spot) -> Iterator[Mark]:
        """The currencies from two characters before a spot to one behind it."""
        first = bisect_left(self.money, spot.start - 2, key=attrgetter("end"))
        return takewhile(lambda mark: mark.start <= spot.end + 1, islice(self.money, first, None))


def read_scene(text: str) -> Scene:
    """Take apart `text`, whose digits are 0-9 (`folding.fold_digits`)."""
    if "2FA" in text or "2fa" in text:
        text = _TWO_FACTOR.sub("MFA", text)
    marks, kinds = settle(text, *find_marks(text))
    found_hash = find_hash(text)
    found = find_numbers(text, found_hash.start if found_hash else len(text))
    if "code" in kinds:
        found = sorted([*found, *find_words(text)])
    scene = Scene(text, text[found_hash.start : found_hash.end] if found_hash else None, marks, kinds)
    if "unit" in kinds:
        scene.unit_starts = frozenset([mark.start for mark in marks if mark.kind == "unit"])
    scene.spots = [_spot(scene, one) for one in found]
    scene.shapes = frozenset(one.shape for one in found)
    scene.bare_text = text.strip(_AROUND)
    scene.has_discount = "deal" in kinds or _DISCOUNT.search(text) is not None
    if "money" in kinds:
        scene.money = [mark for mark in marks if mark.kind == "money"]
    if found and marks:
        scene.labeller = _Labeller(scene)
        for spot in scene.spots:
            scene.labeller.label_before(spot)
    return scene


def _spot(scene: Scene, found: Found) -> Spot:
    start, end, shape = found
    printed = value = scene.text[start:end]
    if shape == "prefixed":
        value = printed.partition("-")[2]
    elif shape in ("grouped", "pairs", "parted"):
        value = "".join(filter(str.isdigit, printed))
    before, after = scene.text[max(0, start - 30) : start], scene.text[end : end + 20]
    return Spot(scene, start, end, shape, printed, value, before, after)


class _Labeller:
    """Gives the spots of a scene the known words of their sentences, in order; first those before all spots."""

    def __init__(self, scene: Scene) -> None:
        self._text = scene.text
        self._marks = [mark for mark in scene.marks if mark.kind not in ("money", "unit")]
        self._starts = [mark.start for mark in self._marks]
        self._ends = [mark.end for mark in self._marks]
        self._breaks = [0, *(match.end() for match in _SENTENCE_END.finditer(scene.text)), len(scene.text) + 1]
        self._owned: set[int] = set()  # marks that are bound to one number and so speak of no other
        self._crossed = 0  # where the last number ended

    def label_before(self, spot: Spot) -> None:
        """Fill `spot.left`."""
        floor = self._breaks[bisect_right(self._breaks, spot.start) - 1]
        last = bisect_right(self._ends, spot.start) - 1
        linked: Bond | None = None
        most = _MOST_LABELS if spot.shape in CODE_SHAPES else 1
        for index in range(last, max(-1, last - most), -1):
            mark = self._marks[index]
            gap = spot.start - mark.end
            if gap > _FARTHEST_BEFORE:
                break
            between = self._text[mark.end : spot.start]
            bond = _bond(between) if gap <= _FARTHEST_CLOSE and not spot.left else None
            if bond is None:
                linked = linked or ("linked" if _LINK_AT_END.search(spot.before, len(spot.before) - 12) else "loose")
                bond = linked
            # A code word may stand on the line before.
            if mark.end <= floor and (bond != "tight" or mark.kind != "code" or ". " in between):
                break
            if index in self._owned or (mark.kind == "other" and between in _COMMA):
                continue
            if bond == "loose" and mark.end < self._crossed:
                bond = "crossed"
            if bond in ("tight", "linked") and not spot.left:
                self._owned.add(index)
            spot.left.append(Label(mark.kind, gap, bond))
        if spot.shape in ("digits", "letters"):
            self._crossed = spot.end

    def labels_behind(self, spot: Spot) -> list[Label]:
        """What `spot.right` holds, once all spots have their `left`."""
        labels: list[Label] = []
        ceiling = self._breaks[bisect_right(self._breaks, spot.start)]
        first = bisect_left(self._starts, spot.end)
        for index in range(first, min(len(self._marks), first + _MOST_LABELS)):
            mark = self._marks[index]
            gap = mark.start - spot.end
            if gap > _FARTHEST_BEHIND or mark.start >= ceiling:
                break
            if index not in self._owned:
                labels.append(Label(mark.kind, gap, "loose"))
        return labels


def _bond(between: str) -> Bond | None:
    match = _CLOSE.fullmatch(between)
    if match is None:
        return None
    return "tight" if match.lastgroup == "tight" else "linked"
