"""The AT dialogue of a simulated Huawei E173: a command line in, the octets of its answer out.

Neither wire nor clock; the commands themselves are in the tables of general and sms.
"""

import re

from smscatch.simulator import general, manners, sms, wire
from smscatch.simulator.session import CommandRefused, Session

COMMANDS = general.COMMANDS | sms.COMMANDS
NEED_SIM = general.NEED_SIM | sms.NEED_SIM

# A basic command is one letter and a number, an extended one a name with an operation (ITU-T V.250, 5.3).
BASIC = re.compile(r"(&?[A-Z])()([0-9]*)", re.IGNORECASE)
EXTENDED = re.compile(r"([+^$*][A-Z0-9]+)(=\?|=|\?|)(.*)", re.IGNORECASE | re.DOTALL)
# Several basic commands may stand together without a separator, as in ATE0Q0V1 (V.250, 5.2.1).
BASIC_ONE = re.compile(r"[EQVZ][0-9]*", re.IGNORECASE)
BASIC_MANY = re.compile(r"(?:[EQVZ][0-9]*){2,}", re.IGNORECASE)
UNQUOTED_SEMICOLON = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')


def answer(session: Session, line: str) -> bytes:
    """Return the echo if it is on, and the answer to `line`; a line that is no command gets none.

    Several commands may stand in a line with `;` between them; the first that fails ends it (V.250, 5.2.1).
    """
    echo = f"{line}\r".encode("latin-1") if session.echoes else b""
    if line[:2].upper() != "AT" or manners.is_mute(session, line):
        return echo
    lines: list[str] = []
    result = "OK"
    try:
        manners.check(session, line)
        for command in UNQUOTED_SEMICOLON.split(line[2:]):
            for each in BASIC_ONE.findall(command) if BASIC_MANY.fullmatch(command) else [command]:
                run(session, each.strip(), lines)
    except CommandRefused as refusal:
        result = session.result_code(refusal)
    if session.awaits_text:
        return echo + b"\r\n> "
    return echo + wire.render(session, line, lines, result)


def run(session: Session, command: str, lines: list[str]) -> None:
    """Add to `lines` what `command` (without AT) answers before its result code. Raises CommandRefused."""
    match = EXTENDED.fullmatch(command) or BASIC.fullmatch(command)
    if match is None and command:
        raise CommandRefused
    name, operation, argument = match.groups() if match else ("", "", "")
    handler = COMMANDS.get(name.upper() + operation)
    if handler is None:
        raise CommandRefused
    if name.upper() in NEED_SIM:
        session.check_sim()
    for said in handler(session, argument.strip()) or ():
        lines.append(said)  # one by one: a command may fail after part of its answer
