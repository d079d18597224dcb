"""The rules that take a number for the code or refuse it, each named, with an example for and one against.

They are tried in order and the first that holds decides. What a rule sees of the text is in `scene`.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from smscatch.codes.scene import Label, Scene, Spot


class Rule(NamedTuple):
    """One reason to take a number (`score` above 0) or to refuse it (`score` 0).

    In the text `example` it decides about a number, in `counterexample` about none.
    """

    name: str
    score: float
    reason: str
    holds: Callable[[Spot], bool]
    example: str
    counterexample: str


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
_WITH_BEFORE = re.compile(
    r"\b(?:with|mit|met|avec|con|com|dengan|su|med|z|ze|sa|so|с|з|са|со|cu|kun|ar|me|με) $|[用以] ?$", re.IGNORECASE
)
_AT_BEFORE = re.compile(
    r"\b(?:at|from|to|until|till|by|before|after|um|ab|bis|von|om|van|tot|à|de|alle|kl) $", re.IGNORECASE
)
_IS_BEHIND = re.compile(r"[\"'\])]?\s*(?:[-–(]|(?:is|ist|est|es|é|è|to|är|er|este|je)\s|是|为|為)")
_SENTENCE_BEFORE = re.compile(r"(?:^|[.!?。！？:：>)\]】\n–—-])\W*$")
_CLAUSE_END = re.compile("[,，、،(]")
_PURPOSES = ("code", "proof", "act")
# Only a word makes a code of these.
_ODD_SHAPES = ("letters", "word", "pairs", "parted")
# `482 ~ 913`: parts of a longer number that is printed in an unknown way.
_PART_BEHIND = re.compile(r"[^\w\n,;(]{1,3}[0-9]{2,4}(?![0-9])")
_PART_BEFORE = re.compile(r"(?<![0-9.,:/])[0-9]{2,3}[^\w\n,;:(]{1,3}$")
_HALF_BEHIND = re.compile(r" ?[-~+·/|] ?[0-9]{4}(?![0-9])")
_INDEX_BEFORE = re.compile(r"\b(?:no|nr|num|number|№)[ .:]*$", re.IGNORECASE)
_INTO_BEHIND = re.compile(
    r" (?:in|into|on|at|to|auf|im|dans|sur|en|no|na|nel|nell|nella|sul|i|pa|på|w|v|u|do|op|в|во|на|у)\b", re.IGNORECASE
)
_IS_DONE_BEHIND = re.compile(r"\s(?:is|was|has|ist|wurde|est|es|fue|foi|é|è)\s")
_HOUR = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][05]")
_YEAR = re.compile(r"19[5-9][0-9]|20[0-4][0-9]")
_DATE = re.compile(
    r"20[0-4][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])|(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])20[0-4][0-9]"
)
_SMALL_LETTERS = re.compile(r"[a-z]{3}")
# Greek, Armenian, Hebrew, Bengali to Tibetan, Georgian, kana, Han, Hangul: the table has all languages of these.
_KNOWN_SCRIPT = re.compile(
    "[\u0370-\u03ff\u0530-\u05ff\u0980-\u0fff\u10a0-\u10ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)


def _shape(name: str) -> Callable[[Spot], bool]:
    return lambda spot: spot.shape == name


def _is_money(spot: Spot) -> bool:
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


def _is_measured(spot: Spot) -> bool:
    units = spot.scene.unit_starts
    return spot.end in units or (spot.end + 1 in units and spot.after[0] in " \xa0-")


def _is_tail(spot: Spot) -> bool:
    if _MASKS.isdisjoint(spot.before[-3:]):
        return False
    bold = spot.after[:1] == "*" and not spot.before.endswith("**")
    return not bold and not spot.before.endswith("...") and _MASK_BEFORE.search(spot.before) is not None


def _is_called(spot: Spot) -> bool:
    if _PHONE_BEFORE.search(spot.before):
        return True
    verb = _CALL_BEFORE.search(spot.before) if spot.before.rstrip(": ")[-2:].lower() in ("to", "on") else None
    # `Send STOP to 32665`, but not `Twój kod SMS to 123456`, where `to` is `is`.
    return verb is not None and not any(
        label.kind == "code" and 0 <= label.gap - len(verb[0]) <= 1 for label in spot.left
    )


def _is_approval(spot: Spot) -> bool:
    scene = spot.scene
    return _is_about_money(scene) and "other" in scene.kinds and _APPROVAL_BEFORE.search(spot.before) is not None


def _is_about_money(scene: Scene) -> bool:
    return "money" in scene.kinds or "amount" in scene.shapes


def _is_card_check(spot: Spot) -> bool:
    return len(spot.value) == 3 and "masked" in spot.scene.shapes


def _is_offer(spot: Spot) -> bool:
    return spot.shape in ("letters", "word") and spot.scene.has_discount


def _is_prize(spot: Spot) -> bool:
    if "prize" not in spot.scene.kinds:
        return False
    # Who won something may have to log in: `Your login code for the award night is 482913`.
    labels = spot.left or spot.right
    return all(label.kind != "proof" for label in labels) or all(label.kind != "code" for label in labels)


def _is_part(spot: Spot) -> bool:
    if len(spot.value) > 4 or spot.shape != "digits":
        return False
    if len(spot.value) == 3 and _PART_BEHIND.match(spot.after):
        return True
    return _PART_BEFORE.search(spot.before) is not None or _HALF_BEHIND.match(spot.after) is not None


def _is_index(spot: Spot) -> bool:
    if len(spot.value) > 3 or not spot.value.isdigit():
        return False
    return "spoil" in spot.scene.kinds or _INDEX_BEFORE.search(spot.before) is not None


def _is_keyed(spot: Spot) -> bool:
    if spot.after[:1] == "#" and spot.before[-1:] != "#":
        return True
    return "door" in spot.scene.kinds and "proof" not in spot.scene.kinds


def _is_hour(spot: Spot) -> bool:
    return _HOUR.fullmatch(spot.value) is not None and _AT_BEFORE.search(spot.before) is not None


def _is_date(spot: Spot) -> bool:
    return bool(_YEAR.fullmatch(spot.value) or _DATE.fullmatch(spot.value))


def _is_whole(spot: Spot) -> bool:
    return 4 <= len(spot.value) <= 8 and spot.scene.bare_text == spot.printed


def _code_label(labels: list[Label]) -> Label | None:
    return next((label for label in labels if label.kind == "code"), None)


def _is_named(spot: Spot) -> bool:
    return bool(spot.left) and spot.left[0].kind == "code" and spot.left[0].close


def _is_otherwise(spot: Spot) -> bool:
    return bool(spot.left) and spot.left[0].kind in ("other", "spoil") and spot.left[0].bond == "tight"


def _is_about_other(spot: Spot) -> bool:
    """The nearest word names another number; not so `Verify your phone with 123456`."""
    if not spot.left or spot.left[0].kind not in ("other", "spoil"):
        return False
    return spot.left[0].bond != "linked" or all(label.kind != "proof" for label in spot.left)


def _is_announced(spot: Spot) -> bool:
    label = _code_label(spot.right)
    if label is None or (spot.shape in _ODD_SHAPES and not _is_subject(spot)):
        return False
    if spot.right[0].kind == "other" and _CLAUSE_END.search(spot.scene.text, *_gap_behind(spot, label)):
        return False  # `2204 Harbour Road, door code 77B`
    if any(one.kind == "away" for one in spot.right) and not _IS_BEHIND.match(spot.after):
        return False  # `For enquiry 558120 a code will follow`
    return spot.right[0].kind != "spoil" or spot.right[0].gap > 10


def _gap_behind(spot: Spot, label: Label) -> tuple[int, int]:
    """Where the text between the first word behind a number and the word of `label` starts and ends."""
    return spot.end + spot.right[0].gap, spot.end + label.gap


def _is_subject(spot: Spot) -> bool:
    """Whether mixed letters and digits are what the sentence is about: `K7P2XM is ...`, `Enter K7P2XM ...`."""
    if _SMALL_LETTERS.search(spot.printed) and not spot.printed[0].isdigit():
        return False
    entered = bool(spot.left) and spot.left[0].kind in ("act", "proof") and spot.left[0].bond == "tight"
    return entered or _IS_BEHIND.match(spot.after) is not None


def _is_labelled(spot: Spot) -> bool:
    """A code word earlier in the sentence, with only its purpose in between, or anything and then `is`."""
    label = _code_label(spot.left)
    if label is None or label.bond == "crossed" or (spot.shape in _ODD_SHAPES and label.bond == "loose"):
        return False
    if len(spot.value) < 4:
        return False
    if label.bond == "loose" and len(spot.value) != 6:
        between = spot.scene.text[spot.start - label.gap : spot.start]
        return not _CLAUSE_END.search(between) and spot.left[0].kind in _PURPOSES
    return spot.left[0].kind in _PURPOSES or spot.left[0].bond == "linked"


def _is_entered(spot: Spot) -> bool:
    """`Enter 123456 to sign in`, `Type 1234 in the app`, `Register with 123456`, `123456 to sign in`."""
    purposes = [label for label in spot.left + spot.right if label.kind in ("act", "proof")]
    if spot.left and spot.left[0].kind == "act" and spot.left[0].bond == "tight":
        return (len(purposes) > 1 or _is_placed(spot)) and not _IS_DONE_BEHIND.match(spot.after)
    if spot.left and spot.right and spot.right[0].kind == "act" and spot.right[0].gap <= 3:
        return spot.left[0].kind in ("act", "proof", "place")  # languages with the verb last
    if not purposes:
        return False
    if _WITH_BEFORE.search(spot.before):
        return True
    if spot.left or len(spot.value) != 6 or not _SENTENCE_BEFORE.search(spot.before):
        return False
    return spot.right[0].kind == "act" and spot.right[0].gap <= 12


def _is_placed(spot: Spot) -> bool:
    """Whether a number is put somewhere: `4417 in the app`, `在应用中输入4417`."""
    if _INTO_BEHIND.match(spot.after):
        return spot.after.startswith(" into ") or any(label.kind == "place" for label in spot.right[:2])
    return any(label.kind == "place" and label.gap < 10 for label in spot.left)


def _is_in_line(spot: Spot) -> bool:
    scene = spot.scene
    if spot.before.rstrip(" \t")[-1:] not in ("", "\n") or spot.after.lstrip(" \t")[:1] not in ("", "\n"):
        return False
    if scene.kinds & {"money", "spoil", "prize"}:
        return False
    return "proof" in scene.kinds or {"act", "place"} <= scene.kinds


def _is_bracketed(spot: Spot) -> bool:
    """`Someone adds a phone (482913) to your account. Never tell the code.`: what stands in brackets is the code."""
    if not (spot.before.endswith("(") and spot.after.startswith(")") and len(spot.value) == 6):
        return False
    is_asked = any(label.kind in ("act", "proof") for label in spot.left)
    return is_asked and "code" in spot.scene.kinds and len(spot.scene.spots) == 1


def _is_proof(spot: Spot) -> bool:
    if _is_about_money(spot.scene) or "masked" in spot.scene.shapes:
        return False
    if spot.left and spot.left[0].bond == "linked" and len(spot.value) == 6:
        return any(label.kind == "proof" for label in spot.left)
    if spot.right and spot.right[0].kind == "proof":
        return spot.right[0].gap <= 12 or _SENTENCE_BEFORE.search(spot.before) is not None
    return any(label.kind == "proof" and (label.close or len(spot.value) == 6) for label in spot.left[:1])


def _is_hashed(spot: Spot) -> bool:
    return spot.scene.retriever_hash is not None or spot.scene.text.startswith(("<#>", "[#]"))


def _is_mentioned(spot: Spot) -> bool:
    if (
        "code" not in spot.scene.kinds
        or "away" in spot.scene.kinds
        or any(label.kind in ("other", "spoil") for label in spot.left + spot.right)
    ):
        return False
    return not _is_about_money(spot.scene) and len(spot.value) >= 6


def _is_alone(spot: Spot) -> bool:
    scene = spot.scene
    if len(scene.spots) > 1 or len(spot.value) != 6:  # first: what follows looks at the whole text
        return False
    if scene.kinds & {"common", "other", "spoil", "prize", "money", "unit"} or _KNOWN_SCRIPT.search(scene.text):
        return False
    before, behind = scene.text[: spot.start].strip(), scene.text[spot.end :].strip(" .!\n")
    return not before or not behind or before[-1] in ":[(" or "\n" in scene.text


REFUSED_SHAPES = (
    Rule("link", 0, "It is part of a link.", _shape("link"), "See https://example.com/482913", "code 482913"),
    Rule("time", 0, "It is a time.", _shape("time"), "at 10:32:51", "code 103251"),
    Rule("date", 0, "It is a date.", _shape("date"), "on 28-3-2026", "code 280326"),
    Rule("amount", 0, "It has decimals or thousands.", _shape("amount"), "1.415,62", "code 141562"),
    Rule("masked", 0, "Part of it is masked.", _shape("masked"), "card XX1234", "code 1234"),
    Rule("phone", 0, "It is printed as a phone number.", _shape("phone"), "ask +49 30 123456", "code 123 456"),
    Rule("measure", 0, "A unit is glued to it.", _shape("measure"), "get 500MB", "code 500123"),
    Rule("odd", 0, "No code looks like this.", _shape("odd"), "see IN1260322123168", "code 126032"),
)
REFUSED_BESIDE = (
    Rule("money", 0, "A currency stands beside it.", _is_money, "paid EUR 4500", "EUR code 4500"),
    Rule("unit", 0, "A unit follows it.", _is_measured, "valid 300 seconds", "code 300123"),
    Rule("tail", 0, "It is the end of a masked number.", _is_tail, "account ** 2483", "*248300* is your code"),
    Rule("called", 0, "It is a number to call.", _is_called, "Send STOP to 32665", "Your kod SMS to 32665"),
    Rule(
        "approval",
        0,
        "It is the approval number of a payment.",
        _is_approval,
        "Карта *0125, код авторизации: 960746, на сумму 3000 RUR",
        "Код авторизации: 960746",
    ),
    Rule("check", 0, "It is the check number of a card.", _is_card_check, "Karta 4890*2285, kod 201", "code 201"),
    Rule("offer", 0, "The text offers a discount.", _is_offer, "code ACME10 for 10% off", "code ACME10"),
    Rule("part", 0, "It is part of a longer number.", _is_part, "code 482 + 913", "code 482 - 913"),
    Rule("index", 0, "It tells which code of a list is asked for.", _is_index, "the TAN no. 112", "the TAN no. 112901"),
    Rule(
        "keyed",
        0,
        "It opens a locker, a door or a conference.",
        _is_keyed,
        "Locker 12 opens with PIN 3308",
        "Enter PIN 3308",
    ),
    Rule("prize", 0, "The text speaks of a prize.", _is_prize, "You won a prize! PIN 2938", "PIN 2938"),
)
TAKEN_BY_WORDS = (
    Rule("named", 0.97, "A code word names it.", _is_named, "Your code is 482913", "482913 is your code"),
    Rule("hour", 0, "It is a time of the day.", _is_hour, "the code changes at 1830", "the code is 1830"),
    Rule(
        "bracketed",
        0.7,
        "It stands in brackets behind what is to be approved, and the text speaks of a code.",
        _is_bracketed,
        "We are adding a phone (482913). Hide the code",
        "We are adding a phone (482913)",
    ),
    Rule("other", 0, "The word before it names another number.", _is_otherwise, "Order 482913 left", "482913 left"),
    Rule("announced", 0.93, "A code word follows it.", _is_announced, "482913 is your code", "482913. No code"),
    Rule("whole", 0.9, "It is all that the text says.", _is_whole, "482913", "482913 it is"),
    Rule(
        "labelled", 0.88, "A code word stands earlier in the sentence.", _is_labelled, "Code for Acme now 4829", "4829"
    ),
    Rule("prefixed", 0.86, "It has the prefix of a code.", _shape("prefixed"), "hi, G-482913", "hi, 482913"),
)
TAKEN_BY_PURPOSE = (
    Rule(
        "unnamed",
        0,
        "Letters or odd groups are a code only beside a code word.",
        lambda spot: spot.shape in _ODD_SHAPES,
        "see you at B4NGK0K",
        "code B4NGK0K",
    ),
    Rule("about", 0, "The sentence names another number.", _is_about_other, "Order from us 482913", "for us 482913"),
    Rule(
        "length",
        0,
        "Without a code word, codes have 4 to 8 digits.",
        lambda spot: not 4 <= len(spot.value) <= 8,
        "hello 123",
        "hello 123456",
    ),
    Rule("year", 0, "It is a year or a date.", _is_date, "hello 1998", "code 1998"),
    Rule("entered", 0.8, "It is to be entered.", _is_entered, "Enter 482913 to continue", "Here are 482913"),
    Rule(
        "line",
        0.75,
        "It stands on a line of its own, and the text says what it is for.",
        _is_in_line,
        "4829\nType it in the app",
        "4829\nis here",
    ),
    Rule("proof", 0.7, "It proves something.", _is_proof, "Acme verification 482913", "Acme 482913"),
    Rule("hashed", 0.7, "The text is made for SMS Retriever.", _is_hashed, "hi 482913\nFA+9qCX9VSu", "hi 482913"),
    Rule("mentioned", 0.6, "Another sentence speaks of a code.", _is_mentioned, "Hide the code. 482913", "482913, hi"),
    Rule("alone", 0.55, "It stands alone in an unknown language.", _is_alone, "482913 zzyx qwy", "you have 482913"),
    Rule("unlabelled", 0, "Nothing says that it is a code.", lambda spot: True, "you have 482913", "code 482913"),
)
RULES = (*REFUSED_SHAPES, *REFUSED_BESIDE, *TAKEN_BY_WORDS, *TAKEN_BY_PURPOSE)
