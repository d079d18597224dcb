"""The code reader takes time in proportion to the length of a text: its work is counted, never timed.

Work is counted where time goes, in three ways, and told apart by place:

- each step of each regular expression, by a matcher in Python that backtracks over the tree which `re` parses
  (`counting.CountedPattern`). All patterns are compiled anew with it, and a part of the corpus is then read alike;
- each character that a method of the text goes through or copies, by a `str` of ours (`counting.CountedText`);
- each bytecode of the reader, by `sys.settrace`.

A text is a nasty piece, again and again; then one of twice, and one of three times the length. At each place the third
stretch may cost no more than the second did (at a quadratic place it costs 5/3 of it: 9 - 4 to 4 - 1), and all places
together no more than so many steps for each character.
"""

import importlib
import json
import re
import sys
from collections import Counter
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import smscatch.codes
from smscatch.codes import words
from tests.counting import WORK, CountedPattern, CountedText

ROOM = str(Path(smscatch.codes.__file__).parent)
CORPUS = Path(__file__).parent / "data" / "codes.jsonl"
STRETCH = 120  # characters: more than the farthest that a rule looks around a number
NOISE = 60  # steps: where the stretches meet, or begin within a word
ONE_WORD = 1_000  # steps to look up a word, which are spared when it was looked up before
MOST_STEPS = 1_500

PIECES = (
    *(
        "1",
        "12",
        "482",
        "123456",
        "1234567890123",
        "4 8 2 ",
        "12-",
        "1.1",
        "1,5 ",
        "10:30 ",
        "1/2",
        "+49 ",
        "+1 ",
        "7%",
    ),
    *(
        "10 % ",
        "a1",
        "K7P2XM ",
        "X1",
        "xx",
        "XX12 ",
        "A-",
        "a-",
        "G-",
        "A1-",
        "#1",
        "*1*",
        "**",
        "ABAB",
        "1-AB",
        "1A1A-",
    ),
    *(
        " ",
        "\n",
        "\t",
        "\xa0",
        "\u202f",
        "\u200b",
        ".",
        ". ",
        ".  9",
        "...",
        "…",
        "!",
        "?!",
        "。",
        "-",
        "–",
        "_",
        "/",
        ":",
    ),
    *(
        "@",
        "'",
        '"',
        "(",
        ")",
        "[",
        "{",
        "»",
        "*",
        "#",
        "•",
        "+",
        ",",
        "\0",
        "a",
        "A",
        "aB",
        "Ab",
        "é",
        "e\u0301",
        "ü-",
    ),
    *(
        "İ",
        "ß",
        "²",
        "٤٨٢",
        "𝟘",
        "😀",
        "验",
        "验证码",
        "コード",
        "รหัส",
        "코드",
        "कोड",
        "רמז ",
        "ко",
        "код ",
        "авториз",
        "승인",
    ),
    *(
        "code ",
        "Code: ",
        "CODE IS ",
        "your ",
        "is ",
        "to ",
        "with ",
        "verify ",
        "enter ",
        "order ",
        "promo ",
        "code of ",
    ),
    *(
        "no. ",
        "ref.",
        "auth",
        "auth.",
        "reply to ",
        "send STOP on ",
        "prize ",
        "min ",
        "usd",
        "usd ",
        "EUR ",
        "$",
        "R",
        "T",
    ),
    *("ABCD", "=ABCD ", "is ABCD. ", ": abcde\n", "=aBCDe. ", "jan", "1jan", "FA+9qCX9VSu", "aB+/", "<#> ", "ist"),
    *(
        "a.a",
        "a.bc ",
        "a.com",
        "www.",
        "http",
        "http://",
        "https://a.b/)",
        "://",
        "a://1 ",
        "/?#",
        "@a.",
        "@a.b #",
        "@a-",
    ),
    *("@a.b #1 ", "\n@a.b #1 @c.d", "mailto:", "localhost:8", "aa.bb@", "://a.b：", "#a", "code: aBcDE, usd "),
    *("482 - ", "482  ", "482\n913\n\n", "4 8\n1 2\n\n", "1.23", "①", "2FA ", "won't ", "a'", "ab’cd’", "l'offre "),
    *("Corner Shop ", "Jackpot Isle ", "Jackpot: ", "[Prize", "【中奖", "prize-", "www.prize.com ", "gift card code "),
    *(
        "number ",
        "number of ",
        "verification number ",
        "номер для ",
        "確認の数字",
        "code will follow ",
        "locker ",
        "app ",
    ),
)
NASTY = st.tuples(
    st.sampled_from(("", *PIECES)),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join),
    st.sampled_from(("", "code", *PIECES)),
)


class Counted:
    """The reader with everything in it counted."""

    def __init__(self, codes: ModuleType, words: ModuleType) -> None:
        self._codes = codes
        self._words = words

    def read(self, text: str) -> tuple[Any, list[str]]:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(100_000)  # the matcher calls itself for each round of a repeat
        try:
            return self._codes.find_codes(CountedText(text)), self._codes.find_links(CountedText(text))
        finally:
            sys.setrecursionlimit(limit)

    def work(self, text: str) -> Counter[str]:
        """The steps that reading `text` takes, by place."""
        self._words.kind_of.cache_clear()
        WORK.clear()
        self.read(text)
        return WORK + bytecodes(text)


def bytecodes(text: str) -> Counter[str]:
    """The bytecodes that reading `text` takes, by function."""
    steps: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(ROOM):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            steps[f"bytecode of {frame.f_code.co_qualname}"] += 1
        return count

    words.kind_of.cache_clear()
    before = sys.gettrace()
    sys.settrace(count)
    try:
        smscatch.codes.find_codes(text)
        smscatch.codes.find_links(text)
    finally:
        sys.settrace(before)
    return steps


@pytest.fixture(scope="module")
def counted() -> Counted:
    """The reader, imported anew with patterns that count."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smscatch, "codes", smscatch.codes)  # which importing replaces
        for name in [name for name in sys.modules if name.startswith("smscatch.codes")]:
            patch.delitem(sys.modules, name)
        patch.setattr(re, "compile", lambda pattern, flags=0: CountedPattern(pattern, int(flags)))
        codes = importlib.import_module("smscatch.codes")
        codes.find_links("a.com")  # compiles what is compiled late
        codes.find_codes("1234")  # loads the rest
        words = sys.modules["smscatch.codes.words"]
        for name in [name for name in sys.modules if name.startswith("smscatch.codes")]:
            del sys.modules[name]
    return Counted(codes, words)


def superlinear(counted: Counted, before: str, piece: str, after: str) -> list[str]:
    """The places where a second stretch of the text costs less than the third."""
    times = STRETCH // len(piece) + 1
    one, two, three = (counted.work(before + piece * times * stretches + after) for stretches in (1, 2, 3))
    second = {place: two[place] - one[place] for place in three}
    third = {place: three[place] - two[place] for place in three}
    noise = {place: ONE_WORD if "kind_of" in place else NOISE for place in three}
    grows = [place for place in three if third[place] > 1.3 * second[place] + noise[place]]
    steps = three.total() / (3 * times * len(piece))
    more = [f"{steps:.0f} steps for a character"] if steps > MOST_STEPS else []
    return [f"{place}: {second[place]}, then {third[place]}" for place in grows] + more


def test_the_counted_reader_reads_as_the_reader_does(counted: Counted) -> None:
    for line in CORPUS.read_text("utf-8").splitlines()[::8]:
        text = json.loads(line)["text"]
        reading, links = counted.read(text)
        assert repr(reading) == repr(smscatch.codes.find_codes(text))
        assert links == smscatch.codes.find_links(text)


def test_the_work_grows_with_the_length_of_a_piece_again_and_again(counted: Counted) -> None:
    found = {piece: superlinear(counted, "", piece, "") for piece in PIECES}
    assert {piece: places for piece, places in found.items() if places} == {}


@settings(deadline=None, derandomize=True, max_examples=50, suppress_health_check=list(HealthCheck))
@given(nasty=NASTY)
def test_the_work_grows_with_the_length_of_any_mixture(counted: Counted, nasty: tuple[str, str, str]) -> None:
    assert superlinear(counted, *nasty) == []
