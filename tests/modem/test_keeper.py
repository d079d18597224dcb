"""Texts that something else keeps are taken once, wherever we die, whatever they are called afterwards."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smscatch.engines import keeper
from smscatch.engines.keeper import ForeignTaker, ForeignText, ModemClaim
from smscatch.modem.journal import Journal, Slot, TakenText
from smscatch.modem.trouble import PortBusy, SpoolTrouble
from smscatch.spool import write_entry

CARD, LINE = "001010123456789", "+447700900123"


class Killed(BaseException):
    """What ends us as a kill would."""


class Store:
    """What keeps the texts: it may number them anew, die around a deletion, or refuse one."""

    def __init__(self, *contents: str) -> None:
        self.run = 0
        self.texts = dict(enumerate(contents))
        self.refuses = 0
        self.dies = ""

    def restart(self) -> None:
        """Number the texts anew, as ModemManager does when it starts."""
        self.run += 1
        self.texts = dict(enumerate(self.texts.values(), start=7))

    def listed(self) -> list[ForeignText]:
        return [ForeignText(Slot(CARD, f"run {self.run}", place), text) for place, text in self.texts.items()]

    async def delete(self, text: ForeignText) -> bool:
        if self.dies == "before":
            raise Killed
        if self.refuses:
            self.refuses -= 1
            return False
        del self.texts[text.slot.place]
        if self.dies == "after":
            raise Killed
        return True


def body_of(text: ForeignText, _: TakenText) -> bytes:
    return text.content.encode()


async def take(store: Store, spool: Path) -> bool:
    return await ForeignTaker(spool, LINE, "modemmanager", iter(range(10**9, 10**10)).__next__).take(
        CARD, store.listed(), body_of, store.delete
    )


def spooled(spool: Path) -> list[str]:
    return [path.read_bytes().partition(b"\n")[2].decode() for path in sorted(spool.glob("*.sms"))]


def dying(step: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    def function(*arguments: Any) -> None:
        if after:
            step(*arguments)
        raise Killed

    return function


STEPS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "journal": (Journal, "open", dying(Journal.open, after=False)),
    "journalled": (Journal, "open", dying(Journal.open, after=True)),
    "spool": (keeper, "write_entry", dying(write_entry, after=False)),
    "spooled": (keeper, "write_entry", dying(write_entry, after=True)),
}


@pytest.mark.parametrize("is_renumbered", [False, True])
@pytest.mark.parametrize("step", [*STEPS, "before", "after"])
async def test_each_text_is_taken_once_wherever_we_die_and_whatever_it_is_called_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, step: str, is_renumbered: bool
) -> None:
    store = Store("one", "two", "one")  # two equal ones are two
    with monkeypatch.context() as patch:
        if step in STEPS:
            patch.setattr(*STEPS[step])
        store.dies = step if step not in STEPS else ""
        with pytest.raises(Killed):
            await take(store, tmp_path)
    store.dies = ""
    if is_renumbered:
        store.restart()
    assert await take(store, tmp_path)
    assert (store.texts, sorted(spooled(tmp_path))) == ({}, ["one", "one", "two"])


async def test_a_text_whose_deletion_failed_is_not_doubled_though_it_is_called_anew(tmp_path: Path) -> None:
    store = Store("one")
    store.refuses = 3
    for _ in range(3):
        assert not await take(store, tmp_path)
        store.restart()
    assert await take(store, tmp_path)
    assert (store.texts, spooled(tmp_path)) == ({}, ["one"])


async def test_an_equal_text_that_comes_after_the_deletion_was_confirmed_is_another(tmp_path: Path) -> None:
    store = Store("one")
    await take(store, tmp_path)
    store.texts[1] = "one"
    await take(store, tmp_path)
    assert spooled(tmp_path) == ["one", "one"]


async def test_another_text_in_the_same_place_is_another_message(tmp_path: Path) -> None:
    store = Store("one")
    store.dies = "after"
    with pytest.raises(Killed):
        await take(store, tmp_path)
    store.dies, store.texts = "", {0: "two"}
    await take(store, tmp_path)
    assert spooled(tmp_path) == ["one", "two"]


async def test_a_text_that_cannot_be_spooled_is_not_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    store = Store("one")
    with monkeypatch.context() as patch:
        patch.setattr(keeper, "write_entry", full)
        with pytest.raises(SpoolTrouble):
            await take(store, tmp_path)
    assert store.texts == {0: "one"}
    await take(store, tmp_path)
    assert spooled(tmp_path) == ["one"]


def test_a_modem_is_read_for_one_line_at_a_time(tmp_path: Path) -> None:
    first, second = ModemClaim(tmp_path), ModemClaim(tmp_path)
    first.hold("490154203237518")
    first.hold("490154203237518")
    with pytest.raises(PortBusy, match="490154203237518"):
        second.hold("490154203237518")
    second.hold("http://192.168.8.1/")
    first.release()
    second.hold("490154203237518")
    first.hold("http://192.168.8.1/")


async def test_what_was_said_to_be_deleted_but_stays_is_no_second_text(tmp_path: Path) -> None:
    store = Store("one")
    taker = ForeignTaker(tmp_path, LINE, "modemmanager", iter(range(10**9, 10**10)).__next__)

    async def claim(_: ForeignText) -> bool:
        return True

    assert await taker.take(CARD, store.listed(), body_of, claim)
    assert not await taker.take(CARD, store.listed(), body_of, claim)
    assert not await taker.take(CARD, store.listed(), body_of, claim)
    assert not await take(store, tmp_path) or not store.texts  # another one, which reads the same journal
    assert spooled(tmp_path) == ["one"]
