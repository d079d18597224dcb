"""A spool is drained to whoever takes its entries: an inbox, or what carries them to another machine."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from smscatch.draining import Drain
from smscatch.errors import StoreUnavailable
from smscatch.spool import Entry, Spool, write_entry


class Taker:
    """Takes entries while it is there, but for those of the kind `bad`."""

    def __init__(self) -> None:
        self.is_there = True
        self.taken: list[Entry] = []
        self.troubles: list[str | None] = []

    async def take(self, entries: Sequence[Entry]) -> dict[str, str]:
        if not self.is_there:
            raise StoreUnavailable("The other side is away.")
        self.taken += [entry for entry in entries if entry.kind != "bad"]
        return {entry.name: "It is bad." for entry in entries if entry.kind == "bad"}


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path / "spool")
    for entry in ENTRIES:
        write_entry(opened.folder, entry)
    yield opened
    opened.close()


ENTRIES = [Entry("0001", "gammu", b"one"), Entry("0002", "bad", b"two"), Entry("0003", "nobody_reads_it", b"three")]


async def test_entries_are_taken_as_they_are_in_order_and_leave_the_spool(spool: Spool) -> None:
    taker = Taker()
    assert await Drain(spool, taker.take, taker.troubles.append).drain() == 2
    assert (taker.taken, spool.names(), taker.troubles) == ([ENTRIES[0], ENTRIES[2]], [], [None])
    assert (spool.folder / "rejected" / "0002.reason.txt").read_text() == "It is bad.\n"


async def test_while_the_taker_is_away_they_stay_and_it_is_told(spool: Spool) -> None:
    taker = Taker()
    drain = Drain(spool, taker.take, taker.troubles.append)
    taker.is_there = False
    with pytest.raises(StoreUnavailable):
        await drain.drain()
    assert spool.names() == ["0001", "0002", "0003"]
    taker.is_there = True
    await drain.drain()
    assert taker.troubles == ["The other side is away.", None]
