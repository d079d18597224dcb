"""What a simulated stick is, keeps and suffers: the state that the AT dialogue shows and the control changes.

Plain values; the behaviour is in dialogue and stick.
"""

from dataclasses import dataclass, field, fields

from smscatch.errors import BadRequest
from smscatch.simulator.card import PinLock, Storage, StoredText

REGISTERED = (1, 5)  # home network, roaming (3GPP TS 27.007, 7.2)


@dataclass(frozen=True, kw_only=True)
class StickSettings:
    """What is printed on the stick and its SIM. The numbers are those reserved for examples and tests.

    `pin` None means that the SIM asks for none. `memories` are the storages that +CPMS offers. `manners`
    are names of manners.MANNERS, as many as one likes. `baud` is the only speed at which it
    understands anything; None for any, as USB has it.
    """

    slots: int = 20
    pin: str | None = None
    puk: str = "12345678"
    imsi: str = "001010123456789"
    imei: str = "490154203237518"
    number: str = "+447700900123"
    memories: tuple[str, ...] = ("SM",)
    manners: frozenset[str] = frozenset()
    baud: int | None = None


@dataclass
class Condition:
    """How the stick fares at the moment; each field is an argument of the control command `set`.

    `signal` is 0 to 31 or 99, `registration` the <stat> of +CREG, `sim` whether a card is in. `hang`: no answers to
    anything; `silent`: none to commands that begin so. `delay_seconds` passes before each answer. `failing_deletes`
    counts the AT+CMGD that will still fail. `pin_word` is what +CPIN? says in place of the lock's state, `operator`
    what +COPS? names, `smsc` what +CSCA? tells. `text_mode_only`: it knows no PDUs. `refused_commands` counts the
    extended commands that will still be refused, `busy_commands` those on texts that the SIM is still too busy for.
    With `keeps_deleted` nothing is deleted, though +CMGD is answered with OK. What comes less than `pause_seconds`
    after an answer is passed over, and so is the first command after `sleep_seconds` without any; 0 for never.
    `breaks_list`: what the next +CMGL with a text in it ends in, after half of it: "reset" (all settings are lost) or
    "unplug". `deaf_until_cnmi` keeps every text in the network until +CNMI is told values that begin so,
    `deaf_until_radio` until the radio was switched off and on. `sends` is whether a text to its own number comes back;
    any other goes nowhere.
    `reboot`, on AT+CFUN=1,1: "stay" (only say OK), "vanish" (until the control command `replug`), or a number of
    seconds to vanish for (an E173: about 8).
    """

    signal: int = 17
    registration: int = 1
    sim: bool = True
    hang: bool = False
    silent: str = ""
    delay_seconds: float = 0.0
    failing_deletes: int = 0
    refused_commands: int = 0
    busy_commands: int = 0
    keeps_deleted: bool = False
    pause_seconds: float = 0.0
    sleep_seconds: float = 0.0
    breaks_list: str = ""
    deaf_until_cnmi: str = ""
    deaf_until_radio: bool = False
    sends: bool = True
    radio: int = 1
    reboot: str = "stay"
    pin_word: str = ""
    operator: str = "Test PLMN 1-1"
    smsc: str = "+447785016005"
    text_mode_only: bool = False

    def change(self, **values: object) -> None:
        """Set each named field. Raises BadRequest for a name that is none or a value of another type."""
        known = {entry.name: type(entry.default) for entry in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise BadRequest(f"The simulated modem has no condition {name!r}; it has {sorted(known)}.")
            # Exactly: True is an int to isinstance, but no signal.
            if type(value) not in ((int, float) if known[name] is float else (known[name],)):
                raise BadRequest(f"{name} takes a value of type {known[name].__name__}, not {value!r}.")
        if not is_reboot(values.get("reboot", self.reboot)):
            raise BadRequest(f'reboot takes "stay", "vanish" or seconds such as "8", not {values["reboot"]!r}.')
        for name, value in values.items():
            setattr(self, name, value)


def is_reboot(value: object) -> bool:
    """Whether `value` is a way to answer AT+CFUN=1,1."""
    return value in ("stay", "vanish") or str(value).replace(".", "", 1).isdecimal()


@dataclass
class StickState:
    """The stick: its settings, condition, PIN lock and storages. What is in the storages survives a replug.

    `deleted` counts the texts that commands deleted.
    """

    settings: StickSettings
    condition: Condition = field(default_factory=Condition)
    lock: PinLock = field(init=False)
    storages: dict[str, Storage] = field(init=False)
    deleted: int = 0

    def __post_init__(self) -> None:
        self.lock = PinLock(self.settings.pin, self.settings.puk)
        manners = self.settings.manners
        first, is_compact = int("from_one" in manners), "compacts" in manners
        self.storages = {
            name: Storage(self.settings.slots, first=first, is_compact=is_compact) for name in self.settings.memories
        }
        if "bad_record" in manners:
            self.storages[self.settings.memories[0]].place(1, StoredText("", 0, is_bad=True))

    @property
    def is_registered(self) -> bool:
        """Whether the network has it: a SIM, unlocked, a radio that is on."""
        is_open = self.condition.sim and self.lock.state == "READY"
        return is_open and self.condition.radio == 1 and self.condition.registration in REGISTERED

    @property
    def is_attached(self) -> bool:
        """Whether the network can hand it a text."""
        return self.is_registered and not self.condition.deaf_until_radio
