"""Telephone numbers in and out: E.164 as we keep our own, senders as they came, and the ways in which people type both.

No country's numbering plan is known here: phonenumbers (libphonenumber) knows them.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from types import ModuleType
from typing import NamedTuple

# ITU-T E.164, 6.2: at most 15 digits, country code first, which never begins with 0.
E164 = re.compile(r"\+[1-9][0-9]{5,14}")
_SCHEME = re.compile(r"(?:tel|sms|smsto|callto|whatsapp):(?://)?", re.IGNORECASE)
_SPELLED = re.compile(r"[(\[ ]*(?P<plus>\+)?[0-9 ()\[\]./\\,·•'~-]*[0-9][)\] ]*")
_SEPARATED = re.compile(r"\+[0-9 ()./-]*[0-9]")
_INLAND_ZERO = re.compile(r"\( *0 *\)")
_SUBSCRIBER = 7  # digits; fewer are no number that is read without '+'
_WITH_COUNTRY_CODE = 9  # digits; fewer are a short code, or too little to hold a country code and a subscriber
_LONGEST = 64  # characters that a number is written with
_CACHED = 256


def is_e164(text: str) -> bool:
    """Return whether `text` is a number as we keep it: '+', country code, digits."""
    return E164.fullmatch(text) is not None


def is_number(text: str) -> bool:
    """Return whether `text` is written as a number, and is long enough to be one of ours."""
    spelling = _spelling(text)
    return spelling is not None and (spelling.has_plus or len(spelling.digits) >= _WITH_COUNTRY_CODE)


def is_national(text: str) -> bool:
    """Return whether `text` is written as a number that may lack its country code."""
    spelling = _spelling(text)
    return spelling is not None and not spelling.has_plus and len(spelling.digits) >= _SUBSCRIBER


def is_country(code: str) -> bool:
    """Return whether `code` is a country (ISO 3166-1, two capitals) whose numbers are known; or cannot tell."""
    phonenumbers = _phonenumbers()
    return phonenumbers is None or code in phonenumbers.SUPPORTED_REGIONS


@lru_cache(_CACHED)
def readings(text: str, country: str | None = None) -> tuple[str, ...]:
    """Return what number `text` may be, as E.164 and the likeliest first; nothing if it is none.

    Taken: '+49 (0)151…', '0049…', 'tel:+49-151-…', digits of any script, '49151…', ' 49151…' (which is what becomes of
    an unescaped '+' in a URL's query), and with a `country` what people dial there: '0151…'. A number need not be given
    to anyone, or be of a range that is: those for drama are not. Without phonenumbers, which the extra `server` brings,
    only what has its country code is read.
    """
    # No country code with the 0 behind it that is dialled inland; in North America there is none.
    if is_e164(text) and (text.startswith("+1") or "0" not in text[2:5]):
        return (text,)
    spelling = _spelling(text)
    if spelling is None:
        return ()
    phonenumbers = _phonenumbers()
    if phonenumbers is None:
        international = spelling.international()
        return (international,) if international else ()
    found: dict[str, bool] = {}
    code = str(phonenumbers.country_code_for_region(country)) if country else None
    for trial, region in spelling.trials(country, code):
        try:
            number = phonenumbers.parse(trial, region)
        except phonenumbers.NumberParseException:
            continue
        written = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
        if is_e164(written):
            found.setdefault(written, phonenumbers.is_valid_number(number))
    return tuple(sorted(found, key=lambda number: not found[number]))


@lru_cache(_CACHED)
def country_of(numbers: tuple[str, ...]) -> str | None:
    """Return the country (ISO 3166-1) that all of these numbers in E.164 are of; None if of several, or unknown.

    Of countries that share a code it is the main one: US for +1.
    """
    phonenumbers = _phonenumbers() if numbers else None
    if phonenumbers is None:
        return None
    try:
        codes = {phonenumbers.parse(number).country_code for number in numbers}
    except phonenumbers.NumberParseException:  # of no country that there is
        return None
    region = str(phonenumbers.region_code_for_country_code(codes.pop()))
    return region if not codes and region in phonenumbers.SUPPORTED_REGIONS else None


def with_plus(number: str) -> str:
    """Return an international number that its sender writes without '+', with it; what is no such number stays.

    Short codes and names are none, nor is what begins with 0 or is longer than E.164 has it.
    """
    international = f"+{number}"
    return international if len(number) >= _WITH_COUNTRY_CODE and is_e164(international) else number


def compact(text: str) -> str:
    """Return `text` without separators if it is a number that no country is known of, otherwise without blanks around.

    So all spellings of one such number are at least one.
    """
    spelling = _spelling(text)
    if spelling is None or len(spelling.digits) < _SUBSCRIBER:
        return text.strip()
    return _digits(spelling.digits, "+" if spelling.has_plus else "")


def _phonenumbers() -> ModuleType | None:
    """Return libphonenumber, imported when first needed: it costs 0.1 s and 3 MB, and a test project needs it not."""
    try:
        import phonenumbers  # noqa: PLC0415 - see above
    except ImportError:
        return None
    return phonenumbers


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
    """A number as it was written: its digits, and whether '+' stood in front, or was lost to a blank in a URL.

    `without_zero` are the digits without a 0 in brackets, if there is one.
    """

    digits: str
    has_plus: bool
    lost_plus: bool
    without_zero: str

    def trials(self, country: str | None, code: str | None) -> Iterator[tuple[str, str | None]]:
        """Yield what to try it as, with the country in which it would be dialled so; `code` is the country's own."""
        if self.has_plus or (self.lost_plus and self.international() and self.digits[0] != "0"):
            yield f"+{self.without_zero}", None
            yield f"+{self.digits}", None
            return
        if len(self.digits) < _SUBSCRIBER:
            return
        international: list[tuple[str, str | None]] = []
        if self.international():
            international.append((f"+{self.without_zero.removeprefix('00')}", None))
        national = [(self.digits, country)] if country is not None else []
        is_of_country = code is not None and self.digits.startswith(code)
        yield from (*international, *national) if is_of_country else (*national, *international)

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
    if len(text) > _LONGEST:
        return None
    plain = _SCHEME.sub("", _plain(text).strip(), count=1)
    found = _SPELLED.fullmatch(plain)
    if found is None:
        return None
    digits, without_zero = _digits(plain), _digits(_INLAND_ZERO.sub("", plain))
    return _Spelling(digits, found["plus"] is not None, text[:1] == " ", without_zero)


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
