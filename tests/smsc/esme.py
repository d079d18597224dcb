"""Our SMSC in this process, and an application that binds to it PDU by PDU."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from smscatch.committing import Committer
from smscatch.inbox import Inbox
from smscatch.keys import add_key
from smscatch.leases import Leases
from smscatch.messages import Message, Query
from smscatch.smpp.pdu import (
    RESPONSE,
    Bind,
    CommandId,
    Frame,
    ShortMessage,
    SmppAddress,
    Status,
    write_bind,
    write_short_message,
)
from smscatch.smsc.front import Front
from smscatch.smsc.server import SmppListener, tls_of
from smscatch.web.app import app_in, make_context
from tests.patience import PATIENCE_SECONDS
from tests.smpp.stream import PduStream
from tests.surroundings import settings_in

TO = "+12015550123"
TO_ADDRESS = SmppAddress(1, 1, "12015550123")
FROM_ADDRESS = SmppAddress(5, 0, "Acme")


async def no_pause() -> None:
    """Stands for the pause after a wrong password."""


class Esme(PduStream):
    """A connection of an application."""

    async def bind(
        self, system_id: str, password: str, command: int = CommandId.BIND_TRANSCEIVER, version: int = 0x34
    ) -> Frame:
        return await self.ask(command, write_bind(Bind(system_id, password, version=version)))

    async def submit(self, text: bytes | str = "Your code is 482913", **fields: Any) -> Frame:
        return await self.ask(CommandId.SUBMIT_SM, body_of(text, **fields))

    async def next_delivery(self) -> ShortMessage:
        """Return what is delivered next, which is answered."""
        from smscatch.smpp.pdu import parse_short_message

        frame = await self.read()
        assert frame.command == CommandId.DELIVER_SM
        await self.send(frame.response(body=b"\0"))
        return parse_short_message(frame.command, frame.body)

    async def has_ended(self) -> bool:
        """Return whether nothing more comes."""
        try:
            await self.read()
        except (EOFError, OSError):
            return True
        return False


def body_of(text: bytes | str = "x", **fields: Any) -> bytes:
    """Return the body of a submit_sm."""
    octets = text.encode("ascii") if isinstance(text, str) else text
    given: dict[str, Any] = {"source": FROM_ADDRESS, "destination": TO_ADDRESS, "octets": octets}
    return write_short_message(CommandId.SUBMIT_SM, ShortMessage(**given | fields))


def id_in(answer: Frame) -> str:
    """Return the message_id of a response that grants."""
    assert (answer.status, answer.command & RESPONSE) == (Status.OK, RESPONSE)
    return answer.body.partition(b"\0")[0].decode()


class OurSmsc:
    """The SMSC, and a key that may send."""

    def __init__(self, inbox: Inbox, front: Front, port: int, key: str, *, app: ASGIApp) -> None:
        self.inbox, self.front, self.port, self.key = inbox, front, port, key
        self.app = app  # the HTTP side of the same server
        self._all: list[Esme] = []

    async def connect(self) -> Esme:
        self._all.append(Esme(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self._all[-1]

    async def bound(self, command: int = CommandId.BIND_TRANSCEIVER, **more: Any) -> Esme:
        esme = await self.connect()
        assert (await esme.bind("app", self.key, command, **more)).status == Status.OK
        return esme

    async def kept(self) -> list[Message]:
        """Return what is in the store, oldest first."""
        return [one.message for one in await self.inbox.store.after(Query(), 0, 10_000)]

    async def texts(self) -> list[str]:
        return [message.text for message in await self.kept()]

    def close(self) -> None:
        for esme in self._all:
            esme.writer.close()


@contextlib.asynccontextmanager
async def our_smsc(
    inbox: Inbox,
    leases: Leases,
    folder: Path,
    *,
    config: str = "",
    **more: Any,
) -> AsyncIterator[OurSmsc]:
    """Run an SMSC as the server does."""
    settings = settings_in(folder, config)
    settings.spool.mkdir(exist_ok=True)
    context = make_context(inbox, leases, settings)
    # No drain runs here: what a busy machine is slow to store must not go into the spool.
    context = context._replace(committer=Committer(inbox, context.spool, patience_seconds=PATIENCE_SECONDS))
    _, key = await add_key(inbox, "application", ("send",))
    given: dict[str, Any] = {"receipt_after": timedelta(0), "pause": no_pause}
    listener = socket.create_server(("127.0.0.1", 0))
    front = Front(
        house=context.house,
        committer=context.committer,
        callbacks=context.callbacks,
        tries=context.tries,
        accounts=context.accounts,
        late=context.late,
        **given | more,
    )
    task = asyncio.create_task(SmppListener(front, listener, tls_of(settings)).keep_answering())
    smsc = OurSmsc(inbox, front, listener.getsockname()[1], key, app=app_in(context))
    try:
        yield smsc
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        listener.close()  # if the task was cancelled before it began
        smsc.close()
