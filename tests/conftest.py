"""An inbox on a real store, and a real server process."""

import asyncio
import contextlib
import gc
import importlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from smscatch import Client, hook
from smscatch.committing import Committer
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.sources import join_parts
from smscatch.spool import Entry, new_name, write_entry
from smscatch.stores import open_store
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.samples import NOON
from tests.surroundings import SHARED_FOLDER, adopt_orphans, bare_environ, end_children, hide_user, share_folder
from tests.warm import WarmProcess

# Under nohup SIGHUP is ignored, and in a shell's background SIGINT and SIGQUIT, also by what we start, which is to end
# at them; a handler is not handed down.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, lambda *_: None)

# Hypothesis counts seconds, which a busy machine stretches.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

T = TypeVar("T")
TESTS = Path(__file__).parent
ADMIN_KEY = "the-administrator-of-the-tests"


# A file is tried by one worker; the files of each of these follow one another in the same one, which starts a browser
# once for them.
PAGES = (
    ("pages/test_page_craft.py", "pages/test_page_find.py", "pages/test_page_live.py"),
    (
        *("pages/test_page_stream.py", "pages/test_page_message.py", "pages/test_page_keys.py"),
        *("pages/test_page_lines.py", "pages/test_page_burst.py", "pages/test_page_sites.py"),
        *("pages/test_page_rows.py", "pages/test_page_look.py", "pages/test_page_login.py"),
        "pages/test_page_clearing.py",
    ),
)
TOGETHER = {name: files[0] for files in PAGES for name in files}
# Started first, in this order, or the other workers wait for them at the end.
LONGEST = (
    *TOGETHER,
    *("tests/test_cli.py", "tests/test_js.py", "tests/test_parallel.py", "tests/test_instances.py"),
    *("openapi/test_tools.py", "tests/test_end_to_end.py", "stores/test_contract.py", "stores/test_mongo.py"),
    *("modem/test_simulator_gammu.py", "tests/test_opening.py", "tests/test_pytest_plugin.py", "tests/test_demo.py"),
    *("stores/test_leases.py", "stores/test_postgres_away.py", "stores/test_moving.py"),
    *("modem/test_manners.py", "modem/test_link_faults.py", "tests/test_examples.py"),
    *("tests/test_keeping.py", "tests/test_docs.py", "tests/test_server_limits.py"),
    *("modem/test_gammucheck.py", "tests/test_client_away.py", "tests/test_server.py", "modem/test_link_kill.py"),
)


def in_thread(work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` does. In a thread: this one may have a loop, as while Playwright's synchronous API is open."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # until all is collected: what is made by then stays
    home = tempfile.TemporaryDirectory(prefix="smscatch-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(home.cleanup)
    hide_user(Path(home.name))
    if not hasattr(config, "workerinput") and SHARED_FOLDER not in os.environ:
        share_folder(Path(home.name))
    adopt_orphans()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Have each of several workers load the modules of a whole run in an order of its own.

    Whoever loads one first also compiles it, which takes most of the time: so each does a part of that for the others.
    """
    given = getattr(session.config, "workerinput", None)
    if given is None or session.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    files = sorted(TESTS.rglob("test_*.py"))
    count, number = given["workercount"], int(given["workerid"].removeprefix("gw"))
    for part in range(count):
        for path in files[(number + part) % count :: count]:
            with contextlib.suppress(Exception):  # is said where the module is collected
                importlib.import_module(".".join(path.relative_to(TESTS.parent).with_suffix("").parts))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(in_its_folder(item.path), len(places)))  # stable: else as it was


def in_its_folder(path: Path) -> str:
    """Return a file's name with that of its folder: several have one name."""
    return f"{path.parent.name}/{path.name}"


class FilesTogether(LoadFileScheduling):  # type: ignore[misc]
    """Shares the files among the workers, those that are TOGETHER as if they were one."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return TOGETHER.get(in_its_folder(Path(file)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config) -> LoadFileScheduling | None:
    return FilesTogether(config) if config.option.dist == "loadfile" else None


def pytest_collection_finish() -> None:
    gc.freeze()  # what is loaded by now stays: collections in tests take a tenth of the time without it
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left_running() -> Iterator[None]:
    """Fail a run that leaves processes behind. Set up first, so torn down after the servers and the browser."""
    yield
    assert multiprocessing.active_children() == [], "these copies outlived the tests that started them"
    assert end_children() == {}, "these processes outlived the tests that started them"


class Clock:
    """Stands still at noon until it is told to advance."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class SetClock(Clock):
    """Stands still at noon until it is told to advance; may be set, too, which does not change what has `elapsed`."""

    def __init__(self) -> None:
        super().__init__()
        self._elapsed = 1000.0

    def elapsed(self) -> float:
        return self._elapsed

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self._elapsed += seconds

    def set(self, step: timedelta) -> None:
        self.time += step


@pytest.fixture(scope="session", autouse=True)
def store_is_not_taken_for_silent() -> Iterator[None]:
    """Have the applications of our own process wait for their store, which may be slow on a busy machine.

    Nobody drains the spool for those that have no server around them.
    """
    patient = partial(Committer, patience_seconds=PATIENCE_SECONDS)
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr("smscatch.web.app.Committer", patient)
        yield


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of SQLite with the tables and nothing in them: copying takes a tenth of making them."""

    async def make(path: Path) -> None:
        await (await open_store(f"sqlite:///{path}", join_parts)).close()

    path = tmp_path_factory.mktemp("new") / "smscatch.db"
    in_thread(make(path))
    return path


@pytest.fixture
async def inbox(tmp_path: Path, clock: Clock, new_database: Path) -> AsyncIterator[Inbox]:
    shutil.copy(new_database, tmp_path / "inbox.db")
    store = await open_store(f"sqlite:///{tmp_path}/inbox.db", join_parts)
    opened = await Inbox.open(store, now=clock)
    feed = asyncio.create_task(opened.feed())
    yield opened
    feed.cancel()
    await asyncio.gather(feed, return_exceptions=True)
    await store.close()


@pytest.fixture
def leases(inbox: Inbox) -> Leases:
    return Leases(inbox, rest=timedelta(seconds=5), tolerance=timedelta(seconds=60))


class Server:
    """`smscatch serve` as a process, on a port and with an environment that stay the same when it is started again.

    `is_fresh`: it starts as users start it, with an interpreter of its own, which takes half a second of CPU more.
    """

    def __init__(self, folder: Path, *, is_fresh: bool = False) -> None:
        self.folder = folder
        self._is_fresh = is_fresh
        self.spool = folder / "spool"
        self.port = free_port()
        self.environ: dict[str, str] = {}
        self.url = ""
        self.process: subprocess.Popen[str] | WarmProcess | None = None

    def start(self, **environ: str) -> "Server":
        self.environ |= environ
        given = bare_environ(
            SMSCATCH_STORE=f"sqlite:///{self.folder}/smscatch.db",
            SMSCATCH_SPOOL=str(self.spool),
            SMSCATCH_PORT=str(self.port),
            SMSCATCH_ADMIN_KEY=ADMIN_KEY,
        )
        self.process = self._new_process(given | self.environ)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "listens on" in line, self.log()
        self.url = line.split()[-1]
        self.port = int(self.url.rpartition(":")[2])
        return self

    def _new_process(self, environ: dict[str, str]) -> "subprocess.Popen[str] | WarmProcess":
        path = self.folder / "server.log"
        if not self._is_fresh:
            return WarmProcess(["serve"], environ, path)
        command = [sys.executable, "-W", "error", "-m", "smscatch.cli", "serve"]
        with path.open("a") as log:
            return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=log, text=True)

    def read_line(self) -> str:
        """Return the next line that the server prints; empty when it ended."""
        assert self.process is not None
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def log(self) -> str:
        return (self.folder / "server.log").read_text()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self._end()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self._end()

    def _end(self) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        status = self.process.wait(PATIENCE_SECONDS)
        self.process.stdout.close()
        return status

    def client(self) -> Client:
        return Client(self.url, ADMIN_KEY)

    def send(self, text: str, *, sender: str = "Authy", line: str = "+447700900001") -> None:
        """Have a text come into the spool as from the hook, whether the server runs or not."""
        spool_text(self.spool, text, sender=sender, line=line)


def spool_text(spool: Path, text: str, *, sender: str = "Authy", line: str = "+447700900001") -> None:
    """Write what the hook writes into a spool, without the process that gammu-smsd starts it as."""
    environ = {name.encode(): value.encode() for name, value in _set_by_gammu(text, sender, line).items()}
    write_entry(spool, Entry(new_name(), "gammu", hook.encode_body(environ, [], time.time_ns())))


def call_hook(spool: Path, text: str, *, sender: str = "Authy", line: str = "+447700900001") -> None:
    """Have the real hook put a text into a spool."""
    command = [sys.executable, "-I", "-S", "-E", str(Path(hook.__file__)), "--spool", str(spool)]
    subprocess.run(command, env=_set_by_gammu(text, sender, line), check=True, timeout=PATIENCE_SECONDS)


def _set_by_gammu(text: str, sender: str, line: str) -> dict[str, str]:
    return {
        "SMS_MESSAGES": "1",
        "DECODED_PARTS": "0",
        "PHONE_ID": line,
        "SMS_1_NUMBER": sender,
        "SMS_1_CLASS": "-1",
        "SMS_1_REFERENCE": "0",
        "SMS_1_TEXT": text,
    }


@pytest.fixture
def is_fresh() -> bool:
    """Whether the servers of a module are started as users start them; those say so to whom the difference matters."""
    return False


@pytest.fixture
def make_server(tmp_path: Path, *, is_fresh: bool) -> Iterator[Callable[[], Server]]:
    """Servers that are killed at the end if they still run."""
    servers: list[Server] = []

    def make() -> Server:
        folder = tmp_path / f"server{len(servers)}"
        folder.mkdir()
        servers.append(Server(folder, is_fresh=is_fresh))
        return servers[-1]

    yield make
    for server in servers:
        if server.process is not None:
            server.kill()


@pytest.fixture
def server(make_server: Callable[[], Server]) -> Server:
    return make_server().start()


@pytest.fixture
def resting_server(make_server: Callable[[], Server]) -> Server:
    """One whose lines rest for an hour after a lease: long enough to be looked at."""
    return make_server().start(SMSCATCH_LEASE_REST="1h")
