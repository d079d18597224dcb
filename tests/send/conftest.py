"""A server for the SDKs of providers, which talk to it as to the provider; and what it calls back."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest

from smscatch import Client
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(scope="session")
def catcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that catches; the administrator's key may send too."""
    server = Server(tmp_path_factory.mktemp("catcher"))
    server.start(SMSCATCH_VIRTUAL_DEFAULT="true")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sms(catcher: Server) -> Iterator[Client]:
    with Client(catcher.url, ADMIN_KEY) as client:
        yield client


class Called(NamedTuple):
    """A request that came back to the application."""

    path: str
    headers: dict[str, str]
    form: dict[str, str]
    body: str


class Application:
    """The part of an application that is called back."""

    def __init__(self) -> None:
        calls = self._calls = Queue[Called]()
        answers = self.answers = list[int]()  # of the next calls, in their order; then 204

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                calls.put(Called(self.path, headers, dict(parse_qsl(body, keep_blank_values=True)), body))
                self.send_response(answers.pop(0) if answers else 204)
                self.end_headers()

            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                calls.put(Called(self.path, headers, dict(parse_qsl(urlsplit(self.path).query)), ""))
                self.send_response(answers.pop(0) if answers else 204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base has it
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def next_call(self) -> Called:
        return self._calls.get(timeout=PATIENCE_SECONDS)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def application() -> Iterator[Application]:
    running = Application()
    yield running
    running.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "spool").mkdir()
    return tmp_path
