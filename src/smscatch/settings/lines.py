"""The tables `[lines."+49…"]`: our numbers, and what reads their modems."""

import re
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from smscatch.devices import DEVICE_FORM, SPEED_FORM, parse_device, parse_speed
from smscatch.errors import BadSetting
from smscatch.numbers import is_e164, readings
from smscatch.settings.fields import Field
from smscatch.settings.forms import parse_rest
from smscatch.settings.tables import Table, whole_name

LINK, MODEMMANAGER, HILINK = "link", "modemmanager", "hilink"
ENGINES = (LINK, MODEMMANAGER, HILINK)
NAMES = {LINK: "our link", MODEMMANAGER: "ModemManager", HILINK: "HiLink"}
# Which engine has a use for what; all have one for the rest.
USED_BY = {
    **dict.fromkeys(("baud", "pin", "self_test", "self_test_radio"), LINK),
    "relist": MODEMMANAGER,
    **dict.fromkeys(("password", "zone"), HILINK),
}
DEFAULT_DEVICES = {LINK: None, MODEMMANAGER: "auto", HILINK: "http://192.168.8.1"}
NO_PIN = "it enters no PIN: switch the SIM's off with `mmcli -i any --pin=… --disable-pin`"
MAX_SELF_TESTS = 20
_PIN = re.compile(r"[0-9]{4,8}")  # 3GPP TS 31.101, 9.5.1
_APP = re.compile(r".+/[0-9]+")  # DEVICE/SIM, as sources/smsgate.py calls it


def _parse_pin(text: str) -> str:
    if not _PIN.fullmatch(text):
        raise ValueError(text)
    return text


def _parse_count(count: int | str) -> int:
    if not 0 <= int(count) <= MAX_SELF_TESTS:
        raise ValueError(count)
    return int(count)


def _parse_device(text: str) -> str:
    parse_device(text)
    return text


def _parse_engine(name: str) -> str:
    if name not in ENGINES:
        raise ValueError(name)
    return name


def _parse_zone(name: str) -> str:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - for a stick that keeps the time of its place alone

    try:
        ZoneInfo(name)
    except (LookupError, OSError) as error:
        raise ValueError(name) from error
    return name


def _parse_relist(text: str) -> str:
    parse_rest(text)
    return text


class LineSettings(msgspec.Struct, frozen=True):
    """What is known of one of our numbers: a label, and its modem.

    The modem is read by our link if it has a `device` (and then the SIM's `pin`, if it asks for one), through
    ModemManager or a stick's web page if that is its `engine` (which has a `device` where none is set), or by the
    gammu-smsd whose PhoneID is `phone_id`, or it is a phone whose app calls device and SIM so.
    """

    label: Annotated[str, Field("what people call it; lines of one label are a pool", "a text")] = ""
    device: Annotated[
        str | None,
        Field("its modem's port, or the web page of a HiLink stick, if an engine reads it", DEVICE_FORM, _parse_device),
    ] = None
    engine: Annotated[
        str,
        Field(
            "what reads that: our link, ModemManager over D-Bus, or HiLink",
            "link, modemmanager or hilink",
            _parse_engine,
        ),
    ] = LINK
    own_reader: Annotated[
        bool,
        Field("whether `smscatch modem` reads it, as a process of its own, and not the server", "true or false"),
    ] = False
    baud: Annotated[
        int | None,
        Field("the speed of that port; found out if it is not set", SPEED_FORM, parse_speed),
    ] = None
    pin: Annotated[
        str | None, Field("the SIM's PIN, if it asks for one", "4 to 8 digits in quotes", _parse_pin, is_secret=True)
    ] = None
    self_test: Annotated[
        int,
        Field(
            "how many texts in 24 hours it may send to itself while it is `deaf`; each costs what the contract says",
            "0 to 20; 0 sends none",
            _parse_count,
        ),
    ] = 0
    self_test_radio: Annotated[
        bool, Field("whether the self-test may also switch the modem's radio off and on", "true or false")
    ] = False
    relist: Annotated[
        str,
        Field(
            "for modemmanager: how often the SIM is looked through anew, for which the modem is off for seconds",
            "an age such as 10m; 0s is never",
            _parse_relist,
        ),
    ] = "10m"
    password: Annotated[
        str | None,
        Field("for hilink: the password of that page, if it has one", "a text", is_secret=True),
    ] = None
    zone: Annotated[
        str,
        Field(
            "for hilink: the zone of the stick's clock; without it a text has no `sent_at`",
            "an IANA name such as Europe/Berlin",
            _parse_zone,
        ),
    ] = ""
    phone_id: Annotated[
        str | None,
        Field(
            "its modem's name, if gammu-smsd, smstools or an app reads it",
            "gammu-smsd's PhoneID, smsd's name of the device, or the DEVICE/SIM of an app",
        ),
    ] = None

    @property
    def relist_seconds(self) -> float:
        """After how many seconds ModemManager is to look through the SIM anew; 0 is never."""
        return parse_rest(self.relist).total_seconds()

    def is_gammus(self, *, has_smstools: bool = False) -> bool:
        """Return whether gammu-smsd reads the modem. `has_smstools`: smstools3 reads what no app does."""
        return bool(self.device is None and self.phone_id and not _APP.fullmatch(self.phone_id) and not has_smstools)

    def reader(self, *, has_smstools: bool = False) -> str:
        """Return what reads the modem, in half a sentence. `has_smstools`: smstools3 reads what no app does."""
        if self.device is not None:
            apart = ", by `smscatch modem`" if self.own_reader else ""
            return f"read by {NAMES[self.engine]} at {self.device}{apart}"
        if self.phone_id is None:
            return "read by no modem here"
        if _APP.fullmatch(self.phone_id):
            return f"read by the app that calls itself {self.phone_id}"
        if has_smstools:
            return f"read by smstools3, which calls it {self.phone_id}"
        return f"read by the gammu-smsd that calls itself {self.phone_id}"


def parse_number(written: str, country: str | None) -> str:
    """Return a number of ours as E.164, however it is written in the settings. Raises ValueError."""
    number = next(iter(readings(written, country)), written)
    if not is_e164(number):
        raise ValueError(written)
    return number


def lines_field(text: str) -> Field:
    """Return the field `lines` of a table whose entries may be for some of our numbers alone."""
    return Field(text, "a list of numbers; all by default", show=lambda lines: ", ".join(lines) or "(all)")


def check_lines(table: str) -> Callable[[dict[str, Any], str | None], dict[str, Any]]:
    """Return the check of such a table: it puts the numbers of `lines` into E.164. It raises BadSetting."""

    def check(entries: dict[str, Any], country: str | None) -> dict[str, Any]:
        return {
            name: msgspec.structs.replace(entry, lines=_parse_numbers(whole_name(table, name), entry.lines, country))
            for name, entry in entries.items()
        }

    return check


def _parse_numbers(entry: str, written: tuple[str, ...], country: str | None) -> tuple[str, ...]:
    try:
        return tuple(parse_number(each, country) for each in written)
    except ValueError as error:
        wrong = f"{entry}.lines: {error.args[0]!r} is no number in E.164, such as +4915112345678."
        raise BadSetting(wrong) from None


def _check(lines: dict[str, LineSettings], _: str | None) -> dict[str, LineSettings]:
    owners: dict[str, str] = {}
    for number, line in lines.items():
        where = whole_name("lines", number)
        if line.phone_id and (line.device or line.engine != LINK):
            reader = "device" if line.device else "engine"
            raise BadSetting(f"{where} has both {reader} and phone_id: one reader per modem. Accepted: {LINES.form}.")
        if line.phone_id and owners.setdefault(line.phone_id, number) != number:
            raise BadSetting(f"phone_id {line.phone_id!r} stands in two lines; each modem has a name of its own.")
    read = {number: check_engine(whole_name("lines", number), line) for number, line in lines.items()}
    _refuse_rivals(list(read.values()))
    return read


def check_engine(where: str, line: LineSettings) -> LineSettings:
    """Return a line with the device that its engine takes where none is set. Raises BadSetting for what is not its.

    `where` is what the line is called.
    """
    for name, engine in USED_BY.items():
        if line.engine != engine and getattr(line, name) != getattr(LineSettings(), name):
            why = NO_PIN if (name, line.engine) == ("pin", MODEMMANAGER) else f"it is for {engine!r}"
            raise BadSetting(f"{where}.{name} is of no use to engine = {line.engine!r}: {why}. Take it out.")
    line = line if line.device else msgspec.structs.replace(line, device=DEFAULT_DEVICES[line.engine])
    if line.device:
        _check_device(where, line.device, line.engine)
    return line


def _check_device(where: str, device: str, engine: str) -> None:
    name = parse_device(device)
    if name.is_web != (engine == HILINK):
        wanted = "hilink reads a web page, such as http://192.168.8.1" if engine == HILINK else "only hilink reads that"
        raise BadSetting(f"{where}.device = {device!r} is not accepted for engine = {engine!r}: {wanted}.")
    if engine == MODEMMANAGER and name.is_remote:
        raise BadSetting(
            f"{where}.device = {device!r} is not at this machine: ModemManager reads modems of its own machine only."
            f" Accepted: {LINES.fields['device'].form}."
        )


def _refuse_rivals(lines: list[LineSettings]) -> None:
    """Raise BadSetting if a line with device = "auto" could take the modem of another line.

    What is auto for ModemManager is one that it has; our link cannot open that port as well.
    """
    readers = [line for line in lines if line.device and line.engine != HILINK]
    for line in readers:
        rivals = readers if line.engine == LINK else [other for other in readers if other.engine == line.engine]
        if line.device == "auto" and len(rivals) > 1:
            raise BadSetting(
                'device = "auto" takes the first modem that answers, so it is for the only line with a device. Name'
                f" each modem: {DEVICE_FORM}."
            )


LINES = Table(
    "our numbers",
    '[lines."+49…"]',
    LineSettings,
    _check,
    parse_number,
    "a number in E.164, such as +4915112345678, or, with the setting `country`, one without its country code",
)
