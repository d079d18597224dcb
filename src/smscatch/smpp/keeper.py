"""Has the texts of an SMSC on disk: noted in its ledger, then in the spool, before anything is answered. No network."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from smscatch.errors import StoreUnavailable
from smscatch.files import describe_unwritable
from smscatch.settings import SmppSettings
from smscatch.smpp.delivered import Delivered
from smscatch.smpp.ledger import Ledger, Taking
from smscatch.smpp.pdu import Frame
from smscatch.spool import Entry, write_entries

KIND = "smpp"


class Smsc(NamedTuple):
    """An SMSC of the settings, by its name there."""

    name: str
    settings: SmppSettings


class Keeper:
    """Keeps what all binds of one SMSC bring, in the order in which it is asked to."""

    def __init__(self, smsc: Smsc, spool: Path, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._smsc = smsc
        self._spool = spool
        self._now_ns = now_ns
        self._ledger: Ledger | None = None
        self._lock = asyncio.Lock()

    async def keep(self, bind: str, texts: Sequence[Frame]) -> list[str]:
        """Return the names of texts in the spool, when they are durable there. Raises StoreUnavailable: none is."""
        async with self._lock:
            try:
                return await asyncio.to_thread(self._keep, bind, texts)
            except OSError as error:
                trouble = describe_unwritable("spool", self._spool, error)
                raise StoreUnavailable(f"{trouble} The SMSC is told to deliver again later.") from error

    async def know(self, names: Sequence[str]) -> None:
        """Note that the SMSC has the answers to these; what cannot be noted may only mark a text too many."""
        async with self._lock:
            try:
                await asyncio.to_thread(self._opened().forget, names)
            except OSError as error:
                raise StoreUnavailable(describe_unwritable("spool", self._spool, error)) from error

    def _opened(self) -> Ledger:
        if self._ledger is None:
            self._ledger = Ledger(self._spool, self._smsc.name)
        return self._ledger

    def _keep(self, bind: str, texts: Sequence[Frame]) -> list[str]:
        ledger, now_ns = self._opened(), self._now_ns()
        takings = ledger.take([_digest(text) for text in texts], bind, now_ns)
        try:
            write_entries(self._spool, [self._entry(taking, text) for taking, text in zip(takings, texts, strict=True)])
        except OSError:
            ledger.forget([taking.name for taking in takings])
            raise
        return [taking.name for taking in takings]

    def _entry(self, taking: Taking, text: Frame) -> Entry:
        delivered = Delivered(
            smsc=self._smsc.name,
            command=text.command,
            body=text.body.hex(),
            time_ns=int(taking.name[:20]),
            alphabet=self._smsc.settings.alphabet,
            line=self._smsc.settings.line,
            repeat_of=taking.repeat_of,
        )
        return Entry(taking.name, KIND, msgspec.json.encode(delivered))


def _digest(text: Frame) -> str:
    """Return what is equal in a text that is delivered twice: all but the number of the request."""
    return hashlib.sha256(text.command.to_bytes(4) + text.body).hexdigest()[:16]
