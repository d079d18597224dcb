"""Opt-outs: whether a handset still wants texts from a sender. What it last replied decides, as the store has it.

So an opt-out lasts as long as the reply is kept, and every server on a store knows it. Each provider has its own words.
"""

from smscatch.messages import REPLY, Query
from smscatch.stores import Store
from smscatch.webhooks import Keywords

MOST_LOOKED_AT = 200  # replies of one handset


async def is_opted_out(store: Store, line: str, sender: str, keywords: Keywords) -> bool:
    """Return whether the newest word of `line` to `sender` about its texts was that it wants none."""
    if not keywords.stop:
        return False
    replies = await store.newest(Query(lines=(line,), sender=line, as_sent=True), MOST_LOOKED_AT)
    for stored in replies:
        message = stored.message
        if REPLY in message.marks and is_same_sender(message.to or "", sender):
            wanted = keywords.wanted(message.text)
            if wanted is not None:
                return not wanted
    return False


def is_same_sender(one: str, other: str) -> bool:
    """Return whether two names of an application's number or service are one; the plus of a number may be missing."""
    return one.removeprefix("+") == other.removeprefix("+")
