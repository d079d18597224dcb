"""What an application submits, caught: kept on the line of its number like any other text, then answered.

What is refused is in judging.py; the connection is session.py's.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from smscatch.errors import Forbidden, SmscatchError, TooManyTries
from smscatch.numbers import is_e164, with_plus
from smscatch.sending import Desk, Outgoing, Sent
from smscatch.settings import Settings
from smscatch.smpp.accounts import Account, Arrived, Undelivered
from smscatch.smpp.content import number_of
from smscatch.smpp.delivering import write_receipt
from smscatch.smpp.pdu import VERSION, CommandId, Frame, SmppAddress, Status, write_short_message
from smscatch.smsc.judging import NotAccepted, Submitted, check_destination, read_submitted
from smscatch.sources.caught import CaughtPart, CaughtText
from smscatch.sources.pdu import UNDECODABLE, text_of

PROVIDER = "smpp"
SUBMITTING = (CommandId.SUBMIT_SM, CommandId.DATA_SM, CommandId.SUBMIT_MULTI)
_RECEIPT_BITS, _RECEIPT = 0x03, 0x01  # registered_delivery: whether it arrived or not (SMPP v3.4, 5.2.17)
_SHORT_ID = 8  # characters of a message_id for which a client of 3.3 has room (3.3.2)
_UNKNOWN_TON = 0

log = logging.getLogger(__name__)


class _Prepared(NamedTuple):
    """A request that can be read: the texts to be kept, with their destinations, and those that are none of a text."""

    frame: Frame
    submitted: Submitted
    texts: tuple[tuple[SmppAddress, CaughtText], ...]
    failed: tuple[tuple[SmppAddress, Status], ...] = ()


class Outcome(NamedTuple):
    """The answers to what was submitted, in its order, and the receipts that were asked for."""

    answers: list[Frame]
    receipts: list[Undelivered]


class Submitter:
    """Catches what comes over one bind, whose client speaks this `version` of the protocol."""

    def __init__(self, desk: Desk, account: Account, settings: Settings, version: int) -> None:
        self._desk = desk
        self._account = account
        self._settings = settings
        self._version = version

    async def submit(self, frames: Sequence[Frame]) -> Outcome:
        """Return when the texts are durable, those that can be; the others are refused, each by itself."""
        prepared = [self._prepare(frame) for frame in frames]
        texts = [text for one in prepared if isinstance(one, _Prepared) for _, text in one.texts]
        sent = {each.text.id: each for each in await self._desk.send_all(texts)}
        outcome = Outcome([], [])
        for frame, one in zip(frames, prepared, strict=True):
            if isinstance(one, Status):
                outcome.answers.append(frame.response(one))
            else:
                self._answer(one, sent, outcome)
        return outcome

    def _prepare(self, frame: Frame) -> _Prepared | Status:
        try:
            return self._read(frame)
        except NotAccepted as refusal:
            return refusal.status
        except Exception:  # a bug of ours must not end the bind
            log.exception("a PDU of the command 0x%X cannot be read", frame.command)
            return Status.SYSTEM_ERROR

    def _read(self, frame: Frame) -> _Prepared:
        if not self._account.rate.take():
            raise NotAccepted(Status.THROTTLED)
        submitted = read_submitted(frame)
        if frame.command != CommandId.SUBMIT_MULTI:
            (destination,) = submitted.destinations
            return _Prepared(frame, submitted, ((destination, self._catch(frame, submitted, destination)),))
        texts, failed = [], [(SmppAddress(text=name), Status.BAD_LIST_NAME) for name in submitted.lists]
        for destination in submitted.destinations:
            try:
                texts.append((destination, self._catch(frame, submitted, destination)))
            except NotAccepted as refusal:
                failed.append((destination, refusal.status))
        return _Prepared(frame, submitted, tuple(texts), tuple(failed))

    def _catch(self, frame: Frame, submitted: Submitted, destination: SmppAddress) -> CaughtText:
        check_destination(destination, is_data=frame.command == CommandId.DATA_SM)
        part = _part_of(frame, submitted)
        text, marks = ("", ()) if part is not None else text_of([submitted.sms])
        if submitted.sms.has_bad_concat:
            marks = tuple(dict.fromkeys((*marks, UNDECODABLE)))
        outgoing = Outgoing(
            self._line(destination),
            submitted.sms.sender or self._account.system_id,
            text,
            marks=marks,
            facts={"system_id": self._account.system_id},
            part=part,
        )
        try:
            return self._desk.prepare(outgoing)
        except Forbidden as error:  # a line of others
            raise NotAccepted(Status.BAD_DESTINATION) from error

    def _line(self, destination: SmppAddress) -> str:
        """Return the line that an address names. Raises NotAccepted if it is no number."""
        number = number_of(destination)
        line = self._settings.line_named(with_plus(number) if destination.ton == _UNKNOWN_TON else number)
        if not is_e164(line) and line not in self._settings.lines:
            raise NotAccepted(Status.BAD_DESTINATION)
        return line

    def _answer(self, one: _Prepared, sent: Mapping[str, Sent], outcome: Outcome) -> None:
        """Answer a request whose texts are durable, or are not."""
        texts = [(to, sent[text.id]) for to, text in one.texts]
        kept = [(to, each.text) for to, each in texts if each.trouble is None]
        failed = [*one.failed, *((to, _status_of(each.trouble)) for to, each in texts if each.trouble is not None)]
        is_multi = one.frame.command == CommandId.SUBMIT_MULTI
        if failed and not is_multi:
            outcome.answers.append(one.frame.response(failed[0][1]))
            return
        message_id = self._id_of(kept[0][1]) if kept else ""
        body = message_id.encode() + b"\0" + (_unsuccessful(failed) if is_multi else b"")
        outcome.answers.append(one.frame.response(body=body))
        if kept:
            self._account.note(message_id, Arrived(kept[0][1].sender, kept[0][1].received_at))
        if one.submitted.message.registered & _RECEIPT_BITS == _RECEIPT:
            told = [each for each in kept if not sent[each[1].id].is_lost]
            outcome.receipts.extend(self._receipt(one, message_id, *each) for each in told)

    def _id_of(self, text: CaughtText) -> str:
        return text.id if self._version >= VERSION else text.id[:_SHORT_ID]

    def _receipt(self, one: _Prepared, message_id: str, destination: SmppAddress, text: CaughtText) -> Undelivered:
        sent = one.submitted.message._replace(destination=destination)
        said = one.submitted.sms.text or ""
        return Undelivered(write_receipt(sent, message_id, said, text.received_at, failure=text.undelivered))


def _status_of(trouble: SmscatchError) -> Status:
    return Status.THROTTLED if isinstance(trouble, TooManyTries) else Status.QUEUE_FULL


def _part_of(frame: Frame, submitted: Submitted) -> CaughtPart | None:
    """Return what is kept of a request that has a part of a text; None if it has all of one."""
    concat = submitted.sms.concat
    if concat is None or concat.total < 2:
        return None
    command = CommandId.DATA_SM if frame.command == CommandId.DATA_SM else CommandId.SUBMIT_SM
    return CaughtPart(
        command=command,
        body=write_short_message(command, submitted.message).hex(),
        reference=concat.reference,
        wide=concat.wide,
        total=concat.total,
        number=concat.number,
        sender_type=submitted.message.source.ton,
    )


def _unsuccessful(failed: Sequence[tuple[SmppAddress, Status]]) -> bytes:
    """Return the end of a submit_multi_resp: whom it did not go to, and why (4.5.2)."""
    each = [bytes(to[:2]) + to.text.encode("latin-1") + b"\0" + status.to_bytes(4) for to, status in failed]
    return bytes((len(each),)) + b"".join(each)
