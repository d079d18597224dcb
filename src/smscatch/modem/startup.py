"""What is asked of a modem before it can be read: its SIM, where it keeps texts and how it announces them; who it is.

Only what reading needs comes before the first texts; the rest is asked behind them, and may stay without an answer.
Source, where no other is named: 3GPP TS 27.007 and TS 27.005. Never a reset: a stick that reboots at AT+CFUN=1,1
vanishes, comes back, and is reset again (gammu issue 687).
"""

import logging
import re
from collections.abc import Sequence
from typing import NamedTuple

from smscatch.modem.at import MAX_MUTES, Conversation
from smscatch.modem.dialects import STANDARD, Dialect, find_dialect
from smscatch.modem.said import find_plain, find_serial, find_value, readable
from smscatch.modem.sim import OPEN, PIN, PinEntry, ask_lock, trouble_of_refusal
from smscatch.modem.storages import NOWHERE, Storages, select_storages
from smscatch.modem.synchrony import BEGIN
from smscatch.modem.trouble import NoAnswer, Refused, Silent, TextModeOnly

# A modem may be slow to switch its radio on.
RADIO_SECONDS = 10.0
# Texts are stored first and then announced (<mt> 1), status reports too (<ds> 2). Modems with Qualcomm's firmware
# offer <mode> 2 and refuse it (oFono, drivers/atmodem/sms.c, build_cnmi_string).
ANNOUNCE = ("2,1,0,2,0", "1,1,0,2,0", "2,1,0,0,0", "1,1,0,0,0", "1,1")
# For what cannot store: hand texts over (<mt> 2), and status reports (<ds> 1).
HAND_OVER = ("2,2,0,1,0", "1,2,0,1,0", "2,2,0,0,0", "1,2,0,0,0", "1,2")
# <mode> of +CNMI as we like it best; 3 is for links that carry data too, 0 keeps announcements back.
_MODES = (2, 1, 3)
_MIN_VALUES = 2
_RADIO_OFF = ("0", "4")  # <fun> of +CFUN (8.2)
_CHARSETS = ("IRA", "GSM")
# A SIM that is slow to tell its IMSI is asked again: it names the slots.
_IDENTITY_TRIES = 3

TEXT = 1  # <mode> of +CMGF (TS 27.005, 3.2.3)
TEXT_MODE = (
    "The modem knows text mode alone (AT+CMGF=? offers 1), in which long texts, other alphabets and times are lost, so"
    " nothing is read: try another port of it, or newer firmware; else it takes another modem."
)

log = logging.getLogger(__name__)


class Identity(NamedTuple):
    """Who a modem says it is."""

    maker: str = ""
    model: str = ""
    firmware: str = ""
    dialect: Dialect = STANDARD


class Reception(NamedTuple):
    """How texts come: the storages, and the form of +CNMI that worked."""

    storages: Storages
    form: str | None


async def begin(talk: Conversation) -> None:
    """Begin a conversation: no echo, result codes in words, errors as numbers. Raises as Conversation.ask does."""
    if await talk.try_asking(BEGIN) is None:  # some take one command a line, and refuse this or say nothing
        for command in ("ATE0", "ATQ0", "ATV1"):
            await talk.try_asking(command)
    await talk.try_asking("AT+CMEE=1")


async def ask_identity(talk: Conversation) -> Identity:
    """Return who answers, as far as it tells. Raises Silent and PortMissing."""
    maker, model, firmware = [await _ask_plain(talk, name) for name in ("+CGMI", "+CGMM", "+CGMR")]
    return Identity(maker, model, firmware, find_dialect(maker))


async def _choose_charset(talk: Conversation) -> None:
    """Have names written in plain characters (5.5): another program may have chosen UCS2."""
    for charset in _CHARSETS:
        if await talk.try_asking(f'AT+CSCS="{charset}"') is not None:
            return


async def _ask_plain(talk: Conversation, name: str) -> str:
    lines = await talk.try_asking(f"AT{name}")
    return readable((find_value(lines, name) or find_plain(lines) or "").strip('"'))


async def silence_chatter(talk: Conversation, dialect: Dialect) -> None:
    """Switch off what this make would say every few seconds. Raises Silent and PortMissing."""
    for command in dialect.quiet:
        await talk.try_asking(command)


async def ask_imei(talk: Conversation) -> str:
    """Return the modem's IMEI, empty if it does not tell. Raises Silent and PortMissing."""
    for command in ("AT+CGSN", "AT+GSN"):
        if found := find_serial(await talk.try_asking(command)):
            return found
    return ""


async def open_sim(talk: Conversation, key: PinEntry, imei: str) -> None:
    """Return when the SIM can be read, after entering its PIN if that is needed and safe.

    Raises SimTrouble, OSError if what was entered cannot be noted, and as Conversation.ask does.
    """
    status = await ask_lock(talk)
    if status in OPEN and not key.is_in_doubt:
        return
    if status not in OPEN:
        await switch_radio_on(talk)
    # How often a PIN may be tried is asked in another way of each make.
    dialect = find_dialect(await _ask_plain(talk, "+CGMI")) if status == PIN else STANDARD
    await key.unlock(talk, status, await find_card(talk) or imei, dialect)


async def switch_radio_on(talk: Conversation) -> None:
    """Switch the radio on if it is off: some sticks start so (8.2). Raises Silent and PortMissing."""
    if (find_value(await talk.try_asking("AT+CFUN?"), "+CFUN") or "").partition(",")[0] in _RADIO_OFF:
        await talk.try_asking("AT+CFUN=1", RADIO_SECONDS)


async def find_card(talk: Conversation) -> str | None:
    """Return what names the SIM while it is locked: its ICCID (TS 51.011, 10.1.1); None if that cannot be read."""
    lines = await talk.try_asking("AT+CRSM=176,12258,0,0,10")  # read EF 2FE2, as every SIM allows at any time
    found = re.search(r'"([0-9A-Fa-f]{20})"', find_value(lines, "+CRSM") or "")
    return found[1] if found else None


async def prepare(talk: Conversation, imei: str) -> Reception:
    """Set PDU mode, storages and announcements; return how texts come.

    Raises Refused if the modem can neither store texts nor hand them over, and as Conversation.ask does.
    """
    await _choose_charset(talk)  # before anything is read as text, the names of storages too
    await talk.try_asking("AT+CSMS=0")  # or the modem would want an acknowledgement of each text (3.2.1)
    if await talk.ask_known("AT+CMGF=0") is None:
        await _refuse_text_mode(talk)
    imsi = await _ask_imsi(talk) or await find_card(talk) or f"sim of {imei}"
    owners = {"SM": imsi, "ME": imei, "MT": f"{imsi}/{imei}"}
    try:
        storages, trouble = await select_storages(talk, owners), None
    except Refused as refusal:
        storages, trouble = NOWHERE, refusal
    forms = (*ANNOUNCE, *HAND_OVER) if storages.size != 0 else (*HAND_OVER, *ANNOUNCE)
    form = await announce(talk, forms)
    if trouble and not is_handing_over(form):
        raise trouble
    return Reception(storages, form)


async def _refuse_text_mode(talk: Conversation) -> None:
    """Raise TextModeOnly if a modem that refuses PDU mode has text mode; others know PDUs alone (TS 27.005, 3.2.3)."""
    offered = find_value(await talk.try_asking("AT+CMGF=?"), "+CMGF") or ""
    if _numbers(offered) == {TEXT}:
        raise TextModeOnly(TEXT_MODE)


def is_handing_over(form: str | None) -> bool:
    """Whether a form of +CNMI has texts handed over (<mt> 2)."""
    return form is not None and form.split(",")[1] == "2"


async def _ask_imsi(talk: Conversation) -> str | None:
    """Return the SIM's IMSI, None if the modem never tells it. Raises SimTrouble if the SIM is the reason."""
    for _ in range(_IDENTITY_TRIES):
        try:
            lines = await talk.ask("AT+CIMI")
        except Refused as refusal:
            if trouble := trouble_of_refusal(refusal):
                raise trouble from refusal
            return None
        except NoAnswer as silence:
            if isinstance(silence, Silent) or talk.note_mute("AT+CIMI") < MAX_MUTES:
                raise
            return None
        if found := find_serial(lines):
            return found
    return None


async def announce(talk: Conversation, forms: Sequence[str]) -> str | None:
    """Have new texts announced or handed over, in the first of the `forms` of +CNMI that works; return which.

    Where the first is refused, what the modem says that it takes comes before the others.
    """
    if await talk.ask_known(f"AT+CNMI={forms[0]}") is not None:
        return forms[0]
    offered = offered_forms(find_value(await talk.try_asking("AT+CNMI=?"), "+CNMI") or "")
    if forms[0] in HAND_OVER:
        offered.reverse()
    for form in dict.fromkeys((*offered, *forms[1:])):
        if await talk.ask_known(f"AT+CNMI={form}") is not None:
            return form
    log.warning("the modem does not announce texts; they are looked for every few seconds")
    return None


def offered_forms(told: str) -> list[str]:
    """Return the forms that an answer to +CNMI=? leaves: announcing first, then handing over (TS 27.005, 3.4.1)."""
    groups = [_numbers(group) for group in re.findall(r"\(([^()]*)\)", told)]
    if len(groups) < _MIN_VALUES:
        return []
    forms = [_choose_values((_MODES, (mt,), (0,), (ds, 0), (0, 1)), groups) for mt, ds in ((1, 2), (2, 1))]
    return [form for form in forms if form]


def _choose_values(wishes: Sequence[Sequence[int]], groups: Sequence[set[int]]) -> str | None:
    """Return the first wish of each kind that is offered; None if one is not."""
    values = [next((each for each in wish if each in group), None) for wish, group in zip(wishes, groups, strict=False)]
    return None if None in values else ",".join(map(str, values))


def _numbers(group: str) -> set[int]:
    """Return what a list such as 0-2,4 holds."""
    ranges = re.findall(r"(\d)(?:-(\d))?", group)
    return {number for first, last in ranges for number in range(int(first), int(last or first) + 1)}


async def acknowledge(talk: Conversation, count: int) -> None:
    """Tell the network that so many texts that were handed over are kept (TS 27.005, 3.4.4); or it sends them again.

    Only <service> 1 wants that (3.2.1). A modem that does not tell its service gets it too: it can only refuse it.
    """
    if not count or (find_value(await talk.try_asking("AT+CSMS?"), "+CSMS") or "").startswith("0"):
        return
    for _ in range(count):
        if await talk.try_asking("AT+CNMA") is None:
            await talk.try_asking("AT+CNMA=0")
