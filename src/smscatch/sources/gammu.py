"""What gammu-smsd 1.42 hands to its RunOnReceive program, as hook.py wrote it down, to messages.

Source of the variables: gammu-smsd's manual, "RunOnReceive Directive"; where it errs, what gammu-smsd 1.42 does.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from smscatch.errors import BadDelivery
from smscatch.messages import Message
from smscatch.pdu.alphabets import decode_septets
from smscatch.sources.base import LineOf, Source, make_message

FLASH_CLASS = "0"
MAX_SMS = 255
_NUMBER = re.compile(r"\+?[0-9*#abc]*")


class _Text(NamedTuple):
    """A text and what is peculiar about it."""

    text: str
    complete: bool
    marks: tuple[str, ...]


def read_gammu(body: bytes, name: str, line_of: LineOf) -> list[Message]:
    """Return the message in one call of RunOnReceive; several if gammu mixed parts of several senders.

    Raises BadDelivery, naming the variable that is missing or wrong.
    """
    variables, damaged = _read_variables(body)
    received_at = _read_time(variables)
    count = _read_count(variables, "SMS_MESSAGES")
    numbers = [variables.get(f"SMS_{n}_NUMBER", "") for n in range(1, count + 1)]
    senders = list(dict.fromkeys(numbers))
    messages = []
    for sender in senders:
        parts = [n for n, number in enumerate(numbers, start=1) if number == sender]
        found = _text_of_one(variables, parts) if len(senders) == 1 else _text_of_mixed(variables, parts)
        messages.append(
            make_message(
                "gammu",
                name if sender == senders[0] else f"{name}/{senders.index(sender)}",
                line=line_of(variables.get("PHONE_ID", "")),
                sender=_sender(sender),
                text=found.text,
                received_at=received_at,
                parts=len(parts),
                complete=found.complete,
                marks=found.marks + damaged,
                reader=variables.get("reader"),
            )
        )
    return messages


SOURCE = Source("gammu", read_gammu)


def _read_variables(body: bytes) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the records by name, and a mark if they were not UTF-8 (gammu writes in the charset of its locale)."""
    if body and not body.endswith(b"\0"):
        raise BadDelivery("The last record does not end with NUL: the entry is not whole.")
    damaged = False
    variables = {}
    for record in body.split(b"\0")[:-1]:
        name, _, value = record.partition(b"=")
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            text = value.decode("latin-1")
            damaged = True
        variables[name.decode("latin-1")] = text
    return variables, ("damaged_characters",) if damaged else ()


def _read_time(variables: dict[str, str]) -> datetime:
    try:
        return datetime.fromtimestamp(int(variables["time_ns"]) / 1e9, UTC)
    except (KeyError, ValueError, OverflowError, OSError) as error:
        raise BadDelivery("The record time_ns, set by the hook, is missing or no time.") from error


def _read_count(variables: dict[str, str], name: str) -> int:
    value = variables.get(name, "")
    # isdecimal alone would let digits of other scripts through
    if not (value.isascii() and value.isdecimal() and 1 <= int(value) <= MAX_SMS):
        raise BadDelivery(
            f"{name} is {value!r}: expected a number from 1 to {MAX_SMS}. Was the hook run by gammu-smsd?"
        )
    return int(value)


def _sender(number: str) -> str:
    """Return a sender; a name is still in the septets of the GSM alphabet, which gammu-smsd 1.42 takes for ASCII.

    It puts '+' before a number of the international type and no other, and leaves '*' and '#' out.
    """
    if _NUMBER.fullmatch(number) or not number.isascii():
        return number
    return decode_septets(number.encode("ascii"))


def _text_of_one(variables: dict[str, str], parts: list[int]) -> _Text:
    """Choose the text: decoded parts first, since only they are joined right; then each SMS's own."""
    marks = _marks(variables)
    decoded = [variables[f"DECODED_{n}_TEXT"] for n in range(1, MAX_SMS + 1) if f"DECODED_{n}_TEXT" in variables]
    own = [variables[f"SMS_{n}_TEXT"] for n in parts if f"SMS_{n}_TEXT" in variables]
    if "DECODED_1_MMS_ADDRESS" in variables:
        return _Text(_mms_notification(variables), True, (*marks, "mms"))
    if not decoded and not own:  # 8-bit data, or addressed to an application port
        return _Text("", True, (*marks, "undecodable"))
    # Of a long message of which only one part came, gammu gives both. (A single SMS has its own text alone, or, with
    # an uncommon header, the decoded one alone.) That a long message lacks its last part, gammu does not tell.
    is_orphan = bool(decoded and own and len(parts) == 1)
    return _Text("".join(decoded or own), not is_orphan, marks)


def _text_of_mixed(variables: dict[str, str], parts: list[int]) -> _Text:
    """Give each sender its own parts back: gammu-smsd 1.42 joins by reference number, without looking at the sender."""
    text = "".join(variables.get(f"SMS_{n}_TEXT", "") for n in parts)
    return _Text(text, False, (*_marks(variables), "mixed_senders"))


def _marks(variables: dict[str, str]) -> tuple[str, ...]:
    if variables.get("SMS_1_REFERENCE", "0") != "0":  # TP-MR, which only a status report has
        return ("status_report",)
    return ("flash",) if variables.get("SMS_1_CLASS") == FLASH_CLASS else ()


def _mms_notification(variables: dict[str, str]) -> str:
    """Return what a phone would show of an MMS that waits for download."""
    title = variables.get("DECODED_1_MMS_TITLE", "")
    size = variables.get("DECODED_1_MMS_SIZE", "?")
    return f"MMS notification: {title} ({size} bytes) {variables['DECODED_1_MMS_ADDRESS']}".replace("  ", " ")
