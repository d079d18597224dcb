"""A real PgBouncer for tests, in front of a PostgreSQL: what a pooler in its transaction mode does to a client."""

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.servers.postgres import as_user


def find_pgbouncer() -> str:
    """Return the path of the program. Raises RuntimeError with what to install."""
    found = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
    if found is None:
        raise RuntimeError("No PgBouncer for the tests: apt-get install pgbouncer (scripts/setup test does).")
    return found


@contextlib.contextmanager
def a_pooler(url: str, pool_mode: str = "transaction", **more: str) -> Iterator[str]:
    """Lend a pooler in front of the database at `url`: yield its URL, with the same user and database.

    It hands out its server connections in turn, so that what is left in one is not found again by chance.
    """
    server = conninfo_to_dict(url)
    port = free_port()
    settings = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "plain",
        "pool_mode": pool_mode,
        "default_pool_size": 4,
        "server_round_robin": 1,
        **more,
    }
    with tempfile.TemporaryDirectory(prefix="smscatch-pgbouncer-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "users").write_text(f'"{server["user"]}" "{server["password"]}"\n')
        lines = [f"{key} = {value}" for key, value in (settings | {"auth_file": folder / "users"}).items()]
        to_server = f"* = host={server['host']} port={server.get('port', 5432)}"
        (folder / "ini").write_text("\n".join(["[databases]", to_server, "[pgbouncer]", *lines]))
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [*as_user(), find_pgbouncer(), str(folder / "ini")], stdout=log, stderr=log, cwd="/"
            )
        try:
            lent = f"postgresql://{server['user']}:{quote(str(server['password']), safe='')}@127.0.0.1:{port}"
            lent += f"/{server['dbname']}"
            _wait_for(lent, process, folder / "log")
            yield lent
        finally:
            process.kill()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(url, connect_timeout=5).close()
            return
        assert process.poll() is None, f"pgbouncer ended: {log.read_text()}"
        assert time.monotonic() < deadline, f"pgbouncer does not answer: {log.read_text()}"
        time.sleep(0.02)
