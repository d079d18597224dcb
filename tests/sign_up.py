"""An app that texts a code to whoever signs up, and the carrier that brings it: for tests of tests that run at once.

The carrier behaves as carriers do: it delays texts, brings some of them twice and some long after they were of use, and
other texts come in between. Its clocks are wrong and tell whole seconds. The app knows for each sign-up which code is
right, and keeps count of who got it wrong.
"""

import collections
import http.server
import itertools
import random
import secrets
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from smscatch.pdu import encode_deliver
from smscatch.spool import Entry, write_entry

SENDER = "Example"
STALE = ("twice", "too late")  # the kinds of texts that come when their test is over
# How many seconds the clocks of the SMSCs are ahead, less than the default tolerance.
CLOCKS = (0, -40, 40)
EARLIER_TEXTS = 3
# A text of the rest is brought so long before its end, to be in the spool by then.
MARGIN_SECONDS = 0.5
# A text that was accepted so long before a lease began is known to be late (smscatch.stores.leasing), but not always a
# younger one: those come only while the line rests.
TELLING_SECONDS = 5


class Habits(NamedTuple):
    """How the carrier is: what share of the texts comes twice, too late, or after one that nobody asked for."""

    delay_seconds: float
    rest_seconds: float
    twice: float = 0.3
    too_late: float = 0.4
    foreign: float = 0.5


class SignUp(NamedTuple):
    """One sign-up: the number, the right code, and when it was sent."""

    number: str
    code: str
    sent_at: float


class Text(NamedTuple):
    """A text under way; `kind` is for the count, `sent_at` when the SMSC accepted it."""

    kind: str
    number: str
    sender: str
    text: str
    sent_at: float


class App:
    """The app and the carrier; an HTTP server while it is used in a `with` block.

    `right` and `wrong` count the codes that were entered, `brought` the texts of each kind; `sent_for` says for which
    sign-up a code was sent.
    """

    def __init__(self, spool: Path, habits: Habits) -> None:
        self.right = 0
        self.wrong = 0
        self.brought: collections.Counter[str] = collections.Counter()
        self.sent_for: dict[str, SignUp] = {}
        self._spool = spool
        self._habits = habits
        self._chance = random.Random(7672)
        self._codes = iter(self._chance.sample(range(10**5, 10**6), 10_000))
        self._lock = threading.Lock()
        self._sign_ups: dict[str, SignUp] = {}
        self._held: dict[str, list[Text]] = {}  # what comes when a later test waits
        self._ended: dict[str, float] = {}  # when the test was over that a number had last
        self._clocks: dict[str, int] = {}
        self._shares: collections.Counter[str] = collections.Counter()
        self._under_way = 0
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

    def is_bringing(self) -> bool:
        """Return whether texts are under way that come without anybody's doing."""
        with self._lock:
            return self._under_way > 0

    def text_earlier(self, numbers: Sequence[str]) -> None:
        """Let texts come to the numbers of before all tests: none took a second."""
        for number, clock in zip(numbers, itertools.cycle(CLOCKS), strict=False):
            self._clocks[number] = clock
            for _ in range(EARLIER_TEXTS):
                code = f"Your Example code is {self._code()}"
                self._bring(Text("earlier", number, SENDER, code, time.time() - self._chance.random()))

    def sign_up(self, number: str) -> str:
        """GET /sign-up?number=: send a code to the number; answers at once, with a token."""
        token = secrets.token_hex(8)
        with self._lock:
            sign_up = self._sign_ups[token] = SignUp(number, self._code(), time.time())
            texts = [self._text("in time", sign_up), *self._take_held(number)]
            if self._is_due("foreign", self._habits.foreign):
                texts.append(self._text("foreign", sign_up))
            for text in texts:
                self._later(self._habits.delay_seconds, text)
        return token

    def verify(self, token: str, code: str) -> str:
        """GET /verify?token=&code=: answers `right` or `wrong`. The last that a test asks."""
        with self._lock:
            sign_up = self._sign_ups[token]
            is_right = code == sign_up.code
            self.right, self.wrong = self.right + is_right, self.wrong + (not is_right)
            self._ended[sign_up.number] = time.time()
            for kind, share in zip(STALE, (self._habits.twice, self._habits.too_late), strict=True):
                if self._is_due(kind, share):
                    self._delay(self._text(kind, sign_up))
        return "right" if is_right else "wrong"

    def _delay(self, text: Text) -> None:
        """Let a text of a test that is over come while the line rests, or while a later test waits for another."""
        if self._is_due(f"{text.kind}, while the line rests", 0.5):
            self._later(self._habits.rest_seconds - MARGIN_SECONDS, text)
        else:
            self._held.setdefault(text.number, []).append(text)

    def _is_due(self, kind: str, share: float) -> bool:
        """Return True for this share of the calls, evenly: however the tests take turns, each kind comes."""
        self._shares[kind] += 1
        count = self._shares[kind]
        return int(count * share) > int((count - 1) * share)

    def _take_held(self, number: str) -> list[Text]:
        """Return what may come while the test waits that has the number now."""
        held = self._held.pop(number, [])
        now = time.time()
        self._held[number] = [text for text in held if not self._may_come(text, now)]
        return [text for text in held if self._may_come(text, now)]

    def _may_come(self, text: Text, now: float) -> bool:
        """Return whether the line rests for sure, or the text is so old that any later test can tell."""
        ended = self._ended[text.number]
        return now <= ended + self._habits.rest_seconds - MARGIN_SECONDS or text.sent_at <= ended - TELLING_SECONDS

    def _code(self) -> str:
        return str(next(self._codes))

    def _text(self, kind: str, of: SignUp) -> Text:
        if kind == "foreign":
            return Text(kind, of.number, "Google", f"G-{self._code()} is your Google verification code.", of.sent_at)
        code, sent_at = (self._code(), time.time()) if kind == "too late" else (of.code, of.sent_at)
        self.sent_for[code] = of
        return Text(kind, of.number, SENDER, f"Your Example code is {code}", sent_at)

    def _later(self, longest_seconds: float, text: Text) -> None:
        """Let a text come within the time."""
        self._under_way += 1
        timer = threading.Timer(self._chance.uniform(0, longest_seconds), self._arrive, [text])
        timer.daemon = True
        timer.start()

    def _arrive(self, text: Text) -> None:
        self._bring(text)
        with self._lock:
            self._under_way -= 1

    def _bring(self, text: Text) -> None:
        with self._lock:
            if self._is_closed:
                return
            now_ns = time.time_ns()  # when it is received: what is decided of it now must be true then
            if text.kind in STALE and not self._may_come(text, now_ns / 1e9):  # a busy machine missed the rest
                self._held.setdefault(text.number, []).append(text)
                return
            self.brought[text.kind] += 1
            sent_at = datetime.fromtimestamp(int(text.sent_at + self._clocks[text.number]), UTC)
            (pdu,) = encode_deliver(text.sender, text.text, sent_at)
            body = f"time_ns={now_ns}\0line={text.number}\0pdu={pdu}\0".encode()
            write_entry(self._spool, Entry(f"{time.time_ns():020d}-{secrets.token_hex(8)}", "pdu", body))


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
