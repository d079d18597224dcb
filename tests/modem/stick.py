"""A HiLink stick as far as our engine asks it: pages in the form of its web API, with tokens, sessions and a login.

Form: https://github.com/Salamek/huawei-lte-api, as the client reads it; a real stick remains to be tried.
"""

import base64
import hashlib
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from xml.sax.saxutils import escape

import xmltodict  # type: ignore[import-untyped]

NO_SUPPORT, NO_RIGHTS, CSRF, TAKEN_OVER, ALREADY_LOGIN, WRONG_PASSWORD = 100002, 100003, 125002, 125003, 108003, 108006


class StickError(Exception):
    """What is answered with an error; the argument is its code."""


class Stick(AbstractContextManager["Stick"]):
    """A stick that runs. Tests change what it holds; `asked` are the paths of all requests."""

    def __init__(self, password: str | None = None) -> None:
        self.password = password
        self.texts: dict[int, dict[str, str]] = {}
        self.facts: dict[str, dict[str, str]] = {
            "device/information": {"DeviceName": "E3372", "Imei": "490154203237518", "Imsi": "001010123456789"},
            "monitoring/status": {"SignalIcon": "4", "maxsignal": "5", "ServiceStatus": "2"},
            "device/signal": {"rssi": "-71dBm"},
            "net/current-plmn": {"FullName": "Test Net"},
            "pin/status": {"SimState": "257"},
        }
        self.counted = {"LocalMax": "500", "LocalOutbox": "0", "LocalDraft": "0", "SimInbox": "0"}
        self.asked: list[str] = []
        self.error: int | None = None  # of every call on texts
        self.is_held = False
        self.keeps_deleted = False
        self.is_foreign = False  # a web page, but no stick's
        self._next, self._token, self._is_in = 40000, 0, False
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        stick = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stick.answer(self, {})

            def do_POST(self) -> None:
                asked = xmltodict.parse(self.rfile.read(int(self.headers["Content-Length"])))
                stick.answer(self, asked["request"])

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}"

    def deliver(self, text: str, **fields: str) -> int:
        """Have a text arrive; return its Index."""
        self._next += 1
        told = {"Phone": "Authy", "Content": text, "Date": "2026-11-28 20:00:00", "Sca": "", "SmsType": "1"}
        self.texts[self._next] = told | fields
        return self._next

    def end_session(self) -> None:
        """Forget who is logged in, and which token is due, as a stick does after some minutes."""
        self._is_in, self._token = False, self._token + 1

    def answer(self, request: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
        with self._lock:
            path = request.path.removeprefix("/api/")
            self.asked.append(path)
            try:
                body = self._page(request, path, asked)
            except StickError as error:
                body = f"<error><code>{error.args[0]}</code><message></message></error>"
            if request.command == "POST":
                self._token += 1
            token = f"token{self._token}"
        data = f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode()
        request.send_response(200)
        request.send_header("Content-Length", str(len(data)))
        if request.command == "POST":
            request.send_header("__RequestVerificationToken", token)
        request.end_headers()
        request.wfile.write(data)

    def _page(self, request: BaseHTTPRequestHandler, path: str, asked: dict[str, Any]) -> str:
        if self.is_foreign:
            return "<html>hello<br></html>"
        if path == "/":
            return "<html></html>"
        token = f"token{self._token}"
        if request.command == "POST" and request.headers.get("__RequestVerificationToken") != token:
            raise StickError(CSRF)
        calls: dict[str, Callable[[], str]] = {
            "webserver/SesTokInfo": lambda: f"<SesInfo>SessionID=1</SesInfo><TokInfo>{token}</TokInfo>",
            "user/state-login": lambda: "<State>-1</State><password_type>4</password_type>",
            "user/login": lambda: self._log_in(asked, token),
            "user/logout": self._log_out,
            "sms/sms-list": lambda: self._list(asked),
            "sms/delete-sms": lambda: self._delete(int(asked["Index"])),
            "sms/sms-count": lambda: _xml(self.counted | {"LocalInbox": str(len(self.texts))}),
            **{name: partial(_xml, facts) for name, facts in self.facts.items()},
        }
        if path not in calls:
            raise StickError(NO_SUPPORT)
        if not path.startswith(("webserver", "user")):
            self._check_session(path)
        return f"<response>{calls[path]()}</response>"

    def _check_session(self, path: str) -> None:
        if self.is_held:
            raise StickError(TAKEN_OVER)
        if self.password and not self._is_in:
            raise StickError(NO_RIGHTS)
        if self.error and path.startswith("sms/"):
            raise StickError(self.error)

    def _log_in(self, asked: dict[str, Any], token: str) -> str:
        if self.is_held:
            raise StickError(ALREADY_LOGIN)
        inner = base64.b64encode(hashlib.sha256((self.password or "").encode()).hexdigest().encode()).decode()
        outer = hashlib.sha256(f"{asked['Username']}{inner}{token}".encode()).hexdigest()
        if asked["Password"] != base64.b64encode(outer.encode()).decode():
            raise StickError(WRONG_PASSWORD)
        self._is_in = True
        return "OK"

    def _log_out(self) -> str:
        self._is_in = False
        return "OK"

    def _list(self, asked: dict[str, Any]) -> str:
        first, size = (int(asked["PageIndex"]) - 1) * int(asked["ReadCount"]), int(asked["ReadCount"])
        shown = list(self.texts.items())[first : first + size]
        texts = "".join(
            f"<Message>{_xml({'Smstat': '0', 'Index': str(index)} | told)}</Message>" for index, told in shown
        )
        return f"<Count>{len(shown)}</Count><Messages>{texts}</Messages>"

    def _delete(self, index: int) -> str:
        if not self.keeps_deleted:
            self.texts.pop(index, None)
        return "OK"


def _xml(fields: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
