"""A line that hears nothing sends a text to its own number, and tries what may help if that does not come.

Off unless a line's settings ask for it, as each text costs what the contract says. Nothing is waited for here: each
sweep of the link is one look. Sources: 3GPP TS 27.005, 3.5.1 (+CMGS) and 3.4.1; TS 27.007, 8.2 (+CFUN).
"""

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from smscatch.errors import BadPdu
from smscatch.files import read_plain, replace
from smscatch.modem import startup
from smscatch.modem.at import Conversation
from smscatch.modem.journal import FOLDER, file_name
from smscatch.modem.trouble import NoAnswer, Refused, Silent
from smscatch.numbers import is_e164
from smscatch.pdu import Deliver, encode_submit, join_text, parse_pdu

# How many sweeps a text has to come, a minute in all.
PATIENT_SWEEPS = 6
# How many sweeps it is said that a test was passed: an hour.
SAID_SWEEPS = 360
DAY_SECONDS = 86400
# For how long a text of ours is known for one, if it comes late.
KNOWN_SECONDS = 7 * DAY_SECONDS
SEND_SECONDS = 60.0
RADIO_SECONDS = 10.0
RADIO = "radio"
# One form of +CNMI for each way in which texts can come: announced, or handed over, with and without <mode> 2.
FORMS = ("2,1,0,2,0", "1,1,0,2,0", "2,2,0,1,0", "1,2,0,1,0")
_WORDS = "smscatch self-test"
_MAX_BYTES = 100_000


class SelfTestSettings(NamedTuple):
    """How many texts a line may send to itself in 24 hours, 0 for none, and whether its radio may be switched off."""

    texts_a_day: int = 0
    may_switch_radio: bool = False


NO_SELF_TEST = SelfTestSettings()


class _Sent(NamedTuple):
    """A text that was sent: when, in seconds, and what makes it ours."""

    at: float
    token: str


class SelfTest:
    """The self-test of one line; `sentence` says what happened, None if nothing did. Its texts are no user's."""

    def __init__(self, settings: SelfTestSettings, spool: Path, line: str, now: Callable[[], float]) -> None:
        """Read what was sent before, over restarts; `now` is the clock, in seconds."""
        self.sentence: str | None = None
        self._settings, self._line, self._now = settings, line, now
        self._path = spool / FOLDER / f"{file_name(line)}.selftest"
        self._sent = _read(self._path)
        self._steps: list[str | None] = []
        self._tried: list[str] = []
        self._looks = self._said = 0
        self._has_arrived = self._is_over = False

    def is_own(self, pdu: str) -> bool:
        """Whether a text is one of ours that came back; then the test is passed."""
        if not self._sent:
            return False
        try:
            sms = parse_pdu(pdu)
        except BadPdu:
            return False
        text = join_text([sms]) if isinstance(sms, Deliver) else None
        is_ours = any(text == f"{_WORDS} {sent.token}" for sent in self._sent)
        self._has_arrived |= is_ours
        return is_ours

    async def look(self, talk: Conversation, state: str, form: str | None, number: str | None) -> str | None:
        """Go on with the test, or begin it if the state is deaf; return the form of +CNMI that is set by now.

        To be called at each sweep. Raises as Conversation.ask does, except Refused, and OSError.
        """
        if self._has_arrived:
            self._finish()
        elif self._said:
            self._said -= 1
            self.sentence = self.sentence if self._said else None
        elif self._steps or self._looks:
            self._looks -= 1
            if self._looks <= 0:
                return await self._step(talk, form, number)
        elif state == "deaf" and self._settings.texts_a_day and not self._is_over:
            self._tried = []
            self._steps = [None, *(each for each in FORMS if each != form)]
            self._steps += [RADIO] if self._settings.may_switch_radio else []
            return await self._step(talk, form, number)
        elif self._is_over and not self._today():
            self._is_over = False
        return form

    def _finish(self) -> None:
        how = f", since {self._tried[-1]}" if self._tried else ", as it was set"
        self.sentence = f"The self-test is passed: a text to the own number came{how}."
        self._has_arrived, self._steps, self._looks, self._said = False, [], 0, SAID_SWEEPS

    async def _step(self, talk: Conversation, form: str | None, number: str | None) -> str | None:
        """Try the next that may help, and send a text."""
        if not self._steps:
            return self._give_up("It was tried with " + " and ".join(["the usual setting", *self._tried]), form)
        if not self._left():
            return self._give_up(f"The {self._settings.texts_a_day} texts of 24 hours (self_test) are used up", form)
        step = self._steps.pop(0)
        if step == RADIO:
            await self._restart_radio(talk, form)
        elif step:
            if await talk.ask_known(f"AT+CNMI={step}") is None:
                return await self._step(talk, form, number)
            self._tried.append(f"AT+CNMI={step}")
            form = step
        return await self._send(talk, form, number)

    async def _restart_radio(self, talk: Conversation, form: str | None) -> None:
        """Switch the radio off and on; never a reset."""
        await talk.try_asking("AT+CFUN=4", RADIO_SECONDS)
        await talk.try_asking("AT+CFUN=1", RADIO_SECONDS)
        self._tried.append("the radio was switched off and on")
        if form:
            await startup.announce(talk, (form,))

    async def _send(self, talk: Conversation, form: str | None, number: str | None) -> str | None:
        to = next((each for each in (self._line, number) if each and is_e164(each)), None)
        if to is None:
            return self._give_up("The own number is not known, so no text was sent", form)
        token = secrets.token_hex(6)
        (pdu,) = encode_submit(to, f"{_WORDS} {token}")
        self._note(_Sent(self._now(), token))  # before, so that no crash makes it cost more than is allowed
        try:
            await talk.submit(f"AT+CMGS={len(pdu) // 2 - 1}", pdu, SEND_SECONDS)
        except Silent:
            raise
        except (Refused, NoAnswer) as trouble:
            return self._give_up(f"No text could be sent: {str(trouble).removesuffix('.')}", form)
        self._looks = PATIENT_SWEEPS
        self.sentence = f"A self-test is under way: text {len(self._today())} of 24 hours was sent to {to}."
        return form

    def _give_up(self, why: str, form: str | None) -> str | None:
        self.sentence = f"The self-test failed: no text to the own number came. {why}."
        self._steps, self._looks, self._is_over = [], 0, True
        return form

    def _today(self) -> list[_Sent]:
        # A clock that was set back must not make texts free.
        return [sent for sent in self._sent if self._now() - sent.at < DAY_SECONDS]

    def _left(self) -> int:
        return max(0, self._settings.texts_a_day - len(self._today()))

    def _note(self, sent: _Sent) -> None:
        kept = [each for each in self._sent if self._now() - each.at < KNOWN_SECONDS]
        self._sent = [*kept, sent]
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace(self._path, json.dumps(self._sent).encode())


def _read(path: Path) -> list[_Sent]:
    try:
        found = json.loads(read_plain(path, _MAX_BYTES))
        return [_Sent(float(at), str(token)) for at, token in found]
    except (OSError, ValueError, TypeError):  # none was sent, or what is there is none of ours
        return []
