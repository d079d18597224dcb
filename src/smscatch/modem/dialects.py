"""How makes of modems differ, in one table. What all of them share is in 3GPP TS 27.005 and 27.007.

The commands were collected from oFono (drivers/atmodem/sim.c, at_pin_retries_query), https://git.kernel.org/pub/scm/
network/ofono/ofono.git, and from the makers' manuals named at each row.
"""

import re
from typing import NamedTuple


class Dialect(NamedTuple):
    """One make of modem.

    `makers` are words of its answer to AT+CGMI, in lower case. `tries` asks how often a wrong PIN may still be entered
    and `tries_form` finds the number in the answer. `quiet` switches off what it would say every few seconds.
    """

    name: str
    makers: tuple[str, ...]
    tries: str
    tries_form: re.Pattern[str]
    quiet: tuple[str, ...] = ()


# 3GPP TS 27.007, 8.65: +CPINR: <code>,<retries>[,<default_retries>]
STANDARD = Dialect("standard", (), "AT+CPINR", re.compile(r'\+CPINR: ?"?SIM PIN"?, ?(\d+)'))

DIALECTS = (
    # Huawei, "AT Command Interface Specification" of the MU509 and E1xx: ^CPIN: <code>,[<times>],<puk>,<pin>,<puk2>,
    # <pin2>. ^CURC=0 stops ^RSSI, ^MODE, ^DSFLOWRPT and the like; +CMTI still comes.
    Dialect("Huawei", ("huawei",), "AT^CPIN?", re.compile(r"\^CPIN: ?[^,]*,\d*,\d+,(\d+)"), ("AT^CURC=0",)),
    # ZTE says +ZUSIMR:2 every other second until the first +CPMS, which we send anyway.
    Dialect("ZTE", ("zte",), "AT+ZPINPUK=?", re.compile(r"\+ZPINPUK: ?(\d+)")),
    # Quectel, "EC2x&EG9x&EG2x-G&EM05 Series AT Commands Manual": +QPINC: "SC",<pin>,<puk>
    Dialect("Quectel", ("quectel",), "AT+QPINC?", re.compile(r'\+QPINC: ?"SC", ?(\d+)')),
    # SIMCom, "SIM7600 Series AT Command Manual": +SPIC: <pin>,<puk>,<pin2>,<puk2>
    Dialect("SIMCom", ("simcom",), "AT+SPIC", re.compile(r"\+SPIC: ?(\d+)")),
    # Siemens, later Cinterion, Gemalto, Thales: ^SPIC: <tries of the password that +CPIN? asks for>
    Dialect("Siemens", ("siemens", "cinterion", "gemalto", "thales"), "AT^SPIC", re.compile(r"\^SPIC: ?(\d+)")),
)


def find_dialect(maker: str) -> Dialect:
    """Return the dialect of a modem that answers AT+CGMI with `maker`; an unknown one speaks the standard."""
    words = maker.lower()
    return next((dialect for dialect in DIALECTS if any(word in words for word in dialect.makers)), STANDARD)


def find_tries(dialect: Dialect, lines: list[str]) -> int | None:
    """Return how often a PIN may still be tried, read from the answer to `dialect.tries`; None if it does not tell."""
    found = (dialect.tries_form.match(line) for line in lines)
    return next((int(match[1]) for match in found if match), None)
