"""Listens for applications that send by SMPP; each connection is a session (session.py)."""

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING

from smscatch.errors import CannotStart
from smscatch.settings import Settings
from smscatch.smsc.front import Front
from smscatch.smsc.session import EsmeSession
from smscatch.tries import network_of

if TYPE_CHECKING:
    import ssl

MAX_SESSIONS = 500

log = logging.getLogger(__name__)


class SmppListener:
    """Answers on a listening socket, for as many connections as there may be; with `tls` it is encrypted."""

    def __init__(
        self, front: Front, listener: socket.socket, tls: "ssl.SSLContext | None" = None, most: int = MAX_SESSIONS
    ) -> None:
        self._front = front
        self._listener = listener
        self._tls = tls
        self._most = most
        self._sessions = set[asyncio.Task[None]]()

    async def keep_answering(self) -> None:
        """Answer until cancelled; then each bind is ended in order."""
        handshake = None if self._tls is None else self._front.times.bind
        server = await asyncio.start_server(
            self._connected, sock=self._listener, ssl=self._tls, ssl_handshake_timeout=handshake
        )
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


def tls_of(settings: Settings) -> "ssl.SSLContext | None":
    """Return what encrypts SMPP, TLS 1.2 at least, with the certificate of the settings; None if they name none.

    Raises CannotStart if it cannot be used.
    """
    certificate, key = settings.smpp_server_certificate, settings.smpp_server_certificate_key
    if certificate is None and key is None:
        return None
    if certificate is None:
        raise CannotStart("smpp_server_certificate_key is set without smpp_server_certificate: nothing is encrypted.")
    import ssl  # noqa: PLC0415 - slow to load

    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        tls.load_cert_chain(certificate, key, password="")  # or OpenSSL asks for one at the terminal
    except OSError as error:  # SSLError is one
        raise CannotStart(
            f"smpp_server_certificate = {certificate} with the key in {key or certificate} cannot be used:"
            f" {error.strerror or error}. Both have to be PEM that this user may read, and the key that of the"
            " certificate, without a password."
        ) from error
    return tls
