"""Telephone numbers in and out: E.164 as we keep our own, senders as they came, and the ways in which people type both.

No country's numbering plan is known here: phonenumbers (libphonenumber) knows them.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

# ITU-T E.164, 6.2: at most 15 digits, country code first, which never begins with 0.
E164 = re.compile(r"\+[1-9][0-9]{5,14}")
_SCHEME = re.compile(r"(?:tel|sms|smsto|callto|whatsapp):(?://)?", re.IGNORECASE)
_SPELLED = re.compile(r"(?P<plus>\+)?[0-9 ()\[\]./\\,·•'~-]*[0-9][)\] ]*")
_SEPARATED = re.compile(r"\+[0-9 ()./-]*[0-9]")
_WITH_COUNTRY_CODE = 9  # digits; fewer are a short code, or too little to hold a country code and a subscriber
_CACHED = 1024


def is_e164(text: str) -> bool:
    """Return whether `text` is a number as we keep it: '+', country code, digits."""
    return E164.fullmatch(text) is not None


def canonical_number(text: str) -> str:
    """Return `text` as E.164 if it is an international number in a usual spelling, otherwise unchanged.

    Understood: '+49 170 123-45', '0049170…', and '49170…' and ' 49170…', which is what becomes of an unescaped
    '+' in a URL's query. A short code, a name or a national number ('0170…') stays as it is.
    """
    spelling = _spelling(text)
    return (spelling and spelling.international()) or text.strip()


def fold_sender(sender: str) -> str:
    """Return the form under which a sender that came is indexed, without regard to case.

    What the network sent stays apart: '+491701234567' is of the type of number 1, international, '491701234567' of
    another (3GPP TS 23.040, 9.1.2.5), which may be anywhere. Only blanks and the like in an international number go.
    """
    sender = sender.strip()
    return _digits(sender, "+") if _SEPARATED.fullmatch(sender) else sender.casefold()


@lru_cache(_CACHED)
def sender_forms(typed: str) -> tuple[str, ...]:
    """Return what a person who types `typed` may mean, each as `fold_sender` leaves it; what stands there comes first.

    With '+' that is one sender. '0049170…' may be a sender written so, or '+49170…'; so may '49170…'. ' 49170…' is
    what becomes of an unescaped '+' in a URL's query, and means that. Separators between digits do not matter.
    """
    as_written = fold_sender(typed)
    spelling = _spelling(typed)
    if spelling is None:
        return (as_written,)
    international = spelling.international()
    if international and (spelling.has_plus or spelling.lost_plus):
        return (international,)
    forms = (as_written, _digits(spelling.digits, "+" if spelling.has_plus else ""), international)
    return tuple(dict.fromkeys(form for form in forms if form))


class _Spelling(NamedTuple):
    """A number as it was written: its digits, and whether '+' stood in front, or was lost to a blank in a URL."""

    digits: str
    has_plus: bool
    lost_plus: bool

    def international(self) -> str | None:
        """Return it as E.164 if it may be an international number, otherwise None."""
        digits = self.digits
        if not self.has_plus:
            if len(digits) < _WITH_COUNTRY_CODE:
                return None
            digits = digits.removeprefix("00")
        number = f"+{digits}"
        return number if is_e164(number) else None


def _spelling(text: str) -> _Spelling | None:
    """Return `text` as digits if it is nothing but a number: of any script, with separators, perhaps as a tel: URI."""
    plain = _SCHEME.sub("", _plain(text).strip(), count=1)
    found = _SPELLED.fullmatch(plain)
    if found is None:
        return None
    return _Spelling(_digits(plain), found["plus"] is not None, text[:1] == " ")


def _plain(text: str) -> str:
    """Return `text` with ASCII for digits, dashes, blanks and '+' of other kinds, and without what is invisible."""
    return "".join(map(_plain_character, unicodedata.normalize("NFKC", text)))


def _plain_character(character: str) -> str:
    if character.isascii():
        return character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    category = unicodedata.category(character)
    # Cf: marks of direction, which come along when a number is copied.
    return {"Cf": "", "Pd": "-", "Zs": " "}.get(category, character)


def _digits(text: str, plus: str = "") -> str:
    return plus + re.sub(r"[^0-9]", "", text)
