"""The SMS commands of the simulated modem, in PDU mode; each cites its section of 3GPP TS 27.005.

What is sent goes nowhere but to the own number: smscatch sends only to test itself.
"""

from collections.abc import Iterator
from datetime import datetime

from smscatch.pdu import encode_deliver, encode_submit
from smscatch.simulator import manners
from smscatch.simulator.card import StoredText
from smscatch.simulator.session import (
    CMS_BAD_INDEX,
    CMS_NOT_ALLOWED,
    CMS_UNKNOWN_ERROR,
    Command,
    CommandRefused,
    Session,
    constant,
    parse_number,
    split_arguments,
)

CMS_NO_ACKNOWLEDGEMENT = 340  # "no +CNMA acknowledgement expected" (3.2.5)
HIGHEST_INDEX = 9999
# The last values that +CNMI's <mode>, <mt>, <bm>, <ds>, <bfr> take on this stick.
CNMI_HIGHEST = (3, 3, 2, 2, 1)

ALL = 4  # <stat> of +CMGL (3.1)


def choose_pdu_mode(session: Session, argument: str) -> None:
    """+CMGF=0 (3.2.3); this stick has no text mode, or no other."""
    is_text_only = session.state.condition.text_mode_only
    if parse_number(argument, int(is_text_only)) != is_text_only:
        raise CommandRefused("CMS", CMS_NOT_ALLOWED)


def show_modes(session: Session, _: str) -> list[str]:
    """+CMGF=? (3.2.3)."""
    return [f"+CMGF: ({int(session.state.condition.text_mode_only)})"]


def list_memories(session: Session, _: str) -> list[str]:
    """+CPMS=? (3.2.2)."""
    names = ",".join(f'"{name}"' for name in session.state.settings.memories)
    return [f"+CPMS: ({names}),({names}),({names})"]


def fill_levels(session: Session) -> list[str]:
    """Return used and size of <mem1> to <mem3>, each as `used,size`."""
    if session.has("no_fill"):
        return []
    return [f"{len(session.storage(use))},{session.storage(use).size}" for use in range(3)]


def show_memories(session: Session, _: str) -> list[str]:
    """+CPMS? (3.2.2)."""
    shown = [f'"{name}",{level}' for name, level in zip(session.memories, fill_levels(session), strict=False)]
    return [f"+CPMS: {','.join(shown[:1] if session.has('short_fill') else shown)}"]


def choose_memories(session: Session, argument: str) -> list[str]:
    """+CPMS=<mem1>[,<mem2>[,<mem3>]] (3.2.2)."""
    names = split_arguments(argument)
    if len(names) > 3 or not session.state.storages.keys() >= set(names):
        raise CommandRefused("CMS", CMS_NOT_ALLOWED)
    session.memories[: len(names)] = names
    return [f"+CPMS: {','.join(fill_levels(session))}"]


def show_indications(session: Session, _: str) -> list[str]:
    """+CNMI? (3.4.1)."""
    return [f"+CNMI: {','.join(map(str, session.cnmi))}"]


def offer_indications(session: Session, _: str) -> list[str]:
    """+CNMI=? (3.4.1)."""
    groups = ["0,1,2", "0,1,2,3", "0,2", "0,1,2", "0,1"]
    told = {"cnmi_mode_three": (0, "3"), "cnmi_hand_over": (1, "0,2"), "cnmi_bfr_one": (4, "1")}
    for place, values in (each for manner, each in told.items() if session.has(manner)):
        groups[place] = values
    shown = groups[:2] if session.has("cnmi_of_two") else groups
    return [f"+CNMI: {','.join(f'({values})' for values in shown)}"]


def choose_indications(session: Session, argument: str) -> None:
    """+CNMI=[<mode>[,<mt>[,<bm>[,<ds>[,<bfr>]]]]] (3.4.1)."""
    words = split_arguments(argument)
    if len(words) > len(CNMI_HIGHEST):
        raise CommandRefused("CMS", CMS_NOT_ALLOWED)
    values = [parse_number(word, highest) for word, highest in zip(words, CNMI_HIGHEST, strict=False)]
    session.cnmi[: len(values)] = values


def list_texts(session: Session, argument: str) -> Iterator[str]:
    """+CMGL[=<stat>] (4.1): the texts of <mem1> with that status; the unread become read."""
    wanted = parse_number(argument or "0", ALL)
    for index, text in session.storage(0):
        if wanted in (text.status, ALL) and not session.has("hidden"):
            values, pdu = manners.record(session, text)
            yield from (f"+CMGL: {index},{values}".replace(": ", ":  " if session.has("wide") else ": "), *pdu)
            text.is_read = True


def read_text(session: Session, argument: str) -> list[str]:
    """+CMGR=<index> (4.2): the text, which becomes read."""
    text = session.storage(0).find(parse_number(argument, HIGHEST_INDEX))
    if text is None:
        return manners.empty_slot(session)
    values, pdu = manners.record(session, text)
    text.is_read = True
    return [f"+CMGR: {values}", *pdu]


def begin_sending(session: Session, argument: str) -> None:
    """+CMGS=<length> (3.5.1): asks for the PDU, which `send` takes."""
    parse_number(argument, HIGHEST_INDEX)
    session.awaits_text = True


def returned(session: Session, pdu: str, now: datetime) -> StoredText | None:
    """Return what comes back of an SMS-SUBMIT: the same text, if it is to the own number; None if nothing does.

    An SMS-SUBMIT without validity period and the SMS-DELIVER to it have TP-DA and TP-OA, TP-PID, TP-DCS and TP-UD in
    common (3GPP TS 23.040, 9.2.2.1 and 9.2.2.2).
    """
    submit = bytes.fromhex(pdu)
    tpdu = submit[1 + submit[0] :]
    end = 4 + (tpdu[2] + 1) // 2
    address, coding, data = tpdu[2:end], tpdu[end : end + 2], tpdu[end + 2 :]
    (own,) = encode_submit(session.state.settings.number, "")
    if address not in bytes.fromhex(own) or not session.state.condition.sends:
        return None
    (sample,) = encode_deliver(session.state.settings.number, "", now)
    time = bytes.fromhex(sample)[-8:-1]
    return StoredText.of((b"\0\x04" + address + coding + time + data).hex().upper())


def delete_text(session: Session, argument: str) -> None:
    """+CMGD=<index>[,0] (3.5.4); deleting many at once is not offered."""
    index, *flags = split_arguments(argument)
    condition = session.state.condition
    if condition.failing_deletes:
        condition.failing_deletes -= 1
        raise CommandRefused("CMS", CMS_UNKNOWN_ERROR)
    if flags not in ([], ["0"]):
        raise CommandRefused("CMS", CMS_NOT_ALLOWED)
    place = parse_number(index, HIGHEST_INDEX)
    if session.storage(0).find(place) is None:
        raise CommandRefused("CMS", CMS_BAD_INDEX)
    if condition.keeps_deleted or (session.has("late_delete") and place not in session.undeleted):
        session.undeleted.add(place)
        return
    session.undeleted.discard(place)
    session.storage(0).delete(place)
    session.state.deleted += 1


def show_service(session: Session, _: str) -> list[str]:
    """+CSMS? (3.2.1): service 1 wants an acknowledgement of each text that is handed over."""
    return [f"+CSMS: {int(manners.hands_over(session))},1,1,1"]


def acknowledge(session: Session, _: str) -> None:
    """+CNMA[=0] (3.4.4)."""
    if not session.awaits_acknowledgement:
        raise CommandRefused("CMS", CMS_NO_ACKNOWLEDGEMENT)
    session.awaits_acknowledgement = False


COMMANDS: dict[str, Command] = {
    "+CSMS?": show_service,
    "+CSMS=": constant("+CSMS: 1,1,1"),
    "+CNMA": acknowledge,
    "+CNMA=": acknowledge,
    "+CMGF?": constant("+CMGF: 0"),
    "+CMGF=?": show_modes,
    "+CMGF=": choose_pdu_mode,
    "+CPMS?": show_memories,
    "+CPMS=?": list_memories,
    "+CPMS=": choose_memories,
    "+CNMI?": show_indications,
    "+CNMI=?": offer_indications,
    "+CNMI=": choose_indications,
    "+CMGL": list_texts,
    "+CMGL=?": constant("+CMGL: (0-4)"),
    "+CMGL=": list_texts,
    "+CMGR=": read_text,
    "+CMGD=": delete_text,
    "+CMGS=": begin_sending,
    "+CMMS=": constant(),
}
NEED_SIM = frozenset({"+CMGF", "+CMGS", "+CPMS", "+CNMI", "+CMGL", "+CMGR", "+CMGD"})


def forwards(session: Session, text: StoredText) -> bool:
    """Whether +CNMI sends `text` straight to the wire and not into a storage (3.4.1)."""
    if manners.hands_over(session):
        return True
    return session.cnmi[3] == 1 if text.is_report else session.cnmi[1] in (2, 3)


def announcement(session: Session, text: StoredText, index: int | None) -> list[str]:
    """Return the unsolicited lines for a new text, stored at `index` or forwarded, as +CNMI asks (3.4.1)."""
    if index is None:
        return [f"{'+CDS: ' if text.is_report else '+CMT: ,'}{text.length}", text.pdu]
    if text.is_report:
        return [f'+CDSI: "{session.memories[2]}",{index}'] if session.cnmi[3] == 2 else []
    return [f'+CMTI: "{session.memories[2]}",{index}'] if session.cnmi[1] == 1 else []
