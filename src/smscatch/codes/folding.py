"""Makes an SMS text plain for the code reader: no invisible marks, digits of every script as 0-9, no accents.

What the text says is read in `words` and `shapes`.
"""

import re
import unicodedata

# Soft hyphen, bidi controls, zero-width characters, variation selectors.
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe0e\ufe0f\ufeff]+")
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
# Accents of Latin, Greek and Cyrillic, points of Hebrew, vowel marks of Arabic.
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u0655\u0670]")
_LETTERS_WITHOUT_DECOMPOSITION = str.maketrans("đłøıħŧ", "dloiht")


def strip_invisible(text: str) -> str:
    """`text` without characters that print nothing and may stand between digits (Unicode category Cf)."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def fold_digits(text: str) -> str:
    """`text`, as long as before, with the decimal digits of every script (Unicode category Nd) as 0-9."""
    if text.isascii() or not _FOREIGN_DIGIT.search(text):
        return text
    return _FOREIGN_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), text)


def fold_word(word: str) -> str:
    """`word` in lower case and without accents."""
    word = word.casefold()
    if word.isascii():
        return word
    return _ACCENTS.sub("", unicodedata.normalize("NFD", word)).translate(_LETTERS_WITHOUT_DECOMPOSITION)
