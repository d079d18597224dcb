"""Which line each found modem becomes: its number, PIN and password, as they are given, known, learnt or asked for."""

import argparse
import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from smscatch.errors import BadSetting
from smscatch.modem.finding import UsbTree
from smscatch.modem.ports import PortSettings
from smscatch.settings.lines import LINK, parse_number
from smscatch.setup.found import FoundModem
from smscatch.setup.learning import LEARN_SECONDS, learn_numbers
from smscatch.setup.plan import PlannedLine, is_of

LEARN = """\
Send each of these SIMs a text from any phone that says the SIM's own number, such as +4915112345678:
{modems}
Waiting for it for {minutes:.0f} minutes; the text stays on the SIM."""


def ask(question: str, options: argparse.Namespace, otherwise: str) -> str:
    """Return what somebody types. Raises BadSetting if nobody is to be asked; `otherwise` is what to do then."""
    if options.yes:
        raise BadSetting(
            f"With --yes nothing is asked for, and this is not known: {question.rstrip(': ')}. {otherwise}"
        )
    try:
        return input(question).strip()
    except EOFError:
        raise BadSetting(f"There is nobody to be asked: {question.rstrip(': ')}. {otherwise}") from None


def lines_of(
    modems: Sequence[FoundModem],
    options: argparse.Namespace,
    known: Mapping[str, Mapping[str, Any]],
    tell: Callable[[str], None],
) -> list[PlannedLine]:
    """Return the lines of modems; `known` are those that the configuration has already. Raises BadSetting.

    What is to be done meanwhile goes to `tell`.
    """
    if options.line is not None and len(modems) > 1:
        raise BadSetting(f"--line is for one modem, and {len(modems)} answer: name one with --device.")
    numbers = {modem.device: options.line or _number_of(modem, known) for modem in modems}
    for modem in modems:
        if not numbers[modem.device] and not options.learn:
            numbers[modem.device] = ask(
                f"The number of the SIM in {modem.device}, as +49… (or Enter: it is learnt from a text): ",
                options,
                "Give it with --line +49…, or have it learnt from a text with --learn.",
            )
    unknown = [modem for modem in modems if not numbers[modem.device]]
    if unknown:
        numbers |= _learn(unknown, options, tell)
    return [_line_of(modem, numbers[modem.device], options, known) for modem in modems]


def _number_of(modem: FoundModem, known: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the number that the configuration has for a modem, or that the SIM tells whole; "" if neither does."""
    configured = next((number for number, line in known.items() if line.get("device") == modem.device), "")
    return configured or (modem.number if modem.number.startswith("+") else "")


def _learn(modems: Sequence[FoundModem], options: argparse.Namespace, tell: Callable[[str], None]) -> dict[str, str]:
    mute = [modem for modem in modems if modem.engine != LINK or modem.needs_pin]
    if mute:
        raise BadSetting(
            f"The number of the SIM in {mute[0].device} cannot be learnt, since setup cannot read its texts: give it"
            " with --line +49…."
        )
    names = "\n".join(f"  {modem.name} at {modem.device}" for modem in modems)
    usb = UsbTree(Path(options.sys), Path(options.dev))
    ports = [PortSettings(modem.device, usb=usb) for modem in modems]
    learnt = asyncio.run(learn_numbers(ports, lambda: tell(LEARN.format(modems=names, minutes=LEARN_SECONDS / 60))))
    for modem in modems:
        if modem.device not in learnt:
            raise BadSetting(
                f"No text came to {modem.device} that says one number, as +49…. Run setup again, or give the number"
                " with --line +49…."
            )
        tell(f"learnt {learnt[modem.device]} at {modem.device}")
    return learnt


def _line_of(
    modem: FoundModem, written: str, options: argparse.Namespace, known: Mapping[str, Mapping[str, Any]]
) -> PlannedLine:
    try:
        number = parse_number(written, None)
    except ValueError:
        raise BadSetting(f"{written!r} is no number in E.164, such as +4915112345678.") from None
    line = PlannedLine(number, modem, reader=options.reader)
    if number in known and is_of(dict(known[number]), number, modem.device):
        return line  # whose secrets stand there
    pin = (
        ask(f"The PIN of the SIM in {modem.device}: ", options, "Switch it off in a phone.") if modem.needs_pin else ""
    )
    password = (
        ask(f"The password of {modem.device}: ", options, "Write it into smscatch.toml: docs/modems.md.")
        if modem.needs_password
        else ""
    )
    return line._replace(pin=pin, password=password)
