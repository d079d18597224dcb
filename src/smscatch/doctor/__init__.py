"""What is wrong with an installation, and the command that mends it. Nothing is changed by looking.

A new check is a function that yields Diagnoses, of what is in order too, and a line in CHECKS.
"""

from collections.abc import Iterator

from smscatch.doctor.finding import Check, Diagnosis, Machine, Patient
from smscatch.doctor.gammu import check_gammu
from smscatch.doctor.keeping import check_settings, check_spool, check_sqlite
from smscatch.doctor.machine import check_clock, check_power
from smscatch.doctor.modems import check_modem_manager, check_modems, check_ports, check_sticks
from smscatch.doctor.serving import check_server

__all__ = ["CHECKS", "Check", "Diagnosis", "Machine", "Patient", "examine"]

CHECKS: tuple[Check, ...] = (
    check_settings,
    check_modems,
    check_ports,
    check_sticks,
    check_modem_manager,
    check_gammu,
    check_spool,
    check_sqlite,
    check_server,
    check_clock,
    check_power,
)


def examine(patient: Patient) -> Iterator[Diagnosis]:
    """Yield what each check says, in the order of CHECKS; what cannot be looked at is a note."""
    for check in CHECKS:
        try:
            yield from check(patient)
        except OSError as error:
            name = check.__name__.removeprefix("check_").replace("_", " ")
            yield Diagnosis(check=name, verdict="note", sentence=f"This cannot be looked at: {error}.")
