"""The manners in which real modems differ from the standard: options of a simulated modem, which combine.

What each makes of a command and of a text is here, what it does on the wire is in wire; the plain commands are in
general and sms.
"""

import re

from smscatch.simulator.card import StoredText
from smscatch.simulator.session import (
    CMS_BAD_INDEX,
    CMS_NOT_ALLOWED,
    CMS_SIM_BUSY,
    CMS_UNKNOWN_ERROR,
    CommandRefused,
    Session,
)

MANNERS = {
    "keeps_echo": "says OK to ATE0 and goes on echoing",
    "numeric": "begins with ATV0: 0 in place of OK",
    "only_numeric": "says 0 in place of OK whatever ATV it is told",
    "quiet": "begins with ATQ1: no result codes",
    "single_commands": "refuses a line with several basic commands, such as ATE0Q0V1",
    "no_final": "says no OK behind an answer that has lines, but for +CMGL",
    "endless_list": "says no OK behind +CMGL",
    "mute_options": "never answers a command that reading texts does not need",
    "cpms_of_three": "refuses +CPMS with one or two storages",
    "cpms_of_two": "refuses +CPMS with one or three storages",
    "cpms_of_one": "refuses +CPMS with two or three storages",
    "only_first_storage": "refuses +CPMS for all storages but the first",
    "no_list": "refuses +CMGL",
    "bad_record": "has a record in slot 1 that cannot be read: +CMGL fails there, and so does +CMGR",
    "hidden": "lists nothing, though +CPMS counts the texts and +CMGR reads them",
    "long_news": "adds fields to +CMTI",
    "forgets_news": "forgets +CNMI after each announcement",
    "boot_lines": "says what modems say at their start, amid each answer",
    "nul": "sends a NUL before each line",
    "ucs2": "begins with +CSCS=UCS2, as another program left it",
    "noisy_forward": "says a line between +CMT and its PDU",
    "no_store": "has no storage: hands each text over with +CMT and waits for +CNMA before the next",
    "cmgd_of_two": "refuses +CMGD without its flag",
    "no_cmgf": "refuses +CMGF, as it knows PDUs alone",
    "no_imsi": "refuses +CIMI",
    "mute_to_many": "does not answer a line with several basic commands, such as ATE0Q0V1",
    "hands_over": "accepts +CNMI=2,1, but hands each text over all the same, and waits for +CNMA",
    "split": "sends each answer in pieces of three octets",
    "lone_cr": "ends its lines with CR alone",
    "lone_lf": "ends its lines with LF alone",
    "parity": "sends each octet with an even parity bit",
    "wants_lf": "understands a command only if CR LF ends it",
    "aborts_at_lf": "throws a command away if an LF follows it",
    "double_ok": "says each final result code twice",
    "unasked": "says what it says unasked between any two lines of an answer",
    "late_news": "announces a text only amid the next answer",
    "wrapped": "breaks a PDU over lines of 64 characters",
    "lower_hex": "writes PDUs with lower case digits",
    "no_smsc": "leaves the SMSC's address out of each PDU",
    "counts_smsc": "counts the octets of the SMSC's address into the length of a PDU",
    "wrong_length": "names a length that is one octet too long",
    "more_fields": "adds a name with comma and quotes, and a number behind the length, to +CMGL and +CMGR",
    "word_status": "says the status of a text in words, as in text mode",
    "wide": "writes two blanks behind each colon and one behind each comma of +CMGL and +CMGR",
    "empty_is_ok": "answers +CMGR of an empty slot with OK alone",
    "empty_is_zero": "answers +CMGR of an empty slot with a length of 0 and no PDU",
    "empty_is_error": "answers +CMGR of an empty slot with ERROR",
    "from_one": "counts its slots from 1",
    "compacts": "moves the texts behind a deleted one up",
    "short_fill": "names one storage alone in its answer to +CPMS?",
    "no_fill": "tells in no answer to +CPMS how full it is",
    "no_cpms": "knows no +CPMS",
    "late_delete": "says OK to the first +CMGD of each slot, and deletes nothing",
    "plain": "refuses every command that reading texts does not need",
    "no_imei": "refuses +CGSN and +GSN",
    "cme_words": "says CME Error: unknown in place of ERROR",
    "cnmi_of_two": "refuses +CNMI with more than two values",
    "cnmi_mode_three": "takes +CNMI with mode 3 alone",
    "cnmi_bfr_one": "takes +CNMI with all five values alone, the last of them 1",
    "cnmi_hand_over": "takes +CNMI only if it has texts handed over",
    "wrong_news": "announces each text in the storage MT",
    "wrong_place": "announces each text in a slot that is empty",
    "last_storage": "stores each text in the last of its storages, whatever +CPMS was told",
}

# What reading texts needs; `mute_options` leaves all else without an answer.
_NEEDED = ("AT+CPMS=", "AT+CMG", "AT+CNMI", "AT+CNMA", "AT+CPIN", "AT+CIMI", "ATE", "ATV", "ATQ")
_CPMS_COUNTS = {"cpms_of_three": 3, "cpms_of_two": 2, "cpms_of_one": 1}
_NOT_HERE = ("CMS", CMS_NOT_ALLOWED)
# Which commands a manner refuses, and how.
_REFUSED: tuple[tuple[str, re.Pattern[str], tuple[str, int] | tuple[()]], ...] = (
    ("plain", re.compile(r"AT[+^*$](?!CPMS|CMG[LRDF]|CNM[IA]|CPIN\?)"), ()),
    ("no_cpms", re.compile(r"AT\+CPMS"), ()),
    ("no_imei", re.compile(r"AT\+C?GSN"), ()),
    ("no_imsi", re.compile(r"AT\+CIMI"), ()),
    ("no_cmgf", re.compile(r"AT\+CMGF="), ()),
    ("single_commands", re.compile(r"ATE[01].+"), ()),
    ("no_list", re.compile(r"AT\+CMGL"), _NOT_HERE),
    ("no_store", re.compile(r"AT\+CMGL|AT\+CNMI=[12],1|AT\+CSMS=0"), _NOT_HERE),
    ("hands_over", re.compile(r"AT\+CSMS=0"), _NOT_HERE),
    ("cmgd_of_two", re.compile(r"AT\+CMGD[^,]*$"), _NOT_HERE),
)
_STATUS_WORDS = ("REC UNREAD", "REC READ", "STO UNSENT", "STO SENT")
_WRAPPED = 64


def is_mute(session: Session, line: str) -> bool:
    """Whether the line gets no answer at all."""
    if session.has("mute_to_many") and line.upper().startswith("ATE0Q"):
        return True
    return session.has("mute_options") and line.upper() != "AT" and not line.upper().startswith(_NEEDED)


def check(session: Session, line: str) -> None:
    """Raise CommandRefused if a manner forbids what the line asks, or the modem refuses so many commands anyway."""
    line = line.upper()
    _check_condition(session, line)
    for manner, form, refusal in _REFUSED:
        if session.has(manner) and form.match(line):
            raise CommandRefused(*refusal)
    if line.startswith("AT+CNMI="):
        _check_indications(session, line.removeprefix("AT+CNMI=").split(","))
    if line.startswith("AT+CPMS="):
        _check_storages(session, line.removeprefix("AT+CPMS="))


def _check_condition(session: Session, line: str) -> None:
    """Raise CommandRefused while the modem, or its SIM, refuses so many commands."""
    condition = session.state.condition
    if condition.refused_commands and line.startswith("AT+"):
        condition.refused_commands -= 1
        raise CommandRefused("CMS", CMS_UNKNOWN_ERROR)
    if condition.busy_commands and line.startswith(("AT+CPMS", "AT+CMG", "AT+CNMI")):
        condition.busy_commands -= 1
        raise CommandRefused("CMS", CMS_SIM_BUSY)


def _check_indications(session: Session, values: list[str]) -> None:
    is_refused = (
        (session.has("cnmi_of_two") and len(values) > 2)
        or (session.has("cnmi_mode_three") and values[0] != "3")
        or (session.has("cnmi_bfr_one") and values[4:] != ["1"])
        or (session.has("cnmi_hand_over") and values[1:2] != ["2"])
    )
    if values != ["?"] and is_refused:
        raise CommandRefused("CMS", CMS_NOT_ALLOWED)


def hands_over(session: Session) -> bool:
    """Whether each text goes to the wire, and the next only when it is acknowledged."""
    return session.has("no_store") or session.has("hands_over")


def _check_storages(session: Session, argument: str) -> None:
    if argument == "?":
        return
    names = argument.replace('"', "").split(",")
    counts = [count for manner, count in _CPMS_COUNTS.items() if session.has(manner)]
    if session.has("no_store") or (counts and len(names) not in counts):
        raise CommandRefused("CMS", CMS_NOT_ALLOWED)
    if session.has("only_first_storage") and names[0] != session.state.settings.memories[0]:
        raise CommandRefused("CMS", CMS_NOT_ALLOWED)


def record(session: Session, text: StoredText) -> tuple[str, list[str]]:
    """Return what +CMGL and +CMGR say of a text: the values behind its index, and the lines of its PDU.

    Raises CommandRefused if its record is bad.
    """
    if text.is_bad:
        raise CommandRefused("CMS", CMS_UNKNOWN_ERROR)
    status = f'"{_STATUS_WORDS[text.status]}"' if session.has("word_status") else str(text.status)
    name, more = ('"Smith, ""Bob"" jr."', ",145") if session.has("more_fields") else ("", "")
    pdu, length = _written_pdu(session, text)
    values = f"{status},{name},{length}{more}"
    return values.replace(",", ", ") if session.has("wide") else values, _wrap(session, pdu)


def _written_pdu(session: Session, text: StoredText) -> tuple[str, int]:
    pdu, smsc = text.pdu, len(text.pdu) // 2 - text.length
    length = text.length + smsc * session.has("counts_smsc") + session.has("wrong_length")
    pdu = pdu[2 * smsc :] if session.has("no_smsc") else pdu
    return pdu.lower() if session.has("lower_hex") else pdu, length


def _wrap(session: Session, pdu: str) -> list[str]:
    if not session.has("wrapped"):
        return [pdu]
    return [pdu[start : start + _WRAPPED] for start in range(0, len(pdu), _WRAPPED)] or [""]


def empty_slot(session: Session) -> list[str]:
    """Return what +CMGR answers of an empty slot. Raises CommandRefused."""
    if session.has("empty_is_ok"):
        return []
    if session.has("empty_is_zero"):
        return ["+CMGR: 0,,0"]
    raise CommandRefused() if session.has("empty_is_error") else CommandRefused("CMS", CMS_BAD_INDEX)


def written(session: Session, value: str) -> str:
    """Return a value in the character set that +CSCS asks for (3GPP TS 27.007, 5.5)."""
    return value.encode("utf-16-be").hex().upper() if session.charset == "UCS2" else value
