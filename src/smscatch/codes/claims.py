"""Tells for what reasons a number is the code: the words around it that name it, and those that tell its purpose.

The reasons to refuse a number are in `refusals`; `rules` puts both in order.
"""

import re

from smscatch.codes.refusals import is_about_money
from smscatch.codes.scene import Label, Spot

_WITH_BEFORE = re.compile(
    r"\b(?:with|mit|met|avec|con|com|dengan|su|med|z|ze|sa|so|с|з|са|со|cu|kun|ar|me|με) $|[用以] ?$", re.IGNORECASE
)
_IS_BEHIND = re.compile(r"[\"'\])]?\s*(?:[-–(]|(?:is|ist|est|es|é|è|to|är|er|este|je)\s|是|为|為)")
_SENTENCE_BEFORE = re.compile(r"(?:^|[.!?。！？:：>)\]】\n–—-])\W*$")
_CLAUSE_END = re.compile("[,，、،(]")
_PURPOSES = ("code", "proof", "act")
# Only a word makes a code of these.
ODD_SHAPES = ("letters", "word", "pairs", "parted")
_INTO_BEHIND = re.compile(
    r" (?:in|în|into|on|at|to|auf|im|ins|dans|sur|en|no|na|nel|nell|nella|sul|i|pa|på|w|v|u|do|op|til|ved|di|ke|uz|į"
    r"|vao|vào|trên|στην|στο|в|во|на|у|في|على)\b",
    re.IGNORECASE,
)
_IS_DONE_BEHIND = re.compile(r"\s(?:is|was|has|ist|wurde|est|es|fue|foi|é|è)\s")
_SMALL_LETTERS = re.compile(r"[a-z]{3}")
# Greek, Armenian, Hebrew, Bengali to Tibetan, Georgian, kana, Han, Hangul: the table has all languages of these.
_KNOWN_SCRIPT = re.compile(
    "[\u0370-\u03ff\u0530-\u05ff\u0980-\u0fff\u10a0-\u10ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)


def is_whole(spot: Spot) -> bool:
    """Whether a number is all that a text says."""
    return 4 <= len(spot.value) <= 8 and spot.scene.bare_text == spot.printed


def _code_label(labels: list[Label]) -> Label | None:
    return next((label for label in labels if label.kind == "code"), None)


def is_named(spot: Spot) -> bool:
    """Whether a code word names a number."""
    return bool(spot.left) and spot.left[0].kind == "code" and spot.left[0].close


def is_otherwise(spot: Spot) -> bool:
    """Whether the word before a number names another one."""
    return bool(spot.left) and spot.left[0].kind in ("other", "spoil") and spot.left[0].bond == "tight"


def is_about_other(spot: Spot) -> bool:
    """The nearest word names another number; not so `Verify your phone with 123456`."""
    if not spot.left or spot.left[0].kind not in ("other", "spoil"):
        return False
    return spot.left[0].bond != "linked" or all(label.kind != "proof" for label in spot.left)


def is_announced(spot: Spot) -> bool:
    """Whether a code word follows a number, and speaks of it."""
    label = _code_label(spot.right)
    if label is None or (spot.shape in ODD_SHAPES and not _is_subject(spot)):
        return False
    if _CLAUSE_END.search(spot.scene.text, *_gap_behind(spot, label)) and not _is_what_is_told(spot):
        return False  # `2204 Harbour Road, door code 77B`
    if any(one.kind == "away" for one in spot.right) and not _IS_BEHIND.match(spot.after):
        return False  # `For enquiry 558120 a code will follow`
    return spot.right[0].kind != "spoil" or spot.right[0].gap > 10


def _gap_behind(spot: Spot, label: Label) -> tuple[int, int]:
    """Where the text between a number and a word behind it starts and ends."""
    return spot.end, spot.end + label.gap


def _is_what_is_told(spot: Spot) -> bool:
    """Whether the sentence begins with the number, is about it, or says to enter it."""
    if spot.left and spot.left[0].kind in ("act", "proof") and spot.left[0].close:
        return True
    return _IS_BEHIND.match(spot.after) is not None or _SENTENCE_BEFORE.search(spot.before) is not None


def _is_subject(spot: Spot) -> bool:
    """Whether mixed letters and digits are what the sentence is about: `K7P2XM is ...`, `Enter K7P2XM ...`."""
    if _SMALL_LETTERS.search(spot.printed) and not spot.printed[0].isdigit():
        return False
    entered = bool(spot.left) and spot.left[0].kind in ("act", "proof") and spot.left[0].bond == "tight"
    return entered or _IS_BEHIND.match(spot.after) is not None


def is_labelled(spot: Spot) -> bool:
    """A code word earlier in the sentence, with only its purpose in between, or anything and then `is`."""
    label = _code_label(spot.left)
    if label is None or label.bond == "crossed":
        return False
    if spot.shape in ODD_SHAPES and label.bond == "loose":
        return (
            spot.left[1:2] == [label] and spot.left[0].kind == "proof" and spot.left[0].close
        )  # `code de sécurité K7P2`
    if len(spot.value) < 4 or any(one.kind == "away" for one in spot.right):
        return False
    if label is spot.left[0] and label.bond == "loose" and "common" in spot.scene.kinds:
        # In a language of the table, the words in between would be known: `the password for the tablet 4419`.
        return spot.scene.text.count(" ", spot.start - label.gap, spot.start) < 5
    if label.bond == "loose" and len(spot.value) != 6:
        between = spot.scene.text[spot.start - label.gap : spot.start]
        return not _CLAUSE_END.search(between) and spot.left[0].kind in _PURPOSES
    return spot.left[0].kind in _PURPOSES or spot.left[0].bond == "linked"


def is_entered(spot: Spot) -> bool:
    """`Enter 123456 to sign in`, `Type 1234 in the app`, `Register with 123456`, `123456 to sign in`."""
    purposes = [label for label in spot.left + spot.right if label.kind in ("act", "proof")]
    if _is_object(spot):
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


def _is_object(spot: Spot) -> bool:
    """Whether a number stands behind a verb: `Type 1234`, `Type in 1234`, `Tippen Sie 1234`."""
    if not spot.left or spot.left[0].kind != "act":
        return False
    between = spot.before[-spot.left[0].gap :]
    return spot.left[0].bond == "tight" or between.lower() in (" in ", " sie ", " be a ")


def _is_placed(spot: Spot) -> bool:
    """Whether a number is put somewhere: `4417 in the app`, `在应用中输入4417`."""
    if spot.right and spot.right[0].kind == "place" and spot.right[0].gap <= 4:
        return True
    if _INTO_BEHIND.match(spot.after):
        return spot.after.startswith(" into ") or any(label.kind == "place" for label in spot.right[:2])
    return any(label.kind == "place" and label.gap < 10 for label in spot.left)


def is_in_line(spot: Spot) -> bool:
    """Whether a number stands on a line of its own, in a text that says what for."""
    scene = spot.scene
    if spot.before.rstrip(" \t")[-1:] not in ("", "\n") or spot.after.lstrip(" \t")[:1] not in ("", "\n"):
        return False
    if scene.kinds & {"money", "spoil", "prize"}:
        return False
    return "proof" in scene.kinds or {"act", "place"} <= scene.kinds


def is_bracketed(spot: Spot) -> bool:
    """`Someone adds a phone (482913) to your account. Never tell the code.`: what stands in brackets is the code."""
    if not (spot.before.endswith("(") and spot.after.startswith(")") and len(spot.value) == 6):
        return False
    is_asked = any(label.kind in ("act", "proof") for label in spot.left)
    return is_asked and "code" in spot.scene.kinds and len(spot.scene.spots) == 1


def is_proof(spot: Spot) -> bool:
    """Whether a number proves something: a word of it stands near."""
    if is_about_money(spot.scene) or "masked" in spot.scene.shapes:
        return False
    if spot.left and spot.left[0].bond == "linked" and len(spot.value) == 6:
        return any(label.kind == "proof" for label in spot.left)
    if spot.right and spot.right[0].kind == "proof":
        return spot.right[0].gap <= 12 or _SENTENCE_BEFORE.search(spot.before) is not None
    return any(label.kind == "proof" and (label.close or len(spot.value) == 6) for label in spot.left[:1])


def is_hashed(spot: Spot) -> bool:
    """Whether the text of a number is made for Android's SMS Retriever."""
    return spot.scene.retriever_hash is not None or spot.scene.text.startswith(("<#>", "[#]"))


def is_mentioned(spot: Spot) -> bool:
    """Whether another sentence speaks of a code."""
    if (
        "code" not in spot.scene.kinds
        or "away" in spot.scene.kinds
        or any(label.kind in ("other", "spoil") for label in spot.left + spot.right)
    ):
        return False
    return not is_about_money(spot.scene) and len(spot.value) >= 6


def is_alone(spot: Spot) -> bool:
    """Whether a number stands alone in a text of an unknown language."""
    scene = spot.scene
    if len(scene.spots) > 1 or len(spot.value) != 6:  # first: what follows looks at the whole text
        return False
    if scene.kinds & {"common", "other", "spoil", "prize", "money", "unit"} or _KNOWN_SCRIPT.search(scene.text):
        return False
    before, behind = scene.text[: spot.start].strip(), scene.text[spot.end :].strip(" .!\n")
    return not before or not behind or before[-1] in ":[(" or "\n" in scene.text
