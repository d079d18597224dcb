"""Texts that a carrier's SMSC delivered by SMPP, as our bind took them (smpp/keeper.py), to messages and parts.

How the PDUs are read is in the room smpp; here is what their fields mean for a message.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from smscatch.errors import BadDelivery, BadPdu
from smscatch.messages import POSSIBLE_DUPLICATE, Message, Part, delivery_id
from smscatch.numbers import with_plus
from smscatch.pdu import Concat
from smscatch.smpp.content import fate_in, is_receipt, number_of, read_messages
from smscatch.smpp.delivered import Delivered
from smscatch.smpp.pdu import ShortMessage, SmppAddress, parse_short_message
from smscatch.sources.base import LineOf, Source, join_kept, make_message
from smscatch.sources.pdu import UNDECODABLE, text_of

KIND = "smpp"
_UNKNOWN_TON = 0


class _PartContent(msgspec.Struct, frozen=True):
    """What a text is joined from. `id` is equal in what was delivered twice alone, as Part.content has it."""

    id: str
    command: int
    body: str
    alphabet: str

    def parse(self) -> ShortMessage:
        return parse_short_message(self.command, bytes.fromhex(self.body))


class _Taken(NamedTuple):
    """A spool entry: its name, what is in it, and the line it is for."""

    name: str
    delivered: Delivered
    line: str

    def message(self, sender: str, text: str, *marks: str) -> Message:
        repeated = (POSSIBLE_DUPLICATE,) if self.delivered.repeat_of else ()
        return make_message(
            KIND,
            self.name,
            line=self.line,
            sender=sender,
            text=text,
            received_at=_time_of(self.delivered),
            marks=(*marks, *repeated),
        )


def read_smpp(body: bytes, name: str, line_of: LineOf) -> list[Message | Part]:
    """Return the message in a deliver_sm or data_sm, or the part of a long one that it is.

    What cannot be decoded is a message too, without text and marked so. Raises BadDelivery: the entry was not written
    by our bind.
    """
    try:
        delivered = msgspec.json.decode(body, type=Delivered)
        octets = bytes.fromhex(delivered.body)
        _time_of(delivered)
    except (ValueError, OverflowError) as error:  # of msgspec too
        raise BadDelivery(f"It is not what a bind of smscatch wrote: {error}.") from error
    try:
        short = parse_short_message(delivered.command, octets)
    except BadPdu:
        return [_Taken(name, delivered, delivered.line or line_of(delivered.smsc)).message("", "", UNDECODABLE)]
    taken = _Taken(name, delivered, delivered.line or line_of(_number(short.destination) or delivered.smsc))
    return [_read(taken, short)]


def _read(taken: _Taken, short: ShortMessage) -> Message | Part:
    sender = number_of(short.source)
    if is_receipt(short):
        return taken.message(sender, fate_in(short), "status_report")
    try:
        (sms,) = read_messages([short], taken.delivered.alphabet)
    except BadPdu:
        return taken.message(sender, "", UNDECODABLE)
    if sms.concat is not None and sms.concat.total > 1:
        return _part(taken, short, sms.concat)
    text, marks = text_of([sms])
    if sms.has_bad_concat:
        marks = tuple(dict.fromkeys((*marks, UNDECODABLE)))
    return taken.message(sender, text, *marks)


def _part(taken: _Taken, short: ShortMessage, concat: Concat) -> Part:
    delivered = taken.delivered
    content = _PartContent(
        delivered.repeat_of or taken.name, delivered.command, delivered.body, alphabet=delivered.alphabet
    )
    return Part(
        id=delivery_id(KIND, taken.name),
        source=KIND,
        line=taken.line,
        sender=number_of(short.source),
        reference=concat.reference,
        wide=concat.wide,
        total=concat.total,
        number=concat.number,
        content=msgspec.json.encode(content).decode(),
        received_at=_time_of(delivered),
        sender_type=short.source.ton,
    )


def join_smpp(parts: Sequence[Part]) -> Message:
    """Return the message of parts that belong together, as Source has it, its text still unread."""
    return join_kept(KIND, parts, _read_parts)


def _read_parts(parts: Sequence[Part]) -> tuple[str, tuple[str, ...]]:
    contents = [msgspec.json.decode(part.content, type=_PartContent) for part in parts]
    return text_of(read_messages([one.parse() for one in contents], contents[0].alphabet))


SOURCE = Source(KIND, read_smpp, join_smpp)


def _time_of(delivered: Delivered) -> datetime:
    return datetime.fromtimestamp(delivered.time_ns / 1e9, UTC)


def _number(destination: SmppAddress) -> str:
    """Return our number as its line is called: an SMSC that does not say of which type it is leaves out the '+'."""
    number = number_of(destination)
    return with_plus(number) if destination.ton == _UNKNOWN_TON else number
