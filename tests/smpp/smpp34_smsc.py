"""An SMSC on smpp34. It delivers what is in FOLDER/texts.jsonl, a sender's texts in their order.

As openapi/smsc.mjs does, it repeats what is not answered, and notes in FOLDER/answered whose answers it has.
"""

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import smpp34


class Deliveries:
    """The texts that are not answered yet, by sender."""

    def __init__(self, folder: Path) -> None:
        texts = [json.loads(line) for line in (folder / "texts.jsonl").read_text().splitlines()]
        self._answered = folder / "answered"
        known = set(map(int, self._answered.read_text().split())) if self._answered.exists() else set()
        self._queues: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        for number, text in enumerate(texts):
            if number not in known:
                self._queues.setdefault(text["source"], []).append((number, text))

    async def deliver_to(self, esme: smpp34.Esme) -> None:
        """Deliver until all are answered or the bind ends."""
        await asyncio.gather(*(self._deliver(esme, queue) for queue in self._queues.values()))

    async def _deliver(self, esme: smpp34.Esme, queue: list[tuple[int, dict[str, Any]]]) -> None:
        with contextlib.suppress(smpp34.SmppError, OSError, RuntimeError):  # the bind has ended
            while queue:
                number, text = queue[0]
                if (await esme.deliver_sm("447700900001", **pdu_of(text))).is_success:
                    queue.pop(0)
                    with self._answered.open("a") as file:
                        file.write(f"{number}\n")


def pdu_of(text: dict[str, Any]) -> dict[str, Any]:
    """Return a text of the file as smpp34 takes it."""
    tlvs = [smpp34.Tlv(tag, bytes.fromhex(value)) for tag, value in text.get("tlvs", [])]
    return {
        "source_addr": text["source"],
        "source_addr_ton": 5,
        "dest_addr_ton": 1,
        "dest_addr_npi": 1,
        "short_message": bytes.fromhex(text["octets"]),
        "data_coding": text["data_coding"],
        "esm_class": text.get("esm_class", 0),
        "tlvs": tlvs,
    }


async def serve(folder: Path, port: int) -> None:
    """Deliver to whoever binds, for ever."""
    deliveries = Deliveries(folder)
    server = smpp34.Server("127.0.0.1", port)
    await server.start()
    print("listens", flush=True)
    delivering: set[asyncio.Task[None]] = set()
    while True:
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            for task in delivering:  # of a bind that was lost
                task.cancel()
            delivering = {asyncio.create_task(deliveries.deliver_to(event))}


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
