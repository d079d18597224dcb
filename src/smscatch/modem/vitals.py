"""How a modem fares, as it tells itself: signal, network, fill level (3GPP TS 27.007; TS 27.005 for the storage)."""

from typing import NamedTuple

from smscatch.modem.at import Conversation
from smscatch.modem.said import find_value, readable, split_values

# A modem may have to ask the network first for the operator's name.
NETWORK_SECONDS = 10.0
# <stat> of +CREG, +CEREG and +CGREG (TS 27.007, 7.2, 10.1.22, 10.1.20); 6 and 7 are "for SMS only".
REGISTRATION = {
    0: "not searching",
    1: "home",
    2: "searching",
    3: "denied",
    4: "unknown",
    5: "roaming",
    6: "home",
    7: "roaming",
}
REGISTERED = ("home", "roaming")
UNKNOWN_SIGNAL = 99  # <rssi> of +CSQ (8.5)


class Vitals(NamedTuple):
    """How a modem fares at the moment; None is what it does not tell.

    `is_deaf`: a network has it, but it says itself that there is neither a signal nor an operator.
    """

    signal_dbm: int | None
    signal_percent: int | None
    registration: str | None
    operator: str | None
    storage_used: int | None
    storage_size: int | None
    is_deaf: bool

    @property
    def is_registered(self) -> bool:
        """Whether a network has the modem, or it does not tell."""
        return self.registration is None or self.registration in REGISTERED


async def ask_vitals(talk: Conversation) -> Vitals:
    """Return how the modem fares. Raises as Conversation.ask does, except Refused."""
    signal = _number(split_values(find_value(await talk.try_asking("AT+CSQ"), "+CSQ")), 0)
    registration = await _ask_registration(talk)
    await talk.try_asking("AT+COPS=3,0", NETWORK_SECONDS)
    told = find_value(await talk.try_asking("AT+COPS?", NETWORK_SECONDS), "+COPS")
    values = split_values(told)
    operator = readable(values[2]) or None if len(values) > 2 else None
    fill = split_values(find_value(await talk.try_asking("AT+CPMS?"), "+CPMS"))
    # Of three storages, the one that receives is the last: name, used, size.
    used = 7 if len(fill) >= 9 else 1
    return Vitals(
        signal_dbm=dbm_of(signal),
        signal_percent=percent_of(signal),
        registration=registration,
        operator=operator,
        storage_used=_number(fill, used),
        storage_size=_number(fill, used + 1),
        is_deaf=registration in REGISTERED and signal == UNKNOWN_SIGNAL and told is not None and operator is None,
    )


async def ask_number(talk: Conversation) -> str | None:
    """Return our own number as far as the SIM knows it (7.1); many do not."""
    values = split_values(find_value(await talk.try_asking("AT+CNUM"), "+CNUM"))
    number = readable(values[1]) if len(values) > 1 else ""
    is_international = len(values) > 2 and values[2] == "145"
    return f"+{number.lstrip('+')}" if number and is_international else number or None


async def ask_smsc(talk: Conversation) -> str | None:
    """Return the number through which the SIM sends, "" if it has none, None if that is not told (TS 27.005, 3.3.1)."""
    told = find_value(await talk.try_asking("AT+CSCA?"), "+CSCA")
    return None if told is None else readable((split_values(told) or [""])[0])


async def _ask_registration(talk: Conversation) -> str | None:
    """Return the registration with any of the networks: each of them can bring texts."""
    told: list[str] = []
    for name in ("+CREG", "+CEREG", "+CGREG"):
        lines = await talk.try_asking(f"AT{name}?") or []
        # Unasked the modem says the same, but without <n> in front.
        answers = [values for line in lines if len(values := split_values(find_value([line], name))) > 1]
        status = _number(answers[0], 1) if answers else None
        told += [REGISTRATION[status]] if status in REGISTRATION else []
        if told and told[-1] in REGISTERED:
            return told[-1]
    return told[0] if told else None


def dbm_of(signal: int | None) -> int | None:
    """Return the strength that +CSQ tells as <rssi> (8.5): 0 to 31 are -113 to -51 dBm, all else is unknown."""
    return 2 * signal - 113 if signal is not None and 0 <= signal <= 31 else None


def percent_of(signal: int | None) -> int | None:
    """Return the same as a part of what the scale has."""
    return round(signal * 100 / 31) if signal is not None and 0 <= signal <= 31 else None


def _number(values: list[str], position: int) -> int | None:
    value = values[position] if position < len(values) else ""
    return int(value) if value.isascii() and value.isdecimal() else None
