"""The SIM before it can be read: what +CPIN says of it, what to do about that, and the PIN.

Sources: 3GPP TS 27.007, 8.3 (+CPIN) and 9.2.1 (errors); the words that are not in it from the makers' manuals
(Quectel, SIMCom: NOT INSERTED, NOT READY; MediaTek: EMPTY_EUICC).
"""

import re
from typing import NamedTuple

from smscatch.modem.at import MAX_MUTES, Conversation
from smscatch.modem.dialects import Dialect, find_tries
from smscatch.modem.journal import PinMarks
from smscatch.modem.said import find_value
from smscatch.modem.trouble import NoAnswer, Refused, Silent, SimTrouble

PIN_SECONDS = 20.0
MAX_TRIES = 3  # TS 31.101, 9.5.1: a right PIN sets them back to this
READY, PIN, UNTOLD = "READY", "SIM PIN", ""
# The second PIN guards other things than texts (8.3).
OPEN = (READY, "SIM PIN2", "SIM PUK2", UNTOLD)
_NO_SIM = "There is no SIM in the modem, or it has no contact: put one in, the contacts first."
_BUSY = "The SIM is not ready yet. If this lasts minutes, take it out, clean its contacts and put it in again."
_NO_PROFILE = "The modem's built-in SIM (eSIM) has no profile: load one, or switch the modem to the SIM in its slot."
_NETWORK = (
    "The modem is locked to another operator and asks for {word}: use a SIM of the operator that sold it, or have"
    " that operator unlock it. No PIN of the SIM helps."
)
_PHONE = (
    "The modem is locked to another SIM and asks for {word}: put in the SIM that it was used with, or enter the"
    " code that was set in the modem."
)
_FIRST = (
    "The modem is locked to the very first SIM that was in it and asks for {word}: put in that SIM, or have the"
    " seller unlock the modem."
)
_PUK = (
    "The SIM asks for its PUK ({word}), as a wrong PIN was entered three times: put it into a phone and enter the PUK"
    " there; it is on the card that the SIM came on."
)
_UNKNOWN = (
    'The modem says "{word}" of its SIM, which is not known here: try the SIM in a phone, and report the word'
    " together with the modem's name."
)


class _Word(NamedTuple):
    """What a word of +CPIN means: a health state, and advice."""

    state: str
    advice: str


_WORDS = (
    (r"SIM PUK|PUK|BLOCKED", _Word("puk", _PUK)),
    (r"PH-F(?:SIM|-SIM) (?:PIN|PUK)", _Word("first_sim_lock", _FIRST)),
    (r"PH-(?:U?SIM|PHONE) (?:PIN|PUK)|PH_SIM.*", _Word("sim_lock", _PHONE)),
    (r"PH-?(?:NET|NETSUB|SP|CORP|ISP|IMPI|HPLMN)\w* ?(?:PIN|PUK)|NETWORK LOCK.*", _Word("network_lock", _NETWORK)),
    (r"EMPTY[_ -].*|NO PROFILE.*", _Word("no_sim", _NO_PROFILE)),
    (
        r"(?:SIM )?(?:NOT INSERTED|REMOVED|ABSENT|NOT PRESENT|FAILURE|FAIL|WRONG|ERROR)|NO SIM.*",
        _Word("no_sim", _NO_SIM),
    ),
    (r"(?:SIM )?(?:NOT READY|BUSY|INIT.*|NOT INITIALIZED|POWERED DOWN)", _Word("sim_busy", _BUSY)),
)
# <err> of +CME ERROR (9.2.1) in the words of +CPIN.
_ERRORS = {
    5: "PH-SIM PIN",
    6: "PH-FSIM PIN",
    7: "PH-FSIM PUK",
    10: "NOT INSERTED",
    11: PIN,
    12: "SIM PUK",
    13: "SIM FAILURE",
    14: "SIM BUSY",
    15: "SIM WRONG",
    17: "SIM PIN2",
    18: "SIM PUK2",
    40: "PH-NET PIN",
    41: "PH-NET PUK",
    42: "PH-NETSUB PIN",
    43: "PH-NETSUB PUK",
    44: "PH-SP PIN",
    45: "PH-SP PUK",
    46: "PH-CORP PIN",
    47: "PH-CORP PUK",
}
_BUSY_ERRORS = (13, 14)  # SIM failure, SIM busy


def trouble_of(word: str) -> SimTrouble:
    """Return the state and the advice for what +CPIN says, if it is neither open nor asks for its PIN."""
    meaning = next((meaning for form, meaning in _WORDS if re.fullmatch(form, word)), None)
    if meaning is None:
        return SimTrouble("sim_unknown", _UNKNOWN.format(word=word))
    return SimTrouble(meaning.state, meaning.advice.format(word=word))


def trouble_of_refusal(refusal: Refused) -> SimTrouble | None:
    """Return the trouble with the SIM for which a command was refused; None if that was not the reason."""
    # +CMS ERROR has the same, 300 higher (TS 27.005, 3.2.5).
    offset = {"CME": 0, "CMS": 300}.get(refusal.kind)
    word = None if offset is None or refusal.number is None else _ERRORS.get(refusal.number - offset)
    return None if word is None or word in OPEN or word == PIN else trouble_of(word)


async def ask_lock(talk: Conversation) -> str:
    """Return what the SIM asks for, READY, or UNTOLD if the modem does not tell (8.3)."""
    try:
        lines = await talk.ask("AT+CPIN?")
    except Refused as refusal:
        return _ERRORS.get(refusal.number or 0, UNTOLD)
    except NoAnswer as silence:
        if isinstance(silence, Silent) or talk.note_mute("AT+CPIN?") < MAX_MUTES:
            raise
        return UNTOLD
    value = find_value(lines, "+CPIN") or UNTOLD
    return value.partition(",")[0].strip('" ').upper()


class PinEntry:
    """The PIN of a line, or None: opens a SIM, but spends no more than one try on a PIN that is wrong."""

    def __init__(self, pin: str | None, marks: PinMarks) -> None:
        self._pin = pin
        self._marks = marks
        self._has_tried = False

    async def unlock(self, talk: Conversation, status: str, card: str, dialect: Dialect) -> None:
        """Enter the PIN if the SIM's `status` asks for it and if that is safe; `card` names the SIM while it is locked.

        Raises SimTrouble, whose state and sentence say what is missing, and OSError if the marks cannot be written.
        """
        if status in OPEN:
            if status != UNTOLD:
                self._note_open(card)
            return
        if status != PIN:
            raise trouble_of(status)
        if not self._pin:
            raise SimTrouble("pin_needed", "The SIM asks for its PIN: configure it, or switch it off in a phone.")
        await self._check(talk, card, dialect)
        self._has_tried = True
        self._marks.note(card, self._pin, "tried")  # before, so that a crash cannot make us try again
        try:
            await talk.ask(f'AT+CPIN="{self._pin}"', PIN_SECONDS)
        except Refused as refusal:
            raise self._refused(refusal, card) from refusal
        self._marks.note(card, self._pin, "right")

    @property
    def is_in_doubt(self) -> bool:
        """Whether a PIN was entered whose outcome may still have to be noted."""
        return self._has_tried

    def _note_open(self, card: str) -> None:
        """Take it that our PIN was right if the SIM is open after it, though its answer never came."""
        if self._pin and self._has_tried and self._marks.outcome(card, self._pin) == "tried":
            self._marks.note(card, self._pin, "right")

    async def _check(self, talk: Conversation, card: str, dialect: Dialect) -> None:
        """Raise SimTrouble if entering the PIN might use up the SIM's tries."""
        outcome = self._marks.outcome(card, self._pin or "")
        tries = find_tries(dialect, await talk.try_asking(dialect.tries) or [])
        is_unknown = outcome == "tried" and (self._has_tried or tries != MAX_TRIES)
        if outcome == "wrong" or is_unknown:
            raise SimTrouble(
                "pin_refused",
                "The SIM refused the configured PIN, or did not answer. It is not entered again:"
                " configure the right one, or switch the PIN off in a phone.",
            )
        if tries is not None and tries < 2:
            raise SimTrouble("pin_needed", "The SIM leaves one try for its PIN: enter it by hand in a phone.")

    def _refused(self, refusal: Refused, card: str) -> SimTrouble:
        if refusal.kind == "CME" and refusal.number in _BUSY_ERRORS:
            return SimTrouble("sim_busy", f"The SIM is not ready: {refusal}")  # the mark says "tried"
        self._marks.note(card, self._pin or "", "wrong")
        return SimTrouble("pin_refused", "The SIM refused the configured PIN. It is not entered again.")
