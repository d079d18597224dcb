"""The whole way, with the real gammu-smsd: modem, gammu-smsd, hook, spool, server, HTTP."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from smscatch import hook
from smscatch.messages import Message
from smscatch.modem.gammurc import render_gammurc
from smscatch.simulator import SimulatedModem, StickSettings
from tests.carrier import eventually, running_gammu
from tests.conftest import Server
from tests.patience import PATIENCE_SECONDS

LINE = "+447700900001"


@pytest.fixture
def is_fresh() -> bool:
    return True


class Way(NamedTuple):
    """A modem, and the server at the other end."""

    modem: SimulatedModem
    server: Server

    def messages(self) -> list[Message]:
        """All messages, oldest first."""
        with self.server.client() as client:
            return client.messages(limit=500)[::-1]

    async def send(self, text: str, sender: str = "Authy", **form: object) -> None:
        await self.modem.do("deliver", sender=sender, text=text, **form)

    async def received(self, count: int) -> list[Message]:
        """Wait until the SIM is empty, so that no further message can follow, and there are `count` of them."""
        await self.modem.do("wait", until="empty")
        await eventually(lambda: len(self.messages()) >= count, f"{count} messages")
        return self.messages()


@asynccontextmanager
async def the_way(folder: Path, server: Server, settings: StickSettings | None = None) -> AsyncIterator[Way]:
    async with SimulatedModem(folder / "tty", None, settings) as modem:
        yield Way(modem, server)


def write_rc(folder: Path, server: Server) -> Path:
    command = [sys.executable, "-I", "-S", "-E", str(Path(hook.__file__)), "--spool", str(server.spool)]
    rc = folder / "gammu-smsdrc"
    rc.write_text(render_gammurc(folder / "tty", LINE, command, part_seconds=2), encoding="utf-8")
    return rc


async def test_texts_of_all_kinds_reach_a_waiting_client_as_they_were_sent(server: Server, tmp_path: Path) -> None:
    texts = [
        "Grüße aus Köln: äöüß ÄÖÜ, dein Code ist 482913",
        "Preis 5€ [a]{b} ~^|\\ ok",
        "Ваш код: 482913 – никому",
        "您的验证码是482913，请勿告诉他人",
        "Hi 😀👍🏽 end",
        'It\'s 5 % off at "R&D"; ask $HOME\nsecond line\n%s {0}',
        "Two equal texts",
        "Two equal texts",
    ]
    async with the_way(tmp_path, server) as way, running_gammu(write_rc(tmp_path, server)):
        with server.client() as client:
            waiter = asyncio.create_task(asyncio.to_thread(client.wait_for_code, after="0", timeout=PATIENCE_SECONDS))
            for text in texts:
                await way.send(text)
            assert await waiter == "482913"
        messages = await way.received(len(texts))
    assert [message.text for message in messages] == texts
    assert {(message.sender, message.line) for message in messages} == {("Authy", LINE)}


async def test_senders_of_all_kinds_are_named_as_they_were(server: Server, tmp_path: Path) -> None:
    senders = ["Authy", "+491701234567", "32665", "Müller", "ΓΔΩ", 'R&D "A" 5%', "it's (c)/b"]
    async with the_way(tmp_path, server) as way, running_gammu(write_rc(tmp_path, server)):
        for sender in senders:
            await way.send("x", sender)
        messages = await way.received(len(senders))
    assert [message.sender for message in messages] == senders


async def test_long_texts_are_joined_and_missing_parts_are_said(server: Server, tmp_path: Path) -> None:
    long = "0123456789" * 40 + " code 482913"
    async with the_way(tmp_path, server) as way, running_gammu(write_rc(tmp_path, server)):
        await way.send(long, order=[3, 1, 2])
        whole = (await way.received(1))[0]
        await way.send(long, order=[2])
        lonely = (await way.received(2))[1]
    assert (whole.text, whole.parts, whole.complete, whole.code) == (long, 3, True, "482913")
    assert (lonely.text, lonely.complete) == (long[153:306], False)


async def test_peculiar_messages_are_kept_and_marked(server: Server, tmp_path: Path) -> None:
    async with the_way(tmp_path, server) as way, running_gammu(write_rc(tmp_path, server)):
        await way.send("", alphabet="8bit", data="00ff80")
        await way.send("FLASH!", message_class=0)
        await way.modem.do("deliver_report", recipient="+491709999999", reference=7)
        messages = await way.received(3)
    assert [message.marks for message in messages] == [("undecodable",), ("flash",), ("status_report",)]


async def test_fifty_texts_on_the_sim_at_start_come_in_order_and_none_twice(server: Server, tmp_path: Path) -> None:
    texts = [f"text {n}" for n in range(50)]
    async with the_way(tmp_path, server, StickSettings(slots=20)) as way:
        for text in texts:
            await way.send(text)
        async with running_gammu(write_rc(tmp_path, server)):
            messages = await way.received(50)
    assert [message.text for message in messages] == texts


async def test_what_comes_while_the_server_is_down_is_there_when_it_is_back(
    make_server: Callable[[], Server], tmp_path: Path
) -> None:
    server = make_server().start()
    server.stop()
    texts = [f"text {n}" for n in range(20)]
    async with the_way(tmp_path, server) as way, running_gammu(write_rc(tmp_path, server)):
        for text in texts:
            await way.send(text)
        await way.modem.do("wait", until="empty")
        assert len(list(server.spool.glob("*.sms"))) == 20
        server.start()
        assert [message.text for message in way.messages()] == texts


async def test_a_text_that_gammu_read_twice_is_kept_and_the_second_marked(server: Server, tmp_path: Path) -> None:
    rc = write_rc(tmp_path, server)
    async with the_way(tmp_path, server) as way:
        await way.modem.do("set", silent="AT+CMGD")  # so that the text stays on the SIM after the hook
        async with running_gammu(rc) as first:
            await way.send("Your code is 482913")
            await eventually(lambda: len(way.messages()) == 1, "the first reading")
            first.kill()
            await first.wait()
        await way.modem.do("set", silent="")
        async with running_gammu(rc):
            messages = await way.received(2)
    assert [message.marks for message in messages] == [(), ("possible_duplicate",)]
