"""Reads the one-time code out of an SMS text: every candidate with its score, its rule and a reason.

The words of each language are in `words.txt`, the rules in `rules`; nothing here stores or waits.
"""

import re
from dataclasses import dataclass
from operator import attrgetter

from smscatch.codes.folding import fold_digits, fold_signs, strip_invisible
from smscatch.codes.rules import REFUSED_SHAPES, RULES, Rule
from smscatch.codes.scene import Spot, read_scene

# A host is bare: no scheme, port, path or user; single names only `localhost`.
_HOST = r"(?:[^\W_](?:[^\W_]|-)*(?:\.[^\W_](?:[^\W_]|-)*)+|localhost)"
_BOUND_LINE = re.compile(rf"^@({_HOST}) #([^\s#]+)(?: @({_HOST})(?=\s|$))?", re.MULTILINE)
# Some senders (Tinder) put it at the end of the last sentence; GSM 7-bit `@` is sometimes decoded as NUL.
_BOUND_INLINE = re.compile(rf"(?<!\S)[@\0]({_HOST}) #([^\s#]*[0-9][^\s#]*)(?: @({_HOST})(?=\s|$))?")

# How usual a length is, as a factor: of 857 codes that we saw 74 % have 6 digits, 15 % 4, 5 % 5 and 3 % 8.
_USUAL = {6: 1.0, 4: 0.97, 5: 0.97, 8: 0.96, 7: 0.94}

_BY_SHAPE = {rule.name: rule for rule in REFUSED_SHAPES}
_BY_SCENE = [rule for rule in RULES if rule not in REFUSED_SHAPES]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number or word of a text that is, or looks like, its code.

    `value` is what a person types in (digits as 0-9, no group separators, no `G-`), `printed` what stands in
    the text; `score` is 0 to 1; `rule` is the stable name of what decided, `reason` a sentence for people.
    """

    value: str
    printed: str
    score: float
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a text says about codes.

    `code` is the best one or None, `codes` are all accepted ones, best first, `rejected` the other numbers in
    their order. `bound_hosts` are the sites that the code is bound to (WICG sms-one-time-codes), the top one
    first. `retriever_hash` is the app hash of Android's SMS Retriever.
    """

    code: str | None
    codes: tuple[Candidate, ...]
    rejected: tuple[Candidate, ...]
    bound_hosts: tuple[str, ...]
    retriever_hash: str | None


def find_codes(text: str) -> Reading:
    """What `text` says about codes: the best one, all others, and what was rejected and why.

    Takes time in proportion to the length of `text`, and looks at its first hundred numbers.
    """
    plain = strip_invisible(text)
    folded = fold_digits(plain)
    bound, hosts, (start, end) = _find_bound(plain, folded)
    scene = read_scene(fold_signs(folded[:start] + " " * (end - start) + folded[end:]))
    judged = [_judge(spot, plain) for spot in scene.spots]
    accepted = sorted([one for one in judged if one.score > 0], key=attrgetter("score"), reverse=True)
    codes = _distinct(bound + accepted)
    return Reading(
        codes[0].value if codes else None,
        codes,
        tuple([one for one in judged if one.score == 0]),
        hosts,
        scene.retriever_hash,
    )


def best_code(text: str) -> str | None:
    """The code that `text` most likely holds, or None."""
    return find_codes(text).code


def _find_bound(plain: str, folded: str) -> tuple[list[Candidate], tuple[str, ...], tuple[int, int]]:
    """The code of the last origin-bound line, its hosts, and where they stand.

    Source: WICG "Origin-bound one-time codes delivered via SMS"; Chromium's sms_parser_unittest.cc.
    """
    if " #" not in folded:
        return [], (), (0, 0)
    lines = [*_BOUND_LINE.finditer(folded)]
    match = lines[-1] if lines else _BOUND_INLINE.search(folded)
    if match is None:
        return [], (), (0, 0)
    reason = f"It stands on the line that binds it to {match[1]}."
    found = Candidate(match[2], plain[match.start(2) : match.end(2)], 1.0, "bound", reason)
    return [found], tuple(host for host in (match[1], match[3]) if host), match.span()


def _judge(spot: Spot, plain: str) -> Candidate:
    rule = _rule_for(spot)
    score = round(rule.score * _USUAL.get(len(spot.value), 0.9), 3) if rule.score else 0.0
    return Candidate(spot.value, plain[spot.start : spot.end], score, rule.name, rule.reason)


def _rule_for(spot: Spot) -> Rule:
    # Most numbers of a bank's text are refused by their shape alone, and then no rule is asked.
    return _BY_SHAPE.get(spot.shape) or next(rule for rule in _BY_SCENE if rule.holds(spot))


def _distinct(candidates: list[Candidate]) -> tuple[Candidate, ...]:
    """The first candidate of each value."""
    first: dict[str, Candidate] = {}
    for one in candidates:
        first.setdefault(one.value, one)
    return tuple(first.values())


def describe(reading: Reading) -> str:
    """`reading` in lines for people: the code and why, the other codes, what was rejected and why."""
    lines = [f"code: {reading.code}" if reading.code else "no code"]
    for sign, candidates in (("+", reading.codes), ("-", reading.rejected)):
        lines += [f"  {sign} {one.printed}  {one.score:.2f}  {one.rule}: {one.reason}" for one in candidates]
    if reading.bound_hosts:
        lines.append(f"bound to: {', '.join(reading.bound_hosts)}")
    if reading.retriever_hash:
        lines.append(f"SMS Retriever hash: {reading.retriever_hash}")
    return "\n".join(lines)
