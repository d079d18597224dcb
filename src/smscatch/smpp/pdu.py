"""SMPP PDUs, to and from values (Short Message Peer to Peer Protocol Specification v3.4, whose sections are named).

No I/O, and nothing of what a text says: that is in content.py. An ESME and an SMSC need the same.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from smscatch.errors import BadPdu
from smscatch.pdu.fields import OctetReader, bad_octet

HEADER_OCTETS = 16
MAX_OCTETS = 200_000  # message_payload has 64 kB at most (5.3.2.32); what is longer is no PDU
RESPONSE = 0x8000_0000  # the bit that makes a request's command its response's (5.1.2.1)
VERSION = 0x34
_MAX_STRING = 0xFF
_TO_NUMBER, _TO_LIST = 1, 2  # dest_flag (5.2.25)


class BadTlv(BadPdu):
    """The optional parameters end within one."""


class BadFlag(BadPdu):
    """A destination of a submit_multi is neither a number nor a list."""


class BadText(BadPdu):
    """The short_message is shorter than its sm_length."""


class CommandId(IntEnum):
    """What a PDU is for (5.1.2.1); a response has the bit RESPONSE besides."""

    GENERIC_NACK = 0x8000_0000
    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    QUERY_SM = 0x03
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    REPLACE_SM = 0x07
    CANCEL_SM = 0x08
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15
    SUBMIT_MULTI = 0x21
    ALERT_NOTIFICATION = 0x102
    DATA_SM = 0x103


class Status(IntEnum):
    """The command_status that we give, or have a sentence for (5.1.3)."""

    OK = 0x00
    BAD_TEXT_LENGTH = 0x01
    BAD_LENGTH = 0x02
    BAD_COMMAND = 0x03
    WRONG_STATE = 0x04
    ALREADY_BOUND = 0x05
    BAD_PRIORITY = 0x06
    BAD_REGISTERED = 0x07
    SYSTEM_ERROR = 0x08
    BAD_SOURCE = 0x0A
    BAD_DESTINATION = 0x0B
    BAD_MESSAGE_ID = 0x0C
    BIND_FAILED = 0x0D
    BAD_PASSWORD = 0x0E
    BAD_SYSTEM_ID = 0x0F
    CANCEL_FAILED = 0x11
    REPLACE_FAILED = 0x13
    QUEUE_FULL = 0x14
    BAD_SERVICE_TYPE = 0x15
    BAD_COUNT = 0x33
    BAD_LIST_NAME = 0x34
    BAD_DESTINATION_FLAG = 0x40
    BAD_ESM_CLASS = 0x43
    BAD_SOURCE_TON = 0x48
    BAD_SOURCE_NPI = 0x49
    BAD_DESTINATION_TON = 0x50
    BAD_DESTINATION_NPI = 0x51
    BAD_SYSTEM_TYPE = 0x53
    BAD_REPLACES = 0x54
    THROTTLED = 0x58
    BAD_SCHEDULE = 0x61
    BAD_VALIDITY = 0x62
    BAD_DEFAULT_MESSAGE = 0x63
    TRY_AGAIN = 0x64  # ESME_RX_T_APPN: the receiver has a passing error, so deliver it again later
    BAD_TLVS = 0xC0
    TLV_NOT_ALLOWED = 0xC1
    BAD_TLV_LENGTH = 0xC2
    TLV_MISSING = 0xC3
    BAD_TLV_VALUE = 0xC4


class Tag(IntEnum):
    """The optional parameters that we read (5.3.2)."""

    RECEIPTED_MESSAGE_ID = 0x001E
    SOURCE_PORT = 0x020A
    DESTINATION_PORT = 0x020B
    SAR_REFERENCE = 0x020C
    SAR_TOTAL = 0x020E
    SAR_NUMBER = 0x020F
    INTERFACE_VERSION = 0x0210
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class Frame(NamedTuple):
    """One PDU: its header (3.2), and its body as it stands there."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    def encode(self) -> bytes:
        """Return the octets."""
        length = HEADER_OCTETS + len(self.body)
        return b"".join(part.to_bytes(4) for part in (length, self.command, self.status, self.sequence)) + self.body

    def response(self, status: int = Status.OK, body: bytes = b"") -> "Frame":
        """Return the response to a request."""
        return Frame(self.command | RESPONSE, status, self.sequence, body)


class Frames:
    """Cuts what comes over a connection into PDUs, each of up to `most` octets."""

    def __init__(self, most: int = MAX_OCTETS) -> None:
        self.most = most
        self._begun = bytearray()

    def feed(self, octets: bytes) -> Iterator[Frame]:
        """Yield the PDUs that end in `octets`. Raises BadPdu where a length cannot be: then the rest makes no sense."""
        self._begun += octets
        while len(self._begun) >= 4:
            length = int.from_bytes(self._begun[:4])
            if not HEADER_OCTETS <= length <= self.most:
                raise bad_octet(0, f"a length from {HEADER_OCTETS} to {self.most}", f"it is {length}")
            if len(self._begun) < length:
                return
            whole = bytes(self._begun[:length])
            del self._begun[:length]
            command, status, sequence = (int.from_bytes(whole[at : at + 4]) for at in (4, 8, 12))
            yield Frame(command, status, sequence, whole[HEADER_OCTETS:])


class SmppAddress(NamedTuple):
    """An address: its type of number (TON, 5.2.5), its numbering plan (NPI, 5.2.6), and what stands there."""

    ton: int = 0
    npi: int = 0
    text: str = ""


class ShortMessage(NamedTuple):
    """The body of a deliver_sm or submit_sm (4.4.1, 4.6.1), or, with no `octets`, of a data_sm (4.7.1).

    Times are as they stand there. `tlvs` are tag and value of the optional parameters, in their order.
    """

    source: SmppAddress = SmppAddress()
    destination: SmppAddress = SmppAddress()
    service_type: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority: int = 0
    schedule: str = ""
    validity: str = ""
    registered: int = 0
    replaces: int = 0
    data_coding: int = 0
    default_message: int = 0
    octets: bytes = b""
    tlvs: tuple[tuple[int, bytes], ...] = ()

    def find(self, tag: int) -> bytes | None:
        """Return the value of an optional parameter."""
        return next((value for found, value in self.tlvs if found == tag), None)

    def find_number(self, tag: int) -> int | None:
        """Return the value of an optional parameter that is a number."""
        value = self.find(tag)
        return int.from_bytes(value) if value else None

    @property
    def user_data(self) -> bytes:
        """What it carries: message_payload if there is one (5.3.2.32), or else short_message."""
        return self.find(Tag.MESSAGE_PAYLOAD) or self.octets


def parse_short_message(command: int, body: bytes, *, is_strict: bool = False) -> ShortMessage:
    """Return what stands in a deliver_sm, a submit_sm or a data_sm.

    Raises BadPdu, naming the octet of the body: BadText and BadTlv for what lies beyond the first fields. Unless it
    `is_strict`, an optional parameter that does not fit ends the reading, if a text is there without it.
    """
    reader = OctetReader(body)
    service_type = _string(reader, "service_type")
    source, destination = _address(reader, "source_addr"), _address(reader, "destination_addr")
    begun = ShortMessage(source, destination, service_type, reader.take_octet("esm_class"))
    return _parse_rest(reader, command, begun, is_strict=is_strict)


class SubmitMulti(NamedTuple):
    """The body of a submit_multi (4.5.1): a `message` without destination, numbers, and names of distribution lists."""

    message: ShortMessage
    destinations: tuple[SmppAddress, ...]
    lists: tuple[str, ...] = ()


def parse_submit_multi(body: bytes) -> SubmitMulti:
    """Return what stands in a submit_multi. Raises BadPdu as a strict parse_short_message does, or for a dest_flag."""
    reader = OctetReader(body)
    service_type, source = _string(reader, "service_type"), _address(reader, "source_addr")
    destinations, lists = list[SmppAddress](), list[str]()
    for _ in range(reader.take_octet("number_of_dests")):
        flag = reader.take_octet("dest_flag")
        if flag == _TO_NUMBER:
            destinations.append(_address(reader, "destination_addr"))
        elif flag == _TO_LIST:
            lists.append(_string(reader, "dl_name"))
        else:
            raise BadFlag(f"Octet {reader.offset - 1}: {flag} is no dest_flag.", offset=reader.offset - 1)
    begun = ShortMessage(source, SmppAddress(), service_type, reader.take_octet("esm_class"))
    return SubmitMulti(
        _parse_rest(reader, CommandId.SUBMIT_SM, begun, is_strict=True), tuple(destinations), tuple(lists)
    )


def _parse_rest(reader: OctetReader, command: int, begun: ShortMessage, *, is_strict: bool) -> ShortMessage:
    read = _parse_data(reader, begun) if command == CommandId.DATA_SM else _parse_text(reader, begun)
    return read._replace(tlvs=_tlvs(reader, is_lenient=bool(read.octets) and not is_strict))


def _parse_data(reader: OctetReader, begun: ShortMessage) -> ShortMessage:
    registered, data_coding = reader.take(2, "registered_delivery and data_coding")
    return begun._replace(registered=registered, data_coding=data_coding)


def _parse_text(reader: OctetReader, begun: ShortMessage) -> ShortMessage:
    protocol_id, priority = reader.take(2, "protocol_id and priority_flag")
    schedule, validity = _string(reader, "schedule_delivery_time"), _string(reader, "validity_period")
    registered, replaces, data_coding, default_message = reader.take(4, "registered_delivery to sm_default_msg_id")
    length = reader.take_octet("sm_length")
    try:
        octets = reader.take(length, "short_message")
    except BadPdu as error:
        raise BadText(str(error), **error.details) from error
    return begun._replace(
        protocol_id=protocol_id,
        priority=priority,
        schedule=schedule,
        validity=validity,
        registered=registered,
        replaces=replaces,
        data_coding=data_coding,
        default_message=default_message,
        octets=octets,
    )


def write_short_message(command: int, message: ShortMessage) -> bytes:
    """Return the body of a deliver_sm, a submit_sm or a data_sm. Raises ValueError if something has no room there."""
    begin = _written(message.service_type) + _written_address(message.source) + _written_address(message.destination)
    begin += bytes((message.esm_class,))
    tlvs = b"".join(tag.to_bytes(2) + len(value).to_bytes(2) + value for tag, value in message.tlvs)
    if command == CommandId.DATA_SM:
        return begin + bytes((message.registered, message.data_coding)) + tlvs
    begin += bytes((message.protocol_id, message.priority)) + _written(message.schedule) + _written(message.validity)
    begin += bytes((message.registered, message.replaces, message.data_coding, message.default_message))
    return begin + bytes((len(message.octets),)) + message.octets + tlvs


class Bind(NamedTuple):
    """The body of a bind_receiver, bind_transmitter or bind_transceiver (4.1.1)."""

    system_id: str
    password: str
    system_type: str = ""
    version: int = VERSION
    ton: int = 0
    npi: int = 0
    address_range: str = ""


def parse_bind(body: bytes) -> Bind:
    """Return what stands in a bind. Raises BadPdu."""
    reader = OctetReader(body)
    system_id, password, system_type = (_string(reader, name) for name in ("system_id", "password", "system_type"))
    version, ton, npi = reader.take(3, "interface_version to addr_npi")
    return Bind(system_id, password, system_type, version, ton, npi, _string(reader, "address_range"))


def write_bind(bind: Bind) -> bytes:
    """Return the body of a bind."""
    names = _written(bind.system_id) + _written(bind.password) + _written(bind.system_type)
    return names + bytes((bind.version, bind.ton, bind.npi)) + _written(bind.address_range)


def parse_reference(command: int, body: bytes) -> tuple[str, SmppAddress]:
    """Return the message_id and the source_addr in a query_sm, cancel_sm or replace_sm (4.8 to 4.10). Raises BadPdu."""
    reader = OctetReader(body)
    if command == CommandId.CANCEL_SM:
        _string(reader, "service_type")
    return _string(reader, "message_id"), _address(reader, "source_addr")


def _string(reader: OctetReader, field: str) -> str:
    """Take a C-octet string (3.1): any octets to a NUL; how long each may be, SMSCs do not heed."""
    end = reader.octets.find(b"\0", reader.offset)
    if end < 0 or end - reader.offset > _MAX_STRING:
        raise bad_octet(reader.offset, f"{field}, which NUL ends", "none is there")
    return reader.take(end - reader.offset + 1, field)[:-1].decode("latin-1")


def _written(text: str) -> bytes:
    if "\0" in text:
        raise ValueError(text)
    return text.encode("latin-1") + b"\0"


def _address(reader: OctetReader, field: str) -> SmppAddress:
    ton, npi = reader.take(2, f"TON and NPI of {field}")
    return SmppAddress(ton, npi, _string(reader, field))


def _written_address(address: SmppAddress) -> bytes:
    return bytes((address.ton, address.npi)) + _written(address.text)


def _tlvs(reader: OctetReader, *, is_lenient: bool) -> tuple[tuple[int, bytes], ...]:
    found = []
    try:
        while reader.offset < len(reader.octets):
            tag, length = (int.from_bytes(reader.take(2, f"the {name} of a parameter")) for name in ("tag", "length"))
            found.append((tag, reader.take(length, "an optional parameter")))
    except BadPdu as error:
        if not is_lenient:
            raise BadTlv(str(error), **error.details) from error
    return tuple(found)
