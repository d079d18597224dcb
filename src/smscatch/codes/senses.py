"""Tells what a known word of an SMS text means there: in a name it means nothing, beside another word something else.

The words are found in `words`; whether one belongs to a number is told in `scene`.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise

from smscatch.codes.links import find_spans
from smscatch.codes.words import Kind, Mark, kind_of

Span = tuple[int, int]

# What a word inside a name would wrongly say of the text.
_IN_NAMES: frozenset[Kind] = frozenset(("spoil", "trade", "deal", "prize", "door", "other"))
# A name may end in these before `code` (`Corner Shop code`); an `Acme order code` belongs to an order.
_ENDS_NAMES: frozenset[Kind] = frozenset(("trade", "prize"))
_TALK: frozenset[Kind] = frozenset(("trade", "deal", "prize", "door"))
_SPOKEN: frozenset[Kind] = _TALK | {"spoil"}
_SPOILERS: frozenset[Kind] = frozenset(("spoil", "trade", "deal"))
# What a word is to the numbers beside it, once its sense in the text is known.
_SETTLED: dict[Kind, Kind] = {"trade": "spoil", "deal": "spoil", "number": "other", "door": "other"}

# A word that may be part of a name: without a small letter of ASCII at its start, which spares a look at most words.
_NAME_WORD = re.compile(r"(?<![\w'’])[^\W\d_a-z](?>(?:[\w'’]|[.&](?=\w)){0,30})")
_DIGIT = re.compile("[0-9]")
_SAME_NAME = re.compile(r" (?:& )?|-")
# `[Lucky Award]`, `【大奖乐园】`, `Jackpot Isle:` at the start of a text.
_TAG = re.compile(r"\s{0,2}+(?:[\[【<«「『]([^\]】>»」』\n]{2,40}+)[\]】>»」』]|([^\W\d][^:：\n0-9.!?]{1,34}+)[:：])")
_FARTHEST_CODE = 9

# Between a word for a number and what the number proves: `номер для входа`, `número de verificación`.
_OF = re.compile(r"[\s\-]{0,2}+(?:[^\W\d_]{1,5}['’\s]\s?){0,2}|[用の]{1,2}")
# A registration number proves nothing.
_REGISTER = re.compile("regist|inscri|enrol|регистр|реєстр", re.IGNORECASE)
_OF_JAPANESE = frozenset(("の", "用", "用の"))
# Between a code word and the word that spoils it: nothing, a hyphen or a short word.
_TOUCH = re.compile(
    r"[\s\-]{0,2}|\s(?:de|du|di|do|da|del|dei|up)\s"
    r"|\s(?:it\s)?(?:up\s)?(?:with|using|mit|avec|con|com|met|med|z|с)\s(?:the\s|your\s|dem\s|den\s|le\s|el\s|il\s)?"
)
_OF_RULES = re.compile(r" of (?:conduct|practice|ethics|honou?r|behaviou?r|law|silence)\b", re.IGNORECASE)
# A one-time password stays one also beside a parcel: `delivery OTP`.
_ONE_TIME = frozenset(("otp", "otps"))


def settle(text: str, marks: list[Mark], kinds: frozenset[Kind]) -> tuple[list[Mark], frozenset[Kind]]:
    """`marks` by what they are to the numbers beside them, and the kinds that the text really has.

    The kinds keep `door` and `deal`, which tell of the whole text; `trade` and `number` have become others.
    """
    if kinds.isdisjoint(_SPOILERS | {"prize", "number", "door"}):
        return (_spoilt(text, marks) if " of " in text else marks), kinds
    if kinds & _SPOKEN:
        marks = _outside_names(text, marks)
    if "number" in kinds:
        marks = _with_numbers(text, marks)
    kinds = frozenset({mark.kind for mark in marks} | (kinds & {"common", "number"}))
    marks = _spoilt(text, marks)
    settled = [mark._replace(kind=_SETTLED[mark.kind]) if mark.kind in _SETTLED else mark for mark in marks]
    if "number" in kinds:
        kinds |= {"other"}
    return settled, (kinds | {mark.kind for mark in settled}) - {"trade", "number"}


def _outside_names(text: str, marks: list[Mark]) -> list[Mark]:
    """`marks` without those that are part of a name, a link or a compound such as `award-winning`."""
    silent = {mark for mark in marks if mark.kind == "prize" and text[mark.end : mark.end + 1] == "-"}
    codes = [mark for mark in marks if mark.kind in ("code", "proof")]
    is_named = any(mark.kind in _SPOKEN and not text[mark.start].islower() for mark in marks)
    for name, words, is_sender in _names(text) if is_named else ():
        inside = [mark for start, end in words for mark in _between(marks, start, end) if mark.kind in _IN_NAMES]
        if not is_sender:
            inside = [mark for mark in inside if mark.kind != "door"]  # `Locker KRA01M`
            if not _is_near(codes, *name):
                inside = [mark for mark in inside if mark.kind != "prize"]
        silent.update(inside)
    for start, end in find_spans(text):
        silent.update(mark for mark in _between(marks, start, end) if mark.kind in _TALK)
    return [mark for mark in marks if mark not in silent] if silent else marks


def _between(marks: list[Mark], start: int, end: int) -> list[Mark]:
    return marks[bisect_left(marks, (start,)) : bisect_left(marks, (end,))]


def _is_near(codes: list[Mark], start: int, end: int) -> bool:
    """Whether a code word, or what a code proves, stands beside a name: `Prize Palace code`."""
    behind = bisect_left(codes, (end,))
    near = codes[max(0, behind - 1) : behind + 1]
    return any(-_FARTHEST_CODE <= mark.start - end <= 3 or 0 <= start - mark.end <= _FARTHEST_CODE for mark in near)


def _names(text: str) -> Iterator[tuple[Span, list[Span], bool]]:
    """The names in a text, the words of each that say nothing of the text, and whether it is the sender's."""
    tag = _TAG.match(text)
    if tag and tag[1]:
        yield tag.span(1), [tag.span(1)] if kind_of(tag[1]) is None else [], True
    elif tag:
        for name, words in _capitalised(text, *tag.span(2)):
            yield name, words, True
    if not text.isupper():
        for name, words in _capitalised(text, tag.end() if tag else 0, len(text)):
            yield name, words, False


def _capitalised(text: str, start: int, end: int) -> Iterator[tuple[Span, list[Span]]]:
    """The names that are words with capitals, one beside the other."""
    name: list[tuple[int, int, Kind | None]] = []
    for word in _NAME_WORD.finditer(text, start, end):
        first, last = word.span()
        if name and (word[0][0].islower() or not _SAME_NAME.fullmatch(text, name[-1][1], first)):
            yield (name[0][0], name[-1][1]), _silent_words(name)
            name = []
        if not word[0][0].islower():
            name.append((first, last, "common" if _DIGIT.search(word[0]) else kind_of(word[0])))
    if name:
        yield (name[0][0], name[-1][1]), _silent_words(name)


def _silent_words(name: list[tuple[int, int, Kind | None]]) -> list[Span]:
    """The words of a name that stand before one that no table knows, or end the name behind such a one."""
    while name and name[-1][2] == "code":
        name = name[:-1]
    before = [None if kind == "trade" else kind for _, _, kind in name[:-1]]
    silent = [(start, end) for (start, end, _), (_, _, behind) in pairwise(name) if behind is None]
    if len(name) > 1 and before[-1] is None and name[-1][2] in _ENDS_NAMES:
        silent.append(name[-1][:2])
    return silent


def _with_numbers(text: str, marks: list[Mark]) -> list[Mark]:
    """`marks` with the words for a number that name a code; one beside a code word or an act is part of that."""
    named: list[Mark] = []
    is_sold = any(mark.kind in _SPOILERS for mark in marks)
    for mark in marks:
        before = named[-1] if named and _OF.fullmatch(text, named[-1].end, mark.start) else None
        if mark.kind != "number":
            if before and before.kind == "number" and mark.kind in ("code", "proof"):
                named.pop()
                if mark.kind == "proof":
                    named.append(before._replace(kind="other" if is_sold else "code"))
            named.append(mark)
        elif before and text[before.end : mark.start] in _OF_JAPANESE and before.kind in ("act", "proof"):
            named.append(mark._replace(kind="code"))
        elif before and before.kind in ("code", "act") and not _REGISTER.match(text, before.start):
            named[-1] = before._replace(end=mark.end)
        elif before and before.kind == "proof" and not is_sold:
            named.append(mark._replace(kind="code"))
        else:
            named.append(mark)
    return named


def _spoilt(text: str, marks: list[Mark]) -> list[Mark]:
    """`marks` with the code words that name no secret as `spoil`: `promo code`, `code de suivi`, `code of conduct`."""
    spoilt = marks
    for at, mark in enumerate(marks):
        if mark.kind == "code" and _is_spoilt(text, mark, marks[max(0, at - 2) : at + 2]):
            spoilt = spoilt if spoilt is not marks else list(marks)
            spoilt[at] = mark._replace(kind="spoil")
    return spoilt


def _is_spoilt(text: str, mark: Mark, near: list[Mark]) -> bool:
    if _OF_RULES.match(text, mark.end):
        return True
    if text[mark.start : mark.end].lower() in _ONE_TIME:
        return False
    start = mark.start
    for other in reversed([one for one in near if one < mark]):
        if not _TOUCH.fullmatch(text, other.end, start):
            break
        if other.kind in _SPOILERS:
            return True
        if other.kind != "other":  # `gift card code`
            break
        start = other.start
    behind = near[-1]
    return behind.kind in _SPOILERS and behind > mark and _TOUCH.fullmatch(text, mark.end, behind.start) is not None
