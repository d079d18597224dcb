"""A connection of an application to us as its SMSC, from its first octet to its last (SMPP v3.4, 2.2 and 4)."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from smscatch.access import Access
from smscatch.errors import BadPdu, Forbidden, SmscatchError, StoreUnavailable, TooManyTries, Unauthorized
from smscatch.smpp.accounts import Account, Undelivered
from smscatch.smpp.pdu import (
    MAX_OCTETS,
    RESPONSE,
    VERSION,
    Bind,
    CommandId,
    Frame,
    Frames,
    ShortMessage,
    Status,
    Tag,
    parse_bind,
    write_short_message,
)
from smscatch.smsc.front import Front
from smscatch.smsc.referring import answer_reference
from smscatch.smsc.submitting import SUBMITTING, Submitter

READ_OCTETS = 64 * 1024
MAX_BIND_OCTETS = 1024  # until somebody is let in
BATCH = 100  # texts that are kept together and then answered
WINDOW = 100  # deliveries that an application has not answered yet
OUR_NAME = b"smscatch\0"
BINDS = (CommandId.BIND_TRANSMITTER, CommandId.BIND_RECEIVER, CommandId.BIND_TRANSCEIVER)
_MAX_SYSTEM_ID, _MAX_SYSTEM_TYPE, _MAX_PASSWORD = 15, 12, 200  # characters (5.2); a whole key is longer than 8
_PASSING = (Status.QUEUE_FULL, Status.THROTTLED, Status.TRY_AGAIN)  # answers to a deliver_sm that is tried again
_AGAIN_SECONDS = 1.0

log = logging.getLogger(__name__)


class Ended(Exception):
    """The connection is over."""


class _Bound(NamedTuple):
    """Who is bound, and as what."""

    command: int
    version: int
    account: Account
    access: Access

    @property
    def sends(self) -> bool:
        return self.command != CommandId.BIND_RECEIVER

    @property
    def receives(self) -> bool:
        return self.command != CommandId.BIND_TRANSMITTER


class EsmeSession:
    """An application's connection. `run` returns at its end, whoever ended it, and raises nothing for that."""

    def __init__(
        self, front: Front, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, address: str
    ) -> None:
        self._front, self._reader, self._writer, self._address = front, reader, writer, address
        self._frames = Frames(MAX_BIND_OCTETS)
        self._sequences = itertools.count(1)
        self._given: dict[int, Undelivered] = {}  # what is delivered and not answered yet, by sequence number
        self._room = asyncio.Event()  # in the window
        self._bound: _Bound | None = None
        self._is_broken = False

    async def run(self) -> None:
        """Let the application bind, and do what it asks until the end. When it is cancelled the bind is ended."""
        try:
            async with asyncio.timeout(self._front.times.bind):
                early = await self._let_in()
            await self._serve(early)
        except (Ended, OSError, TimeoutError):
            pass
        except asyncio.CancelledError:
            await self._say_goodbye()
            raise
        finally:
            self._writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(self._front.times.goodbye):
                    await self._writer.wait_closed()

    async def _let_in(self) -> list[Frame]:
        """Answer until a bind is granted; return what came behind it."""
        while True:
            frames = await self._read()
            for place, frame in enumerate(frames, 1):
                if frame.command in BINDS:
                    await self._bind(frame)
                else:
                    await self._refuse_unbound(frame)
                if self._bound is not None:
                    self._frames.most = MAX_OCTETS
                    return frames[place:]

    async def _refuse_unbound(self, frame: Frame) -> None:
        """Answer what comes before a bind (2.2): only the connection may be tried, or ended."""
        if frame.command == CommandId.ENQUIRE_LINK:
            await self._send(frame.response())
        elif frame.command == CommandId.UNBIND:
            await self._send(frame.response())
            raise Ended
        elif not frame.command & RESPONSE:
            await self._send(_refusal(frame, Status.WRONG_STATE))

    async def _bind(self, frame: Frame) -> None:
        try:
            bind = parse_bind(frame.body)
        except BadPdu:
            await self._send(frame.response(Status.BAD_LENGTH))
            return
        status = _wrong_in(bind)
        if status is None:
            status = await self._identify(frame.command, bind)
        tlv = b"".join(number.to_bytes(2) for number in (Tag.INTERFACE_VERSION, 1)) + bytes((VERSION,))
        body = OUR_NAME + (tlv if bind.version >= VERSION else b"")  # 3.3 has no optional parameters (3.3.2)
        await self._send(frame.response(status, b"" if status else body))

    async def _identify(self, command: int, bind: Bind) -> Status:
        try:
            access = await self._front.let_in(bind, self._address)
        except Unauthorized:
            return Status.BAD_PASSWORD
        except Forbidden:
            return Status.BIND_FAILED
        except TooManyTries:
            return Status.THROTTLED
        except StoreUnavailable:
            return Status.SYSTEM_ERROR
        account = self._front.accounts.open(access.owner, bind.system_id)
        self._bound = _Bound(command, bind.version, account, access)
        return Status.OK

    async def _serve(self, frames: list[Frame]) -> None:
        """Do what is asked, deliver what waits, and look at the key, each until the connection ends."""
        bound = self._bound
        assert bound is not None  # noqa: S101 - it was let in
        works = [self._take(bound, frames), self._keep_checking()]
        if bound.receives:
            works.append(self._give(bound))
        tasks = [asyncio.create_task(work) for work in works]
        bound.account.receivers += bound.receives
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            bound.account.receivers -= bound.receives
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            bound.account.outbox.put_back(self._given.values())
            self._given.clear()
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, Ended | OSError | TimeoutError):
                raise end

    async def _take(self, bound: _Bound, frames: list[Frame]) -> None:
        while True:
            for batch in _batches(frames):
                if batch[0].command in SUBMITTING:
                    await self._submit(bound, batch)
                else:
                    await self._answer_other(bound, batch[0])
            frames = await self._read_or_enquire()

    async def _submit(self, bound: _Bound, batch: Sequence[Frame]) -> None:
        if not bound.sends:
            await self._send(*(frame.response(Status.WRONG_STATE) for frame in batch))
            return
        access = await self._renewed()
        submitter = Submitter(self._front.desk(access), bound.account, self._front.house.settings, bound.version)
        outcome = await submitter.submit(batch)
        await self._send(*outcome.answers)
        if outcome.receipts:
            # Behind the answers, whatever the delay: until then nobody knows the ids in them.
            after = self._front.receipt_after.total_seconds()
            asyncio.get_running_loop().call_later(after, bound.account.outbox.put, outcome.receipts)

    async def _answer_other(self, bound: _Bound, frame: Frame) -> None:
        match frame.command:
            case CommandId.ENQUIRE_LINK:
                await self._send(frame.response())
            case CommandId.UNBIND:
                await self._send(frame.response())
                raise Ended
            case CommandId.BIND_RECEIVER | CommandId.BIND_TRANSMITTER | CommandId.BIND_TRANSCEIVER:
                await self._send(frame.response(Status.ALREADY_BOUND))
            case CommandId.QUERY_SM | CommandId.CANCEL_SM | CommandId.REPLACE_SM:
                desk = self._front.desk(await self._renewed())
                await self._send(await answer_reference(frame, bound.account, desk))
            case command if command & RESPONSE:
                self._note_answer(bound, frame)
            case _:
                await self._send(_refusal(frame, Status.BAD_COMMAND))

    async def _renewed(self) -> Access:
        """Return what the key may do now. Raises Ended if it may no longer send, once the application knows."""
        assert self._bound is not None  # noqa: S101 - it was let in
        try:
            return await self._front.renew(self._bound.access)
        except StoreUnavailable:
            return self._bound.access  # was good when the store answered last
        except SmscatchError:
            log.info("the key %s may no longer send, so its bind is ended", self._bound.access.key.name)
            await self._say_goodbye()
            raise Ended from None

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(self._front.times.recheck)
            await self._renewed()

    async def _give(self, bound: _Bound) -> None:
        """Deliver what waits, as much as the window has room for."""
        while True:
            while len(self._given) >= WINDOW:
                self._room.clear()
                await self._room.wait()
            waiting = await bound.account.outbox.take(WINDOW - len(self._given))
            numbered = [(next(self._sequences), each) for each in waiting]
            self._given.update(numbered)  # first: they are put back if the connection ends here
            await self._send(*(_deliver_sm(number, each.message, bound.version) for number, each in numbered))

    def _note_answer(self, bound: _Bound, frame: Frame) -> None:
        delivery = self._given.pop(frame.sequence, None)
        if delivery is None:
            return
        self._room.set()
        if frame.status in _PASSING:
            asyncio.get_running_loop().call_later(_AGAIN_SECONDS, bound.account.outbox.put, [delivery])
        else:
            delivery.settle(is_taken=frame.status == Status.OK)

    async def _read_or_enquire(self) -> list[Frame]:
        """Return the next PDUs; ask an application that is silent whether it is there. Raises Ended if it is not."""
        times = self._front.times
        try:
            async with asyncio.timeout(times.idle):
                return await self._read()
        except TimeoutError:
            await self._send(Frame(CommandId.ENQUIRE_LINK, Status.OK, next(self._sequences)))
        async with asyncio.timeout(times.link):
            return await self._read()

    async def _read(self) -> list[Frame]:
        """Return the PDUs that end in what comes next. Raises Ended at the end, or where a length cannot be."""
        if self._is_broken:
            await self._send(Frame(CommandId.GENERIC_NACK, Status.BAD_LENGTH, 0))  # 4.3.1
            raise Ended
        octets = await self._reader.read(READ_OCTETS)
        if not octets:
            raise Ended
        frames = list[Frame]()
        try:
            frames.extend(self._frames.feed(octets))
        except BadPdu:
            self._is_broken = True  # what follows makes no sense, but what came before does
        return frames

    async def _say_goodbye(self) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._front.times.goodbye):
                await self._send(Frame(CommandId.UNBIND, Status.OK, next(self._sequences)))

    async def _send(self, *frames: Frame) -> None:
        self._writer.write(b"".join(frame.encode() for frame in frames))
        await self._writer.drain()


def _batches(frames: Sequence[Frame]) -> Iterator[list[Frame]]:
    """Yield the PDUs in their order: submitted texts that follow each other together, all else by itself."""
    for is_text, run in itertools.groupby(frames, lambda frame: frame.command in SUBMITTING):
        while batch := list(itertools.islice(run, BATCH if is_text else 1)):
            yield batch


def _wrong_in(bind: Bind) -> Status | None:
    if not 0 < len(bind.system_id) <= _MAX_SYSTEM_ID:
        return Status.BAD_SYSTEM_ID
    if len(bind.password) > _MAX_PASSWORD:
        return Status.BAD_PASSWORD
    return Status.BAD_SYSTEM_TYPE if len(bind.system_type) > _MAX_SYSTEM_TYPE else None


def _refusal(frame: Frame, status: Status) -> Frame:
    """Return the answer to a request that is not done: generic_nack for one that there is not (4.3.1)."""
    if status == Status.BAD_COMMAND or frame.command not in list(CommandId):
        return Frame(CommandId.GENERIC_NACK, Status.BAD_COMMAND, frame.sequence)
    return frame.response(status)


def _deliver_sm(sequence: int, message: ShortMessage, version: int) -> Frame:
    message = message if version >= VERSION else message._replace(tlvs=())
    return Frame(CommandId.DELIVER_SM, Status.OK, sequence, write_short_message(CommandId.DELIVER_SM, message))
