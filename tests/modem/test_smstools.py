"""What smstools3's smsd receives on a simulated modem, taken from its folder; and its files, byte by byte."""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from smscatch.inbox import Inbox
from smscatch.intake import drain_into
from smscatch.messages import Message, Query
from smscatch.modem.smstools import Folder, Received, parse_received
from smscatch.pdu import encode_deliver
from smscatch.spool import Spool
from tests.carrier import end, eventually
from tests.modem.conftest import MakeModem
from tests.samples import LINE, NOON
from tests.surroundings import settings_in

LONG = "".join(f"{number:04d} код 246810 для тебя 😀; " for number in range(6))
(PDU,) = encode_deliver("Authy", "Your code is 482913", NOON)
HEADER = "From: Authy\nFrom_TOA: D0 alphanumeric, unknown\nSent: 26-11-22 12:00:00\nModem: GSM1\nAlphabet: ISO\n"
FOLDERS = ("incoming", "outgoing", "checked", "failed", "sent", "saved")


@asynccontextmanager
async def running_smsd(device: Path, folder: Path) -> AsyncGenerator[Path]:
    """Run smsd on a device, with its files in a folder; yield where it puts what it receives."""
    program = shutil.which("smsd", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.fail("smsd is not installed, and this test is about it: apt-get install smstools")
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    folders = "".join(f"{name} = {folder / name}\n" for name in FOLDERS)
    configuration = folder / "smsd.conf"
    configuration.write_text(
        f"devices = GSM1\n{folders}logfile = {folder}/log\ninfofile = {folder}/working\npidfile = {folder}/pid\n"
        f"delaytime = 1\nstore_received_pdu = 3\n[GSM1]\ndevice = {device}\nincoming = yes\npre_init = no\n"
    )
    process = await asyncio.create_subprocess_exec(program, "-c", str(configuration), "-t")
    try:
        yield folder / "incoming"
    finally:
        await end(process)


class Taker:
    """A folder that is taken from, and the inbox that its texts come into."""

    def __init__(self, folder: Path, inbox: Inbox, tmp_path: Path) -> None:
        settings = settings_in(tmp_path, f'[lines."{LINE}"]\nphone_id = "GSM1"\n[lines."+447700900009"]\n')
        self._inbox, self.spool = inbox, Spool(settings.spool)
        self.incoming = folder
        self.folder = Folder(folder, settings.spool)
        self._drain = drain_into(self.spool, inbox, settings.line_of)

    async def messages(self) -> list[Message]:
        await self._drain.drain()
        return [stored.message for stored in await self._inbox.store.after(Query(), 0, 100)]

    def write(self, name: str, content: str, *, seconds: int = 0) -> Path:
        path = self.incoming / name
        path.write_text(content)
        os.utime(path, (NOON.timestamp() + seconds,) * 2)
        return path


@pytest.fixture
def taker(inbox: Inbox, tmp_path: Path) -> Taker:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    return Taker(incoming, inbox, tmp_path)


async def test_what_the_real_smsd_receives_is_in_the_store(a_modem: MakeModem, inbox: Inbox, tmp_path: Path) -> None:
    modem = await a_modem()
    async with running_smsd(modem.device, tmp_path / "smsd") as incoming:
        taker = Taker(incoming, inbox, tmp_path)
        await modem.do("deliver", sender="Authy", text="Your code is 482913 – café €")
        await modem.do("deliver", sender="+447700900123", text=LONG, order=[3, 1, 2])
        await modem.do("deliver_report", recipient="+447700900321", reference=7)
        taking = asyncio.create_task(taker.folder.keep_taking(0.02))
        await eventually(lambda: len(taker.spool.names()) == 5, "all five PDUs are in the spool")
        taking.cancel()
    assert list(incoming.iterdir()) == []
    messages = {message.sender: message for message in await taker.messages()}
    assert {sender: message.text for sender, message in messages.items()} == {
        "Authy": "Your code is 482913 – café €",
        "+447700900123": LONG,
        "+447700900321": "Delivered",
    }
    assert {(message.line, message.source, message.complete) for message in messages.values()} == {(LINE, "pdu", True)}
    assert messages["Authy"].code == "482913"
    assert messages["Authy"].sent_at is not None


@pytest.mark.parametrize(
    ("content", "received"),
    [
        (f"{HEADER}PDU: {PDU}\n\nYour code".encode(), Received("GSM1", [PDU])),
        (f"{HEADER}PDU: AA\nPDU: BB\n\n".encode(), Received("GSM1", ["AA", "BB"])),
        (f"{HEADER}\n".encode() + b"\x00\n\nPDU: AA\n\n", Received("GSM1", [])),
        (HEADER.encode(), None),
        (f"{HEADER}PDU: 0791".encode(), None),
        (b"", None),
        (b"\n\n", Received("", [])),
    ],
)
def test_the_header_of_a_file_is_read_once_it_is_whole(content: bytes, received: Received | None) -> None:
    assert parse_received(content) == received


async def test_a_file_that_is_still_written_is_left_alone(taker: Taker) -> None:
    path = taker.write("GSM1.aaaaaa", f"{HEADER}PDU: {PDU[:20]}")
    assert [taker.folder.take() for _ in range(3)] == [0, 0, 0]
    taker.write("GSM1.aaaaaa", f"{HEADER}PDU: {PDU}\n\nYour code is 482913", seconds=1)
    assert [taker.folder.take() for _ in range(3)] == [0, 1, 0]
    assert not path.exists()
    assert [message.text for message in await taker.messages()] == ["Your code is 482913"]


async def test_two_files_with_the_same_pdu_are_two_messages_in_the_order_of_their_times(taker: Taker) -> None:
    (other,) = encode_deliver("Authy", "Your code is 111111", NOON)
    taker.write("GSM1.a", f"{HEADER}PDU: {other}\n\n", seconds=5)
    for name in ("GSM1.b", "GSM1.c"):
        taker.write(name, f"{HEADER}PDU: {PDU}\n\n")
    assert [taker.folder.take(), taker.folder.take()] == [0, 3]
    assert [message.code for message in await taker.messages()] == ["482913", "482913", "111111"]


async def test_a_file_that_is_found_again_after_a_crash_is_a_repeat(taker: Taker) -> None:
    content = f"{HEADER}PDU: {PDU}\n\n"
    taker.write("GSM1.a", content)
    assert [taker.folder.take(), taker.folder.take()] == [0, 1]
    assert len(await taker.messages()) == 1
    taker.write("GSM1.a", content)  # the power went before its removal was on disk
    again = Folder(taker.incoming, taker.spool.folder)
    assert [again.take(), again.take()] == [0, 1]
    assert len(await taker.messages()) == 1


async def test_a_text_that_smsd_read_again_after_it_died_is_marked(taker: Taker) -> None:
    (other,) = encode_deliver("Authy", "Your code is 482913", NOON + timedelta(seconds=1))
    for number, pdu in enumerate((PDU, other, PDU)):  # its slot was not emptied yet; the second is another text
        taker.write(f"GSM1.{number}", f"{HEADER}PDU: {pdu}\n\n", seconds=86_400 * number)
        assert [taker.folder.take(), taker.folder.take()] == [0, 1]
        await taker.messages()
    found = await taker.messages()
    assert [message.marks for message in found] == [(), (), ("possible_duplicate",)]


async def test_a_file_that_cannot_be_removed_is_taken_once_and_told_once(
    taker: Taker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.parent == taker.incoming:
            raise PermissionError(1, "Operation not permitted")
        unlink(path, missing_ok)

    path = taker.write("GSM1.a", f"{HEADER}PDU: {PDU}\n\n")
    monkeypatch.setattr(Path, "unlink", refuse)
    assert [taker.folder.take() for _ in range(4)] == [0, 1, 0, 0]
    monkeypatch.undo()
    assert path.exists()
    assert len(await taker.messages()) == 1
    assert caplog.text.count("cannot be removed: Operation not permitted. The folder has to be ours") == 1


async def test_a_file_without_a_pdu_is_left_there_and_the_setting_is_named(
    taker: Taker, caplog: pytest.LogCaptureFixture
) -> None:
    path = taker.write("GSM1.a", f"{HEADER}\nYour code is 482913")
    (taker.incoming / "GSM1.folder").mkdir()
    (taker.incoming / "GSM1.link").symlink_to(path)
    assert [taker.folder.take() for _ in range(3)] == [0, 0, 0]
    assert path.exists()
    assert caplog.text.count("set store_received_pdu = 3 in smsd.conf") == 1
    assert "482913" not in caplog.text


async def test_nothing_is_removed_while_the_spool_cannot_be_written(
    taker: Taker, caplog: pytest.LogCaptureFixture
) -> None:
    path = taker.write("GSM1.a", f"{HEADER}PDU: {PDU}\n\n")
    away = taker.spool.folder.rename(taker.spool.folder.with_name("away"))
    assert [taker.folder.take() for _ in range(3)] == [0, 0, 0]
    assert path.exists()
    assert caplog.text.count("is not taken: The spool") == 1
    away.rename(taker.spool.folder)
    assert taker.folder.take() == 1
    assert len(await taker.messages()) == 1


def test_a_folder_that_is_not_there_is_told_once_and_tried_again(
    taker: Taker, caplog: pytest.LogCaptureFixture
) -> None:
    away = taker.incoming.rename(taker.incoming.with_name("gone"))
    assert [taker.folder.take(), taker.folder.take()] == [0, 0]
    assert caplog.text.count("of smstools cannot be read: No such file or directory") == 1
    away.rename(taker.incoming)
    taker.write("GSM1.a", f"{HEADER}PDU: {PDU}\n\n")
    assert [taker.folder.take(), taker.folder.take()] == [0, 1]
