"""What a text says about each number in it: its shape, its neighbours, the words before and after.

Nothing is judged here; `code_rules` draws the conclusions.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from smscatch.code_text import Kind, Mark, find_marks, find_runs, spoil
from smscatch.links import link_spans

Bond = Literal["tight", "linked", "loose", "crossed"]

# A text with more numbers than this is no SMS with a code; the rest of them is not looked at.
MOST_NUMBERS = 100
_FARTHEST_LEFT, _FARTHEST_RIGHT, _MOST_LABELS = 110, 60, 6

# `Ref. 123`, `No. 123`: the full stop of an abbreviation ends no sentence.
_ABBREVIATIONS = "no nr id ref tel ph acc acct ac rs txn trx num amt bal mr dr st ext cod тел руб"
_SENTENCE_END = re.compile(
    r"[。！？;；।۔።؟]|(?<![:：])\n|[!?…]+(?=\s|$)|"
    + "".join(rf"(?<!\b{word})" for word in _ABBREVIATIONS.split())
    + r"\.(?=\s|$)",
    re.IGNORECASE,
)
_HASH = re.compile(r"(?:^|[\s+])([A-Za-z0-9+/]{11})(?=\s*(?:- ?[A-Za-z][A-Za-z ]{1,20})?$)")
_MIXED = re.compile(r"[0-9+/].*[a-z].*[A-Z]|[0-9+/].*[A-Z].*[a-z]|[a-z].*[A-Z].*[a-z].*[A-Z]|[A-Z]{2}.*[a-z].*[A-Z]"
                    r"|[a-z].*[A-Z].*[0-9+/]|[A-Z].*[a-z].*[0-9+/]|[a-z].*[0-9+/].*[A-Z]|[A-Z].*[0-9+/].*[a-z]")
_OTHER_SCHEME = re.compile(r"(?<![A-Za-z])[A-Za-z][A-Za-z0-9+.-]{1,20}://\S+")

_SHAPES = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("digits", r"[0-9]{3,10}"),
        ("prefixed", r"[A-Z]{1,3}-[0-9]{4,8}"),
        ("grouped", r"[0-9]{3}[-–— \xa0\u202f][0-9]{3,4}|[0-9]{4}[-–— \xa0\u202f][0-9]{4}"),
        ("groups", r"[0-9]{2}(?:[- ][0-9]{2}){2}|[0-9](?:[- ][0-9]){3,7}|[0-9]{3}(?:[- ][0-9]{3}){2}"),
        ("time", r"(?:[01]?[0-9]|2[0-4])[:h.][0-5][0-9](?:[:.m][0-9]{2})?(?:[ap]m|s)?|[0-9]{1,2}(?:[ap]m|h)"),
        ("date", r"[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}|[0-9]{1,2}/[0-9]{2,4}|[0-9]{1,2}-?(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?:-?[0-9]{2,4})?"),
        ("amount", r"[A-Za-z]{0,4}[0-9]+(?:[.,'’][0-9]+)+[A-Za-z]{0,4}"),
        ("masked", r".*[*•#].*|[A-Za-z]{0,4}[xX]+[0-9]{2,}[A-Za-z]?|[0-9]+[xX]+[0-9]*[A-Z]?"),
        ("phone", r"\+.*|[0-9]{3}[- ][0-9]{3}[- ][0-9]{4}|[0-9]{11,}|[0-9]+(?:[- \xa0\u202f][0-9]+)+"),
        ("measure", r"(?i:[0-9]+(?:st|nd|rd|th|[gmk]b|mins?|hrs?|sec|days?|p|x|k|km|m|ml|kg|rb|jt))"),
        ("letters", r"[0-9A-Za-z]{4,10}|[0-9A-Za-z]{1,5}(?:-[0-9A-Za-z]{2,5}){1,2}"),
    )
)
_SEPARATORS = re.compile(r"[-–—\s]")
# `123456-Acme`, `123456/Acme`: the number ends before the word.
_WORD_BEHIND = re.compile(r"(?<=[0-9]{4})[-–—_/]+[A-Za-z]*$")

_GLUE = r"\s:=\-–—~\"'«»“”‘’„*|.,،：，、。「」『』【】\[\](){}<>（）/#№"
# `Dear customer, 123456 is ...`
_GREETING_END = (", ", ",", "，", "، ")
_NUMBER_WORD = "no|nr|number|num|numero|número|numéro|nummer|nambari|lambar|id"
_COPULA = "is|are|as|es|est|ist|lautet|é|e|è|à|är|er|on|to|jest|je|да|это|е|adalah|ialah|ni|este|yra|ir|la|huwa|ass|dia|waa|ko|ithi|هو|هي|است|है|हो|হলো|છે"
_TIGHT = re.compile(rf"[{_GLUE}]{{0,6}}(?:(?:{_NUMBER_WORD})[{_GLUE}]{{1,4}})?", re.IGNORECASE)
_LINKED = re.compile(rf"[{_GLUE}]{{0,6}}(?:(?:{_COPULA})[{_GLUE}]{{1,6}}|(?:是|为|為|係|は|는|은)[{_GLUE}]{{0,4}})", re.IGNORECASE)
_COLON_AT_END = re.compile(r"(?:[:：=]|\s(?:is|es|est|ist|lautet|é|är|er|jest|to|este|with|mit|met|avec|con|com|med|с|з))[\s\"'“«\[(*「【]*$", re.IGNORECASE)
# A code without digits: behind a code word and a link, at the end of a clause.
_LETTER_CODE = re.compile(
    r"(?:[:：=]|\b(?:is|es|ist|est|é)\s|是|为|為)[\s\"'“\[(*]{0,3}([A-Z]{4,10}|[A-Za-z]{5,10})(?=[\"'”\])*]?(?:[.,!\n]|\s*$))"
)
_TWO_CASES = re.compile(r"[a-z].*[A-Z]{2}|[A-Z]{2}.*[a-z]")


class Label(NamedTuple):
    """A known word in the sentence of a number: how far off (in characters) and how bound it is."""

    kind: Kind
    gap: int
    bond: Bond


@dataclass(slots=True)
class Spot:
    """One number (or one word of capitals) that might be the code; labels are nearest first."""

    scene: "Scene"
    start: int
    end: int
    shape: str
    printed: str
    value: str
    left: list[Label] = field(default_factory=list)
    right: list[Label] = field(default_factory=list)

    @property
    def before(self) -> str:
        """The 30 characters before it."""
        return self.scene.folded[max(0, self.start - 30) : self.start]

    @property
    def after(self) -> str:
        """The 20 characters after it."""
        return self.scene.folded[self.end : self.end + 20]


@dataclass(slots=True)
class Scene:
    """A text, its known words and its numbers."""

    folded: str
    retriever_hash: str | None
    marks: list[Mark]
    kinds: frozenset[Kind]
    spots: list[Spot]


def read_scene(folded: str) -> Scene:
    """Take apart `folded` (see `code_text.fold_digits`)."""
    found = _find_hash(folded)
    marks = find_marks(folded)
    kinds = frozenset(mark.kind for mark in marks)
    marks = spoil(folded, [mark for mark in marks if mark.kind != "common"])
    scene = Scene(folded, found[1] if found else None, marks, kinds, [])
    hidden = _hidden_spans(folded)
    if found:
        hidden.append((found[0], len(folded)))
    for start, end, shape in _find_numbers(folded, hidden):
        scene.spots.append(_spot(scene, start, end, shape))
        if len(scene.spots) == MOST_NUMBERS:
            break
    if "code" in scene.kinds:
        found_letters = (match.span(1) for match in _LETTER_CODE.finditer(folded) if _is_letter_code(match[1], folded))
        scene.spots += [_spot(scene, start, end, "word") for start, end in found_letters]
        scene.spots.sort(key=lambda spot: spot.start)
    _label(scene)
    return scene


def _spot(scene: Scene, start: int, end: int, shape: str) -> Spot:
    printed = scene.folded[start:end]
    if shape == "prefixed":
        return Spot(scene, start, end, shape, printed, printed.partition("-")[2])
    value = _SEPARATORS.sub("", printed) if shape in ("grouped", "groups") else printed
    return Spot(scene, start, end, shape, printed, value)


def _find_hash(folded: str) -> tuple[int, str] | None:
    """Where the app hash of Android's SMS Retriever begins, and the hash.

    Source: Android SMS Retriever documentation, "Construct a verification message": 11 characters that end it.
    """
    match = _HASH.search(folded, max(0, len(folded) - 40))
    if match and _MIXED.search(match[1]):
        return match.start(1), match[1]
    if folded[-11:-10] == "+" and folded[-12:-11].isdigit() and _HASH.fullmatch("+" + folded[-10:]):
        return len(folded) - 11, folded[-11:]
    return None


def _is_letter_code(word: str, folded: str) -> bool:
    """Whether a word without digits looks random: capitals in a text that has small letters, or both mixed."""
    if word.isupper():
        return not folded.isupper()
    return _TWO_CASES.search(word) is not None


def _hidden_spans(folded: str) -> list[tuple[int, int]]:
    if "://" not in folded:
        return list(link_spans(folded))
    return [*link_spans(folded), *(match.span() for match in _OTHER_SCHEME.finditer(folded))]


def _find_numbers(folded: str, hidden: list[tuple[int, int]]) -> Iterator[tuple[int, int, str]]:
    for match in find_runs(folded):
        start, end = match.span()
        if any(first <= start < last for first, last in hidden):
            if end - start > 2:
                yield start, end, "hidden"
            continue
        end = min([end, *(first for first, _ in hidden if start < first < end)])
        yield from _read_run(folded[start:end], start)


def _read_run(run: str, start: int) -> Iterator[tuple[int, int, str]]:
    """The numbers of one run: itself, or its parts if only spaces hold them together and it is no known group."""
    run = _WORD_BEHIND.sub("", run)
    if run[0] == "#" or (run[0] == "*" == run[-1]):
        start, run = start + 1, run[1:].rstrip("*")
    if lower := re.match(r"[A-Z]?[a-z]{1,9}-(?=[0-9]{4,8}$)", run):
        start, run = start + lower.end(), run[lower.end() :]
    shape = next((name for name, pattern in _SHAPES if pattern.fullmatch(run)), "odd")
    if shape == "phone" and run[0] != "+" and sum(map(str.isdigit, run)) < 9:
        for part in re.finditer(r"[0-9]{3,}", run):
            yield start + part.start(), start + part.end(), "digits"
    elif len(run) > 2:
        yield start, start + len(run), shape


def _label(scene: Scene) -> None:
    """Give each spot the known words before and after it, within its sentence."""
    marks = [mark for mark in scene.marks if mark.kind not in ("money", "unit")]
    starts, ends = [mark.start for mark in marks], [mark.end for mark in marks]
    breaks = [0, *(match.end() for match in _SENTENCE_END.finditer(scene.folded)), len(scene.folded) + 1]
    owned: set[int] = set()
    crossed = 0
    for spot in scene.spots:
        floor = breaks[bisect_right(breaks, spot.start) - 1]
        _label_left(spot, marks, bisect_right(ends, spot.start) - 1, owned, floor, crossed)
        if spot.shape in ("digits", "letters"):
            crossed = spot.end
    for spot in scene.spots:
        ceiling = breaks[bisect_right(breaks, spot.start)]
        _label_right(spot, marks, bisect_left(starts, spot.end), owned, ceiling)


def _label_left(spot: Spot, marks: list[Mark], last: int, owned: set[int], floor: int, crossed: int) -> None:
    folded = spot.scene.folded
    for index in range(last, max(-1, last - _MOST_LABELS), -1):
        mark = marks[index]
        between = folded[mark.end : spot.start]
        if len(between) > _FARTHEST_LEFT:
            break
        bond = _bond(folded, mark.end, spot.start)
        if mark.end <= floor and (bond != "tight" or mark.kind != "code" or ". " in between):
            break
        if index in owned or (mark.kind == "other" and between in _GREETING_END):
            continue
        if bond != "loose" and not spot.left:
            owned.add(index)
        elif bond == "loose" and mark.end < crossed:
            bond = "crossed"
        spot.left.append(Label(mark.kind, len(between), bond))


def _label_right(spot: Spot, marks: list[Mark], first: int, owned: set[int], ceiling: int) -> None:
    folded = spot.scene.folded
    for index in range(first, min(len(marks), first + _MOST_LABELS)):
        mark = marks[index]
        gap = mark.start - spot.end
        if gap > _FARTHEST_RIGHT or mark.start >= ceiling:
            break
        if index not in owned:
            spot.right.append(Label(mark.kind, gap, _bond(folded, spot.end, mark.start)))


def _bond(folded: str, start: int, end: int) -> Bond:
    if end - start <= 20:
        if _TIGHT.fullmatch(folded, start, end):
            return "tight"
        if _LINKED.fullmatch(folded, start, end):
            return "linked"
    return "linked" if _COLON_AT_END.search(folded, max(start, end - 12), end) else "loose"
