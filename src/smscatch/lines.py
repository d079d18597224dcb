"""Our lines: which there are, how their modems are, who has which, and which of them make a pool (those of a label).

Every line is seen here; which of them a key may see is in access.py.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec

from smscatch.checks import check_modem, check_texts
from smscatch.errors import UnknownLine
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import Lease, Line, plain
from smscatch.modem.health import WORKING, Health, read_health
from smscatch.settings import LineSettings, Settings
from smscatch.smpp.states import BOUND, BindState, BindStates
from smscatch.stores.base import DayCount

VIRTUAL = "virtual"  # how a line with a fictitious number is called, whichever label it was leased by


class OwnLines:
    """The lines of a server: those of its settings, those with a modem, and those that ever received something."""

    def __init__(self, settings: Settings, inbox: Inbox, leases: Leases, binds: BindStates) -> None:
        self._settings = settings
        self._inbox = inbox
        self._leases = leases
        self._binds = binds

    def modems(self, lines: Collection[str] | None = None) -> dict[str, Health]:
        """Return how the modems of these lines are, None for all, by line; only links of ours tell it."""
        found = modems_of(self._settings, self._inbox.now())
        return {line: health for line, health in found.items() if lines is None or line in lines}

    def carriers(self, lines: Collection[str] | None = None) -> list[str]:
        """Return half a sentence on each carrier by SMPP that may bring texts to these lines, None for all."""
        smscs = self._settings.smpp.items()
        names = [name for name, smsc in smscs if smsc.line is None or lines is None or smsc.line in lines]
        return [told for name in names if (told := describe_binds(name, list(self._binds.of(name)))) is not None]

    def label(self, number: str) -> str:
        """Return the label of a line, or ""."""
        line = self._settings.lines.get(number)
        return line.label if line else VIRTUAL if self._settings.is_virtual(number) else ""

    def has_label(self, number: str, label: str) -> bool:
        """Return whether a lease of a line may ask for a label; a virtual one may have several."""
        if self._settings.is_virtual(number):
            return self._settings.is_virtual_label(label)
        return self.label(number) == label

    def labelled(self, lease: Lease) -> Lease:
        """Return a lease with the label of its line."""
        return msgspec.structs.replace(lease, label=self.label(lease.line))

    async def used(self) -> list[str]:
        """Return the numbers of the lines that have messages."""
        return [use.number for use in await self._inbox.store.lines()]

    async def all(self) -> list[Line]:
        """Return the lines, ordered by number, each with its modem and its newest lease until that has rested."""
        configured, modems = self._settings.lines, self.modems()
        used = {use.number: use for use in await self._inbox.store.lines()}
        leases = {lease.line: lease for lease in await self._leases.held()}
        lines, now = [], self._inbox.now()
        for number in sorted({*configured, *used, *modems}):
            line, use = configured.get(number), used.get(number)
            known = line or LineSettings()
            checks = [*check_modem(number, known, modems.get(number))]
            if not (self._settings.is_unconfigured(number) or self._settings.is_virtual(number)):
                count, last = (use.messages, use.last_received_at) if use else (0, None)
                checks.append(check_texts(number, count, last, retention=self._settings.retention, now=now))
            lines.append(
                Line(
                    number=number,
                    label=self.label(number),
                    unconfigured=self._settings.is_unconfigured(number),
                    device=line.device if line else None,
                    phone_id=line.phone_id if line else None,
                    messages=use.messages if use else 0,
                    last_received_at=use.last_received_at if use else None,
                    modem=plain(modems[number]) if number in modems else None,
                    lease=leases.get(number),
                    checks=tuple(checks),
                )
            )
        return lines

    async def days(self, since: datetime) -> list[DayCount]:
        """Return how many messages each line received on each day: see Store.days."""
        return await self._inbox.store.days(since)

    async def check_known(self, line: str) -> None:
        """Raise UnknownLine if a line is not configured, received nothing, and is not leased as a virtual one."""
        if line in self._settings.lines or await self._inbox.has_received(line):
            return
        await self._inbox.catch_up()  # its first text may be in the spool still
        is_leased = self._settings.is_virtual(line) and any(lease.line == line for lease in await self._leases.held())
        if not is_leased and not await self._inbox.has_received(line):
            raise UnknownLine(
                f"There is no line {line}: it is not in the configuration and never received anything."
                " GET /api/v1/lines lists them.",
                line=line,
            )

    async def pool(self, label: str | None) -> list[str]:
        """Return the lines that can be leased: those configured, or all if none is; of these, those with a label.

        Where a virtual line is leased by default, what an application sends makes no number one of ours.
        """
        configured = self._settings.lines
        if not configured and self._settings.virtual_default:
            return []
        numbers = list(configured) or [use.number for use in await self._inbox.used_lines()]
        return [
            number
            for number in numbers
            if label is None or (number in configured and configured[number].label == label)
        ]

    def prefer_working(self, lines: Sequence[str], size: int) -> tuple[str, ...]:
        """Return the lines of a pool whose modems are in order, if they are `size` at least, or else all of them."""
        modems = self.modems()
        working = [line for line in lines if line not in modems or modems[line].state in WORKING]
        return tuple(lines if len(working) < size else working)


def modems_of(settings: Settings, now: datetime) -> dict[str, Health]:
    """Return how the modems are whose links publish into the spool of these settings, by line; `now` is the time."""
    return read_health(settings.spool, now)


def describe(health: Health, now: datetime) -> str:
    """Return half a sentence on a modem: its state, when it was last heard, what it receives."""
    state = health.state.replace("_", " ")
    seen = "" if health.last_contact_at is None else f", last seen {_ago(now, health.last_contact_at)} ago"
    signal = "" if health.signal_percent is None else f", signal {health.signal_percent} %"
    trouble = "" if health.error is None else f" ({health.error.removesuffix('.')})"
    return f"the modem of {health.line} is {state}{trouble}{seen}{signal}"


def describe_binds(smsc: str, binds: Sequence[BindState]) -> str | None:
    """Return half a sentence on the binds to an SMSC: that one is bound, or why the first is not; None without any."""
    if not binds:
        return None
    if any(bind.state == BOUND for bind in binds):
        return f"the SMSC {smsc} is bound"
    error = binds[0].error
    return f"the SMSC {smsc} is {binds[0].state.replace('_', ' ')}" + (f" ({error.removesuffix('.')})" if error else "")


def _ago(now: datetime, then: datetime) -> str:
    seconds = max(0, round((now - then).total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
