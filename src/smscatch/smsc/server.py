"""Listens for applications that send by SMPP; each connection is a session (session.py)."""

import asyncio
import contextlib
import logging
import socket

from smscatch.smsc.front import Front
from smscatch.smsc.session import EsmeSession
from smscatch.tries import network_of

MAX_SESSIONS = 500

log = logging.getLogger(__name__)


class SmppListener:
    """Answers on a listening socket, for as many connections as there may be."""

    def __init__(self, front: Front, listener: socket.socket, most: int = MAX_SESSIONS) -> None:
        self._front = front
        self._listener = listener
        self._most = most
        self._sessions = set[asyncio.Task[None]]()

    async def keep_answering(self) -> None:
        """Answer until cancelled; then each bind is ended in order."""
        server = await asyncio.start_server(self._connected, sock=self._listener)
        try:
            await server.serve_forever()
        finally:
            server.close()
            sessions = [*self._sessions]
            for session in sessions:
                session.cancel()
            await asyncio.gather(*sessions, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._sessions) >= self._most:
            log.warning("%d applications are connected by SMPP, so one more is turned away", self._most)
            writer.close()
            return
        peer = writer.get_extra_info("peername") or ("a local socket",)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - the server made one for us
        self._sessions.add(task)
        # Whoever cancels it waits for it; but asyncio's streams (3.11) take a cancelled handler for a fault.
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await EsmeSession(self._front, reader, writer, address=network_of(str(peer[0]))).run()
        finally:
            self._sessions.discard(task)
