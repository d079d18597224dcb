"""Why a wait found nothing: what came meanwhile, and what about each was not as asked for. Pure functions."""

from collections.abc import Mapping, Sequence

from smscatch.messages import Lease, Message, Part, Query

EXPLAINED = 5  # reasons in the sentence; near misses tell them all
MOST = 200  # near misses at most


def explain(
    query: Query, came: Sequence[Message], parts: Sequence[Part], leases: Sequence[Lease], *, skip: Mapping[str, str]
) -> tuple[str, list[dict[str, str]]]:
    """Return half a sentence for people, and the near misses for programs: id, line, sender and reason of each.

    `came` is what arrived meanwhile, oldest first; `parts` are of long texts that are not whole yet; `leases` those
    that messages may belong to; `skip` says why messages were passed over, by id or cursor.
    """
    holders = {lease.id: lease.holder for lease in leases}
    misses = [_miss(one.id, one.line, one.sender, _reason(query, one, holders, skip)) for one in came]
    misses += [_miss(part.id, part.line, part.sender, _incomplete(part)) for part in parts]
    where = "" if query.lines is None else f" to {' or '.join(query.lines)}"
    if not misses:
        return f"nothing came{where} meanwhile", []
    told = "; ".join(list(dict.fromkeys(miss["reason"] for miss in misses))[:EXPLAINED])
    count = f"{len(misses)}{' or more' if len(misses) >= MOST else ''}"
    return f"{count} came{where} meanwhile: {told}", misses


def _miss(id_: str, line: str, sender: str, reason: str) -> dict[str, str]:
    return {"id": id_, "line": line, "sender": sender, "reason": reason}


def _reason(query: Query, message: Message, holders: dict[str, str], skip: Mapping[str, str]) -> str:
    passed_over = skip.get(message.id, skip.get(message.cursor, "it had come before"))
    reason = query.mismatch(message) or passed_over
    holder = holders.get(message.lease or "")
    is_foreign = query.lease is not None and message.lease not in (None, query.lease)
    return f"{reason} of {holder!r}" if is_foreign and holder else reason


def _incomplete(part: Part) -> str:
    return f"a long text from {part.sender!r} is incomplete: some of its {part.total} parts are missing"
