"""What all that read a modem promise: each text is taken once, wherever they die."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smscatch.engines import keeper
from smscatch.modem import taking
from smscatch.modem.journal import Journal
from smscatch.settings.lines import ENGINES
from smscatch.spool import write_entry
from tests.carrier import eventually
from tests.modem.readers import READERS, Bench
from tests.patience import PATIENCE_SECONDS


class Killed(BaseException):
    """What ends a reader as a kill would."""


def dying(step: Callable[..., Any], *, after: bool = False) -> Callable[..., Any]:
    def function(*arguments: Any) -> None:
        written = list(arguments[-1]) if step in (Journal.open, Journal.close) else arguments
        if after or not written:  # of nothing nothing is written
            step(*arguments[:-1], written if step in (Journal.open, Journal.close) else arguments[-1])
        if written:
            raise Killed

    return function


# Where it dies, each before and after the step: as it remembers a text, spools it, and forgets it once it is deleted.
STEPS: dict[str, list[tuple[object, str, Callable[..., Any]]]] = {
    "before it is remembered": [(Journal, "open", dying(Journal.open))],
    "remembered": [(Journal, "open", dying(Journal.open, after=True))],
    "before it is spooled": [(room, "write_entry", dying(write_entry)) for room in (taking, keeper)],
    "spooled": [(room, "write_entry", dying(write_entry, after=True)) for room in (taking, keeper)],
    "deleted": [(Journal, "close", dying(Journal.close))],
    "confirmed": [(Journal, "close", dying(Journal.close, after=True))],
}


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_text_is_taken_once_wherever_its_reader_dies(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with READERS[engine](tmp_path) as bench:
        for step, patches in STEPS.items():
            await bench.deliver(step)
            with monkeypatch.context() as patch:
                for each in patches:
                    patch.setattr(*each)
                async with asyncio.timeout(PATIENCE_SECONDS):
                    with pytest.raises(Killed):
                        await bench.read()
            await taken_by_the_next(bench, step)
        assert bench.texts() == list(STEPS)


async def taken_by_the_next(bench: Bench, text: str) -> None:
    async with bench.reading():
        await eventually(lambda: text in bench.texts(), text)
        await bench.emptied()
