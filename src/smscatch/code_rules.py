"""The rules that take a number for the code or refuse it, each named, with a true and a false example.

They are tried in order; the first that holds decides. What a rule sees of the text is in `code_scene`.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from smscatch.code_scene import Label, Scene, Spot


class Rule(NamedTuple):
    """One reason to take a number (`score` > 0) or to refuse it (`score` 0).

    In the text `example` it decides about at least one number; in `counterexample` about none.
    """

    name: str
    score: float
    reason: str
    holds: Callable[[Spot], bool]
    example: str
    counterexample: str


_SYMBOLS = "$€£¥¢₹₽₴₸₺₩₪฿₫₦₱₡₲₵৳﷼₾֏₮₭៛￥￦"
_MONEY_BEFORE = re.compile(rf"[{_SYMBOLS}][ \xa0]?$|(?<![A-Za-z])R\$? ?$")
_MONEY_AFTER = re.compile(rf"[ \xa0]?(?:[{_SYMBOLS}%‰](?! ?[0-9])|[рđРT](?![^\W\d_])|,-)")
_MASK_BEFORE = re.compile(r"(?:[*•xX#.]{2,}|[*•])[- ]?$")
_TO_BEFORE = re.compile(r"\b(?:text|txt|sms|send|sent|reply|stop|call|dial)\b[^.]{0,22}\b(?:to|on)[: ]+$", re.IGNORECASE)
_PHONE_BEFORE = re.compile(r"\+[0-9 ]*\(?$")
_APPROVAL_BEFORE = re.compile(r"(?:auth|appr|autori[sz]|apro[bv]a|авториз|одобрен|승인)[^\d:]{0,14}[: ]*$", re.IGNORECASE)
_IS_BEHIND = re.compile(r"[\"'\])]?\s*(?:[-–(]|(?:is|ist|est|es|é|è|to|är|er|este|je)\s|是|为|為)")
_WITH_BEFORE = re.compile(r"\b(?:with|mit|met|avec|con|com|dengan|su|med|z|ze|sa|so|с|з|са|со|cu|kun|ar|me|με) $", re.IGNORECASE)
_AT_BEFORE = re.compile(r"\b(?:at|from|to|until|till|by|before|after|um|ab|bis|von|om|van|tot|à|de|alle|kl) $", re.IGNORECASE)
_HOUR = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][05]")
_PERCENT = re.compile(r"[0-9][0-9] ?%")
_YEAR = re.compile(r"19[5-9][0-9]|20[0-4][0-9]")
_DATE = re.compile(r"20[0-4][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])|(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])20[0-4][0-9]")
_SMALL_WORDS = re.compile(r"[a-z]{3}")
_CODE_SHAPES = frozenset(("digits", "grouped", "groups", "prefixed", "letters", "word"))


def _shape(name: str) -> Callable[[Spot], bool]:
    return lambda spot: spot.shape == name


def _is_money(spot: Spot) -> bool:
    scene = spot.scene
    if _MONEY_BEFORE.search(spot.before) or _MONEY_AFTER.match(spot.after):
        return True
    return _touches(spot, "money")


def _touches(spot: Spot, kind: str) -> bool:
    """Whether a word of `kind` stands directly before or behind; one behind may not belong to the next number."""
    folded = spot.scene.folded
    for mark in spot.scene.marks:
        if mark.kind != kind:
            continue
        if 0 <= spot.start - mark.end <= 2 and kind == "money" and folded[mark.end : spot.start].strip(" .:\xa0") == "":
            return not folded[max(0, mark.start - 2) : mark.start].strip()[-1:].isdigit()
        if 0 <= mark.start - spot.end <= 1 and folded[spot.end : mark.start].strip(" \xa0-") == "":
            behind = folded[mark.end : mark.end + 3].lstrip(" .:")
            return kind == "unit" or not behind[:1].isdigit()
    return False


def _is_hidden_tail(spot: Spot) -> bool:
    bold = spot.after[:1] == "*" and not spot.before.endswith("**")
    return not bold and _MASK_BEFORE.search(spot.before) is not None and not spot.before.endswith("...")


def _is_called(spot: Spot) -> bool:
    return bool(_PHONE_BEFORE.search(spot.before) or _TO_BEFORE.search(spot.before))


def _is_approval(spot: Spot) -> bool:
    """The authorisation number of a purchase that is done: money and a card or a date stand beside it."""
    return bool(_APPROVAL_BEFORE.search(spot.before)) and _is_about_money(spot.scene) and "other" in spot.scene.kinds


def _is_prize(spot: Spot) -> bool:
    return "prize" in spot.scene.kinds


def _is_random(spot: Spot) -> bool:
    """Digits are; letters are if they are capitals, or a digit stands between them."""
    if spot.shape != "letters":
        return True
    return not _SMALL_WORDS.search(spot.printed) or spot.printed[0].isdigit()


def _nearest(labels: list[Label]) -> Label | None:
    return labels[0] if labels else None


def _is_named(spot: Spot) -> bool:
    return bool(spot.left) and spot.left[0].kind == "code" and spot.left[0].bond in ("tight", "linked")


def _is_otherwise(spot: Spot) -> bool:
    return bool(spot.left) and spot.left[0].kind in ("other", "spoil") and spot.left[0].bond == "tight"


def _code_label(labels: list[Label]) -> Label | None:
    return next((label for label in labels if label.kind == "code"), None)


def _is_subject(spot: Spot) -> bool:
    """Whether letters and digits are what the sentence is about: `K7P2XM is ...`, `Enter K7P2XM ...`."""
    entered = bool(spot.left) and spot.left[0].kind in ("act", "proof") and spot.left[0].bond == "tight"
    return _is_random(spot) and (entered or _IS_BEHIND.match(spot.after) is not None)


def _is_announced(spot: Spot) -> bool:
    label = _code_label(spot.right)
    if label is None or (spot.shape == "letters" and not _is_subject(spot)):
        return False
    return spot.right[0].kind != "spoil" or spot.right[0].gap > 10


def _is_labelled(spot: Spot) -> bool:
    """A code word earlier in the sentence, with only its purpose (or a subject, then `is`) in between."""
    label = _code_label(spot.left)
    if label is None or label.bond == "crossed" or (spot.shape in ("letters", "word") and label.bond == "loose"):
        return False
    if spot.left[0].kind in ("code", "proof", "act"):
        return True
    return spot.left[0].bond == "linked"


def _is_about_other(spot: Spot) -> bool:
    if not spot.left or spot.left[0].kind not in ("other", "spoil"):
        return False
    return spot.left[0].bond != "linked" or all(label.kind != "proof" for label in spot.left)


def _is_whole(spot: Spot) -> bool:
    return spot.scene.folded.strip(" \n\t\r.!\"'[]()<>#*") == spot.printed and 4 <= len(spot.value) <= 8


def _is_common_length(spot: Spot) -> bool:
    return spot.shape in ("digits", "grouped", "prefixed") and 4 <= len(spot.value) <= 8


def _is_about_money(scene: Scene) -> bool:
    return "money" in scene.kinds or any(spot.shape == "amount" for spot in scene.spots)


def _is_entered(spot: Spot) -> bool:
    """`Enter 123456 to sign in`, `Register with 123456`, `123456 to sign in`."""
    purposes = [label for label in spot.left + spot.right if label.kind in ("act", "proof")]
    if not purposes:
        return False
    if spot.left and spot.left[0].kind == "act" and spot.left[0].bond == "tight":
        return len(purposes) > 1
    if _WITH_BEFORE.search(spot.before):
        return True
    first = spot.right[:1]
    return not spot.left and len(spot.value) == 6 and bool(first) and first[0].kind == "act" and first[0].gap <= 12


def _is_for_proof(spot: Spot) -> bool:
    if _is_about_money(spot.scene) or any(other.shape == "masked" for other in spot.scene.spots):
        return False
    if spot.left and spot.left[0].bond == "linked" and len(spot.value) == 6:
        return any(label.kind == "proof" for label in spot.left)
    near = [label for label in spot.left[:1] + spot.right[:1] if label.kind == "proof"]
    return any(len(spot.value) == 6 or label.bond in ("tight", "linked") or label in spot.right for label in near)


def _is_hour(spot: Spot) -> bool:
    return bool(_HOUR.fullmatch(spot.value) and _AT_BEFORE.search(spot.before))


def _is_offer(spot: Spot) -> bool:
    return spot.shape in ("letters", "word") and _PERCENT.search(spot.scene.folded) is not None


def _is_hashed(spot: Spot) -> bool:
    scene = spot.scene
    return bool(scene.retriever_hash) or scene.folded.startswith(("<#>", "[#]"))


def _is_mentioned(spot: Spot) -> bool:
    """A code word in another sentence of a text that speaks of nothing else."""
    if "code" not in spot.scene.kinds or any(label.kind in ("other", "spoil") for label in spot.left + spot.right):
        return False
    return not _is_about_money(spot.scene) and len(spot.value) >= 6


def _is_alone(spot: Spot) -> bool:
    """The one number of a text in a language without a row in the table."""
    scene = spot.scene
    if scene.kinds & {"common", "other", "spoil", "prize", "money", "unit"} or len(scene.spots) != 1:
        return False
    inner = scene.folded[: spot.start].strip(), scene.folded[spot.end :].strip(" .!\n")
    return len(spot.value) == 6 and (not inner[0] or not inner[1] or inner[0][-1] in ":[(：【「" or "\n" in scene.folded)


REFUSALS_BY_SHAPE = (
    Rule("link", 0, "It is part of a link.", _shape("hidden"), "See https://example.com/482913", "code 482913"),
    Rule("time", 0, "It is a time.", _shape("time"), "at 10:32:51", "code 103251"),
    Rule("date", 0, "It is a date.", _shape("date"), "on 28-03-2026", "code 280326"),
    Rule("amount", 0, "It has decimals or thousands, so it is an amount.", _shape("amount"), "1.415,62", "141562"),
    Rule("masked", 0, "Part of it is masked, as in account numbers.", _shape("masked"), "card XX1234", "code 1234"),
    Rule("phone", 0, "It is grouped as a phone number.", _shape("phone"), "ask +49 30 123456", "code 123 456"),
    Rule("measure", 0, "A unit is glued to it.", _shape("measure"), "get 500MB", "code 500123"),
    Rule("odd", 0, "It has no shape that codes have.", _shape("odd"), "ref IN1260322123168", "code 126032"),
)

RULES = (
    *REFUSALS_BY_SHAPE,
    Rule("money", 0, "A currency stands beside it.", _is_money, "paid EUR 4500", "EUR rate code 4500"),
    Rule("unit", 0, "A unit of time or measure follows it.", lambda spot: _touches(spot, "unit"), "valid 300 seconds", "code 300123"),
    Rule("tail", 0, "It is the visible end of a masked number.", _is_hidden_tail, "account ** 2483", "code 2483"),
    Rule("called", 0, "It is a number to call or to text to.", _is_called, "Send STOP to 32665", "Go to 32665"),
    Rule("approval", 0, "It is the approval number of a payment.", _is_approval, "Карта *0125, код авторизации: 960746, на сумму 3000 RUR", "Код авторизации: 960746"),
    Rule("prize", 0, "The text speaks of a prize.", _is_prize, "You won a prize! PIN 2938", "PIN 2938"),
    Rule("offer", 0, "The text offers a discount.", _is_offer, "code ACME10 for 10% off", "code ACME10"),
    Rule("named", 0.97, "A code word stands directly before it.", _is_named, "Your code is 482913", "482913"),
    Rule("hour", 0, "It is a time of the day.", _is_hour, "the code changes at 1830", "the code is 1830"),
    Rule("other", 0, "The word before it says that it is something else.", _is_otherwise, "Order 482913 left", "code 482913"),
    Rule("announced", 0.93, "A code word follows it in the same sentence.", _is_announced, "482913 is your login code", "482913"),
    Rule("whole", 0.9, "It is all that the text says.", _is_whole, "482913", "482913 it is"),
    Rule("labelled", 0.88, "A code word stands earlier in the sentence.", _is_labelled, "Your code for Acme is now 482913", "482913"),
    Rule("prefixed", 0.86, "Its prefix is one that codes have.", _shape("prefixed"), "G-482913 hello", "hello 482913"),
    Rule("unrandom", 0, "Letters and digits need a code word beside them.", lambda spot: spot.shape in ("letters", "word", "groups"), "see you at B4NGK0K", "your code: B4NGK0K"),
    Rule("about", 0, "The sentence speaks of something else.", _is_about_other, "Order from us 482913", "482913"),
    Rule("length", 0, "Codes without a code word have 4 to 8 digits.", lambda spot: not _is_common_length(spot), "hello 123", "hello 123456"),
    Rule("year", 0, "It is a year or a date.", lambda spot: bool(_YEAR.fullmatch(spot.value) or _DATE.fullmatch(spot.value)), "since 1998", "hello 1048"),
    Rule("entered", 0.8, "The sentence asks to enter it.", _is_entered, "Enter 482913 to continue", "You have 482913"),
    Rule("proof", 0.7, "The sentence asks to prove something with it.", _is_for_proof, "Acme verification 482913", "Hello 482913"),
    Rule("hashed", 0.7, "The text ends as SMS for Android's SMS Retriever do.", _is_hashed, "hi 482913\nFA+9qCX9VSu", "hi 482913"),
    Rule("mentioned", 0.6, "Another sentence speaks of a code.", _is_mentioned, "Never share the code. 482913", "482913, hello"),
    Rule("alone", 0.55, "It is the only number of a text whose words are not known.", _is_alone, "482913 zzyx qwy", "you have 482913"),
    Rule("unlabelled", 0, "Nothing says that it is a code.", lambda spot: True, "you have 482913", "code 482913"),
)
