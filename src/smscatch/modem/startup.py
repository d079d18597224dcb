"""What is asked of a modem before it can be read: who it is, its SIM, where it keeps texts and how it announces them.

Source, where no other is named: 3GPP TS 27.007 and TS 27.005. Never a reset: a stick that reboots at AT+CFUN=1,1
vanishes, comes back, and is reset again (gammu issue 687).
"""

import logging
import re
from typing import NamedTuple

from smscatch.modem.at import Conversation, find_plain, find_value, try_asking
from smscatch.modem.dialects import Dialect, find_dialect, find_tries
from smscatch.modem.journal import PinMarks
from smscatch.modem.trouble import Refused, SimTrouble

PIN_SECONDS = 20.0
MAX_TRIES = 3  # TS 31.101, 9.5.1: a right PIN sets them back to this
# The network may be slow to tell its name.
NETWORK_SECONDS = 10.0
# The SIM's memory first: it goes where the SIM goes. MT is both together, for modems that offer nothing else.
STORAGES = ("SM", "ME")
# Texts are stored first and then announced (<mt> 1), status reports too (<ds> 2). Modems with Qualcomm's firmware
# offer <mode> 2 and refuse it (oFono, drivers/atmodem/sms.c, build_cnmi_string).
ANNOUNCE = ("2,1,0,2,0", "1,1,0,2,0", "2,1,0,0,0", "1,1,0,0,0", "1,1")
# The second PIN guards other things than texts (8.3).
OPEN = ("READY", "SIM PIN2", "SIM PUK2")
# <err> of +CME ERROR (9.2.1).
_NO_SIM, _PIN_NEEDED, _PUK_NEEDED, _SIM_FAILURE, _SIM_BUSY, _SIM_WRONG = 10, 11, 12, 13, 14, 15

log = logging.getLogger(__name__)


class Identity(NamedTuple):
    """Who a modem says it is."""

    maker: str
    model: str
    firmware: str
    imei: str
    dialect: Dialect


class Storages(NamedTuple):
    """The storages that can be read, and what each belongs to: the SIM's IMSI or the modem's IMEI."""

    cards: dict[str, str]
    chosen: str


async def identify(talk: Conversation) -> Identity:
    """Begin a conversation; return who answers. Raises as Conversation.ask does."""
    await talk.ask("ATE0")
    await try_asking(talk, "AT+CMEE=1")
    maker, model, firmware, imei = [await _ask_plain(talk, name) for name in ("+CGMI", "+CGMM", "+CGMR", "+CGSN")]
    # A stick may start with its radio off (8.2: 0 or 4).
    if find_value(await try_asking(talk, "AT+CFUN?"), "+CFUN") in ("0", "4"):
        await try_asking(talk, "AT+CFUN=1", seconds=NETWORK_SECONDS)
    return Identity(maker, model, firmware, imei, find_dialect(maker))


async def _ask_plain(talk: Conversation, name: str) -> str:
    lines = await try_asking(talk, f"AT{name}")
    return (find_value(lines, name) or find_plain(lines) or "").strip('"')


class PinEntry:
    """The PIN of a line, or None: opens a SIM, but spends no more than one try on a PIN that is wrong."""

    def __init__(self, pin: str | None, marks: PinMarks) -> None:
        self._pin = pin
        self._marks = marks
        self._has_tried = False

    async def unlock(self, talk: Conversation, identity: Identity) -> None:
        """Return when the SIM can be read, after entering the PIN if it asks and if that is safe.

        Raises SimTrouble, whose state and sentence say what is missing, and OSError if the marks cannot be written.
        """
        status = await ask_lock(talk)
        if status in OPEN:
            await self._note_open(talk, identity)
            return
        if status != "SIM PIN":
            raise SimTrouble("puk", f"The SIM asks for {status}: put it into a phone and enter what it asks for there.")
        if not self._pin:
            raise SimTrouble("pin_needed", "The SIM asks for its PIN: configure it, or switch it off in a phone.")
        card = await find_card(talk, identity)
        await self._check(talk, identity, card)
        self._has_tried = True
        self._marks.note(card, self._pin, "tried")  # before, so that a crash cannot make us try again
        try:
            await talk.ask(f'AT+CPIN="{self._pin}"', PIN_SECONDS)
        except Refused as refusal:
            raise self._refused(refusal, card) from refusal
        self._marks.note(card, self._pin, "right")

    async def _note_open(self, talk: Conversation, identity: Identity) -> None:
        """Take it that our PIN was right if the SIM is open after it, though its answer never came."""
        if self._pin and self._has_tried:
            card = await find_card(talk, identity)
            if self._marks.outcome(card, self._pin) == "tried":
                self._marks.note(card, self._pin, "right")

    async def _check(self, talk: Conversation, identity: Identity, card: str) -> None:
        """Raise SimTrouble if entering the PIN might use up the SIM's tries."""
        outcome = self._marks.outcome(card, self._pin or "")
        tries = find_tries(identity.dialect, await try_asking(talk, identity.dialect.tries))
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
        if refusal.kind == "CME" and refusal.number in (_SIM_FAILURE, _SIM_BUSY):
            return SimTrouble("starting", f"The SIM is not ready: {refusal}")  # the mark says "tried"
        self._marks.note(card, self._pin or "", "wrong")
        return SimTrouble("pin_refused", "The SIM refused the configured PIN. It is not entered again.")


async def ask_lock(talk: Conversation) -> str:
    """Return what the SIM asks for, or READY (8.3). Raises SimTrouble if there is none that answers."""
    try:
        lines = await talk.ask("AT+CPIN?")
    except Refused as refusal:
        if refusal.number in (_NO_SIM, _SIM_FAILURE, _SIM_WRONG):
            raise SimTrouble("no_sim", f"There is no SIM that can be read. {refusal}") from refusal
        if refusal.number == _PIN_NEEDED:
            return "SIM PIN"
        if refusal.number == _PUK_NEEDED:
            return "SIM PUK"
        raise
    return (find_value(lines, "+CPIN") or "READY").strip('"').upper()


async def find_card(talk: Conversation, identity: Identity) -> str:
    """Return what names the SIM while it is locked: its ICCID (TS 51.011, 10.1.1), or else the modem's IMEI."""
    lines = await try_asking(talk, "AT+CRSM=176,12258,0,0,10")  # read EF 2FE2, as every SIM allows at any time
    found = re.search(r'"([0-9A-Fa-f]{20})"', find_value(lines, "+CRSM") or "")
    return found[1] if found else identity.imei


async def choose_storages(talk: Conversation, identity: Identity) -> Storages:
    """Set PDU mode, storages and announcements; return what is to be read. Raises Refused if the modem cannot do it."""
    for command in identity.dialect.quiet:
        await try_asking(talk, command)
    await try_asking(talk, "AT+CSMS=0")  # or the modem would want an acknowledgement of each text (3.2.1)
    await talk.ask("AT+CMGF=0")
    imsi = find_plain(await talk.ask("AT+CIMI")) or ""
    offered = _offered(find_value(await try_asking(talk, "AT+CPMS=?"), "+CPMS") or '("SM")')
    readable = [name for name in STORAGES if name in offered[0]] or ["MT"]
    receiving = next((name for name in ("SM", "ME", "MT") if name in offered[-1]), readable[0])
    chosen = receiving if receiving in readable else readable[0]
    readable = [chosen, *(name for name in readable if name != chosen)]
    try:
        await talk.ask(f'AT+CPMS="{chosen}","{chosen}","{receiving}"')
    except Refused:  # the receiving one cannot be chosen everywhere
        await talk.ask(f'AT+CPMS="{chosen}"')
    await _announce(talk)
    owners = {"SM": imsi, "ME": identity.imei, "MT": f"{imsi}/{identity.imei}"}
    return Storages({name: owners[name] for name in readable}, chosen)


def _offered(value: str) -> list[list[str]]:
    """Return the storages for reading, for sending and for receiving, as far as they are told (3.2.2)."""
    return [re.findall(r"\w+", group) for group in re.findall(r"\(([^()]*)\)", value)] or [["SM"]]


async def _announce(talk: Conversation) -> None:
    for form in ANNOUNCE:
        try:
            await talk.ask(f"AT+CNMI={form}")
        except Refused as refusal:
            log.debug("%s", refusal)
        else:
            return
    log.warning("the modem does not announce texts; they are looked for every few seconds")
