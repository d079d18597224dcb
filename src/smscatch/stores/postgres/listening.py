"""Hearing from other instances that they have committed messages: LISTEN on a connection of its own.

The NOTIFY is part of the transaction that gives positions (statements.py), so it is heard when that has committed.
"""

import asyncio
import logging
import random
from collections.abc import Callable

import psycopg

from smscatch.stores.postgres.connections import Address, connect, reason

CHANNEL = "smscatch"
ANSWER_SECONDS = 5.0
FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 10.0

log = logging.getLogger(__name__)


async def listen(address: Address, heard: Callable[[], None]) -> None:
    """See Store.listen. Connects again by itself, ever less often but at least every MAX_DELAY_SECONDS or so."""
    delay = FIRST_DELAY_SECONDS
    while True:
        try:
            async with await connect(address, ANSWER_SECONDS) as connection:
                await asyncio.wait_for(connection.execute(f"LISTEN {CHANNEL}"), ANSWER_SECONDS)
                heard()  # what was committed while nobody listened
                delay = FIRST_DELAY_SECONDS
                async for _ in connection.notifies():
                    heard()
        except (psycopg.Error, TimeoutError, OSError) as error:
            log.warning("listening to the database %s failed: %s; trying again", address.name, reason(error))
        # Not all instances at the same instant, or they bring down what has just come up.
        await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        delay = min(2 * delay, MAX_DELAY_SECONDS)
