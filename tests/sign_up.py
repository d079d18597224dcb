"""An app that texts a code to whoever signs up, and the carrier that brings it: for tests of tests that run at once.

The carrier behaves as carriers do: it delays texts, brings some of them twice and some long after they were of use, and
other texts come in between. The app knows for each sign-up which code is right, and keeps count of who got it wrong.
"""

import collections
import http.server
import random
import secrets
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from smscatch.pdu import encode_deliver
from smscatch.spool import Entry, write_entry

SENDER = "Example"
AGAIN_SECONDS = 0.05


class Habits(NamedTuple):
    """How the carrier is: what share of the texts comes twice, too late, or after one that nobody asked for."""

    delay_seconds: float
    rest_seconds: float
    tolerance_seconds: float
    twice: float = 0.3
    too_late: float = 0.4
    foreign: float = 0.5


class SignUp:
    """One sign-up: the number, the right code, when it was sent, and when the test was through with it."""

    def __init__(self, number: str, code: str) -> None:
        self.number = number
        self.code = code
        self.sent_at = time.time()
        self.ended_at: float | None = None


class Text(NamedTuple):
    """A text under way; `kind` is for the count."""

    kind: str
    of: SignUp
    sender: str
    text: str


class App:
    """The app and the carrier; an HTTP server while it is used in a `with` block.

    `right` and `wrong` count the codes that were entered, `brought` the texts of each kind.
    """

    def __init__(self, spool: Path, habits: Habits) -> None:
        self.right = 0
        self.wrong = 0
        self.brought: collections.Counter[str] = collections.Counter()
        self._spool = spool
        self._habits = habits
        self._chance = random.Random(7672)
        self._lock = threading.Lock()
        self._sign_ups: dict[str, SignUp] = {}
        self._ended: dict[str, float] = {}  # when the newest test that is through with a number was so
        self._is_closed = False
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("", (_Handler,), {"app": self}))
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __repr__(self) -> str:
        return f"<App: {self.right} right, {self.wrong} wrong, brought {dict(self.brought)}>"

    def __enter__(self) -> "App":
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_home()
        self._http.shutdown()
        self._http.server_close()

    def go_home(self) -> None:
        """Bring no more texts: what is still under way never comes."""
        with self._lock:
            self._is_closed = True

    def sign_up(self, number: str) -> str:
        """GET /sign-up?number=: send a code to the number; answers at once, with a token."""
        token = secrets.token_hex(8)
        with self._lock:
            sign_up = self._sign_ups[token] = SignUp(number, self._code())
            self._send("in time", sign_up, self._habits.delay_seconds)
            if self._chance.random() < self._habits.foreign:
                self._send("foreign", sign_up, self._habits.delay_seconds)
        return token

    def verify(self, token: str, code: str) -> str:
        """GET /verify?token=&code=: answers `right` or `wrong`. The last that a test asks."""
        with self._lock:
            sign_up = self._sign_ups[token]
            sign_up.ended_at = self._ended[sign_up.number] = time.time()
            is_right = code == sign_up.code
            self.right, self.wrong = self.right + is_right, self.wrong + (not is_right)
            for kind, share in (("twice", self._habits.twice), ("too late", self._habits.too_late)):
                if self._chance.random() < share:
                    longest = self._chance.choice((self._habits.rest_seconds, 2 * self._habits.tolerance_seconds))
                    self._send(kind, sign_up, longest)
        return "right" if is_right else "wrong"

    def _code(self) -> str:
        return f"{self._chance.randrange(10**5, 10**6)}"

    def _send(self, kind: str, of: SignUp, longest_seconds: float) -> None:
        """Let a text come within the time."""
        sender, text = SENDER, f"Your Example code is {self._code() if kind == 'too late' else of.code}"
        if kind == "foreign":
            sender, text = "Google", f"G-{self._code()} is your Google verification code."
        self._later(self._chance.uniform(0, longest_seconds), Text(kind, of, sender, text))

    def _later(self, seconds: float, text: Text) -> None:
        timer = threading.Timer(seconds, self._bring, [text])
        timer.daemon = True
        timer.start()

    def _bring(self, text: Text) -> None:
        with self._lock:
            now = time.time()
            if self._is_closed:
                return
            if not self._may_come(text, now):
                self._later(AGAIN_SECONDS, text)
                return
            self.brought[text.kind] += 1
            sent_at = datetime.fromtimestamp(text.of.sent_at, UTC)
            (pdu,) = encode_deliver(text.sender, text.text, sent_at)
            body = f"time_ns={int(now * 1e9)}\0line={text.of.number}\0pdu={pdu}\0".encode()
            write_entry(self._spool, Entry(f"{time.time_ns():020d}-{secrets.token_hex(8)}", "pdu", body))

    def _may_come(self, text: Text, now: float) -> bool:
        """Whether nobody could take the text for another test's, if leases are kept.

        It comes while its own test waits or the line rests after it, or when the lease of today began so long after it
        was sent that its time tells it from what that lease waits for. (A text that comes after the rest, but with a
        time within the tolerance, only its words could tell from the right one. So both are set for the carrier.)
        """
        ended_at = text.of.ended_at
        if text.kind == "foreign" or ended_at is None or now < ended_at + self._habits.rest_seconds:
            return True
        # A lease that lasts began after the one before it had ended. An SMSC tells whole seconds.
        return int(text.of.sent_at) + self._habits.tolerance_seconds < self._ended[text.of.number]


class _Handler(http.server.BaseHTTPRequestHandler):
    app: App

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        given = {name: values[0] for name, values in parse_qs(url.query).items()}
        answer = self.app.sign_up(**given) if url.path == "/sign-up" else self.app.verify(**given)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass
