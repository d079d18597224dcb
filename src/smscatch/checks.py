"""What is told of a line, in the same words wherever it is: on the page, by /readyz, in /api/v1/lines and by doctor.

Values only: who looks at modems and counts texts is elsewhere.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from smscatch.messages import Diagnosis
from smscatch.modem.health import WORKING, Health
from smscatch.settings import LineSettings
from smscatch.settings.lines import LINK

# A line is told to hear less than usual after so many of its usual pauses, and a day at least.
UNUSUAL_PAUSES = 5
UNUSUAL = timedelta(days=1)
FEW = 10
TRY = "Send it an SMS from a phone, with RCS and iMessage off in the conversation: docs/modems.md."
START = "smscatch serve"
# What helps with a state beside the link's own sentence: a command, or what only hands can do.
REMEDIES = {
    "stopped": START,
    "port_missing": "ls -l /dev/serial/by-id",
    "no_access": "sudo usermod -aG dialout $USER",
    "port_busy": "sudo fuser -v /dev/ttyUSB* /dev/ttyACM*",
    "spool_full": "df -h",
    "not_registered": "Look at antenna, contract and coverage: does the SIM have a network in a phone?",
    "deaf": "Send it a text from a phone; if none comes, set `self_test` at the line: docs/modems.md.",
    "storage_full": "Delete drafts and sent texts from the SIM in a phone.",
    "no_sim": "Put the SIM in again, and clean its contacts.",
    "sim_busy": "Wait a minute; if it stays so, clean the SIM's contacts.",
    "pin_needed": "Set `pin` at the line in smscatch.toml, or switch the PIN off in a phone.",
    "pin_refused": "Correct `pin` at the line in smscatch.toml: it was tried once and will not be tried again.",
    "puk": "Put the SIM into a phone and enter its PUK.",
    "silent": "Pull the modem out and plug it in again.",
    "not_at": "Name another port of the same stick: docs/modems.md.",
    "text_mode": "Name another port of the same stick, or take another modem: docs/modems.md.",
    "not_running": "sudo systemctl start ModemManager",
    "login_needed": "Set `password` at the line in smscatch.toml: docs/modems.md.",
}
# The same where another engine reads the modem: its sentences say the rest.
OTHER_REMEDIES = {"no_access": "Give the user the right to: docs/modems.md."} | {
    state: REMEDIES[state]
    for state in ("not_running", "login_needed", "stopped", "spool_full", "not_registered", "no_sim", "puk")
}


def check_modem(number: str, line: LineSettings, health: Health | None) -> Iterator[Diagnosis]:
    """Say how the modem of a line is; nothing of one that no engine of ours reads."""
    if health is not None:
        yield _of_state(health, REMEDIES if line.engine == LINK else OTHER_REMEDIES)
        yield from _check_speed(line, health)
        yield from _check_smsc(line, health)
    elif line.device is not None:
        starts = f"smscatch modem --line {number}" if line.own_reader else START
        who = "its service" if line.own_reader else "the server"
        yield Diagnosis(
            check="modem",
            verdict="wrong",
            sentence=f"Nobody reads the modem of {number} at {line.device}: {who} does not run, or runs with other"
            " settings.",
            remedy=starts,
        )


def _of_state(health: Health, remedies: Mapping[str, str]) -> Diagnosis:
    words = health.state.replace("_", " ")
    trouble = f": {health.error}" if health.error else "."
    return Diagnosis(
        check="modem",
        verdict="ok" if health.state in WORKING and not health.error else "wrong",
        sentence=f"The modem of {health.line} at {health.device} is {words}{trouble}",
        remedy=remedies.get(health.state),
    )


def _check_speed(line: LineSettings, health: Health) -> Iterator[Diagnosis]:
    if line.baud is not None and health.state in ("silent", "not_at"):
        yield Diagnosis(
            check="speed",
            verdict="wrong",
            sentence=f"The line {health.line} sets {line.baud} baud, and no other speed is tried.",
            remedy="Take `baud` out of the line in smscatch.toml: the speed is found out then.",
        )


def _check_smsc(line: LineSettings, health: Health) -> Iterator[Diagnosis]:
    if health.smsc == "":
        yield Diagnosis(
            check="SMSC",
            verdict="wrong" if line.self_test else "note",
            sentence=f"The SIM of {health.line} has no number of an SMSC, so it cannot send"
            + (", and its self-test has to." if line.self_test else "; receiving does not need it."),
            remedy="Enter the SMSC of its operator in a phone, in the settings of texts.",
        )


def check_texts(number: str, messages: int, last: datetime | None, *, retention: timedelta, now: datetime) -> Diagnosis:
    """Return whether a line is silent for longer than usual; its usual pause is told by how many messages are kept.

    `last` is when it received the last one, None if nothing is kept.
    """
    if last is None:
        nothing = f"{number} has received nothing that is still kept."
        return Diagnosis(check="texts", verdict="note", sentence=nothing, remedy=TRY)
    silence = now - last
    if messages >= FEW and silence > max(UNUSUAL, UNUSUAL_PAUSES * retention / messages):
        unusual = f"{number} has received nothing for {silence.days} days, which is unusual for it."
        return Diagnosis(check="texts", verdict="wrong", sentence=unusual, remedy=TRY)
    count = "one message" if messages == 1 else f"{messages} messages"
    return Diagnosis(check="texts", verdict="ok", sentence=f"{number} has {count}, the last {_day(silence)}.")


def _day(silence: timedelta) -> str:
    return (
        "within a day"
        if silence < timedelta(days=1)
        else "a day ago"
        if silence.days == 1
        else f"{silence.days} days ago"
    )
