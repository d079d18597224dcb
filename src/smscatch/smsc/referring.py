"""What an application asks of a text that it sent, or wants changed: query_sm, cancel_sm, replace_sm."""

from smscatch.errors import BadPdu, NotFound, StoreUnavailable
from smscatch.sending import Desk
from smscatch.smpp.accounts import Account, Arrived
from smscatch.smpp.content import number_of
from smscatch.smpp.delivering import DELIVERED
from smscatch.smpp.pdu import CommandId, Frame, SmppAddress, Status, parse_reference

_FAILED = {CommandId.CANCEL_SM: Status.CANCEL_FAILED, CommandId.REPLACE_SM: Status.REPLACE_FAILED}


async def answer_reference(frame: Frame, account: Account, desk: Desk) -> Frame:
    """Return the answer: a text arrived at once, so its state is known, and nothing of it can be changed any more.

    Of parts and of what clients of 3.3 sent, only what was sent of late is known.
    """
    try:
        message_id, source = parse_reference(frame.command, frame.body)
        arrived = account.find(message_id) or await _find(message_id, desk)
    except BadPdu:
        return frame.response(Status.BAD_LENGTH)
    except StoreUnavailable:
        return frame.response(Status.SYSTEM_ERROR)
    if arrived is None or not _is_from(source, arrived):
        return frame.response(Status.BAD_MESSAGE_ID)
    if frame.command in _FAILED:
        return frame.response(_FAILED[CommandId(frame.command)])
    final_date = f"{arrived.at:%y%m%d%H%M%S}{arrived.at.microsecond // 100_000}00+"  # 7.1.1: tenths, and UTC
    return frame.response(body=f"{message_id}\0{final_date}\0".encode("latin-1") + bytes((DELIVERED, 0)))


async def _find(message_id: str, desk: Desk) -> Arrived | None:
    try:
        sent = (await desk.find(message_id)).sent
    except NotFound:
        return None
    return Arrived(sent.sender, sent.received_at)


def _is_from(source: SmppAddress, arrived: Arrived) -> bool:
    """Return whether a source_addr is that of the text, or is left out."""
    return not source.text or number_of(source) == arrived.sender
