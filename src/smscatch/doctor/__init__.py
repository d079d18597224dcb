"""What is wrong with an installation, and the command that mends it. Nothing is changed by looking.

A new check is a function that yields Diagnoses, of what is in order too, and a line in CHECKS.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from smscatch.checks import START
from smscatch.doctor.finding import Check, Machine, Patient
from smscatch.doctor.gammu import check_gammu
from smscatch.doctor.keeping import check_settings, check_spool, check_sqlite
from smscatch.doctor.machine import check_clock, check_power
from smscatch.doctor.modems import check_modem_manager, check_modems, check_ports, check_sticks
from smscatch.doctor.serving import check_server
from smscatch.messages import Diagnosis

__all__ = ["CHECKS", "Check", "Diagnosis", "Machine", "Patient", "examine"]

# Where it is there, the service is what is to be started (setup).
UNIT = Path("systemd/system/smscatch.service")
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
    is_service = (patient.machine.etc / UNIT).exists()
    for check in CHECKS:
        try:
            for found in check(patient):
                is_start = is_service and found.remedy == START
                yield (
                    msgspec.structs.replace(found, remedy=f"sudo systemctl restart {UNIT.stem}") if is_start else found
                )
        except OSError as error:
            name = check.__name__.removeprefix("check_").replace("_", " ")
            yield Diagnosis(check=name, verdict="note", sentence=f"This cannot be looked at: {error}.")


def _of_service(found: Diagnosis) -> Diagnosis:
    return msgspec.structs.replace(found, remedy=f"sudo systemctl restart {UNIT.stem}")
