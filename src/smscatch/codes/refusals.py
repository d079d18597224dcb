"""Tells for what reasons a number is no code: what stands beside it, and what its text speaks of.

The reasons to take a number for one are in `claims`; `rules` puts both in order.
"""

import re
from collections.abc import Callable

from smscatch.codes.scene import Scene, Spot

_SYMBOLS = "$€£¥¢₹₽₴₸₺₩₪฿₫₦₱₡₲₵৳﷼₾֏₮₭៛￥￦"
_MONEY_SIGNS = frozenset(_SYMBOLS + "R%‰рđРT,")  # one of these is in what the next two find
_MONEY_BEFORE = re.compile(rf"(?:[{_SYMBOLS}][ \xa0]?|(?<![A-Za-z])R\$? ?)$")
_MONEY_BEHIND = re.compile(rf"[ \xa0]?(?:[{_SYMBOLS}%‰](?! ?[0-9])|[рđРT](?![^\W\d_])|,-)")
_MASK_BEFORE = re.compile(r"(?:[*•#]|\.\.|(?<![A-Za-z])[xX]{2,})[- ]?$")
_MASKS = frozenset("*•#.xX")
_PHONE_BEFORE = re.compile(r"\+[0-9 ]*\(?$")
_CALL_BEFORE = re.compile(
    r"\b(?:text|txt|sms|send|sent|reply|stop|call|dial)\b[^.]{0,22}\b(?:to|on)[: ]+$", re.IGNORECASE
)
_APPROVAL_BEFORE = re.compile(
    r"(?:auth|appr|autori[sz]|apro[bv]a|avt|авториз|одобрен|승인)[^\W\d]*[ .:#]*"
    r"(?:(?:code|no|nr|number|번호)[ .:#]*)?$",
    re.IGNORECASE,
)
_AT_BEFORE = re.compile(
    r"\b(?:at|from|to|until|till|by|before|after|um|ab|bis|von|om|van|tot|à|de|alle|kl) $", re.IGNORECASE
)
# `482 ~ 913`: parts of a longer number that is printed in an unknown way.
_PART_BEHIND = re.compile(r"(?:[^\w,;(]{1,3}[0-9]{2,4}|,\s?[0-9]{3})(?![0-9])")
_TRIPLE_BEFORE = re.compile(r"[0-9]{3}[^\w;:(]{1,3}$")
_PART_BEFORE = re.compile(r"(?<![0-9.,:/])[0-9]{2,3}[^\w\n,;:(]{1,3}$")
_HALF_BEHIND = re.compile(r" ?[-~+·/|] ?[0-9]{4}(?![0-9])")
_VOUCHER = re.compile("[A-Z]{3,}[0-9]{1,3}[A-Z]{0,3}")
_INDEX_BEFORE = re.compile(r"(?:\b(?:no|nr|num|number)|№|n°|\wtan)[ .:]{0,3}$", re.IGNORECASE)
_HOUR = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][05]")
_YEAR = re.compile(r"19[5-9][0-9]|20[0-4][0-9]")
_DATE = re.compile(
    r"20[0-4][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])|(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])20[0-4][0-9]"
)


def shape(name: str) -> Callable[[Spot], bool]:
    """What holds for the numbers of the shape `name`."""
    return lambda spot: spot.shape == name


def is_money(spot: Spot) -> bool:
    """Whether a currency stands beside a number."""
    if not _MONEY_SIGNS.isdisjoint(spot.before[-3:]) and _MONEY_BEFORE.search(spot.before, len(spot.before) - 3):
        return True
    if not _MONEY_SIGNS.isdisjoint(spot.after[:2]) and _MONEY_BEHIND.match(spot.after):
        return True
    return any(_is_sum(spot, mark.start, mark.end) for mark in spot.scene.money_near(spot))


def _is_sum(spot: Spot, start: int, end: int) -> bool:
    """Whether a currency touches the number, and not rather another one on its other side (`500 EUR: 123456`)."""
    text = spot.scene.text
    if end <= spot.start:
        apart = text[end : spot.start].strip(" .:\xa0") or text[max(0, start - 2) : start].strip()[-1:].isdigit()
    else:
        apart = text[spot.end : start].strip(" \xa0-") or text[end : end + 3].lstrip(" .:")[:1].isdigit()
    return not apart


def is_measured(spot: Spot) -> bool:
    """Whether a unit follows a number."""
    units = spot.scene.unit_starts
    return spot.end in units or (spot.end + 1 in units and spot.after[0] in " \xa0-")


def is_tail(spot: Spot) -> bool:
    """Whether a number is the end of a masked one: `** 2483`."""
    if _MASKS.isdisjoint(spot.before[-3:]):
        return False
    bold = spot.after[:1] == "*" and not spot.before.endswith("**")
    return not bold and not spot.before.endswith("...") and _MASK_BEFORE.search(spot.before) is not None


def is_called(spot: Spot) -> bool:
    """Whether a number is one to call or to text."""
    if _PHONE_BEFORE.search(spot.before):
        return True
    verb = _CALL_BEFORE.search(spot.before) if spot.before.rstrip(": ")[-2:].lower() in ("to", "on") else None
    # `Send STOP to 32665`, but not `Twój kod SMS to 123456`, where `to` is `is`.
    return verb is not None and not any(
        label.kind == "code" and 0 <= label.gap - len(verb[0]) <= 1 for label in spot.left
    )


def is_approval(spot: Spot) -> bool:
    """Whether a number approves a payment that was made."""
    scene = spot.scene
    return is_about_money(scene) and "other" in scene.kinds and _APPROVAL_BEFORE.search(spot.before) is not None


def is_about_money(scene: Scene) -> bool:
    """Whether a text speaks of money."""
    return "money" in scene.kinds or "amount" in scene.shapes


def is_card_check(spot: Spot) -> bool:
    """Whether a number is the check number of a card."""
    return len(spot.value) == 3 and "masked" in spot.scene.shapes


def is_offer(spot: Spot) -> bool:
    """Whether what looks like a code is a voucher."""
    if spot.shape not in ("letters", "word"):
        return False
    # A word with a number behind it (`WELCOME7`) is a voucher where money is spoken of, and nothing is proved.
    kinds = spot.scene.kinds
    is_sale = not kinds.isdisjoint(("money", "spoil")) and "proof" not in kinds and _VOUCHER.fullmatch(spot.value)
    return spot.scene.has_discount or bool(is_sale)


def is_prize(spot: Spot) -> bool:
    """Whether the text of a number speaks of a prize."""
    if "prize" not in spot.scene.kinds:
        return False
    # Who won something may have to log in: `Your login code for the award night is 482913`.
    labels = spot.left or spot.right
    return all(label.kind != "proof" for label in labels) or all(label.kind != "code" for label in labels)


def is_part(spot: Spot) -> bool:
    """Whether a number is part of a longer one."""
    if len(spot.value) > 4 or spot.shape != "digits":
        return False
    if len(spot.value) == 3 and (_PART_BEHIND.match(spot.after) or _TRIPLE_BEFORE.search(spot.before)):
        return True
    return _PART_BEFORE.search(spot.before) is not None or _HALF_BEHIND.match(spot.after) is not None


def is_index(spot: Spot) -> bool:
    """Whether a number tells which code of a list is asked for."""
    if len(spot.value) > 3 or not spot.value.isdigit():
        return False
    return "spoil" in spot.scene.kinds or _INDEX_BEFORE.search(spot.before) is not None


def is_keyed(spot: Spot) -> bool:
    """Whether a number opens a locker, a door or a conference."""
    if spot.after[:1] == "#" and spot.before[-1:] != "#":
        return True
    return "door" in spot.scene.kinds and "proof" not in spot.scene.kinds


def is_hour(spot: Spot) -> bool:
    """Whether a number is a time of the day."""
    return _HOUR.fullmatch(spot.value) is not None and _AT_BEFORE.search(spot.before) is not None


def is_date(spot: Spot) -> bool:
    """Whether a number is a year or a date."""
    return bool(_YEAR.fullmatch(spot.value) or _DATE.fullmatch(spot.value))
