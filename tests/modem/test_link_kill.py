"""kill -9 of the link, over and over, while texts arrive and deletions fail: each text once, in order."""

import asyncio
import multiprocessing
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from smscatch.simulator import SimulatedModem
from tests.modem import link_process
from tests.modem.conftest import MakeModem
from tests.modem.links import Link

KILLS = 100
TEXTS = 1000
START = datetime(2026, 1, 1, tzinfo=UTC)
SEED = 20180428


async def send(modem: SimulatedModem, chance: random.Random, text: int) -> None:
    """Send one text; each has an SMSC's time of its own, by which a link that was not there knows their order."""
    sent_at = (START + timedelta(seconds=text)).isoformat()
    await modem.do("deliver", sender="Authy", text=f"{text}", sent_at=sent_at)
    if chance.random() < 0.1:
        await modem.do("set", failing_deletes=1)


async def test_every_text_is_delivered_once_and_in_order_though_the_link_is_killed_again_and_again(
    a_modem: MakeModem, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    modem, spool = await a_modem(), tmp_path / "spool"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([link_process.__name__])
    sent = 0
    for _ in range(KILLS):
        process = context.Process(target=link_process.run, args=(str(modem.device), str(spool)))
        process.start()
        lifetime = chance.expovariate(1 / 0.05)
        while sent < TEXTS and chance.random() < 0.91:  # ten or so for each life
            await send(modem, chance, sent)
            sent += 1
            await asyncio.sleep(lifetime / 10)
        await asyncio.sleep(lifetime / 10)
        process.kill()
        await asyncio.to_thread(process.join)
    for number in range(sent, TEXTS):
        await send(modem, chance, number)
    process = context.Process(target=link_process.run, args=(str(modem.device), str(spool)))
    process.start()
    await modem.do("wait", until="empty")
    process.kill()
    await asyncio.to_thread(process.join)
    assert Link(spool).texts() == [str(number) for number in range(TEXTS)]
