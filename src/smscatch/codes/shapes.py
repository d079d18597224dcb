"""Finds what might be a code in an SMS text by its looks: runs with a digit, and words that look random.

What the words around say is told in `scene`.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from smscatch.codes.links import find_spans

# A text with more numbers, or random words, than this is no SMS with a code; the rest of them is not looked at.
_MOST = 100
_DIGIT, _LONGEST_LEAD = re.compile("[0-9]"), 30
_GROUP = r"[0-9]{1,7}(?![0-9A-Za-z]|[.,:/-][0-9])"
# `482 - 913`, `482  913`, and groups on two lines of their own.
_APART = r" {1,2}[-–—/~|] {1,2}| {2}"
_LINE_END = r"(?=\s{0,3}(?:\n|$))"
_PARTED = (
    rf"[0-9]{{3}}(?:(?:{_APART})[0-9]{{3,4}}(?! ?[-–—/.,:]? ?[0-9]|[A-Za-z])|\n[0-9]{{3}}{_LINE_END})"
    rf"|[0-9]{{4}}(?:{_APART})[0-9]{{4}}(?! ?[-–—/.,:]? ?[0-9]|[A-Za-z])"
    rf"|[0-9](?: [0-9]){{1,3}}\n[0-9](?: [0-9]){{1,3}}{_LINE_END}"
)
# Atomic groups, and possessive repeats of single characters only: before Python 3.11.5 a possessive repeat of a group
# keeps what its last, failed round has read (cpython 106052).
_RUN = re.compile(
    # Groups of digits with single spaces, or letters and digits (with at least one) that single marks join.
    # The lookahead only saves time: most words have no digit.
    rf"(?<![0-9A-Za-z*#•])(?=[+A-Za-z*#•-]{{0,{_LONGEST_LEAD}}}+[0-9])(?:{_PARTED}"
    rf"|\+?{_GROUP}(?: {_GROUP})+"
    r"|(?>(?:[A-Za-z]{1,9}-)?)[A-Za-z*#•]*+[0-9][0-9A-Za-z*•]*+"
    r"(?>(?:(?:[-–—*•_/·~]|[.,:'’](?=[0-9]))(?:[0-9]|(?=[A-Z0-9*•]+(?![0-9A-Za-z])))[0-9A-Za-z*•]*+)*))"
)
_DATE = r"[0-9]{1,4}(?P<mark>[-/.])[0-9]{1,2}(?P=mark)[0-9]{1,4}|[0-9]{1,2}/[0-9]{2,4}"
# Three groups or more, and not all of them thousands: `888.555.0142`, `192.168.10.12`.
_DOTTED = r"(?![0-9]{1,3}(?:\.[0-9]{3})+$)(?:[0-9]{1,4}(?:\.[0-9]{2,4}){2,5}|(?:[0-9]{1,3}\.){3}[0-9]{1,3})"
_MONTH = "(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
# The first that fits; the name of its group is the shape.
_SHAPE = re.compile(
    "|".join(
        f"(?P<{shape}>{pattern})"
        for shape, pattern in (
            ("digits", r"[0-9]{3,10}"),
            ("prefixed", r"(?:G|FB)-[0-9]{4,8}"),
            ("grouped", r"[0-9]{3}[-–— ][0-9]{3,4}|[0-9]{4}[-–— ][0-9]{4}"),
            ("pairs", r"[0-9]{2}(?:[- ][0-9]{2}){2}|[0-9](?:[-\s][0-9]){3,7}|[0-9]{3}(?:[- ][0-9]{3}){2}"),
            ("parted", rf"[0-9]{{3}}(?:{_APART}|[\n.,'’_/·~])[0-9]{{3,4}}|[0-9]{{4}}(?:{_APART}|[._·])[0-9]{{4}}"),
            ("time", r"(?:[01]?[0-9]|2[0-4])[:h.][0-5][0-9](?:[:.m][0-9]{2})?(?:[ap]m|s)?|[0-9]{1,2}(?:[ap]m|h)"),
            ("date", rf"{_DATE}|[0-9]{{1,2}}-?{_MONTH}(?:-?[0-9]{{2,4}})?"),
            ("version", r"[0-9]{1,3}\.[0-9](?:\.[0-9]{1,2})?"),
            ("amount", rf"(?!{_DOTTED}$)" r"[A-Za-z]{0,4}[0-9]+(?:[.,'’][0-9]+)+[A-Za-z]{0,4}"),
            ("masked", r".*[*•#].*|[A-Za-z]{0,4}[xX]+[0-9]{2,}[A-Za-z]?|[0-9]+[xX]+[0-9]*[A-Z]?"),
            ("phone", _DOTTED + r"|\+.*|[0-9]{3}[- ][0-9]{3}[- ][0-9]{4}|[0-9]{11,}|[0-9]+(?:[- ][0-9]+)+"),
            ("measure", r"(?i:[0-9]+(?:st|nd|rd|th|[gmk]b|mins?|hrs?|sec|days?|p|x|k|km|m|ml|kg|rb|jt))"),
            ("letters", r"[0-9A-Za-z]{4,10}|[0-9A-Za-z]{1,5}(?:-[0-9A-Za-z]{2,5}){1,2}|[A-Z]-[0-9]{6,8}"),
        )
    )
)
# The shapes that a code may have; other numbers only own the word before them.
CODE_SHAPES = frozenset(("digits", "grouped", "pairs", "parted", "prefixed", "letters", "word"))
# `123456-Acme`, `123456/Acme`, `760381er`: the number ends before the word.
_WORD_BEHIND = re.compile(r"(?<=[0-9]{4})[-–—_/]+[A-Za-z]*$|(?<=^[0-9]{6})[a-z]{2,}$")
# `ngu-503391`, `Code-771024`, `Yourcodeis771024`: the number begins after the word.
_WORD_BEFORE = re.compile(
    r"[A-Z]?[a-z]{1,9}-(?=[0-9]{4,8}$)|(?i:[a-z]{0,20}(?:code|kod|otp|pin)(?:is|est|es|lautet|e)?)(?=[0-9]{4,8}$)"
)
# `48 2913` behind `code` or a colon: one code in uneven groups; elsewhere each group is a number of its own.
_UNEVEN = re.compile(r"(?=(?:[0-9][- ]?){4,8}$)[0-9]{2,4}(?:[- ][0-9]{2,4}){1,3}")
_NAMED_BEFORE = re.compile(r"(?:[:：=]|(?i:\b(?:is|est|es|ist|er|är|lautet|code|kode|kod|pin|otp|tan|код)))\s?$")
_FARTHEST_NAME = 10
# `9350,15分钟`: what looks like decimals is a number of minutes.
_MINUTES_BEHIND = re.compile(r"[,.][0-9]{1,2}(?=\s?(?:分|秒|분|min|мин|хв|dk|dakika))")
_LONE_DIGITS = re.compile(r"[0-9]{3,}")
_MOST_DIGITS, _LEAST_PHONE_DIGITS = 10, 9

# The last word of the text; some senders glue it to the code, put a `+` before or sign after it.
_HASH = re.compile(r"(?:(?:^|\s)\+?|(?<=[0-9]{4})(?=[+/]))([A-Za-z0-9+/]{11})(?=\s*(?:- ?[A-Za-z][A-Za-z ]{1,20})?$)")
_CASE_CHANGE = re.compile(r"[a-z](?=[A-Z])|[A-Z](?=[a-z])")
_FARTHEST_HASH = 45

# A code without digits stands behind a colon or `is` and ends a clause.
_LETTER_CODE = re.compile(
    r"[\s:：=是为為](?:(?<!\s)|(?:is|es|ist|est|é)\s)[\s\"'“\[(*]{0,3}"
    r"([A-Z]{4,10}|[a-z]{5,8}(?=\s*$)|[A-Za-z]{5,10})(?=[\"'”\])*]?(?:[.,!\n]|\s*$))"
)
_RANDOM_CASES = re.compile(r"[a-z].*[A-Z]{2}|[A-Z]{2}.*[a-z]")


class Found(NamedTuple):
    """Where something stands that might be a code, and what it looks like."""

    start: int
    end: int
    shape: str


def find_hash(text: str) -> Found | None:
    """The app hash that ends an SMS for Android's SMS Retriever.

    Source: developers.google.com, SMS Retriever API, "Perform SMS verification on a server": 11 characters.
    """
    last = text[-_FARTHEST_HASH:].rstrip()[-1:]
    if not (last.isalnum() or last in "+/"):
        return None
    match = _HASH.search(text, max(0, len(text) - _FARTHEST_HASH))
    return Found(*match.span(1), "hash") if match and _is_hash(match[1]) else None


def _is_hash(word: str) -> bool:
    """Whether 11 characters of base64 are no name or number: small and capital letters, much mixed."""
    changes = len(_CASE_CHANGE.findall(word))
    mixed = any(map(str.islower, word)) and any(map(str.isupper, word))
    return changes >= 4 or (mixed and not word.isalpha())


def find_numbers(text: str, end: int) -> list[Found]:
    """Every run of `text` before `end` that holds three digits, by the shape it is printed in; the first hundred."""
    return list(islice(_read_runs(text, end, find_spans(text)), _MOST))


def _read_runs(text: str, limit: int, hidden: list[tuple[int, int]]) -> Iterator[Found]:
    links = iter(hidden)
    first, last = next(links, (limit, limit))
    digit = _DIGIT.search(text, 0, limit)
    if digit is None:
        return
    for match in _RUN.finditer(text, max(0, digit.start() - _LONGEST_LEAD), limit):
        start, end = match.span()
        if end - start < 3:
            continue
        while last <= start < limit:
            first, last = next(links, (limit, limit))
        if first <= start:
            yield Found(start, end, "link")
            continue
        end = min(end, first)
        run = text[start:end]
        if ("," in run or "." in run) and (minutes := _MINUTES_BEHIND.search(text, start, end + 8)):
            run = run[: minutes.start() - start]
        if run.isdigit():
            yield Found(start, start + len(run), "digits" if len(run) <= _MOST_DIGITS else "phone")
        else:
            yield from _read_run(text, run, start)


def _read_run(text: str, run: str, start: int) -> Iterator[Found]:
    """What one run of `text` holds: itself without a word glued to it, or its parts if it is no known group."""
    if run[0] == "#" or (run[0] == "*" == run[-1]):
        start, run = start + 1, run[1:].rstrip("*")
    if not run[-1:].isdigit():
        run = _WORD_BEHIND.sub("", run)
    if word := run[:1].isalpha() and _WORD_BEFORE.match(run):
        start, run = start + word.end(), run[word.end() :]
    match = _SHAPE.fullmatch(run)
    shape = match.lastgroup if match and match.lastgroup else "odd"
    if shape == "phone" and run[0] != "+" and sum(map(str.isdigit, run)) < _LEAST_PHONE_DIGITS:
        if _is_uneven(text, run, start):
            yield Found(start, start + len(run), "pairs")
            return
        for part in _LONE_DIGITS.finditer(run):
            yield Found(start + part.start(), start + part.end(), "digits")
    elif len(run) > 2:
        yield Found(start, start + len(run), shape)


def _is_uneven(text: str, run: str, start: int) -> bool:
    if not _UNEVEN.fullmatch(run) or not _NAMED_BEFORE.search(text, max(0, start - _FARTHEST_NAME), start):
        return False
    # `code 4829 15 minutes`: what follows is a number of something.
    behind = text[start + len(run) :][:2].strip()
    return not run[:4].isdigit() or not behind[:1].isalpha()


def find_words(text: str) -> list[Found]:
    """Words without a digit that look random, behind a colon or `is`: of another case than the text, or of two.

    The first hundred.
    """
    return list(islice(_read_words(text), _MOST))


def _read_words(text: str) -> Iterator[Found]:
    is_all_capitals = text.isupper()
    has_small = False
    for match in _LETTER_CODE.finditer(text):
        word = match[1]
        if word.islower():  # only the first such word can stand behind capitals alone
            random = not has_small and text[: match.start(1)].isupper()
            has_small = True
        elif word.isupper():
            random = not is_all_capitals
        else:
            random = _RANDOM_CASES.search(word) is not None
        if random:
            yield Found(*match.span(1), "word")
