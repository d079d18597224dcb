"""PDUs for tests: built by hand, and read as what they must be."""

from datetime import UTC, datetime

from smscatch.pdu import Deliver, parse_pdu

SENT_AT = datetime(2026, 11, 22, 17, 0, 5, tzinfo=UTC)


def read(pdu: str | bytes) -> Deliver:
    message = parse_pdu(pdu)
    assert isinstance(message, Deliver)
    return message


def read_all(pdus: list[str]) -> list[Deliver]:
    return [read(pdu) for pdu in pdus]


def a_pdu(
    *,
    smsc: str = "00",
    first: str = "04",
    sender: str = "048121 43",
    dcs: str = "00",
    time: str = "0" * 14,
    ud: str = "00",
) -> str:
    """Return the hex of an SMS-DELIVER; `ud` is TP-UDL and TP-UD."""
    return "".join((smsc, first, sender, "00", dcs, time, ud)).replace(" ", "")


def with_header(elements: str, content: str = "", *, total: int | None = None) -> str:
    """Return the hex of an SMS-DELIVER with information elements and 8-bit data, or `total` septets."""
    header = f"{len(elements) // 2:02X}{elements}"
    length = (len(header) + len(content)) // 2 if total is None else total
    return a_pdu(first="44", dcs="04" if total is None else "00", ud=f"{length:02X}{header}{content}")
