"""Why a wait found nothing: what came meanwhile, and what about each was not as asked for. Pure functions."""

from collections.abc import Mapping, Sequence

from smscatch.messages import REDACTED, Lease, Message, Part, Query
from smscatch.numbers import fold_sender, is_number

EXPLAINED = 5  # reasons in the sentence; near misses tell them all
MOST = 200  # near misses at most
TAKEN_OUT = "the service that the number is rented from took its code out, as Twilio does (error 30038)"
NO_SMS = "if that sender is a phone, it may have sent by RCS or iMessage, which never comes as an SMS"


def explain(
    query: Query,
    came: Sequence[Message],
    parts: Sequence[Part],
    leases: Mapping[str, Lease],
    *,
    skip: Mapping[str, str],
    before: Sequence[Message] = (),
) -> tuple[str, list[dict[str, str]]]:
    """Return half a sentence for people, and the near misses for programs: id, line, sender and reason of each.

    `came` is what arrived meanwhile, oldest first; `parts` are of long texts that are not whole yet; `leases` those
    that messages may belong to, by id; `skip` says why messages were passed over, by id or cursor; `before` are those
    that would have matched, had they not come before the wait was to begin.
    """
    misses = [_miss(one.id, one.line, one.sender, _reason(query, one, leases, skip)) for one in came]
    misses += [_miss(part.id, part.line, part.sender, _incomplete(part)) for part in parts]
    where = "" if query.lines is None else f" to {' or '.join(query.lines)}"
    told = f"nothing came{where} meanwhile"
    if misses:
        told = f"{_count(misses)} came{where} meanwhile: {_reasons(misses)}"
    early = [_miss(one.id, one.line, one.sender, _too_early(one)) for one in before]
    if early:
        told += (
            f"; {_count(early)} came before and {'was' if len(early) == 1 else 'were'} passed over: {_reasons(early)}"
        )
    if _may_be_a_phone(query, [*came, *before]):
        told += f"; {NO_SMS}"
    return told, [*early, *misses]


def _may_be_a_phone(query: Query, came: Sequence[Message]) -> bool:
    """Return whether a sender is asked for that may be a handset, and no SMS came from it."""
    if query.sender is None or not is_number(query.sender):  # a name or a short code is none
        return False
    return not any(fold_sender(message.sender) in query.senders for message in came)


def _count(misses: Sequence[object]) -> str:
    return f"{len(misses)}{' or more' if len(misses) >= MOST else ''}"


def _reasons(misses: Sequence[Mapping[str, str]]) -> str:
    return "; ".join(list(dict.fromkeys(miss["reason"] for miss in misses))[:EXPLAINED])


def _too_early(message: Message) -> str:
    return f"the text from {message.sender!r} had come before the wait was to begin"


def _miss(id_: str, line: str, sender: str, reason: str) -> dict[str, str]:
    return {"id": id_, "line": line, "sender": sender, "reason": reason}


def _reason(query: Query, message: Message, leases: Mapping[str, Lease], skip: Mapping[str, str]) -> str:
    passed_over = skip.get(message.id, skip.get(message.cursor, "it had come before"))
    reason = query.mismatch(message) or passed_over
    lease = leases.get(message.lease or "")
    is_foreign = query.lease is not None and message.lease not in (None, query.lease)
    if is_foreign and lease and lease.holder:
        reason = f"{reason} of {lease.holder!r}"
    return f"{reason}: {TAKEN_OUT}" if REDACTED in message.marks else reason


def _incomplete(part: Part) -> str:
    return f"a long text from {part.sender!r} is incomplete: some of its {part.total} parts are missing"
