"""Makes an SMS text plain for the code reader: no invisible marks, digits of every script as 0-9, plain spaces.

What the text says is read in `words` and `shapes`.
"""

import re
import unicodedata

# Soft hyphen, bidi controls, zero-width characters, variation selectors, the frame of a keycap.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u20e3\ufe0e\ufe0f\ufeff]+"
)
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
# ①, ⑴, ⒈, ⓪, ⓵, ⓿, ❶, ➀, ➊: one digit each (Unicode property Numeric_Type=Digit); superscripts are left out.
_FRAMED_DIGIT = re.compile(
    "[\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea\u24f5-\u24fd\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792]"
)
# Spaces of other widths (category Zs), hyphens (Pd without the dashes), a dot at half height.
_RARE = re.compile(
    "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2010-\u2012\u2212\u058a\ufe58\ufe63\uff0d\u30fb\u2027\u22c5]"
)
# Accents of Latin, Greek and Cyrillic, points of Hebrew, vowel marks of Arabic.
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u0655\u0670]")
_LETTERS_WITHOUT_DECOMPOSITION = str.maketrans(
    {**dict(zip("đðłøıħŧə", "ddloihte", strict=True)), "æ": "ae", "œ": "oe", "þ": "th"}
)


def strip_invisible(text: str) -> str:
    """`text` without characters that print nothing and may stand between digits (Unicode category Cf)."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def fold_digits(text: str) -> str:
    """`text`, as long as before, with the digits of every script (Unicode category Nd), also in circles, as 0-9."""
    if text.isascii():
        return text
    if _FRAMED_DIGIT.search(text):
        text = _FRAMED_DIGIT.sub(lambda match: str(unicodedata.digit(match[0])), text)
    if not _FOREIGN_DIGIT.search(text):
        return text
    return _FOREIGN_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), text)


def fold_signs(text: str) -> str:
    """`text`, as long as before, with spaces of every width as a space, and hyphens of every kind as `-`."""
    if text.isascii() or not _RARE.search(text):
        return text
    return _RARE.sub(lambda match: " " if match[0].isspace() else "-" if match[0] not in "・‧⋅" else "·", text)


def fold_word(word: str) -> str:
    """`word` in lower case and without accents."""
    word = word.casefold()
    if word.isascii():
        return word
    return _ACCENTS.sub("", unicodedata.normalize("NFD", word)).translate(_LETTERS_WITHOUT_DECOMPOSITION)
