"""What a simulated modem can be told to do: one function per action of the control socket.

An action takes the stick and named arguments, and returns what the answer carries beside "ok".
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from smscatch.errors import BadRequest
from smscatch.pdu import Options, encode_deliver, encode_status_report
from smscatch.simulator.card import StoredText
from smscatch.simulator.control import WAIT_SECONDS
from smscatch.simulator.stick import Stick

Answer = dict[str, Any]
SHOWN_COMMANDS = 100


async def deliver(
    stick: Stick,
    *,
    sender: str,
    text: str = "",
    sent_at: str | None = None,
    order: list[int] | None = None,
    **form: Any,
) -> Answer:
    """Send an SMS to the stick.

    `order` are the parts in the order in which the network has them, from 1: it may repeat and leave out.
    `sent_at` is the SMSC's time (ISO 8601, now by default), `data` is hexadecimal; `form` may hold whatever else
    user_data.Options lists: alphabet, message_class, reference (by default one more each time), wide_reference...
    """
    unknown = form.keys() - Options.__annotations__.keys()
    if unknown:
        raise BadRequest(
            f"deliver has no argument {min(unknown)!r}; beside its own it takes {list(Options.__annotations__)}."
        )
    if "data" in form:
        form["data"] = bytes.fromhex(form["data"])
    parts = encode_deliver(sender, text, parse_time(sent_at), **{"reference": stick.next_reference(), **form})
    numbers = range(1, len(parts) + 1)
    wrong = [number for number in order or () if number not in numbers]
    if wrong:
        raise BadRequest(f"order names part {wrong[0]}, but the text has parts 1 to {len(parts)}.")
    pdus = [parts[number - 1] for number in order or numbers]
    stick.receive([StoredText.of(pdu) for pdu in pdus])
    return {"pdus": pdus, **fill_level(stick)}


async def deliver_report(
    stick: Stick, *, recipient: str, reference: int = 0, sent_at: str | None = None, **form: Any
) -> Answer:
    """Send a status report on a text to `recipient`; `form` may hold status and smsc."""
    now = parse_time(None)
    time = now if sent_at is None else parse_time(sent_at)
    pdu = encode_status_report(recipient, reference, sent_at=time, discharged_at=now, **form)
    stick.receive([StoredText.of(pdu)])
    return {"pdus": [pdu], **fill_level(stick)}


async def keep(stick: Stick, *, pdu: str, stat: int = 2, index: int | None = None) -> Answer:
    """Put a text of our own into the first storage: a draft (`stat` 2) or one that was sent (3)."""
    text = StoredText.of(pdu)
    text.stat = stat
    storage = next(iter(stick.state.storages.values()))
    if index is None:
        storage.put(text)
    else:
        storage.place(index, text)
    return fill_level(stick)


async def deliver_pdu(stick: Stick, *, pdu: str, length: int | None = None) -> Answer:
    """Send one PDU as it is, decodable or not; `length` is what +CMGL shall claim of it."""
    stick.receive([StoredText.of(pdu, length)])
    return fill_level(stick)


async def unplug(stick: Stick) -> Answer:
    """Pull the stick: the device vanishes, and its readers get EIO or end of file."""
    stick.unplug()
    return {}


async def replug(stick: Stick) -> Answer:
    """Plug the stick in again, also one that vanished to reboot."""
    stick.plug()
    return {}


async def change(stick: Stick, **values: Any) -> Answer:
    """Set fields of state.Condition. A SIM that is put in asks for its PIN again."""
    had_sim = stick.state.condition.sim
    stick.state.condition.change(**values)
    if stick.state.condition.sim and not had_sim:
        stick.state.lock.lock()
    stick.settle()
    return {}


async def stray(stick: Stick, *, text: str = "", data: str | None = None) -> Answer:
    """Write `text` as a line, or else the octets `data` (hexadecimal), to the wire, unasked."""
    stick.port.write(f"\r\n{text}\r\n".encode() if data is None else bytes.fromhex(data))
    return {}


async def status(stick: Stick) -> Answer:
    """Tell how the stick is; `log` holds the last commands as [number, line]."""
    state = stick.state
    return {
        "device": str(stick.device),
        "plugged": stick.port.is_plugged,
        **fill_level(stick),
        "deleted": state.deleted,
        "number": state.settings.number,
        "pin": state.lock.state,
        "pin_tries": state.lock.pin_tries,
        "puk_tries": state.lock.puk_tries,
        "condition": asdict(state.condition),
        "commands": stick.commands_seen,
        "log": list(stick.log)[-SHOWN_COMMANDS:],
    }


async def wait(
    stick: Stick,
    *,
    until: str,
    command: str = "",
    since: int | None = None,
    timeout: float = WAIT_SECONDS,
) -> Answer:
    """Answer as soon as it is so: "empty" (SIM and queue), "plugged", "unplugged" or "command".

    "command": a command that begins with `command` and whose number is above `since` (default: the last one
    until now); the answer's `number` may be the next `since`. Raises BadRequest after `timeout` seconds.
    """
    after = stick.commands_seen if since is None else since
    conditions: dict[str, Callable[[], bool]] = {
        "empty": lambda: not stick.queue and not any(each.received for each in stick.state.storages.values()),
        "plugged": lambda: stick.port.is_plugged,
        "unplugged": lambda: not stick.port.is_plugged,
        "command": lambda: stick.find_command(command, after) is not None,
    }
    if until not in conditions:
        raise BadRequest(f"A wait is until one of {sorted(conditions)}, not {until!r}.")
    if not await stick.wait_until(conditions[until], timeout):
        goal, seen = f"{until} {command}".strip(), await status(stick)
        raise BadRequest(f"{timeout:g} s passed in vain until {goal}; the simulated modem is: {seen}.")
    number = stick.find_command(command, after) if until == "command" else None
    return {"number": number, "commands": stick.commands_seen}


def fill_level(stick: Stick) -> Answer:
    """Return how full the SIM is, and how many texts still wait in the network."""
    storages = stick.state.storages.values()
    return {"used": sum(map(len, storages)), "slots": sum(each.size for each in storages), "queue": len(stick.queue)}


def parse_time(written: str | None) -> datetime:
    """Return the time that `written` names in ISO 8601, in UTC unless it says otherwise; now if it is None."""
    if written is None:
        return datetime.now(UTC)
    time = datetime.fromisoformat(written)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


ACTIONS: dict[str, Callable[..., Awaitable[Answer]]] = {
    "deliver": deliver,
    "deliver_report": deliver_report,
    "deliver_pdu": deliver_pdu,
    "keep": keep,
    "unplug": unplug,
    "replug": replug,
    "set": change,
    "stray": stray,
    "status": status,
    "wait": wait,
}


async def perform(stick: Stick, do: str, arguments: dict[str, Any]) -> Answer:
    """Have `stick` do what `do` names. Raises BadRequest if there is no such action or an argument is wrong."""
    action = ACTIONS.get(do)
    if action is None:
        raise BadRequest(f"A simulated modem cannot {do!r}; it can {', '.join(ACTIONS)}.")
    try:
        return await action(stick, **arguments)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:  # an argument of a wrong type or range
        raise BadRequest(f"{do}: {error}.") from error
