"""The server of the pages' tests: `serve` in a thread of this process, which costs a start of Python less."""

import asyncio
import contextlib
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from smscatch import hook
from smscatch.inbox import Inbox
from smscatch.keys import add_key
from smscatch.modem.health import Health, write_health
from smscatch.server import Started, serve
from smscatch.settings import load_settings
from smscatch.sources import join_parts
from smscatch.spool import Entry, new_name, write_entry
from smscatch.stores import Delivery, Store, open_store
from tests.conftest import in_thread
from tests.patience import PATIENCE_SECONDS

T = TypeVar("T")
KEY = "a-key-for-the-tests"
ONE, TWO = "+447700900001", "+447700900002"
CONFIG = f"""
[lines."{ONE}"]
label = "Line one"
phone_id = "{ONE}"
[lines."{TWO}"]
label = "Line two"
phone_id = "{TWO}"
"""
SET_BY_GAMMU = {
    "SMS_MESSAGES": "1",
    "DECODED_PARTS": "0",
    "SMS_1_CLASS": "-1",
    "SMS_1_REFERENCE": "0",
}


@contextlib.contextmanager
def kept_port() -> Iterator[int]:
    """Lend a port on which only who sets SO_REUSEADDR may listen, as our servers do: nobody gets it by chance."""
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]


class SignalsByHand(asyncio.SelectorEventLoop):
    """A loop for a thread, which no signal reaches: what is to be done at one is done by `at_signal`."""

    def __init__(self) -> None:
        super().__init__()
        self.at_signal: dict[int, Callable[..., object]] = {}

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:  # type: ignore[override]
        self.at_signal[sig] = callback


class Server:
    """`smscatch serve` on a port, and texts that come in as from the hook."""

    def __init__(self, folder: Path, port: int) -> None:
        self._spool = folder / "spool"
        self._spool.mkdir()
        config = folder / "smscatch.toml"
        config.write_text(CONFIG)
        self._store = f"sqlite:///{folder}/store.db"
        self._settings = load_settings(
            {"store": self._store, "spool": str(self._spool), "admin_key": KEY, "port": str(port)},
            environ={"SMSCATCH_CONFIG": str(config)},
        )
        self._loop: SignalsByHand | None = None
        self._thread: threading.Thread | None = None
        self._client = httpx2.Client(
            headers={"authorization": f"Bearer {KEY}"}, verify=False, trust_env=False, timeout=PATIENCE_SECONDS
        )
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def api(self, method: str, path: str, **options: Any) -> Any:
        """Call the API as the administrator; return the JSON of the answer, None if it has none."""
        answer = self._client.request(method, f"{self.url}{path}", **options)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def make_key(self, name: str, *scopes: str, lines: Sequence[str] = ()) -> str:
        """Make a key in the store, as the command does; return its secret."""

        async def make(store: Store) -> str:
            return (await add_key(await Inbox.open(store), name, scopes, tuple(lines) or None))[1]

        return self._on_store(make)

    def report(self, line: str, **facts: Any) -> None:
        """Publish how the modem of a line is, as its link would."""
        write_health(self._spool, Health(line=line, device="/dev/ttyUSB0", **facts))

    def empty(self) -> None:
        """Run, without any message."""
        if self._thread is None:
            self.start()
        shutil.rmtree(self._spool / "health", ignore_errors=True)  # first: a line that had only a modem is none then
        for line in self.api("GET", "/api/v1/lines")["lines"]:
            self.api("DELETE", "/api/v1/messages", params={"line": line["number"]})

    def deliver(self, texts: Sequence[str]) -> None:
        """Have these come in, in this order, by one request, as from another machine."""
        self.api(
            "POST", "/api/v1/inbound/generic", json=[{"line": ONE, "sender": "Authy", "text": text} for text in texts]
        )

    def fill(self, deliveries: Sequence[Delivery]) -> None:
        """Have the store keep these, whose times are of the past or which are many, and start again."""

        async def keep(store: Store) -> None:
            for start in range(0, len(deliveries), 500):
                await store.add(deliveries[start : start + 500])

        self.stop()
        self._on_store(keep)
        self.start()

    def _on_store(self, act: Callable[[Store], Coroutine[Any, Any, T]]) -> T:
        async def work() -> T:
            store = await open_store(self._store, join_parts)
            try:
                return await act(store)
            finally:
                await store.close()

        return in_thread(work())

    def start(self) -> None:
        """Start; again on the same port if it ran before."""
        self._loop = SignalsByHand()
        started: Future[Started] = Future()
        self._thread = threading.Thread(target=self._run, args=(self._loop, started))
        self._thread.start()
        started.result(PATIENCE_SECONDS)

    def _run(self, loop: SignalsByHand, started: Future[Started]) -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            try:
                runner.run(serve(self._settings, started.set_result, print))
            except BaseException as error:
                if started.done():
                    raise
                started.set_exception(error)

    def stop(self) -> None:
        """End as at SIGTERM."""
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.at_signal[signal.SIGTERM])
            self._thread.join()
        self._thread = None

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Answer nothing meanwhile, nor end any connection."""
        assert self._loop is not None
        thaw = threading.Event()
        self._loop.call_soon_threadsafe(thaw.wait)
        try:
            yield
        finally:
            thaw.set()

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._client.close()

    def receive(self, text: str | None, sender: str = "Authy", line: str = ONE, **variables: str) -> None:
        """Let a text come in as from the hook, whether the server runs or not; None is a message without text."""
        environ = SET_BY_GAMMU | {"PHONE_ID": line, "SMS_1_NUMBER": sender} | variables
        if text is not None:
            environ |= {"SMS_1_TEXT": text}
        encoded = {name.encode(): value.encode() for name, value in environ.items()}
        write_entry(self._spool, Entry(new_name(), "gammu", hook.encode_body(encoded, [], time.time_ns())))
