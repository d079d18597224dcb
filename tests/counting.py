"""Work counted in steps instead of seconds: a matcher of regular expressions, and a str, that count what they do.

The matcher backtracks as `re` does over the tree that `re` itself parses (`re._parser`), so what it counts grows as the
time of `re` does. It knows what smscatch's patterns use, and fails on anything else.
"""

import re
import re._compiler as compiler  # type: ignore[import-not-found]
import re._constants as op  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any

Go = Callable[[int], int | None]  # what follows: from a place to where the match ends, or None
Node = Callable[["Try", int, Go], int | None]
WORK: Counter[str] = Counter()  # steps by place
ONE_CHARACTER = (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN)


class Try:
    """One try to match: the text, how far it may look, and what the groups have caught."""

    def __init__(self, text: str, end: int) -> None:
        self.text = text
        self.end = end
        self.steps = 0
        self.groups: dict[int, tuple[int, int]] = {}
        self.last: int | None = None


class CountedMatch:
    """What `re.Match` tells."""

    def __init__(self, tried: Try, start: int, end: int, names: dict[str, int]) -> None:
        self.string = tried.text
        self._groups = {0: (start, end), **tried.groups}
        self._names = names
        numbers = {number: name for name, number in names.items()}
        self.lastgroup = numbers.get(tried.last) if tried.last else None

    def span(self, group: int | str = 0) -> tuple[int, int]:
        return self._groups.get(self._names[group] if isinstance(group, str) else group, (-1, -1))

    def start(self, group: int | str = 0) -> int:
        return self.span(group)[0]

    def end(self, group: int | str = 0) -> int:
        return self.span(group)[1]

    def __getitem__(self, group: int | str) -> str | None:
        start, end = self.span(group)
        return self.string[start:end] if start >= 0 else None


class CountedPattern:
    """What `re.Pattern` does; each look at a character, a place or a branch is one step."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        tree = parser.parse(pattern, flags)
        self._key = f"pattern {pattern[:60]}"
        self._names = tree.state.groupdict
        self._root = _sequence(tree, tree.state.flags | flags, tree.state)

    def _try(self, text: str, start: int, end: int, *, whole: bool = False) -> CountedMatch | None:
        tried = Try(text, end)
        stop = self._root(tried, start, lambda at: at if not whole or at == end else None)
        WORK[self._key] += tried.steps
        return None if stop is None else CountedMatch(tried, start, stop, self._names)

    def match(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> CountedMatch | None:
        return self._try(text, max(0, pos), min(endpos, len(text)))

    def fullmatch(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> CountedMatch | None:
        return self._try(text, max(0, pos), min(endpos, len(text)), whole=True)

    def search(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> CountedMatch | None:
        return next(self.finditer(text, pos, endpos), None)

    def finditer(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> Iterator[CountedMatch]:
        at, end = max(0, pos), min(endpos, len(text))
        while at <= end:
            match = self._try(text, at, end)
            if match:
                yield match
            at = max(at + 1, match.end()) if match else at + 1

    def findall(self, text: str) -> list[str | None]:
        return [match[0] for match in self.finditer(text)]

    def sub(self, new: str | Callable[[CountedMatch], str], text: str) -> str:
        parts, at = [], 0
        for match in self.finditer(text):
            parts += [text[at : match.start()], new if isinstance(new, str) else new(match)]
            at = match.end()
        return type(text)("".join([*parts, text[at:]]))

    def split(self, text: str) -> list[str | None]:
        parts: list[str | None] = []
        at = 0
        for match in self.finditer(text):
            parts += [text[at : match.start()], match[1]]
            at = match.end()
        return [*parts, text[at:]]


def _sequence(tree: Any, flags: int, state: Any) -> Node:
    """What matches one node after the other; those of one character without a call, as there are so many."""
    nodes: list[tuple[Callable[[str], bool] | None, Node]] = []
    for code, argument in tree:
        takes = _looks_like(code, argument, flags, state) if code in ONE_CHARACTER else None
        nodes.append((takes, _node(code, argument, flags, state)))

    def run(tried: Try, at: int, then: Go, first: int = 0) -> int | None:
        for number in range(first, len(nodes)):
            takes, node = nodes[number]
            if takes is None:
                return node(tried, at, lambda after: run(tried, after, then, number + 1))  # noqa: B023 - ends the loop
            tried.steps += 1
            if at >= tried.end or not takes(str.__getitem__(tried.text, at)):
                return None
            at += 1
        return then(at)

    return run


def _node(code: Any, argument: Any, flags: int, state: Any) -> Node:
    if code in ONE_CHARACTER:
        return _character(_looks_like(code, argument, flags, state))
    if code in (op.MAX_REPEAT, op.POSSESSIVE_REPEAT):
        least, most, body = argument
        gives_back = code is op.MAX_REPEAT
        if len(body) == 1 and body[0][0] in ONE_CHARACTER:
            return _run(_looks_like(body[0][0], body[0][1], flags, state), least, most, gives_back=gives_back)
        assert gives_back, "before Python 3.11.5 a possessive repeat of a group errs (cpython 106052): (?>(?:…)*)"
        return _repeat(_sequence(body, flags, state), least, most)
    if code is op.ATOMIC_GROUP:
        return _atomic(_sequence(argument, flags, state))
    if code is op.BRANCH:
        return _branch(argument[1], flags, state)
    if code is op.SUBPATTERN:
        group, added, removed, body = argument
        return _group(group, _sequence(body, (flags | added) & ~removed, state))
    if code in (op.ASSERT, op.ASSERT_NOT):
        direction, body = argument
        width = body.getwidth()[1] if direction < 0 else 0
        return _look(_sequence(body, flags, state), back=width, wanted=code is op.ASSERT)
    if code is op.AT:
        return _place(argument, flags)
    if code is op.GROUPREF:
        return _reference(argument)
    raise NotImplementedError(f"{code} is not counted yet")


def _looks_like(code: Any, argument: Any, flags: int, state: Any) -> Callable[[str], bool]:
    """Whether `re` itself takes a character."""
    # A state of its own, as the groups of the whole pattern would want to be compiled too.
    alone = parser.State()
    alone.str, alone.flags = "", flags
    compiled = compiler.compile(parser.SubPattern(alone, [(code, argument)]), flags)
    return lru_cache(maxsize=None)(lambda character: compiled.match(character) is not None)


def _character(takes: Callable[[str], bool]) -> Node:
    def run(tried: Try, at: int, then: Go) -> int | None:
        tried.steps += 1
        return then(at + 1) if at < tried.end and takes(str.__getitem__(tried.text, at)) else None

    return run


def _run(takes: Callable[[str], bool], least: int, most: int, *, gives_back: bool) -> Node:
    def run(tried: Try, at: int, then: Go) -> int | None:
        stop = at
        while stop < tried.end and stop - at < most and takes(str.__getitem__(tried.text, stop)):
            tried.steps += 1
            stop += 1
        shortest = at + least if gives_back else max(stop, at + least)
        for last in range(stop, shortest - 1, -1):
            tried.steps += 1
            found = then(last)
            if found is not None:
                return found
        return None

    return run


def _repeat(body: Node, least: int, most: int) -> Node:
    def run(tried: Try, at: int, then: Go, done: int = 0) -> int | None:
        tried.steps += 1
        if done < most:
            found = body(tried, at, lambda after: run(tried, after, then, done + 1) if after > at else None)
            if found is not None:
                return found
        return then(at) if done >= least else None

    return run


def _atomic(body: Node) -> Node:
    def run(tried: Try, at: int, then: Go) -> int | None:
        after = body(tried, at, lambda place: place)
        return None if after is None else then(after)

    return run


def _branch(trees: Any, flags: int, state: Any) -> Node:
    branches = [_sequence(tree, flags, state) for tree in trees]
    firsts = [
        _looks_like(tree[0][0], tree[0][1], flags, state) if len(tree) and tree[0][0] is op.LITERAL else None
        for tree in trees
    ]

    @cache
    def fitting(character: str) -> list[Node]:
        """The branches that do not begin with another letter: there are hundreds in the table of words."""
        return [branch for branch, takes in zip(branches, firsts, strict=True) if takes is None or takes(character)]

    def run(tried: Try, at: int, then: Go) -> int | None:
        tried.steps += len(branches)
        for branch in fitting(str.__getitem__(tried.text, at)) if at < tried.end else branches:
            found = branch(tried, at, then)
            if found is not None:
                return found
        return None

    return run


def _group(number: int | None, body: Node) -> Node:
    if number is None:
        return body

    def run(tried: Try, at: int, then: Go) -> int | None:
        def close(after: int) -> int | None:
            before, last = tried.groups.get(number), tried.last
            tried.groups[number], tried.last = (at, after), number
            found = then(after)
            if found is None:
                tried.last = last
                del tried.groups[number]
                if before is not None:
                    tried.groups[number] = before
            return found

        return body(tried, at, close)

    return run


def _look(body: Node, *, back: int, wanted: bool) -> Node:
    def run(tried: Try, at: int, then: Go) -> int | None:
        tried.steps += 1
        found = at >= back and body(tried, at - back, lambda place: place) is not None
        return then(at) if found is wanted else None

    return run


def _place(where: Any, flags: int) -> Node:
    def is_word(text: str, at: int) -> bool:
        return 0 <= at < len(text) and (text[at].isalnum() or text[at] == "_")

    def holds(tried: Try, at: int) -> bool:
        text = str(tried.text) if where is op.AT_BOUNDARY else tried.text
        if where is op.AT_BEGINNING:
            return at == 0 or bool(flags & re.MULTILINE and str.__getitem__(text, at - 1) == "\n")
        if where is op.AT_END:
            at_line_end = at < tried.end and str.__getitem__(text, at) == "\n"
            return at == tried.end or (at_line_end and (at == tried.end - 1 or bool(flags & re.MULTILINE)))
        if where is op.AT_BOUNDARY:
            return is_word(text, at - 1) != is_word(text, at)
        raise NotImplementedError(f"{where} is not counted yet")

    def run(tried: Try, at: int, then: Go) -> int | None:
        tried.steps += 1
        return then(at) if holds(tried, at) else None

    return run


def _reference(number: int) -> Node:
    def run(tried: Try, at: int, then: Go) -> int | None:
        tried.steps += 1
        if number not in tried.groups:
            return None
        start, end = tried.groups[number]
        caught = str.__getitem__(tried.text, slice(start, end))
        return then(at + len(caught)) if str.startswith(tried.text, caught, at, tried.end) else None

    return run


class CountedText(str):
    """A text that counts, by method and caller, each character that a method of it goes through or copies."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> "CountedText":
        return self._noted("slice", str.__getitem__(self, key))

    def __add__(self, other: str) -> "CountedText":
        return self._noted("+", str.__add__(self, other))

    def strip(self, chars: str | None = None, /) -> "CountedText":
        return self._noted("strip", str.strip(self, chars), len(self))

    def find(self, sub: str, start: Any = 0, end: Any = None, /) -> int:
        found = str.find(self, sub, start, end)
        self._noted("find", "", (len(self) if found < 0 else found) - start)
        return found

    def rfind(self, sub: str, start: Any = 0, end: Any = None, /) -> int:
        found = str.rfind(self, sub, start, end)
        self._noted("rfind", "", (len(self) if end is None else end) - max(found, start))
        return found

    def _noted(self, method: str, result: str, characters: int | None = None) -> "CountedText":
        caller = sys._getframe(2).f_code.co_name
        WORK[f"str {method} in {caller}"] += len(result) if characters is None else characters
        return CountedText(result)


def _counting(name: str) -> Callable[..., Any]:
    method = getattr(str, name)

    def counted(self: CountedText, *arguments: Any) -> Any:
        caller = sys._getframe(1).f_code.co_name
        WORK[f"str {name} in {caller}"] += len(self)
        return method(self, *arguments)

    return counted


for _name in (
    *("__contains__", "__iter__", "casefold", "count", "isalnum", "isalpha", "isdigit", "islower", "isupper"),
    *("lower", "lstrip", "rstrip", "partition", "replace", "split", "splitlines", "upper"),
):
    setattr(CountedText, _name, _counting(_name))
