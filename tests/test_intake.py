"""From the spool into the store: nothing lost, nothing twice, nothing that blocks the next."""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smscatch import hook
from smscatch.errors import CannotStart, StoreUnavailable
from smscatch.files import replace
from smscatch.inbox import Inbox
from smscatch.intake import drain_into
from smscatch.messages import Query
from smscatch.modem.health import Health, read_health, write_health
from smscatch.modem.journal import Journal
from smscatch.spool import MAX_BYTES, Entry, Pokes, Spool, Writer, poke, write_entry
from smscatch.stores import Delivery
from smscatch.waits import next_message
from tests.conftest import spool_text
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path / "spool")
    yield opened
    opened.close()


async def texts(inbox: Inbox) -> list[str]:
    return [stored.message.text for stored in await inbox.store.after(Query(), 0, 1000)]


KINDS = ("a pipe", "a socket", "a symbolic link", "a folder")


def put_there(path: Path, kind: str) -> None:
    """Make something that is no plain file; the link leads to a file that can be read."""
    path.parent.mkdir(exist_ok=True)
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a symbolic link":
        path.symlink_to("/etc/hostname")
    else:
        folder = os.open(path.parent, os.O_RDONLY)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
            made.bind(f"/proc/self/fd/{folder}/{path.name}")  # its path has 107 bytes at most
        os.close(folder)


def line_of(phone_id: str) -> str:
    return phone_id


async def test_entries_go_into_the_store_in_order_and_leave_the_spool(spool: Spool, inbox: Inbox) -> None:
    for n in range(3):
        spool_text(spool.folder, f"text {n}")
    assert await drain_into(spool, inbox, line_of).drain() == 3
    assert await texts(inbox) == ["text 0", "text 1", "text 2"]
    assert spool.names() == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\x00\xff\xfe binary", "smscatch did not write it"),
        (b"hello\n", "smscatch did not write it"),
        (b"smscatch/1 gammu 50\nSMS_MESSAGES=1", "announces 50"),
        (b"smscatch/1 gammu 3\nlonger", "announces 3"),
        (b"smscatch/2 gammu 0\n", "smscatch did not write it"),
        (b"smscatch/1 pigeon 2\nhi", "'pigeon'"),
        (b"smscatch/1 gammu 2\nhi", "not whole"),
        (b"smscatch/1 gammu 0\n", "time_ns"),
        (b"smscatch/1 gammu 9999999\n" + b"x" * (MAX_BYTES + 10), "announces 9999999"),
    ],
)
async def test_what_cannot_be_read_is_put_aside_with_the_reason_and_the_next_goes_on(
    spool: Spool, inbox: Inbox, content: bytes, reason: str
) -> None:
    (spool.folder / "0000-first.sms").write_bytes(content)
    spool_text(spool.folder, "the next")
    await drain_into(spool, inbox, line_of).drain()
    assert await texts(inbox) == ["the next"]
    rejected = spool.folder / "rejected"
    assert (rejected / "0000-first.sms").read_bytes() == content
    assert reason in (rejected / "0000-first.reason.txt").read_text()
    assert spool.names() == []


async def test_a_crash_between_store_and_spool_stores_nothing_twice(
    spool: Spool, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool_text(spool.folder, "once")
    with monkeypatch.context() as crashing:
        crashing.setattr(Spool, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            await drain_into(spool, inbox, line_of).drain()
    assert await drain_into(spool, inbox, line_of).drain() == 1
    assert await texts(inbox) == ["once"]


async def test_a_store_that_is_away_leaves_the_spool_as_it_is(
    spool: Spool, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool_text(spool.folder, "kept")

    async def fail(deliveries: Sequence[Delivery]) -> int:
        raise StoreUnavailable("away")

    with monkeypatch.context() as away:
        away.setattr(inbox.store, "add", fail)
        with pytest.raises(StoreUnavailable):
            await drain_into(spool, inbox, line_of).drain()
    assert len(spool.names()) == 1
    await drain_into(spool, inbox, line_of).drain()
    assert await texts(inbox) == ["kept"]


async def test_one_message_that_cannot_be_stored_does_not_hold_up_its_batch(
    spool: Spool, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("one", "poison", "three"):
        spool_text(spool.folder, text)
    add = inbox.store.add

    async def choke(deliveries: Sequence[Delivery]) -> int:
        if any(b"poison" in delivery.raw for delivery in deliveries):
            raise ValueError("some bug")
        return await add(deliveries)

    monkeypatch.setattr(inbox.store, "add", choke)
    await drain_into(spool, inbox, line_of).drain()
    assert await texts(inbox) == ["one", "three"]
    assert len(list((spool.folder / "rejected").glob("*.sms"))) == 1


async def test_a_bug_in_a_source_puts_the_entry_aside(
    spool: Spool, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool_text(spool.folder, "x")
    monkeypatch.setattr("smscatch.intake.read_delivery", lambda *_: 1 / 0)
    await drain_into(spool, inbox, line_of).drain()
    (reason,) = (spool.folder / "rejected").glob("*.reason.txt")
    assert "ZeroDivisionError" in reason.read_text()


async def test_a_poke_wakes_the_drain(spool: Spool, inbox: Inbox) -> None:
    pokes = Pokes(spool.folder)
    draining = asyncio.create_task(drain_into(spool, inbox, line_of).keep_draining(pokes, 1e6))
    try:
        for n in range(3):
            await asyncio.to_thread(spool_text, spool.folder, f"text {n}")
            stored = await next_message(inbox, Query(contains=f"text {n}"), 0, PATIENCE_SECONDS)
            assert stored.position == n + 1
    finally:
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)
        pokes.close()


async def test_a_lost_poke_is_made_up_for_by_the_timer(spool: Spool, inbox: Inbox) -> None:
    pokes = Pokes(spool.folder)
    (spool.folder / "poke").unlink()
    draining = asyncio.create_task(drain_into(spool, inbox, line_of).keep_draining(pokes, 0.01))
    try:
        await asyncio.to_thread(spool_text, spool.folder, "found")
        await next_message(inbox, Query(contains="found"), 0, PATIENCE_SECONDS)
    finally:
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)
        pokes.close()


def test_two_servers_do_not_drain_one_spool(spool: Spool) -> None:
    with pytest.raises(CannotStart, match="Another smscatch drains"):
        Spool(spool.folder)


def test_a_spool_that_cannot_be_made_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match="file/spool"):
        Spool(tmp_path / "file" / "spool")


def test_what_a_dead_writer_left_is_cleared_but_not_what_one_is_writing(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    (folder / ".tmp-old").touch()
    os.utime(folder / ".tmp-old", (0, 0))
    (folder / ".tmp-new").touch()
    Spool(folder).close()
    assert [path.name for path in folder.glob(".tmp-*")] == [".tmp-new"]


def test_a_writer_that_finishes_while_a_server_starts_is_in_nobodys_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "glob", lambda folder, _: iter([folder / ".tmp-renamed-meanwhile"]))
    Spool(tmp_path).close()


def test_an_entry_that_we_write_is_read_as_it_was(spool: Spool) -> None:
    entry = Entry("0001-a", "gammu", b"\0\n\xff")
    write_entry(spool.folder, entry)
    assert spool.names() == ["0001-a"]
    assert spool.read("0001-a") == entry


def test_a_spool_is_for_its_owner_alone(spool: Spool) -> None:
    assert os.stat(spool.folder).st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["0" * 251, "0000-taken"])
async def test_an_entry_with_an_odd_name_is_put_aside_too(spool: Spool, inbox: Inbox, name: str) -> None:
    (spool.folder / "rejected" / "0000-taken.sms").write_text("an earlier one")
    (spool.folder / f"{name}.sms").write_bytes(b"junk")
    spool_text(spool.folder, "the next")
    await drain_into(spool, inbox, line_of).drain()
    assert await texts(inbox) == ["the next"]
    assert spool.names() == []
    aside = list((spool.folder / "rejected").glob("*.sms"))
    assert sorted(path.read_text() for path in aside) == ["an earlier one", "junk"]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_no_plain_file_neither_blocks_nor_leads_elsewhere(spool: Spool, inbox: Inbox, kind: str) -> None:
    put_there(spool.folder / "0.sms", kind)
    put_there(spool.folder / "rejected" / "0.sms", kind)
    put_there(spool.folder / "rejected" / "0.reason.txt", kind)
    spool_text(spool.folder, "the next")
    await drain_into(spool, inbox, line_of).drain()
    assert await texts(inbox) == ["the next"]
    assert (spool.names(), inbox.trouble) == ([], None)
    (reason,) = (spool.folder / "rejected").glob("0-*.reason.txt")
    assert reason.read_text() == f"It is {kind}; an entry is a plain file.\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_starts_or_says_what_is_in_the_way(tmp_path: Path, kind: str) -> None:
    Spool(tmp_path).close()
    put_there(tmp_path / ".tmp-old", kind)
    os.utime(tmp_path / ".tmp-old", (0, 0), follow_symlinks=False)
    Spool(tmp_path).close()
    (tmp_path / ".lock").unlink()
    put_there(tmp_path / ".lock", kind)
    with pytest.raises(CannotStart, match=rf"\.lock is {kind}, no plain file"):
        Spool(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_pokes_are_heard_whatever_lay_there(tmp_path: Path, kind: str) -> None:
    put_there(tmp_path / "poke", kind)
    poke(tmp_path)
    if kind == "a folder":
        with pytest.raises(CannotStart, match="poke cannot be replaced by a socket"):
            Pokes(tmp_path)
        return
    with contextlib.closing(Pokes(tmp_path)) as pokes:
        poke(tmp_path)
        assert pokes.socket.recv(16) == b"1"


@pytest.mark.parametrize("kind", KINDS)
def test_a_writer_is_not_blocked_by_what_has_the_name_of_its_file(spool: Spool, kind: str) -> None:
    put_there(spool.folder / f".tmp-0001-a.sms.{os.getpid()}", kind)
    entry = Entry("0001-a", "gammu", b"body")
    if kind == "a folder":
        with pytest.raises(OSError, match="Is a directory"):
            write_entry(spool.folder, entry)
        return
    write_entry(spool.folder, entry)
    assert spool.read("0001-a") == entry


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(tmp_path / "file", b"old")

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        replace(tmp_path / "file", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


@pytest.mark.parametrize("kind", KINDS)
def test_the_hook_is_not_blocked_either(spool: Spool, kind: str) -> None:
    put_there(spool.folder / ".tmp-0001", kind)
    folder = os.fsencode(spool.folder)
    here = os.getcwd()
    try:
        with pytest.raises(OSError, match=r"No such device|Too many levels|Is a directory"):
            hook.write_durably(folder, b"0001", b"entry")
    finally:
        os.chdir(here)
    assert spool.names() == []


@pytest.mark.parametrize("kind", KINDS)
def test_neither_health_nor_journal_of_a_modem_block_their_readers(tmp_path: Path, kind: str) -> None:
    health = Health(line="+447700900001", device="/dev/ttyUSB0", state="ready", updated_at=datetime.now(UTC))
    write_health(tmp_path, health)
    for name in ("health/0.json", f"health/.tmp-+447700900001.json.{os.getpid()}", "journal/+447700900001.log"):
        put_there(tmp_path / name, kind)
    assert read_health(tmp_path) == {health.line: health}
    if kind != "a folder":
        write_health(tmp_path, health)
    with pytest.raises(OSError, match=f"is {kind}, no plain file"):
        Journal(tmp_path, health.line)


async def test_an_entry_that_cannot_be_read_now_is_left_and_read_later(
    spool: Spool, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool_text(spool.folder, "not mine to read")
    (first,) = spool.names()
    spool_text(spool.folder, "the next")
    read = Spool.read

    def refuse(self: Spool, name: str) -> Entry:
        if name == first:
            raise PermissionError(13, "Permission denied")
        return read(self, name)

    intake = drain_into(spool, inbox, line_of)
    with monkeypatch.context() as refusing:
        refusing.setattr(Spool, "read", refuse)
        await intake.drain()
    assert (await texts(inbox), spool.names()) == (["the next"], [first])
    assert "Permission denied" in str(inbox.trouble)
    await intake.drain()
    assert await texts(inbox) == ["the next", "not mine to read"]


async def test_a_full_disk_does_not_keep_a_broken_entry_in_the_way(
    spool: Spool, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    (spool.folder / "0-broken.sms").write_bytes(b"junk")
    spool_text(spool.folder, "the next")

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    await drain_into(spool, inbox, line_of).drain()
    assert (await texts(inbox), spool.names()) == (["the next"], [])


async def test_a_spool_that_is_away_is_trouble_until_it_is_back(spool: Spool, inbox: Inbox) -> None:
    intake = drain_into(spool, inbox, line_of)
    spool.folder.rename(spool.folder.with_name("away"))
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        await intake.drain()
    assert inbox.trouble is not None
    spool.folder.with_name("away").rename(spool.folder)
    await intake.drain()
    assert inbox.trouble is None


async def test_a_disk_that_stays_full_is_told_once(
    spool: Spool, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: asyncio.Queue[None] = asyncio.Queue()

    async def full(_: Sequence[Delivery]) -> int:
        tries.put_nowait(None)
        raise StoreUnavailable("The database failed: database or disk is full.")

    monkeypatch.setattr(inbox.store, "add", full)
    spool_text(spool.folder, "a text")
    pokes = Pokes(spool.folder)
    draining = asyncio.create_task(drain_into(spool, inbox, line_of).keep_draining(pokes, 0.001))
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(5):
            await tries.get()
    draining.cancel()
    await asyncio.gather(draining, return_exceptions=True)
    pokes.close()
    assert [record.exc_info for record in caplog.records] == [None]


def test_a_spool_on_a_full_disk_says_what_is_full_and_what_to_do_and_logs_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    caplog.set_level("INFO")
    writer = Writer(tmp_path)
    told = f"The spool {tmp_path} cannot be written: No space left on device. Free some space there: `df -h {tmp_path}`"
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fail)
        for attempt in (writer.check, lambda: writer.write(Entry("0001-a", "generic", b"{}")), writer.check):
            with pytest.raises(StoreUnavailable) as caught:
                attempt()
            assert str(caught.value).startswith(told)
    writer.check()
    assert list(tmp_path.iterdir()) == []
    assert [record.message for record in caplog.records] == [
        f"{told} shows the disk, `df -i` its files.",
        f"the spool {tmp_path} can be written again",
    ]
