"""What an SMSC delivers to an application, as deliver_sm: receipts for what it sent, and texts to it. No connection."""

from collections.abc import Iterator
from datetime import datetime
from itertools import count

from smscatch.pdu.alphabets import Alphabet, read_coding
from smscatch.pdu.fields import OctetReader
from smscatch.pdu.user_data import read_user_data, write_header, write_parts
from smscatch.smpp.pdu import ShortMessage, SmppAddress, Tag

DELIVERED, UNDELIVERABLE = 2, 5  # message_state (SMPP v3.4, 5.2.28)
_RECEIPT = 0x04  # esm_class (5.2.12)
_HAS_HEADER = 0x40
_INTERNATIONAL, _ALPHANUMERIC, _E164 = 1, 5, 1
_UCS2 = 8  # data_coding (5.2.19)
_QUOTED = 20  # characters of the text that a receipt repeats (appendix B)
_references = count()


def write_receipt(sent: ShortMessage, message_id: str, text: str, at: datetime, *, failure: str = "") -> ShortMessage:
    """Return the delivery receipt of a text that arrived when it was sent, UTC, or did not, as appendix B has it.

    `failure` is a code of the network; of more than three digits the last three are told.

    Its optional parameters are for those who speak 3.4. The form is the one that clients were seen to read: ten digits
    for a time, three for the error.
    """
    error = "".join(filter(str.isdecimal, failure))[-3:].zfill(3)
    state, stat = (UNDELIVERABLE, "UNDELIV") if failure else (DELIVERED, "DELIVRD")
    quoted = text[:_QUOTED].encode("ascii", "replace").decode()
    said = (
        f"id:{message_id} sub:001 dlvrd:{0 if failure else 1:03d} submit date:{at:%y%m%d%H%M} done date:{at:%y%m%d%H%M}"
        f" stat:{stat} err:{error} text:{quoted}"
    )
    tlvs = ((Tag.RECEIPTED_MESSAGE_ID, f"{message_id}\0".encode()), (Tag.MESSAGE_STATE, bytes((state,))))
    return ShortMessage(
        source=sent.destination, destination=sent.source, esm_class=_RECEIPT, octets=said.encode(), tlvs=tlvs
    )


def address_of(sender: str) -> SmppAddress:
    """Return the address of a number, which is international with '+', or of a name (5.2.5, 5.2.6)."""
    digits = sender.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        return SmppAddress(_ALPHANUMERIC, 0, sender)
    return SmppAddress(_INTERNATIONAL if digits != sender else 0, _E164, digits)


def write_text(source: SmppAddress, destination: SmppAddress, text: str) -> Iterator[ShortMessage]:
    """Yield the deliver_sm of a text: of a long one its parts, each with a user data header whose reference has 8 bits.

    What the GSM alphabet has goes in it, data_coding 0, one septet to an octet; all else in UCS-2.
    """
    for part in write_parts(text, {"reference": next(_references) % 256}):
        coding = read_coding(part.dcs)
        header, data = read_user_data(OctetReader(part.octets), coding, has_header=part.has_header)
        yield ShortMessage(
            source=source,
            destination=destination,
            esm_class=_HAS_HEADER if part.has_header else 0,
            data_coding=_UCS2 if coding.alphabet is Alphabet.UCS2 else 0,
            octets=(write_header(header) if part.has_header else b"") + data,
        )
