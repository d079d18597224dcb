"""Telephone numbers in and out: E.164 as we keep it, and the ways in which people type it.

No country's numbering plan is known here: a national number is left as it is.
"""

import re

# ITU-T E.164, 6.2: at most 15 digits, country code first, which never begins with 0.
E164 = re.compile(r"\+[1-9][0-9]{5,14}")
_TYPED = re.compile(r"(?P<international>\+|00)?[0-9 ()./-]*[0-9]")


def is_e164(text: str) -> bool:
    """Return whether `text` is a number as we keep it: '+', country code, digits."""
    return E164.fullmatch(text) is not None


def canonical_number(text: str) -> str:
    """Return `text` as E.164 if it is an international number in a usual spelling, otherwise unchanged.

    Understood: '+49 170 123-45', '0049170…', and '49170…' and ' 49170…', which is what becomes of an unescaped
    '+' in a URL's query. A short code, an alphanumeric sender or a national number ('0170…') stays as it is.
    """
    typed = text.strip()
    found = _TYPED.fullmatch(typed)
    if found is None:
        return typed
    digits = re.sub(r"[^0-9]", "", typed)
    if found["international"]:
        digits = digits.removeprefix("00")
    elif len(digits) < 9:  # a short code, or too little to hold a country code and a subscriber
        return typed
    number = f"+{digits}"
    return number if is_e164(number) else typed


def fold_sender(sender: str) -> str:
    """Return the form under which senders are compared and indexed."""
    return canonical_number(sender).casefold()
