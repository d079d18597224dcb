"""The rules that take a number for the code or refuse it, each named, with an example for and one against.

They are tried in order and the first that holds decides. What a rule sees of the text is in `scene`.
"""

from collections.abc import Callable
from typing import NamedTuple

from smscatch.codes.claims import (
    ODD_SHAPES,
    is_about_other,
    is_alone,
    is_announced,
    is_bracketed,
    is_entered,
    is_hashed,
    is_in_line,
    is_labelled,
    is_mentioned,
    is_named,
    is_otherwise,
    is_proof,
    is_whole,
)
from smscatch.codes.refusals import (
    is_approval,
    is_called,
    is_card_check,
    is_date,
    is_hour,
    is_index,
    is_keyed,
    is_measured,
    is_money,
    is_offer,
    is_part,
    is_prize,
    is_tail,
    shape,
)
from smscatch.codes.scene import Spot


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


REFUSED_SHAPES = (
    Rule("link", 0, "It is part of a link.", shape("link"), "See https://example.com/482913", "code 482913"),
    Rule("time", 0, "It is a time.", shape("time"), "at 10:32:51", "code 103251"),
    Rule("date", 0, "It is a date.", shape("date"), "on 28-3-2026", "code 280326"),
    Rule("amount", 0, "It has decimals or thousands.", shape("amount"), "1.415,62", "code 141562"),
    Rule("version", 0, "It looks like a version.", shape("version"), "app 2.1", "paid 2.14"),
    Rule("masked", 0, "Part of it is masked.", shape("masked"), "card XX1234", "code 1234"),
    Rule("phone", 0, "It is printed as a phone number.", shape("phone"), "ask +49 30 123456", "code 123 456"),
    Rule("measure", 0, "A unit is glued to it.", shape("measure"), "get 500MB", "code 500123"),
    Rule("odd", 0, "No code looks like this.", shape("odd"), "see IN1260322123168", "code 126032"),
)
REFUSED_BESIDE = (
    Rule("money", 0, "A currency stands beside it.", is_money, "paid EUR 4500", "EUR code 4500"),
    Rule("unit", 0, "A unit, or what is numbered by it, follows it.", is_measured, "valid 300 seconds", "code 300123"),
    Rule("tail", 0, "It is the end of a masked number.", is_tail, "account ** 2483", "*248300* is your code"),
    Rule("called", 0, "It is a number to call.", is_called, "Send STOP to 32665", "Your kod SMS to 32665"),
    Rule(
        "approval",
        0,
        "It is the approval number of a payment.",
        is_approval,
        "Карта *0125, код авторизации: 960746, на сумму 3000 RUR",
        "Код авторизации: 960746",
    ),
    Rule("check", 0, "It is the check number of a card.", is_card_check, "Karta 4890*2285, kod 201", "code 201"),
    Rule("offer", 0, "The text offers a discount.", is_offer, "code ACME10 for 10% off", "code ACME10"),
    Rule("part", 0, "It is part of a longer number.", is_part, "code 482 + 913", "code 482 - 913"),
    Rule("index", 0, "It tells which code of a list is asked for.", is_index, "the TAN no. 112", "the TAN no. 112901"),
    Rule(
        "keyed",
        0,
        "It opens a locker, a door or a conference.",
        is_keyed,
        "Locker 12 opens with PIN 3308",
        "Enter PIN 3308",
    ),
    Rule("prize", 0, "The text speaks of a prize.", is_prize, "You won a prize! PIN 2938", "PIN 2938"),
)
TAKEN_BY_WORDS = (
    Rule("named", 0.97, "A code word names it.", is_named, "Your code is 482913", "482913 is your code"),
    Rule("hour", 0, "It is a time of the day.", is_hour, "the code changes at 1830", "the code is 1830"),
    Rule(
        "bracketed",
        0.7,
        "It stands in brackets behind what is to be approved, and the text speaks of a code.",
        is_bracketed,
        "We are adding a phone (482913). Hide the code",
        "We are adding a phone (482913)",
    ),
    Rule("other", 0, "The word before it names another number.", is_otherwise, "Order 482913 left", "482913 left"),
    Rule("announced", 0.93, "A code word follows it.", is_announced, "482913 is your code", "482913. No code"),
    Rule("whole", 0.9, "It is all that the text says.", is_whole, "482913", "482913 it is"),
    Rule(
        "labelled", 0.88, "A code word stands earlier in the sentence.", is_labelled, "Code for Acme now 4829", "4829"
    ),
    Rule("prefixed", 0.86, "It has the prefix of a code.", shape("prefixed"), "hi, G-482913", "hi, 482913"),
)
TAKEN_BY_PURPOSE = (
    Rule(
        "unnamed",
        0,
        "Letters or odd groups are a code only beside a code word.",
        lambda spot: spot.shape in ODD_SHAPES,
        "see you at B4NGK0K",
        "code B4NGK0K",
    ),
    Rule("about", 0, "The sentence names another number.", is_about_other, "Order from us 482913", "for us 482913"),
    Rule(
        "length",
        0,
        "Without a code word, codes have 4 to 8 digits.",
        lambda spot: not 4 <= len(spot.value) <= 8,
        "hello 123",
        "hello 123456",
    ),
    Rule("year", 0, "It is a year or a date.", is_date, "hello 1998", "code 1998"),
    Rule("entered", 0.8, "It is to be entered.", is_entered, "Enter 482913 to continue", "Here are 482913"),
    Rule(
        "line",
        0.75,
        "It stands on a line of its own, and the text says what it is for.",
        is_in_line,
        "4829\nType it in the app",
        "4829\nis here",
    ),
    Rule("proof", 0.7, "It proves something.", is_proof, "Acme verification 482913", "Acme 482913"),
    Rule("hashed", 0.7, "The text is made for SMS Retriever.", is_hashed, "hi 482913\nFA+9qCX9VSu", "hi 482913"),
    Rule("mentioned", 0.6, "Another sentence speaks of a code.", is_mentioned, "Hide the code. 482913", "482913, hi"),
    Rule("alone", 0.55, "It stands alone in an unknown language.", is_alone, "482913 zzyx qwy", "you have 482913"),
    Rule("unlabelled", 0, "Nothing says that it is a code.", lambda spot: True, "you have 482913", "code 482913"),
)
RULES = (*REFUSED_SHAPES, *REFUSED_BESIDE, *TAKEN_BY_WORDS, *TAKEN_BY_PURPOSE)
