"""What a simulated modem forgets when it loses power, and the ways in which a command can fail.

The base of the command tables general and sms.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from smscatch.simulator.card import Storage
from smscatch.simulator.state import StickState

# <err> of +CME ERROR and its text (3GPP TS 27.007, 9.2.1).
CME_TEXT = {
    3: "operation not allowed",
    10: "SIM not inserted",
    11: "SIM PIN required",
    12: "SIM PUK required",
    13: "SIM failure",
    16: "incorrect password",
    50: "Incorrect parameters",
}
NOT_ALLOWED, NO_SIM, PIN_NEEDED, PUK_NEEDED, SIM_FAILURE, WRONG_PASSWORD, BAD_PARAMETER = CME_TEXT

# <err> of +CMS ERROR (3GPP TS 27.005, 3.2.5).
CMS_NOT_ALLOWED, CMS_SIM_BUSY, CMS_BAD_INDEX, CMS_UNKNOWN_ERROR = 302, 314, 321, 500


class CommandRefused(Exception):
    """The command fails with a final result code: `CME` or `CMS` with its <err>, or else plain ERROR."""

    def __init__(self, kind: str = "", code: int = 0) -> None:
        super().__init__(kind, code)
        self.kind, self.code = kind, code


@dataclass
class Session:
    """One power cycle: what commands set here is forgotten at a replug, and at ATZ.

    `memories` are <mem1> to <mem3> of +CPMS: read and delete, send, receive. `cnmi` is <mode>, <mt>, <bm>,
    <ds>, <bfr> of +CNMI (3GPP TS 27.005, 3.2.2 and 3.4.1). `news` are announcements that wait for the next answer,
    `undeleted` the slots whose deletion was confirmed in vain. `awaits_text`: it asked for the PDU of a text to send.
    """

    state: StickState
    echoes: bool = True
    error_format: int = 0
    charset: str = "IRA"
    operator_format: int = 0
    registration_formats: dict[str, int] = field(default_factory=dict)
    cnmi: list[int] = field(default_factory=lambda: [2, 0, 0, 0, 0])
    memories: list[str] = field(default_factory=list)
    wants_reboot: bool = False
    is_verbose: bool = True
    is_quiet: bool = False
    awaits_acknowledgement: bool = False
    news: list[str] = field(default_factory=list)
    undeleted: set[int] = field(default_factory=set)
    awaits_text: bool = False

    def __post_init__(self) -> None:
        self.is_verbose = not (self.has("numeric") or self.has("only_numeric"))
        self.is_quiet = self.has("quiet")
        self.charset = "UCS2" if self.has("ucs2") else self.charset
        self.memories = self.memories or [self.state.settings.memories[0]] * 3

    def has(self, manner: str) -> bool:
        """Whether the modem has this of manners.MANNERS."""
        return manner in self.state.settings.manners

    def reset(self) -> None:
        """Take the defaults again (ATZ; ITU-T V.250, 6.1.1)."""
        vars(self).update(vars(Session(self.state)))

    def storage(self, use: int) -> Storage:
        """Return the storage that <mem1> (0: read), <mem2> (1) or <mem3> (2: receive) names."""
        return self.state.storages[self.memories[use]]

    def check_sim(self) -> None:
        """Raise CommandRefused if there is no SIM in, or it still asks for its PIN or PUK."""
        self.check_card()
        if self.state.lock.state != "READY":
            raise CommandRefused("CME", PUK_NEEDED if self.state.lock.state == "SIM PUK" else PIN_NEEDED)

    def check_card(self) -> None:
        """Raise CommandRefused if there is no SIM in."""
        if not self.state.condition.sim:
            raise CommandRefused("CME", NO_SIM)

    def result_code(self, refusal: CommandRefused) -> str:
        """Return the line that ends a refused command, in the form that +CMEE asks for (TS 27.007, 9.1)."""
        if refusal.kind == "CMS":
            return f"+CMS ERROR: {refusal.code}"
        if refusal.kind == "" or self.error_format == 0:
            return "ERROR"
        return f"+CME ERROR: {refusal.code if self.error_format == 1 else CME_TEXT[refusal.code]}"


# A command takes what stands behind its `=` and returns the lines before OK.
Command = Callable[[Session, str], Iterable[str] | None]


def constant(*lines: str) -> Command:
    """Return a command that always answers `lines`."""
    return lambda session, argument: list(lines)


def split_arguments(argument: str) -> list[str]:
    """Return the arguments between commas without their quotation marks."""
    return [word.strip().strip('"') for word in argument.split(",")]


def parse_number(word: str, highest: int) -> int:
    """Return `word` as a number from 0 to `highest`. Raises CommandRefused if it is none."""
    if not word.strip().isdecimal() or int(word) > highest:
        raise CommandRefused("CME", BAD_PARAMETER)
    return int(word)
