"""What a text says about codes, and what it costs to send. Loaded when it is asked: the tables of codes take time."""

import msgspec

from smscatch.codes import Candidate, find_codes
from smscatch.messages import Segments
from smscatch.segments import count_segments


class Explained(msgspec.Struct):
    """All that a text says about codes: the best one, all accepted ones, best first, and the other numbers.

    `bound_hosts` are the sites that the code is bound to, `retriever_hash` the app hash of Android's SMS Retriever.
    `segments` is what it takes to send the text.
    """

    code: str | None
    codes: tuple[Candidate, ...]
    rejected: tuple[Candidate, ...]
    bound_hosts: tuple[str, ...]
    retriever_hash: str | None
    segments: Segments


def explain_text(text: str) -> Explained:
    """Return what a text says, in a time that grows with its length."""
    found = find_codes(text)
    return Explained(
        code=found.code,
        codes=found.codes,
        rejected=found.rejected,
        bound_hosts=found.bound_hosts,
        retriever_hash=found.retriever_hash,
        segments=count_segments(text),
    )
