"""The AT dialogue of a simulated Huawei E173: a command line in, the octets of its answer out.

Neither wire nor clock; the commands themselves are in the tables of general and sms.
"""

import re

from smscatch.simulator import general, sms
from smscatch.simulator.session import CommandRefused, Session

COMMANDS = general.COMMANDS | sms.COMMANDS
NEED_SIM = general.NEED_SIM | sms.NEED_SIM

# A basic command is one letter and a number, an extended one a name with an operation (ITU-T V.250, 5.3).
BASIC = re.compile(r"(&?[A-Z])()([0-9]*)", re.IGNORECASE)
EXTENDED = re.compile(r"([+^$*][A-Z0-9]+)(=\?|=|\?|)(.*)", re.IGNORECASE | re.DOTALL)
UNQUOTED_SEMICOLON = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')


def answer(session: Session, line: str) -> bytes:
    """Return the echo if it is on, and the answer to `line`; a line that is no command gets none.

    Several commands may stand in a line with `;` between them; the first that fails ends it (V.250, 5.2.1).
    """
    echo = f"{line}\r".encode("latin-1") if session.echoes else b""
    if line[:2].upper() != "AT":
        return echo
    lines: list[str] = []
    try:
        for command in UNQUOTED_SEMICOLON.split(line[2:]):
            lines += run(session, command.strip())
    except CommandRefused as refusal:
        return echo + framed(lines) + framed([session.result_code(refusal)])
    return echo + framed(lines) + framed(["OK"])


def run(session: Session, command: str) -> list[str]:
    """Return what `command` (without AT) answers before its result code. Raises CommandRefused."""
    match = EXTENDED.fullmatch(command) or BASIC.fullmatch(command)
    if match is None and command:
        raise CommandRefused
    name, operation, argument = match.groups() if match else ("", "", "")
    handler = COMMANDS.get(name.upper() + operation)
    if handler is None:
        raise CommandRefused
    if name.upper() in NEED_SIM:
        session.check_sim()
    return handler(session, argument.strip()) or []


def framed(lines: list[str]) -> bytes:
    """Return `lines` as a modem sends them with ATV1: an empty line before, CR LF after each (V.250, 5.7.1)."""
    return "".join(["\r\n", *(f"{line}\r\n" for line in lines)]).encode("latin-1", "replace") if lines else b""
