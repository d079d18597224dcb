"""The server: store, spool, inbox and web put together, and taken apart in order when it ends."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path

import uvicorn

from smscatch.errors import CannotStart
from smscatch.inbox import Inbox
from smscatch.intake import Intake
from smscatch.modem.link import run_link
from smscatch.settings import Settings
from smscatch.sources.pdu import join_parts
from smscatch.spool import Pokes, Spool
from smscatch.stores import open_store
from smscatch.web.app import make_app
from smscatch.web.auth import ensure_admin_key

GRACE_SECONDS = 5
BACKLOG = 2048
STOPPING = (signal.SIGTERM, signal.SIGINT)


class Started:
    """What a caller may want to tell: where the server listens, and the administrator's key if it was made just now."""

    def __init__(self, url: str, new_admin_key: str | None) -> None:
        self.url = url
        self.new_admin_key = new_admin_key


async def serve(settings: Settings, started: Callable[[Started], None]) -> None:
    """Run the server until SIGTERM or SIGINT; `started` is called once it accepts connections.

    Raises CannotStart if the port is taken, or the store or the spool cannot be used.
    """
    listener = _listen(settings.host, settings.port)
    with contextlib.closing(listener):
        async with _open_inbox(settings) as (inbox, new_admin_key):
            server = _Server(inbox, settings)
            started(Started(_url_of(listener), new_admin_key))
            await server.serve(sockets=[listener])


@contextlib.asynccontextmanager
async def _open_inbox(settings: Settings) -> AsyncGenerator[tuple[Inbox, str | None], None]:
    """Open everything behind the web, and keep the spool drained and old messages deleted meanwhile."""
    async with contextlib.AsyncExitStack() as stack:
        spool = stack.enter_context(contextlib.closing(Spool(settings.spool)))
        store = await open_store(settings.store, join_parts)
        stack.push_async_callback(store.close)
        inbox = await Inbox.open(store)
        intake = Intake(spool, inbox, settings.line_of)
        inbox.catch_up = intake.drain
        new_admin_key = await ensure_admin_key(inbox, settings.admin_key)
        # What waited in the spool while no server ran is old: it gets its positions before anyone can ask for "now".
        await intake.drain()
        pokes = stack.enter_context(contextlib.closing(Pokes(spool.folder)))
        async with asyncio.TaskGroup() as tasks:  # one that breaks ends the server, and its supervisor starts it anew
            background = [
                tasks.create_task(inbox.feed()),
                tasks.create_task(intake.keep_draining(pokes)),
                tasks.create_task(inbox.keep_pruning(settings.retention)),
                tasks.create_task(inbox.keep_showing_incomplete(settings.part_timeout)),
                *(
                    tasks.create_task(run_link(number, Path(line.device), spool.folder, pin=line.pin))
                    for number, line in settings.lines.items()
                    if line.device is not None
                ),
            ]
            yield inbox, new_admin_key
            for task in background:
                task.cancel()


class _Server(uvicorn.Server):
    """uvicorn, except that a signal ends the waits first: it would sit out every long-poll otherwise."""

    def __init__(self, inbox: Inbox, settings: Settings) -> None:
        super().__init__(
            uvicorn.Config(
                make_app(inbox, settings),
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._inbox = inbox

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal and leave it at that; uvicorn's own way raises it again, which would skip our tidying."""
        loop = asyncio.get_running_loop()
        for number in STOPPING:
            loop.add_signal_handler(number, self.stop)
        try:
            yield
        finally:
            for number in STOPPING:
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Answer all waits and end; asked twice, end without waiting for clients."""
        self._inbox.hub.close()
        self.force_exit = self.should_exit
        self.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises CannotStart, saying how to find who has the port."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise CannotStart(
            f"Cannot listen on {host} port {port}: {error.strerror}. `ss -ltnp` shows who has a port; name another with"
            " SMSCATCH_PORT (0: any free one), or another address with SMSCATCH_HOST."
        ) from error
    return listener


def _url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
