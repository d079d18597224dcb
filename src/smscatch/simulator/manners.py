"""The manners in which real modems differ from the standard: options of a simulated modem, which combine.

What each does to an answer or an announcement is here; the plain commands are in general and sms.
"""

from smscatch.simulator.card import StoredText
from smscatch.simulator.session import CMS_NOT_ALLOWED, CMS_UNKNOWN_ERROR, CommandRefused, Session

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
}

# What reading texts needs; `mute_options` leaves all else without an answer.
_NEEDED = ("AT+CPMS=", "AT+CMG", "AT+CNMI", "AT+CNMA", "AT+CPIN", "AT+CIMI", "ATE", "ATV", "ATQ")
_BOOT_LINES = ("RDY", "^RSSI: 17", "+CPIN: READY", "Call Ready", "SMS DONE", "PB DONE")
_CPMS_COUNTS = {"cpms_of_three": 3, "cpms_of_two": 2, "cpms_of_one": 1}
_NOISE = "^HCSQ: noise, 12"


def is_mute(session: Session, line: str) -> bool:
    """Whether the line gets no answer at all."""
    if session.has("mute_to_many") and line.upper().startswith("ATE0Q"):
        return True
    return session.has("mute_options") and line.upper() != "AT" and not line.upper().startswith(_NEEDED)


def check(session: Session, line: str) -> None:
    """Raise CommandRefused if a manner forbids what the line asks."""
    line = line.upper()
    if session.has("single_commands") and line.startswith("ATE") and len(line) > len("ATE0"):
        raise CommandRefused
    if line.startswith("AT+CPMS="):
        _check_storages(session, line.removeprefix("AT+CPMS="))
    if (session.has("no_list") or session.has("no_store")) and line.startswith("AT+CMGL"):
        raise CommandRefused("CMS", CMS_NOT_ALLOWED)
    if session.has("cmgd_of_two") and line.startswith("AT+CMGD") and "," not in line:
        raise CommandRefused("CMS", CMS_NOT_ALLOWED)
    if (session.has("no_cmgf") and line.startswith("AT+CMGF=")) or (session.has("no_imsi") and line == "AT+CIMI"):
        raise CommandRefused
    if session.has("no_store") and line.startswith(("AT+CNMI=2,1", "AT+CNMI=1,1")):
        raise CommandRefused("CMS", CMS_NOT_ALLOWED)
    if hands_over(session) and line.startswith("AT+CSMS=0"):
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


def readable(session: Session, text: StoredText) -> str:
    """Return the PDU of a text. Raises CommandRefused if its record is bad."""
    if text.is_bad:
        raise CommandRefused("CMS", CMS_UNKNOWN_ERROR)
    return text.pdu


def render(session: Session, line: str, lines: list[str], result: str) -> bytes:
    """Return an answer as this modem puts it on the wire, its lines and the final result code."""
    is_list = line.upper().startswith("AT+CMGL")
    is_endless = session.has("endless_list") if is_list else session.has("no_final") and bool(lines)
    if session.has("boot_lines"):
        lines = [*_BOOT_LINES, *lines, *_BOOT_LINES]
    if session.is_quiet or is_endless:
        return _framed(session, lines)
    if session.is_verbose:
        return _framed(session, lines) + _framed(session, [result])
    numbers = {"OK": "0", "ERROR": "4"}
    return "".join(f"{each}\r\n" for each in lines).encode("latin-1", "replace") + (
        f"{numbers[result]}\r".encode() if result in numbers else _framed(session, [result])
    )


def _framed(session: Session, lines: list[str]) -> bytes:
    """Return lines as with ATV1: an empty line before, CR LF after each (ITU-T V.250, 5.7.1)."""
    nul = "\0" if session.has("nul") else ""
    return "".join(["\r\n", *(f"{nul}{line}\r\n" for line in lines)]).encode("latin-1", "replace") if lines else b""


def announced(session: Session, lines: list[str]) -> bytes:
    """Return an announcement as this modem says it."""
    if session.has("long_news") and lines and "I: " in lines[0]:
        lines = [f'{lines[0]},1,"x"']
    if session.has("noisy_forward") and len(lines) > 1:
        lines = [lines[0], _NOISE, *lines[1:]]
    if session.has("forgets_news"):
        session.cnmi[:] = [0] * len(session.cnmi)
    return _framed(session, lines)


def written(session: Session, value: str) -> str:
    """Return a value in the character set that +CSCS asks for (3GPP TS 27.007, 5.5)."""
    return value.encode("utf-16-be").hex().upper() if session.charset == "UCS2" else value
