"""How a simulated modem puts answers and announcements on the wire, with the manners that it has there.

No command is understood here; that is in dialogue.
"""

from itertools import chain

from smscatch.simulator.session import Session

_BOOT_LINES = ("RDY", "^RSSI: 17", "+CPIN: READY", "Call Ready", "SMS DONE", "PB DONE", "DST: 1", "*PSUTTZ: 26,11,22")
_UNASKED = ("RING", "^BOOT:12345678,0,0,0,75", "^RSSI:17", "+CREG: 1", "^MODE:5,4", "+ZUSIMR:2", "NO CARRIER")
_NOISE = "^HCSQ: noise, 12"
_PIECE = 3


def render(session: Session, line: str, lines: list[str], result: str) -> bytes:
    """Return an answer as this modem puts it on the wire, its lines and the final result code."""
    is_list = line.upper().startswith("AT+CMGL")
    is_endless = session.has("endless_list") if is_list else session.has("no_final") and bool(lines)
    if session.has("boot_lines"):
        lines = [*_BOOT_LINES, *lines, *_BOOT_LINES]
    if session.has("unasked"):
        lines = list(chain.from_iterable((*_UNASKED, each) for each in lines))
    lines, session.news = [*lines[:1], *session.news, *lines[1:]], []
    if session.is_quiet or is_endless:
        return framed(session, lines)
    return framed(session, lines, is_bare=not session.is_verbose) + _final(session, result) * (
        2 if session.has("double_ok") else 1
    )


def _final(session: Session, result: str) -> bytes:
    numbers = {"OK": "0", "ERROR": "4"}
    if not session.is_verbose and result in numbers:
        return _encode(session, f"{numbers[result]}\r")
    return framed(session, ["CME Error: unknown" if result == "ERROR" and session.has("cme_words") else result])


def framed(session: Session, lines: list[str], *, is_bare: bool = False) -> bytes:
    """Return lines with an empty one before and CR LF after each, as with ATV1 (ITU-T V.250, 5.7.1)."""
    nul = "\0" if session.has("nul") else ""
    ends = {"lone_cr": "\r", "lone_lf": "\n"}
    end = next((end for manner, end in ends.items() if session.has(manner)), "\r\n")
    head = "" if is_bare else end
    return _encode(session, "".join([head, *(f"{nul}{line}{end}" for line in lines)]) if lines else "")


def _encode(session: Session, text: str) -> bytes:
    octets = text.encode("latin-1", "replace")
    return bytes(each | each.bit_count() % 2 << 7 for each in octets) if session.has("parity") else octets


def announced(session: Session, lines: list[str]) -> bytes:
    """Return an announcement as this modem says it; nothing if it keeps it for the next answer."""
    if lines and "I: " in lines[0]:
        lines = _news(session, lines[0])
    if session.has("noisy_forward") and len(lines) > 1:
        lines = [lines[0], _NOISE, *lines[1:]]
    if session.has("forgets_news"):
        session.cnmi[:] = [0] * len(session.cnmi)
    if session.has("late_news"):
        session.news += lines
        return b""
    return framed(session, lines)


def _news(session: Session, line: str) -> list[str]:
    name, _, place = line.partition(",")
    if session.has("wrong_news"):
        line = f'{name.partition(":")[0]}: "MT",{place}'
    if session.has("wrong_place"):
        line = f"{name},17"
    return [f'{line},1,"x"' if session.has("long_news") else line]


def pieces(session: Session, answer: bytes) -> list[bytes]:
    """Return an answer in the pieces in which this modem sends it."""
    if not session.has("split"):
        return [answer]
    return [answer[start : start + _PIECE] for start in range(0, len(answer), _PIECE)]
