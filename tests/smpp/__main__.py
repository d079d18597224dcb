"""`python -m tests.smpp` has each SMSC deliver 5,000 PDUs, 1,000 texts in three parts among them, under ten kills.

Longer than a test may take, so it is not among them; it says how many were doubled, and how long it took.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from smscatch.messages import POSSIBLE_DUPLICATE
from tests.conftest import Server
from tests.smpp.smscs import (
    LINE,
    PROGRAMS,
    SmscProcess,
    assert_all_there_in_order,
    configure,
    deliver_under_kills,
    stored,
    traffic,
)
from tests.surroundings import hide_user

SHORT, LONG, KILLS = 2000, 1000, 10


async def run(program: str, folder: Path) -> None:
    """Have one SMSC deliver, and print what came of it."""
    (folder / "server").mkdir()
    server, smsc = Server(folder / "server"), SmscProcess(folder / "smsc", program)
    configure(server, smsc, f'line = "{LINE}"\n')
    deliveries, texts = traffic(SHORT, LONG)
    began = time.monotonic()
    try:
        await deliver_under_kills(server, smsc, deliveries, KILLS)
    finally:
        smsc.kill()
        if server.process is not None and server.process.poll() is None:
            server.kill()
    seconds = time.monotonic() - began
    found = await stored(server)
    assert_all_there_in_order(found, texts)
    doubled = sum(POSSIBLE_DUPLICATE in message.marks for message in found)
    print(f"{program}: {len(deliveries)} delivered in {seconds:.0f} s under {KILLS} kills; {doubled} marked as repeats")


if __name__ == "__main__":
    for name in PROGRAMS:
        with tempfile.TemporaryDirectory() as temporary:
            hide_user(Path(temporary))
            asyncio.run(run(name, Path(temporary)))
