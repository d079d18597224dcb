"""The general AT commands of the simulated modem: identity, PIN, network.

Sources: 3GPP TS 27.007, ITU-T V.250; those with `^` are Huawei's. The SMS commands are in sms.
"""

from smscatch.simulator import manners
from smscatch.simulator.session import (
    BAD_PARAMETER,
    NOT_ALLOWED,
    PUK_NEEDED,
    SIM_FAILURE,
    WRONG_PASSWORD,
    Command,
    CommandRefused,
    Session,
    constant,
    parse_number,
    split_arguments,
)
from smscatch.simulator.state import REGISTERED

CHARSETS = ("IRA", "UCS2", "GSM")
REVISION = "11.126.85.00.209"


def set_echo(session: Session, argument: str) -> None:
    """ATE0, ATE1 (V.250, 6.2.4)."""
    session.echoes = argument == "1" or session.has("keeps_echo")


def set_quiet(session: Session, argument: str) -> None:
    """ATQ0, ATQ1 (V.250, 6.2.5)."""
    session.is_quiet = argument == "1"


def set_verbose(session: Session, argument: str) -> None:
    """ATV0, ATV1 (V.250, 6.2.6)."""
    session.is_verbose = argument == "1" and not session.has("only_numeric")


def reset(session: Session, _: str) -> None:
    """ATZ, AT&F (V.250, 6.1.1)."""
    session.reset()


def show_identity(session: Session, _: str) -> list[str]:
    """ATI (V.250, 6.1.3)."""
    imei = session.state.settings.imei
    return ["Manufacturer: huawei", "Model: E173", f"Revision: {REVISION}", f"IMEI: {imei}", "+GCAP: +CGSM,+DS,+ES"]


def show_number(session: Session, _: str) -> list[str]:
    """+CNUM: our own number, 145 an international one (TS 27.007, 7.1)."""
    return [f'+CNUM: "","{manners.written(session, session.state.settings.number)}",145']


def show_smsc(session: Session, _: str) -> list[str]:
    """+CSCA: the number through which the SIM sends (TS 27.005, 3.3.1)."""
    return [f'+CSCA: "{manners.written(session, session.state.condition.smsc)}",145']


def show_error_format(session: Session, _: str) -> list[str]:
    """+CMEE? (TS 27.007, 9.1)."""
    return [f"+CMEE: {session.error_format}"]


def set_error_format(session: Session, argument: str) -> None:
    """+CMEE= (TS 27.007, 9.1)."""
    session.error_format = parse_number(argument, 2)


def show_charset(session: Session, _: str) -> list[str]:
    """+CSCS? (TS 27.007, 5.5); gammu insists on reading back what it set."""
    return [f'+CSCS: "{session.charset}"']


def set_charset(session: Session, argument: str) -> None:
    """+CSCS= (TS 27.007, 5.5)."""
    charset = argument.strip('"')
    if charset not in CHARSETS:
        raise CommandRefused("CME", BAD_PARAMETER)
    session.charset = charset


def set_functionality(session: Session, argument: str) -> None:
    """+CFUN=1, =4 to switch the radio off, and =1,1 to reboot (TS 27.007, 8.2)."""
    level, *restart = split_arguments(argument)
    if level not in ("1", "4"):
        raise CommandRefused("CME", NOT_ALLOWED)
    condition = session.state.condition
    if condition.radio != 1 and level == "1":
        condition.deaf_until_radio = False
    condition.radio = int(level)
    session.wants_reboot = restart == ["1"]


def show_functionality(session: Session, _: str) -> list[str]:
    """+CFUN? (TS 27.007, 8.2)."""
    return [f"+CFUN: {session.state.condition.radio}"]


def show_signal(session: Session, _: str) -> list[str]:
    """+CSQ: 0 to 31, 99 unknown (TS 27.007, 8.5)."""
    return [f"+CSQ: {session.state.condition.signal},99"]


def registration(name: str) -> dict[str, Command]:
    """Return the commands +CREG or +CGREG; the location is told only while registered (TS 27.007, 7.2, 10.1.20)."""

    def show(session: Session, _: str) -> list[str]:
        shown, status = session.registration_formats.get(name, 0), session.state.condition.registration
        cell = ',"1A2B","0C3D4E5F"' if shown == 2 and status in REGISTERED else ""
        return [f"{name}: {shown},{status}{cell}"]

    def choose(session: Session, argument: str) -> None:
        session.registration_formats[name] = parse_number(argument, 2)

    return {f"{name}?": show, f"{name}=": choose}


def show_operator(session: Session, _: str) -> list[str]:
    """+COPS? (TS 27.007, 7.3); 001 01 is the test network."""
    if session.state.condition.registration not in REGISTERED:
        return ["+COPS: 0"]
    name = session.state.condition.operator
    if not name:
        return ["+COPS: 0"]
    operator = "00101" if session.operator_format == 2 else manners.written(session, name)
    return [f'+COPS: 0,{session.operator_format},"{operator}",2']


def set_operator(session: Session, argument: str) -> None:
    """+COPS=3,<format>: how +COPS? names the operator; another <mode> changes nothing (TS 27.007, 7.3)."""
    mode, *formats = split_arguments(argument)
    if parse_number(mode, 4) == 3 and formats:
        session.operator_format = parse_number(formats[0], 2)


def show_pin(session: Session, _: str) -> list[str]:
    """+CPIN? (TS 27.007, 8.3)."""
    session.check_card()
    return [f"+CPIN: {session.state.condition.pin_word or session.state.lock.state}"]


def show_lock(session: Session, argument: str) -> list[str]:
    """+CLCK="SC",2: whether the SIM asks for a PIN; no other facility is locked, nor can one be (TS 27.007, 7.4)."""
    facility, mode, *_ = [*split_arguments(argument), ""]
    if mode != "2":
        raise CommandRefused("CME", NOT_ALLOWED)
    is_locked = facility == '"SC"' and session.state.settings.pin is not None
    return [f"+CLCK: {int(is_locked)}"]


def show_pin_tries(session: Session, _: str) -> list[str]:
    """^CPIN: <code>,<times of that code>,<puk>,<pin>,<puk2>,<pin2>, as Huawei's sticks count what is left."""
    session.check_card()
    lock = session.state.lock
    left = {"SIM PIN": lock.pin_tries, "SIM PUK": lock.puk_tries}.get(lock.state, "")
    return [f"^CPIN: {lock.state},{left},{lock.puk_tries},{lock.pin_tries},10,3"]


def enter_pin(session: Session, argument: str) -> None:
    """+CPIN=<pin>, or =<puk>,<new pin> (TS 27.007, 8.3). A wrong one costs a try."""
    session.check_card()
    lock, (first, *rest) = session.state.lock, split_arguments(argument)
    if lock.state == "READY":
        raise CommandRefused("CME", NOT_ALLOWED)
    if lock.puk_tries == 0:
        raise CommandRefused("CME", SIM_FAILURE)
    if lock.state == "SIM PUK" and not rest:
        raise CommandRefused("CME", PUK_NEEDED)
    if not (lock.unblock(first, rest[0]) if lock.state == "SIM PUK" else lock.enter(first)):
        raise CommandRefused("CME", WRONG_PASSWORD)


COMMANDS: dict[str, Command] = {
    "": constant(),  # a bare AT
    "E": set_echo,
    "Q": set_quiet,
    "V": set_verbose,
    "Z": reset,
    "&F": reset,
    "I": show_identity,
    "+CGMI": lambda session, _: [manners.written(session, "huawei")],
    "+CGMM": lambda session, _: [manners.written(session, "E173")],
    "+CGMR": constant(REVISION),
    "+CGSN": lambda session, _: [session.state.settings.imei],
    "+CIMI": lambda session, _: [session.state.settings.imsi],
    "+CNUM": show_number,
    "+CSCA?": show_smsc,
    "+CMEE?": show_error_format,
    "+CMEE=": set_error_format,
    "+CSCS?": show_charset,
    "+CSCS=?": constant('+CSCS: ("IRA","UCS2","GSM")'),
    "+CSCS=": set_charset,
    "+GCAP": constant("+GCAP: +CGSM,+DS,+ES"),
    "+CFUN?": show_functionality,
    "+CFUN=": set_functionality,
    "+CPIN?": show_pin,
    "+CPIN=": enter_pin,
    "^CPIN?": show_pin_tries,
    "+CSQ": show_signal,
    **registration("+CREG"),
    **registration("+CGREG"),
    "+CGATT?": constant("+CGATT: 1"),
    "+COPS?": show_operator,
    "+COPS=": set_operator,
    "+CBC": constant("+CBC: 0,0"),
    "+CUSD=": constant(),
    "+CLCK=": show_lock,
    "+CHUP": constant(),
    "+CHUP=?": constant(),
    "^CURC=": constant(),
    "^PORTSEL=": constant(),
}
NEED_SIM = frozenset({"+CSCS", "+CIMI", "+CNUM", "+CSCA"})
