"""A real PostgreSQL for tests: one for all workers of a run, others for those that end a server.

Which server: the URL in SMSCATCH_TEST_POSTGRESQL, or Debian's, run as nobody if we are root. If there is none the
tests fail: skipped they would say nothing. Those that end a server need Debian's, whatever the variable says.
"""

import contextlib
import itertools
import os
import pwd
import secrets
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.surroundings import shared_folder

VARIABLE = "SMSCATCH_TEST_POSTGRESQL"
PASSWORD = "s3cret/@:word"
# Small, and nobody but us: on loopback only, with a password.
FLAGS = (
    *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "shared_buffers=32MB"),
    *("-c", "max_connections=300"),  # of all workers together
    *("-c", "dynamic_shared_memory_type=mmap"),  # in its folder, so that none of it outlives one that was killed
    *("-c", "timezone=Asia/Kathmandu", "-c", "log_min_messages=warning"),
)


def find_programs() -> Path:
    """Return the folder with `initdb` and `postgres`. Raises RuntimeError with what to install."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    on_path = shutil.which("postgres")
    if not found and on_path is None:
        raise RuntimeError(
            f"No PostgreSQL for the tests: apt-get install postgresql (scripts/setup test does), or set {VARIABLE} to"
            " the URL of a server, as a user who may create databases."
        )
    return max(found, key=lambda path: int(path.parent.name)) if found else Path(str(on_path)).parent


def as_user() -> list[str]:
    """Return what to put before a command: PostgreSQL does not run as root, and must end when we do."""
    command = ["setpriv", "--pdeathsig", "QUIT"]
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        command += ["--reuid", str(nobody.pw_uid), "--regid", str(nobody.pw_gid), "--clear-groups"]
    return command


def _made_files() -> Path:
    """Return the files of a new server: made once in a run, as copying them takes a sixth of the time."""
    with shared_folder() as shared:
        folder = shared / "postgres"
        if not (folder / "is-made").exists():
            folder.mkdir(exist_ok=True)
            _make_files(folder)
            (folder / "is-made").touch()
    return folder / "data"


def _make_files(folder: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    command = [str(find_programs() / "initdb"), "--no-sync", "--pgdata", str(folder / "data")]
    command += ["--username", "tester", "--auth", "password", "--pwfile", str(password)]
    command += ["--encoding", "UTF8", "--locale", "C.UTF-8"]
    made = subprocess.run([*as_user(), *command], capture_output=True, text=True, cwd="/", check=False)
    assert made.returncode == 0, f"initdb failed: {made.stdout}{made.stderr}"


class PostgresServer:
    """One server in a folder of its own, on a port that stays the same when it is started again."""

    def __init__(self, folder: Path, *, is_durable: bool = False) -> None:
        self.folder = folder
        self.port = free_port()
        self._is_durable = is_durable
        self._process: subprocess.Popen[bytes] | None = None

    def create(self) -> "PostgresServer":
        """Make its files."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody")
        subprocess.run(["cp", "-a", str(_made_files()), str(self.folder / "data")], check=True)
        return self

    def start(self) -> "PostgresServer":
        """Start it and wait until it answers."""
        command = [str(find_programs() / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), *FLAGS]
        if not self._is_durable:
            command += ["-c", "fsync=off", "-c", "full_page_writes=off"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*as_user(), *command], stdout=log, stderr=log, cwd="/")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert self._process.poll() is None, f"postgres ended: {self.log()}"
            assert time.monotonic() < deadline, f"postgres does not answer: {self.log()}"
            time.sleep(0.02)
        return self

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str, user: str = "tester", password: str = PASSWORD) -> str:
        """Return the URL of a database in it."""
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def log(self) -> str:
        """Return what it said."""
        return (self.folder / "log").read_text(errors="replace")

    def _processes(self) -> list[int]:
        """It and its children, each of which makes a session of its own: they are no process group."""
        assert self._process is not None
        pid = self._process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def send_signal(self, number: signal.Signals) -> None:
        """Stop it and its children (SIGSTOP), let them go on (SIGCONT)."""
        for pid in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """End it, with its children, as a power cut would."""
        if self._process is None:
            return
        for pid in self._processes():
            with contextlib.suppress(ProcessLookupError), open(os.pidfd_open(pid), "rb") as process:
                os.kill(pid, signal.SIGKILL)
                select.select([process], [], [], PATIENCE_SECONDS)  # until it is gone: it shares memory with the next
        self._process.wait()
        self._process = None


@contextlib.contextmanager
def a_server(*, is_durable: bool = False) -> Iterator[PostgresServer]:
    """Lend a server of our own."""
    with tempfile.TemporaryDirectory(prefix="smscatch-postgres-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder), is_durable=is_durable)
        try:
            yield server.create().start()
        finally:
            server.kill()


@contextlib.contextmanager
def a_database() -> Iterator[str]:
    """Lend a database for the session: yield its URL, of which each test takes a schema (`Schemas`, `a_schema`)."""
    with contextlib.ExitStack() as stack:
        given = os.environ.get(VARIABLE)
        server = given or stack.enter_context(a_server()).url("postgres")
        name = f"smscatch_test_{secrets.token_hex(6)}"
        run(server, f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
        stack.callback(run, server, f"DROP DATABASE {name} WITH (FORCE)")
        url = named(server, name)
        run(url, "CREATE EXTENSION pg_trgm")  # or it would belong to the schema of one test
        yield url


_numbers = itertools.count(1)


@contextlib.contextmanager
def a_schema(url: str) -> Iterator[str]:
    """Lend a schema of a database that was never used: yield the URL of a store in it."""
    name = f"test_{next(_numbers)}"
    run(url, f"CREATE SCHEMA {name}")
    yield in_schema(url, name)
    run(url, f"DROP SCHEMA {name} CASCADE")


class Schemas:
    """Schemas of a database, which tests take one after the other, empty."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._taken: set[int] = set()

    def empty(self, number: int) -> str:
        """Return the URL of a store in a schema that has no rows, and its tables if a test has had it before.

        Deleting takes a fifth of what making the tables takes. Who changes the tables wants `a_schema`.
        """
        name = f"kept_{number}"
        if number in self._taken:
            run(self._url, EMPTY.format(schema=name))
        else:
            run(self._url, f"CREATE SCHEMA {name}")
            self._taken.add(number)
        return in_schema(self._url, name)


EMPTY = """
DO $$
DECLARE kept record;
BEGIN
    SET LOCAL search_path TO {schema};
    FOR kept IN SELECT tablename FROM pg_tables WHERE schemaname = '{schema}' LOOP
        IF kept.tablename NOT IN ('schema_steps', 'counters') THEN
            EXECUTE format('DELETE FROM %I', kept.tablename);
        END IF;
    END LOOP;
    FOR kept IN SELECT sequencename FROM pg_sequences WHERE schemaname = '{schema}' LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', kept.sequencename);
    END LOOP;
    IF to_regclass('counters') IS NOT NULL THEN  -- a test may have made no tables
        DELETE FROM counters WHERE name NOT IN ('position', 'prune');
        UPDATE counters SET value = 0;
    END IF;
END $$
"""


def in_schema(url: str, name: str) -> str:
    """Return `url` with a schema in which tables are looked for and made."""
    return f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{name}"


def named(url: str, database: str) -> str:
    """Return `url` with the name of another database."""
    place, _, options = url.partition("?")
    scheme, _, rest = place.partition("://")
    return f"{scheme}://{rest.split('/')[0]}/{database}" + (f"?{options}" if options else "")


def run(url: str, sql: str) -> list[tuple[object, ...]]:
    """Run one statement; return its rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []
