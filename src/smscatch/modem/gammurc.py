"""The configuration with which gammu-smsd hands every SMS to our hook.

Text only: who writes the file, and starts gammu-smsd on it, is elsewhere.
"""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from smscatch import hook
from smscatch.errors import BadSetting

TEMPLATE = """\
# Written by smscatch; every setting is explained in "man gammu-smsdrc".
# Start with: LC_ALL=C.UTF-8 gammu-smsd -c THIS_FILE -f 2
# Without a UTF-8 locale every character beyond ASCII reaches the hook as "?". Without -f 2 gammu-smsd never
# ends after a failure, but resets a modem that came back again and again.

[gammu]
device = {device}
connection = at115200
# Reading texts needs no clock, and setting it is one more command that can fail.
synchronizetime = no

[smsd]
# With the service "files" whoever sends a text can run programs here (gammu issue 1129); with "null" nobody can.
service = null
phoneid = {phone_id}
# The environment carries the message. "exec", or a shell stays between gammu-smsd and the hook.
runonreceive = exec {hook}
# Seconds between two looks at the SIM, and between two rounds; the defaults make 15 s of delay.
receivefrequency = 1
loopsleep = 1
# Asking whether the SIM wants its PIN is also what notices a modem that is gone, and what a new text cuts short.
checksecurity = 1
# No "pin =": gammu-smsd repeats a wrong one until the SIM asks for its PUK (gammu issue 458).
checkbattery = 0
# We only receive.
send = no
# The parts of a long text that are here are handed over after this many seconds, not after ten minutes.
multiparttimeout = {part_seconds}
statusfrequency = 60
logfile = stderr
# Any higher level writes texts, and so codes, to the log.
debuglevel = 0
"""


def hook_command(spool: Path) -> list[str]:
    """Return the command that puts a text into `spool`: the hook of this installation, run as quickly as can be."""
    return [sys.executable, "-I", "-S", "-E", str(Path(hook.__file__)), "--spool", str(spool.absolute())]


def render_gammurc(device: Path, phone_id: str, command: Sequence[str], *, part_seconds: int = 60) -> str:
    """Return a configuration for gammu-smsd that reads `device` and runs `command` for each SMS.

    `phone_id` reaches the hook as PHONE_ID; `command` is a program and its arguments, none of which the shell
    takes apart; `part_seconds` is how long the first parts of a long text wait for the rest. Raises BadSetting if one
    of them has a character that the file cannot hold.
    Source: man gammu-smsdrc, sections General parameters and [gammu]; man gammurc for the syntax.
    """
    if not command:
        raise BadSetting("hook must name the program that gammu-smsd runs for each SMS.")
    return TEMPLATE.format(
        device=checked("device", str(device)),
        phone_id=checked("phone_id", phone_id),
        hook=checked("hook", shlex.join(command)),
        part_seconds=part_seconds,
    )


def checked(name: str, value: str) -> str:
    """Return `value` if it can stand in a line of the file. Raises BadSetting otherwise."""
    if not value or value != value.strip() or not value.isprintable():
        raise BadSetting(f"{name} takes printable text in one line without spaces around it, not {value!r}.")
    return value
