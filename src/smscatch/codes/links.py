"""Finds the links in an SMS text, with a scheme or bare.

It fetches and judges none of them.
"""

import re
from collections.abc import Iterator
from functools import cache

# Letters of scripts without spaces, which end a link that began in ASCII: `http://t.cn/Rx退订`.
_WIDE = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef"
_STOP = r"\s<>\"“”«»„…؟،؛।"
_PATH = rf"(?:[/?#][^{_STOP}{_WIDE}]*)?"
_ASCII_HOST = r"(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+|localhost)(?![.-]?[^\W\d_])(?::[0-9]+)?"
_WITH_SCHEME = rf"(?<![A-Za-z])(?i:https?)://(?:{_ASCII_HOST}|[^{_STOP}/?#{{}}（）「」【】，。；！？、：]+){_PATH}"
_LETTER = rf"[^\W_{_WIDE}]"
_BARE = (
    rf"(?<![^\W{_WIDE}])(?<![@.:/-])(?:{_LETTER}(?:{_LETTER}|-)*\.)+(?P<top>[^\W\d_{_WIDE}]{{2,18}})"
    rf"(?![\w@-](?<![{_WIDE}]))(?::[0-9]+)?(?P<path>{_PATH})"
)
# What every link has; the other patterns are only tried in the words, from space to space, where this is found.
_SIGN = re.compile(r"\.(?<=[^\W_]\.)[^\W\d_]|://")
_SCHEME = re.compile(r"(?<![A-Za-z])[A-Za-z][A-Za-z0-9+.-]{1,20}://\S+")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_TRAILING = ".,;:!?'’*_-"
# Top level domains that a host may have without `www.` or a path; those that are common words are not among them.
_TOP_LEVEL_DOMAINS = """
com net org info biz io app dev edu gov co tv cc xyz online site shop store link page cloud ai gg eu int ac ad
ae af al ar au az ba bd bg bh br by ca ch cl cn cr cy cz de dk dz ec ee eg es et fi fr ga ge gh gr gt hk hr hu
ie il iq ir jo jp ke kg kh kr kw kz lb lk lt lu lv ly ma md mk mm mn mt mx mz ng nl np nz om pa pe ph pk pl pt
py qa ro rs ru rw sa se sg sk sn sv th tj tn tr tw tz ua ug uk uy uz ve vn za zm zw рф укр қаз бг срб 中国 გე հայ
"""
_TOP = frozenset(_TOP_LEVEL_DOMAINS.split())


def find_links(text: str) -> list[str]:
    """The http and https links of `text` in order, as printed, and bare ones such as `v.whatsapp.com/569485`.

    Punctuation that follows a link is left out; other schemes (`javascript:`, `tel:`) are never links.
    """
    return [link for word in _signed_words(text) for _, link in _find_in(text, *word)]


def find_spans(text: str) -> list[tuple[int, int]]:
    """Where each link of `text`, and each word with another scheme (`intent://`), starts and ends; in order."""
    spans = []
    for word in _signed_words(text):
        spans += [(start, start + len(link)) for start, link in _find_in(text, *word)]
        spans += [match.span() for match in _SCHEME.finditer(text, *word)]
    return sorted(spans)


def _find_in(text: str, first: int, last: int) -> Iterator[tuple[int, str]]:
    """Where each link between `first` and `last` starts, and the link."""
    for match in _link().finditer(text, first, last):
        if match["top"] is None or match["path"] or _is_host(match[0], match["top"]):
            yield match.start(), _trimmed(match[0])


@cache
def _link() -> re.Pattern[str]:
    # Its classes of wide letters take 11 ms to compile, which a start without a link need not wait for.
    return re.compile(f"{_WITH_SCHEME}|{_BARE}")


def _signed_words(text: str) -> Iterator[tuple[int, int]]:
    end = 0
    while sign := _SIGN.search(text, end):
        start = max(end, text.rfind(" ", end, sign.start()))
        end = text.find(" ", sign.end())
        if end < 0:
            end = len(text)
        yield start, end


def _is_host(printed: str, top: str) -> bool:
    """Whether a bare name without a path is a host and not the seam of two sentences (`code.Do not`)."""
    if printed[:4].lower() == "www.":
        return True
    return top.lower() in _TOP and (top.islower() or printed.isupper())


def _trimmed(link: str) -> str:
    surplus = {close: link.count(close) - link.count(opening) for close, opening in _PAIRS.items()}
    end = len(link)
    while link[end - 1] in _TRAILING or surplus.get(link[end - 1], 0) > 0:
        end -= 1
        if link[end] in surplus:
            surplus[link[end]] -= 1
    return link[:end]
