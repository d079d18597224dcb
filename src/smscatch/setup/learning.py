"""A SIM's number, learnt from a text that says it: whoever knows the number sends it there, and it arrives here.

Nothing is deleted: the text stays on the SIM, for the service to take.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from functools import partial

from smscatch.errors import BadPdu
from smscatch.modem import startup
from smscatch.modem.at import Conversation
from smscatch.modem.ports import PortSettings
from smscatch.modem.storages import StorageReader
from smscatch.modem.trouble import ModemTrouble
from smscatch.modem.waiting import Sleep
from smscatch.pdu import Deliver, parse_pdu
from smscatch.setup.survey import conversation

LEARN_SECONDS = 300.0
LOOK_SECONDS = 2.0
# A number as it is asked for: E.164 with its plus, and what people write between its digits.
_NUMBER = re.compile(r"\+[1-9](?:[ ()./-]*[0-9]){6,14}(?![0-9])")


def find_number(text: str) -> str | None:
    """Return the number that a text says, as E.164; None if it says none, or several."""
    found = {re.sub(r"[^+0-9]", "", match) for match in _NUMBER.findall(text)}
    return found.pop() if len(found) == 1 else None


async def learn_numbers(
    modems: Sequence[PortSettings],
    listening: Callable[[], None],
    sleep: Sleep = asyncio.sleep,
    seconds: float = LEARN_SECONDS,
) -> dict[str, str]:
    """Listen at several modems at once until each got a text that says its SIM's number; return these, by device.

    `listening` is called once, when all listen: a text that lies there by then does not count, as the SIM may have been
    another's. What is not there after `seconds`, or cannot be read, is left out.
    """
    deaf = {modem.device for modem in modems}

    def heed(device: str) -> None:
        deaf.discard(device)
        if not deaf:
            listening()

    learnt = await asyncio.gather(*(_learn(modem, partial(heed, modem.device), sleep, seconds) for modem in modems))
    return {modem.device: number for modem, number in zip(modems, learnt, strict=True) if number}


async def _learn(modem: PortSettings, listening: Callable[[], None], sleep: Sleep, seconds: float) -> str | None:
    """Return the number that a new text at a modem says; None if none comes, or it cannot be read."""
    is_told = False
    try:
        async with conversation(modem, sleep) as talk:
            await startup.begin(talk)
            storages = (await startup.prepare(talk, await startup.ask_imei(talk))).storages
            reader = StorageReader()
            reader.begin(storages)
            before = await _texts(talk, reader)
            is_told = True
            listening()
            for _ in range(round(seconds / LOOK_SECONDS)):
                await sleep(LOOK_SECONDS)
                new = await _texts(talk, reader) - before
                if found := {number for pdu in new if (number := _said(pdu))}:
                    return found.pop() if len(found) == 1 else None
    except ModemTrouble:
        if not is_told:  # the others are not to wait for it
            listening()
    return None


async def _texts(talk: Conversation, reader: StorageReader) -> set[str]:
    """Return the PDUs of all texts that were received, in all storages."""
    listings = [await reader.list_texts(talk, name) for name in reader.names]
    return {text.pdu for listing in listings for text in listing.readings if text.is_received and text.is_whole}


def _said(pdu: str) -> str | None:
    try:
        read = parse_pdu(pdu)
    except BadPdu:
        return None
    return find_number(read.text or "") if isinstance(read, Deliver) else None
