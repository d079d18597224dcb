"""The server: store, spool, inbox and web put together, and taken apart in order when it ends."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from smscatch import codes
from smscatch.access import House
from smscatch.draining import Drain
from smscatch.errors import CannotStart
from smscatch.inbox import Inbox
from smscatch.intake import drain_into
from smscatch.leases import Leases
from smscatch.opening import Opening
from smscatch.redirecting import smpp_scheme
from smscatch.rights import keep_ending_forfeited
from smscatch.running import Run, background, run_all
from smscatch.settings import Settings
from smscatch.sinks import Sink, open_sinks
from smscatch.sinks.callbacks import Callbacks
from smscatch.sinks.runner import run_sinks
from smscatch.smpp.states import BindStates
from smscatch.spool import Pokes, Spool
from smscatch.stores.absent import absent_store
from smscatch.supervisor import NOBODY, Supervisor
from smscatch.web.app import app_in, make_context
from smscatch.web.connections import AcceptErrors, most_connections, trim_memory
from smscatch.web.endpoint import Context, SendTest
from smscatch.web.serving import HttpServer

BACKLOG = 2048
READY_SECONDS = 0.5  # then the first answers are out
TRIM_SECONDS = 60.0
# Of the collector of cyclic garbage (gc.set_threshold), which is slow where thousands wait and little is cyclic.
GARBAGE = (10_000, 20, 20)
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Started:
    """What a caller may want to tell: where the server listens, and the administrator's key if it was made just now.

    `smpp_url` is where it does for those who send by SMPP, None if it does not.
    """

    def __init__(self, url: str, new_admin_key: str | None, smpp_url: str | None = None) -> None:
        self.url = url
        self.new_admin_key = new_admin_key
        self.smpp_url = smpp_url


async def serve(
    settings: Settings,
    started: Callable[[Started], None],
    show_key: Callable[[str], None],
    test_lines: Mapping[str, SendTest] = MappingProxyType({}),
    *,
    supervisor: Supervisor = NOBODY,
) -> None:
    """Run the server until SIGTERM, SIGINT or SIGHUP; `started` is called once it accepts connections.

    While the store is away it takes deliveries into the spool; the administrator's key goes to `show_key` if it is made
    only when the store comes. Raises CannotStart if the port is taken, or the store or the spool can never be used.
    Lets the process open as many files as it may. The signals stay ours to the end of the event loop: the caller may
    tidy up undisturbed. The page offers to send a text to each of `test_lines`. `supervisor` hears how it goes, and may
    have opened the socket.
    """
    limit, sinks, readers = most_connections(), open_sinks(settings), _readers(settings)
    asyncio.get_running_loop().set_exception_handler(AcceptErrors())
    with contextlib.ExitStack() as sockets:
        listener = supervisor.listener() or _listen(settings.host, settings.port)
        sockets.enter_context(contextlib.closing(listener))
        smpp_listener = _listen_for_smpp(settings, sockets)
        async with _open_spool(settings) as (inbox, drain, pokes):
            context = _make_context(inbox, settings, test_lines, smpp_listener)
            server = HttpServer(app_in(context), limit, partial(_end_waits, context.house))
            smpp_server = _smpp_server(smpp_listener, context)
            _call_at_signals(server.stop)
            opening = Opening(settings, inbox, drain)
            # Last: a key is shown only once, and a failure in between would leave one that nobody knows.
            started(Started(_url_of(listener), await opening.start(), _smpp_url_of(smpp_listener, settings)))
            runs = [
                Run("the store", partial(_work_on_store, opening, show_key, _runs_on_store(context, sinks))),
                Run("the spool", partial(drain.keep_draining, pokes)),
                Run("keeping memory small", keep_memory_small),
            ]
            # A run that breaks ends the server, and its supervisor starts it anew.
            more = [*_folders(settings), *_binds(settings, context.binds), *smpp_server]
            async with background([*runs, *readers, *more, *_supervision(supervisor)]):
                await _answer(server, listener, supervisor)


def _make_context(
    inbox: Inbox, settings: Settings, test_lines: Mapping[str, SendTest], smpp_listener: socket.socket | None
) -> Context:
    return make_context(
        inbox,
        Leases(inbox, settings.lease_rest, settings.lease_tolerance),
        settings,
        test_lines=test_lines,
        callbacks=Callbacks(inbox, allows_private=settings.calls_private),
        smpp_port=None if smpp_listener is None else smpp_listener.getsockname()[1],
    )


async def _answer(server: HttpServer, listener: socket.socket, supervisor: Supervisor) -> None:
    """Answer until the server is stopped, and tell the supervisor when that begins and ends."""
    supervisor.tell(f"READY=1\nSTATUS=listens on {_url_of(listener)}")
    await server.serve(sockets=[listener])
    supervisor.tell("STOPPING=1")


def _end_waits(house: House) -> None:
    house.inbox.hub.close()
    house.leases.close()


async def _work_on_store(opening: Opening, show_key: Callable[[str], None], runs: Sequence[Run]) -> None:
    """Do what needs the store, as soon as it is open."""
    await opening.opened(show_key)
    await run_all(runs)


def _runs_on_store(context: Context, sinks: Sequence[Sink]) -> list[Run]:
    """Return the background jobs that need the store: one line each."""
    house = context.house
    inbox, settings = house.inbox, house.settings
    return [
        Run("passing on new messages", inbox.feed),
        Run(
            "deleting old messages",
            partial(inbox.keep_pruning, settings.retention, settings.retention_messages, settings.retention_size),
        ),
        Run("showing incomplete messages", partial(inbox.keep_showing_incomplete, settings.part_timeout)),
        Run("writing who read what", house.reads.keep_writing),
        Run("ending what keys forfeit", partial(keep_ending_forfeited, house.leases, inbox)),
        Run("sending to the sinks", partial(run_sinks, inbox, sinks)),
        Run("calling applications back", context.callbacks.keep_sending),
        Run("texts that arrive late", context.late.keep_sending),
    ]


async def keep_memory_small(
    ready_seconds: float = READY_SECONDS, interval_seconds: float = TRIM_SECONDS, trim: Callable[[], None] = trim_memory
) -> None:
    """Load the reader of codes soon, and give back again and again what is freed; runs until cancelled.

    The first text need not wait for the reader then, nor does the first answer. Without the giving back what a burst
    of texts or of waits took would stay: its pieces are freed, but lie between others. What a start leaves behind is
    not looked through for garbage again (gc.freeze).
    """
    await asyncio.sleep(ready_seconds)
    with contextlib.suppress(OSError):  # too many files are open: whoever needs it first loads it then
        await asyncio.to_thread(lambda: codes.find_codes)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    while True:
        await asyncio.to_thread(trim)
        await asyncio.sleep(interval_seconds)


def _supervision(supervisor: Supervisor) -> list[Run]:
    """Return what tells a service manager that we live, if it watches."""
    return [Run("the watchdog", supervisor.keep_alive)] if supervisor.watchdog_seconds else []


@contextlib.asynccontextmanager
async def _open_spool(settings: Settings) -> AsyncGenerator[tuple[Inbox, Drain, Pokes], None]:
    """Open everything behind the web but the store."""
    async with contextlib.AsyncExitStack() as stack:
        spool = stack.enter_context(contextlib.closing(Spool(settings.spool)))
        inbox = Inbox(absent_store("The store is not open yet."), 0)

        async def close_store() -> None:
            await inbox.store.close()  # the one that it has by then

        stack.push_async_callback(close_store)
        drain = drain_into(spool, inbox, settings.line_of)
        inbox.catch_up = drain.drain
        yield inbox, drain, stack.enter_context(contextlib.closing(Pokes(spool.folder)))


def _readers(settings: Settings) -> list[Run]:
    """Return what reads the modems of our lines, but for those that have a reader of their own.

    Raises CannotStart if a package for one is missing.
    """
    with_modem = ((number, line) for number, line in settings.lines.items() if line.device is not None)
    lines = {number: line for number, line in with_modem if not line.own_reader}
    if not lines:
        return []
    from smscatch.engines import reader_of  # noqa: PLC0415 - a server without modems does without

    return [Run(f"the modem of {number}", reader_of(number, line, settings.spool)) for number, line in lines.items()]


def _folders(settings: Settings) -> list[Run]:
    """Return what takes the files of another reader of modems."""
    if settings.smstools is None:
        return []
    from smscatch.modem.smstools import Folder  # noqa: PLC0415 - few have it

    return [Run("the folder of smstools", Folder(settings.smstools, settings.spool).keep_taking)]


def _binds(settings: Settings, states: BindStates) -> list[Run]:
    """Return what takes the texts of carriers."""
    if not settings.smpp:
        return []
    from smscatch.smpp.binds import binds_of  # noqa: PLC0415 - a server without carriers does without

    return binds_of(settings, states)


def _listen_for_smpp(settings: Settings, sockets: contextlib.ExitStack) -> socket.socket | None:
    """Return the listening socket for applications that send by SMPP, if they are to be caught. Raises CannotStart."""
    if settings.smpp_server_port is None:
        return None
    listener = _listen(settings.smpp_server_host, settings.smpp_server_port, "SMPP_SERVER_")
    sockets.enter_context(contextlib.closing(listener))
    return listener


def _smpp_server(listener: socket.socket | None, context: Context) -> list[Run]:
    """Return what catches the texts of applications that send by SMPP. Raises CannotStart for a wrong certificate."""
    if listener is None:
        return []
    from smscatch.smsc.front import Front  # noqa: PLC0415 - a server without it does without
    from smscatch.smsc.server import SmppListener, tls_of  # noqa: PLC0415

    front = Front(
        house=context.house,
        committer=context.committer,
        callbacks=context.callbacks,
        tries=context.tries,
        accounts=context.accounts,
        receipt_after=context.settings.smpp_server_receipt_after,
        late=context.late,
    )
    return [
        Run("applications that send by SMPP", SmppListener(front, listener, tls_of(context.settings)).keep_answering)
    ]


def _call_at_signals(stop: Callable[[], None]) -> None:
    for number in STOPPING:
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue  # started by nohup
        asyncio.get_running_loop().add_signal_handler(number, stop)


def _listen(host: str, port: int, setting: str = "") -> socket.socket:
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
            f" SMSCATCH_{setting}PORT (0: any free one), or another address with SMSCATCH_{setting}HOST."
        ) from error
    return listener


def _url_of(listener: socket.socket, scheme: str = "http") -> str:
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _smpp_url_of(listener: socket.socket | None, settings: Settings) -> str | None:
    tls = settings.smpp_server_certificate is not None
    return None if listener is None else _url_of(listener, smpp_scheme(tls=tls))
