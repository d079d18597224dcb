"""One bind to an SMSC, from its connection to its end: what comes is kept, then answered (SMPP v3.4, 2.2 and 4)."""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import Callable
from typing import NamedTuple

from smscatch.errors import BadPdu, StoreUnavailable
from smscatch.smpp.keeper import Keeper, Smsc
from smscatch.smpp.pdu import RESPONSE, Bind, CommandId, Frame, Frames, Status, write_bind
from smscatch.smpp.states import BOUND
from smscatch.smpp.trouble import SmscRefused, SmscSilent, SmscTrouble

READ_OCTETS = 256 * 1024
TEXTS = (CommandId.DELIVER_SM, CommandId.DATA_SM)
_NO_ID = b"\0"  # message_id of a deliver_sm_resp is unused (4.6.2)
_REASONS = {
    Status.BAD_LENGTH: "something in it is too long. SMPP 3.4 allows 15 characters for system_id, 8 for password,"
    " 12 for system_type, 40 for address_range",
    Status.WRONG_STATE: "it has a bind of this system_id already: lower `binds`, or wait until it drops the old one",
    Status.SYSTEM_ERROR: "it has an error of its own. If that stays, ask the carrier",
    Status.ALREADY_BOUND: "it has a bind of this system_id already: lower `binds`, or wait until it drops the old one",
    Status.BIND_FAILED: "it says no more than that the bind failed: ask the carrier",
    Status.BAD_PASSWORD: "the password is wrong. SMPP 3.4 allows 8 characters",
    Status.BAD_SYSTEM_ID: "it does not know the system_id",
    Status.BAD_SYSTEM_TYPE: "the system_type is wrong: ask the carrier which one it wants",
    Status.THROTTLED: "it is asked too often",
    Status.BAD_COMMAND: "it does not know such a bind: set `bind` to the other one, receiver or transceiver",
}

Tell = Callable[[str, str | None], None]


class Patience(NamedTuple):
    """How long to wait, in seconds: for a connection and a bind; until a silent SMSC is asked; and for its answer then.

    After `unknown` texts it is asked too, since its answer tells that it has ours.
    """

    answer: float = 15.0
    idle: float = 30.0
    link: float = 30.0
    goodbye: float = 2.0
    unknown: int = 500


PATIENCE = Patience()


class SmscSession:
    """A bind; `run` returns when the SMSC has ended it in order, and raises SmscTrouble if anything else did.

    `was_of_use`: a text came, or the SMSC answered an enquire_link.
    """

    def __init__(self, smsc: Smsc, keeper: Keeper, tell: Tell, patience: Patience = PATIENCE) -> None:
        self._smsc, self._keeper, self._tell, self._patience = smsc, keeper, tell, patience
        self.was_of_use = False
        self._name = secrets.token_hex(8)
        self._frames = Frames()
        self._sequences = itertools.count(1)
        self._answered: list[str] = []  # texts whose answers the SMSC may not have
        self._asked: tuple[int, list[str]] | None = None  # our enquire_link, and what its answer tells it has

    @property
    def _where(self) -> str:
        settings = self._smsc.settings
        return f"The SMSC of smpp.{self._smsc.name} at {settings.host}:{settings.port}"

    async def run(self) -> None:
        """Connect, bind, and take texts until the end. When it is cancelled the bind is ended in order."""
        self._reader, self._writer = await self._connect()
        try:
            await self._bind()
            self._tell(BOUND, None)
            try:
                await self._take_texts()
            except asyncio.CancelledError:
                await self._say_goodbye()
                raise
        except OSError as error:
            raise SmscSilent(f"{self._where} ended the connection: {error}.") from error
        finally:
            self._writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(self._patience.goodbye):
                    await self._writer.wait_closed()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        settings = self._smsc.settings
        tls = None
        try:
            if settings.tls:
                import ssl  # noqa: PLC0415 - slow to load

                tls = ssl.create_default_context(cafile=settings.ca_file)
            async with asyncio.timeout(self._patience.answer):
                return await asyncio.open_connection(settings.host, settings.port, ssl=tls)
        except TimeoutError as error:
            raise SmscTrouble(
                f"{self._where} does not answer. Check host, port and tls, and if the carrier lets this machine in."
            ) from error
        except (OSError, UnicodeError) as error:  # of a host that cannot be one
            reason = getattr(error, "strerror", None) or error
            raise SmscTrouble(
                f"{self._where} cannot be reached: {reason}. Check host, port, tls and ca_file."
            ) from error

    async def _bind(self) -> None:
        settings = self._smsc.settings
        command = CommandId.BIND_RECEIVER if settings.bind == "receiver" else CommandId.BIND_TRANSCEIVER
        bind = Bind(settings.system_id, settings.password, settings.system_type, address_range=settings.address_range)
        sequence = await self._send(command, write_bind(bind))
        try:
            async with asyncio.timeout(self._patience.answer):
                # A text may come in the same packet as the answer; it is taken with the next.
                while not (frames := await self._read()):
                    pass
        except TimeoutError as error:
            raise SmscSilent(f"{self._where} does not answer the bind. Is `tls` right?") from error
        first, self._early = frames[0], frames[1:]
        if first.command not in (command | RESPONSE, CommandId.GENERIC_NACK) or first.sequence not in (sequence, 0):
            raise SmscSilent(f"{self._where} does not answer the bind as SMPP has it.")
        if first.status or first.command == CommandId.GENERIC_NACK:
            reason = _REASONS.get(Status(first.status)) if first.status in list(Status) else None
            raise SmscRefused(
                f"{self._where} refuses the bind (command_status 0x{first.status:08X})"
                f": {reason or 'ask the carrier what that means'}."
            )

    async def _take_texts(self) -> None:
        frames = self._early
        while True:
            await self._take([frame for frame in frames if frame.command in TEXTS])
            for frame in frames:
                if frame.command not in TEXTS and await self._is_last(frame):
                    return
            if len(self._answered) >= self._patience.unknown and self._asked is None:
                await self._enquire()
            frames = await self._read_or_enquire()

    async def _take(self, texts: list[Frame]) -> None:
        """Keep texts, then answer them. If they cannot be kept, the SMSC is asked to deliver them again later."""
        if not texts:
            return
        self.was_of_use = True
        status = Status.OK
        try:
            self._answered += await self._keeper.keep(self._name, texts)
            self._tell(BOUND, None)
        except StoreUnavailable as error:
            status = Status.TRY_AGAIN
            self._tell("spool_full", str(error))
        self._writer.write(b"".join(text.response(status, _NO_ID).encode() for text in texts))
        await self._writer.drain()

    async def _is_last(self, frame: Frame) -> bool:
        """Answer what is no text; return whether it ends the bind."""
        match frame.command:
            case CommandId.ENQUIRE_LINK | CommandId.UNBIND:
                await self._answer(frame.response())
            case CommandId.ALERT_NOTIFICATION:
                pass  # has no response (4.12)
            case command if command & RESPONSE:
                await self._note_answer(frame)
            case _:
                await self._answer(Frame(CommandId.GENERIC_NACK, Status.BAD_COMMAND, frame.sequence))
        return frame.command == CommandId.UNBIND

    async def _note_answer(self, frame: Frame) -> None:
        """Note what the SMSC has read by now, if this answers our question: a connection keeps the order."""
        if self._asked is None or frame.sequence != self._asked[0]:
            return
        self.was_of_use = True
        (_, known), self._asked = self._asked, None
        self._answered = self._answered[len(known) :]
        with contextlib.suppress(StoreUnavailable):  # then they stay, and a text may be marked that is no repeat
            await self._keeper.know(known)

    async def _read_or_enquire(self) -> list[Frame]:
        try:
            async with asyncio.timeout(self._patience.idle if self._asked is None else self._patience.link):
                return await self._read()
        except TimeoutError:
            pass
        if self._asked is not None:
            raise SmscSilent(f"{self._where} does not answer an enquire_link: the connection is dead.")
        await self._enquire()
        return []

    async def _enquire(self) -> None:
        self._asked = await self._send(CommandId.ENQUIRE_LINK), list(self._answered)

    async def _say_goodbye(self) -> None:
        """Unbind, and note that the SMSC has all our answers if it says so in time."""
        with contextlib.suppress(TimeoutError, OSError, SmscTrouble, StoreUnavailable):
            async with asyncio.timeout(self._patience.goodbye):
                sequence, known = await self._send(CommandId.UNBIND), self._answered
                while not any(frame.command == CommandId.UNBIND | RESPONSE for frame in await self._read()):
                    pass  # a text that comes now is delivered again, since it stays unanswered
                self._asked = sequence, known
                await self._note_answer(Frame(CommandId.UNBIND | RESPONSE, Status.OK, sequence))

    async def _read(self) -> list[Frame]:
        """Return the PDUs that end in what comes next. Raises SmscSilent at the end."""
        octets = await self._reader.read(READ_OCTETS)
        if not octets:
            raise SmscSilent(f"{self._where} ended the connection.")
        try:
            return list(self._frames.feed(octets))
        except BadPdu as error:
            raise SmscSilent(f"{self._where} does not speak SMPP: {error} Is `tls` right?") from error

    async def _send(self, command: CommandId, body: bytes = b"") -> int:
        sequence = next(self._sequences)
        await self._answer(Frame(command, Status.OK, sequence, body))
        return sequence

    async def _answer(self, frame: Frame) -> None:
        self._writer.write(frame.encode())
        await self._writer.drain()
