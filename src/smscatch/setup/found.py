"""What a look at the machine found: modems that answer, ports that do not, and sticks that are no modems yet."""

from collections.abc import Sequence
from typing import NamedTuple

from smscatch.modem.drives import StickDrive
from smscatch.settings.lines import LINK


class FoundModem(NamedTuple):
    """A modem that answers: `device` is what to call it in the settings, "" stands for what it does not tell.

    `number` is what the SIM says of itself, E.164 if it says so. `engine` is what can read it. `needs_pin` tells that
    the SIM asks for its PIN, `needs_password` that a stick's web page wants a login; `trouble` is what keeps the SIM
    from being read, in a sentence.
    """

    device: str
    name: str
    imei: str
    imsi: str = ""
    number: str = ""
    operator: str = ""
    usb_id: str = ""
    engine: str = LINK
    needs_pin: bool = False
    needs_password: bool = False
    trouble: str = ""


class Survey(NamedTuple):
    """What was found: modems, one for each; the ports that did not answer, each with the reason; and drives."""

    modems: tuple[FoundModem, ...] = ()
    silent: tuple[str, ...] = ()
    drives: tuple[StickDrive, ...] = ()


def join(*looks: Survey) -> Survey:
    """Return what several looks found together: a modem that two found counts as the first one found it."""
    modems: dict[str, FoundModem] = {}
    for modem in (modem for look in looks for modem in look.modems):
        modems.setdefault(modem.imei or modem.device, modem)
    silent = tuple(reason for look in looks for reason in look.silent)
    return Survey(tuple(modems.values()), silent, tuple(drive for look in looks for drive in look.drives))


def describe(found: Survey) -> Sequence[str]:
    """Return what was found, a line each."""
    lines = []
    for modem in found.modems:
        engine = "" if modem.engine == LINK else f"engine {modem.engine}"
        told = [modem.name, f"IMEI {modem.imei}" if modem.imei else "", modem.number, modem.operator, engine]
        words = ", ".join(part for part in (*told, modem.trouble) if part)
        lines.append(f"found {modem.device}: {words}")
    lines += [f"no modem at {reason}" for reason in found.silent]
    return [*lines, *(f"no modem yet: {drive}." for drive in found.drives)]
