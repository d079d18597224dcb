"""What an SMSC refuses in a PDU, and with which command_status (SMPP v3.4, whose sections are named). No I/O.

Which SMS it makes is read in smpp/content.py, which takes whatever comes: an application is to hear what is wrong.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from smscatch.errors import BadPdu
from smscatch.pdu import Deliver
from smscatch.smpp.content import EITHER, number_of, read_messages
from smscatch.smpp.pdu import (
    BadFlag,
    BadText,
    BadTlv,
    CommandId,
    Frame,
    ShortMessage,
    SmppAddress,
    Status,
    SubmitMulti,
    Tag,
    parse_short_message,
    parse_submit_multi,
)

MAX_DESTINATIONS = 254  # 4.5.1, number_of_dests
_TIME = re.compile(r"(?:\d{15}[+-]|\d{15}R)?", re.ASCII)  # 7.1.1: absolute or relative; none is none
_TONS = range(7)  # 5.2.5
_NPIS = (0, 1, 3, 4, 6, 8, 9, 10, 14, 18)  # 5.2.6
_MAX_SERVICE_TYPE, _MAX_ADDRESS, _MAX_DATA_ADDRESS, _MAX_NAME = 5, 20, 64, 11
_MAX_PRIORITY = 3
_ALPHANUMERIC = 5
_NEVER_SUBMITTED = 0x24  # bits of esm_class that only what an SMSC delivers has (5.2.12)
_RECEIPT_BITS, _RESERVED_RECEIPT, _RESERVED_BITS = 0x03, 0x03, 0xE0  # of registered_delivery (5.2.17)
_SAR_SIZES: Mapping[int, int] = {
    Tag.SAR_REFERENCE: 2,
    Tag.SAR_TOTAL: 1,
    Tag.SAR_NUMBER: 1,
}  # octets: 5.3.2.22 to 5.3.2.24


class NotAccepted(Exception):
    """A PDU is answered with this command_status, and nothing of it is kept."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.name)
        self.status = status


Check = Callable[[ShortMessage], bool]  # whether something is wrong
_CHECKS: Sequence[tuple[Status, Check]] = (
    (Status.BAD_SERVICE_TYPE, lambda message: len(message.service_type) > _MAX_SERVICE_TYPE),
    (Status.BAD_SOURCE_TON, lambda message: message.source.ton not in _TONS),
    (Status.BAD_SOURCE_NPI, lambda message: message.source.npi not in _NPIS),
    (Status.BAD_SOURCE, lambda message: not _is_sender(message.source)),
    (Status.BAD_ESM_CLASS, lambda message: bool(message.esm_class & _NEVER_SUBMITTED)),
    (Status.BAD_PRIORITY, lambda message: message.priority > _MAX_PRIORITY),
    (Status.BAD_SCHEDULE, lambda message: not _TIME.fullmatch(message.schedule)),
    (Status.BAD_VALIDITY, lambda message: not _TIME.fullmatch(message.validity)),
    (Status.BAD_REGISTERED, lambda message: bool(message.registered & _RESERVED_BITS)),
    (Status.BAD_REGISTERED, lambda message: message.registered & _RECEIPT_BITS == _RESERVED_RECEIPT),
    (Status.BAD_REPLACES, lambda message: message.replaces > 1),
    (Status.BAD_DEFAULT_MESSAGE, lambda message: message.default_message != 0),  # we have none
    # message_payload stands in the place of short_message (5.3.2.32).
    (Status.TLV_NOT_ALLOWED, lambda message: bool(message.octets) and message.find(Tag.MESSAGE_PAYLOAD) is not None),
    (Status.BAD_TLV_LENGTH, lambda message: any(len(value) != _SAR_SIZES[tag] for tag, value in _sar(message))),
    (Status.TLV_MISSING, lambda message: 0 < len({*dict(_sar(message))}) < len(_SAR_SIZES)),
    (Status.BAD_TLV_VALUE, lambda message: not _is_place(message)),
)


class Submitted(NamedTuple):
    """What an application submits: the message, the SMS that it is, and the destinations, one unless it names more."""

    message: ShortMessage
    sms: Deliver
    destinations: tuple[SmppAddress, ...]
    lists: tuple[str, ...] = ()


def read_submitted(frame: Frame) -> Submitted:
    """Return what stands in a submit_sm, data_sm or submit_multi. Raises NotAccepted."""
    multi = _parse(frame)
    message = multi.message
    for status, is_wrong in _CHECKS:
        if is_wrong(message):
            raise NotAccepted(status)
    if frame.command == CommandId.DATA_SM and message.find(Tag.MESSAGE_PAYLOAD) is None:
        raise NotAccepted(Status.TLV_MISSING)
    if not 0 < len(multi.destinations) + len(multi.lists) <= MAX_DESTINATIONS:
        raise NotAccepted(Status.BAD_COUNT)
    try:
        (sms,) = read_messages([message], EITHER)
    except BadPdu as error:  # the header is longer than what it is the header of
        raise NotAccepted(Status.BAD_TEXT_LENGTH) from error
    return Submitted(message, sms, multi.destinations, multi.lists)


def _parse(frame: Frame) -> SubmitMulti:
    try:
        if frame.command == CommandId.SUBMIT_MULTI:
            return parse_submit_multi(frame.body)
        message = parse_short_message(frame.command, frame.body, is_strict=True)
    except BadTlv as error:
        raise NotAccepted(Status.BAD_TLVS) from error
    except BadText as error:
        raise NotAccepted(Status.BAD_TEXT_LENGTH) from error
    except BadFlag as error:
        raise NotAccepted(Status.BAD_DESTINATION_FLAG) from error
    except BadPdu as error:
        raise NotAccepted(Status.BAD_LENGTH) from error
    return SubmitMulti(message, (message.destination,))


def check_destination(destination: SmppAddress, *, is_data: bool = False) -> None:
    """Raise NotAccepted for what no number can be, whatever our lines are."""
    if destination.ton not in _TONS:
        raise NotAccepted(Status.BAD_DESTINATION_TON)
    if destination.npi not in _NPIS:
        raise NotAccepted(Status.BAD_DESTINATION_NPI)
    is_short = 0 < len(destination.text) <= (_MAX_DATA_ADDRESS if is_data else _MAX_ADDRESS)
    if not is_short or destination.ton == _ALPHANUMERIC:
        raise NotAccepted(Status.BAD_DESTINATION)


def _is_sender(source: SmppAddress) -> bool:
    """Return whether a text may come from there: a number, a short code, a name; or nothing, for the application."""
    digits = number_of(source).removeprefix("+")
    is_digits = digits.isascii() and digits.isdecimal()
    most = _MAX_ADDRESS if is_digits else _MAX_NAME
    return len(source.text) <= most and source.text.isprintable()


def _sar(message: ShortMessage) -> list[tuple[int, bytes]]:
    """Return the optional parameters that make it a part of a text."""
    return [(tag, value) for tag, value in message.tlvs if tag in _SAR_SIZES]


def _is_place(message: ShortMessage) -> bool:
    """Return whether a part, if it is one, has a place among the others."""
    total, number = message.find_number(Tag.SAR_TOTAL), message.find_number(Tag.SAR_NUMBER)
    return total is None or number is None or 1 <= number <= total
