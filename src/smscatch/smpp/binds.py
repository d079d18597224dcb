"""Keeps the binds to the SMSCs of the settings, for ever: one that ends is made anew, later and later (backoff)."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from smscatch.running import Run
from smscatch.settings import Settings
from smscatch.smpp.keeper import Keeper, Smsc
from smscatch.smpp.session import PATIENCE, Patience, SmscSession
from smscatch.smpp.states import BindStates
from smscatch.smpp.trouble import SmscRefused, SmscTrouble

Sleep = Callable[[float], Coroutine[Any, Any, None]]


class Pauses(NamedTuple):
    """Seconds until the next try: at first, at most, and at least where the SMSC refuses us: it may lock us out."""

    first: float = 1.0
    most: float = 60.0
    refused: float = 30.0


PAUSES = Pauses()


class Binder:
    """Keeps one of the binds to an SMSC."""

    def __init__(self, number: int, smsc: Smsc, keeper: Keeper, states: BindStates) -> None:
        self._number, self._smsc, self._keeper, self._states = number, smsc, keeper, states

    async def keep_bound(
        self, pauses: Pauses = PAUSES, patience: Patience = PATIENCE, sleep: Sleep = asyncio.sleep
    ) -> None:
        """Bind again whenever the bind ends; runs until cancelled. `sleep` is asyncio.sleep, or a test's."""
        self._tell("starting", None)
        pause = pauses.first
        while True:
            session, least = SmscSession(self._smsc, self._keeper, self._tell, patience), 0.0
            try:
                await session.run()
                self._tell("silent", "The SMSC ended the bind (unbind); it is made anew.")
            except SmscTrouble as trouble:
                self._tell(trouble.state, str(trouble))
                least = pauses.refused if isinstance(trouble, SmscRefused) else 0.0
            # A bind that was good is made anew soon; one that is granted and ended at once, again and again, is not.
            pause = pauses.first if session.was_of_use else pause
            # Several binds that end together need not begin together.
            await sleep(max(pause, least) * random.uniform(1, 1.25))  # noqa: S311 - no secret
            pause = min(2 * pause, pauses.most)

    def _tell(self, state: str, error: str | None) -> None:
        self._states.tell(self._smsc.name, self._number, state, error)


def binds_of(settings: Settings, states: BindStates) -> list[Run]:
    """Return what keeps the binds to all SMSCs of the settings."""
    return [run for name in settings.smpp for run in _binds(Smsc(name, settings.smpp[name]), settings.spool, states)]


def _binds(smsc: Smsc, spool: Path, states: BindStates) -> list[Run]:
    keeper = Keeper(smsc, spool)
    return [
        Run(f"bind {number} to the SMSC {smsc.name}", partial(Binder(number, smsc, keeper, states).keep_bound))
        for number in range(1, smsc.settings.binds + 1)
    ]
