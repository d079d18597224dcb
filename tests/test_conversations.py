"""What the clients say and refuse to say, without a server: conversations driven by hand."""

import asyncio
import math
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from smscatch import AsyncClient, CannotReach, Client, NoFreeLine
from smscatch.client import calls, leasing, matchers
from smscatch.client.exchange import GOODBYE_SECONDS, POLL_SECONDS, Ask, Conversation, Pause, cannot_reach
from smscatch.client.leasing import Wanted
from smscatch.errors import BadRequest, BadSetting, SmscatchError
from smscatch.messages import Lease, Message, encode_message
from tests.clients import do
from tests.conftest import ADMIN_KEY
from tests.patience import PATIENCE_SECONDS
from tests.samples import LINE, NOON, a_message

LEASE = Lease(
    id="3f",
    line=LINE,
    holder="",
    key="",
    cursor="1",
    started_at=NOON,
    expires_at=NOON,
    rests_until=NOON,
    late_before=NOON,
)
BOTH = pytest.mark.parametrize("flavour", [Client, AsyncClient])


async def first(events: Iterator[Message] | AsyncIterator[Message]) -> Message:
    return next(events) if isinstance(events, Iterator) else await anext(events)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A function that lets so many seconds pass; otherwise the time stands still."""
    now = time.monotonic()

    def passes(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(time, "monotonic", lambda: now)
    return passes


@pytest.mark.parametrize("why", [None, httpx2.ReadError("cut")], ids=["no server", "its first answer was lost"])
def test_a_wait_that_began_without_a_server_counts_from_its_beginning_on_the_servers_clock(
    passes: Callable[[float], None], why: Exception | None
) -> None:
    waiting = calls.wait("/next", matchers.the_text, 60, {"line": LINE})
    assert isinstance(next(waiting), Ask)
    away = CannotReach("away")
    away.__cause__ = why
    assert isinstance(waiting.throw(away), Pause)
    asked = waiting.send(None)
    assert isinstance(asked, Ask)
    assert asked.path == "/healthz"
    passes(0.01)  # what passes until the answer is here was after the beginning
    asked = waiting.send(httpx2.Response(200, json={"time": "2030-01-01T12:00:00.000Z"}))
    assert isinstance(asked, Ask)
    since = datetime.fromisoformat(asked.params["after"])
    assert datetime(2030, 1, 1, 11, 59, tzinfo=UTC) < since <= datetime(2030, 1, 1, 11, 59, 59, 990_000, tzinfo=UTC)


def asking_for_a_line(patience: float = 0) -> Conversation[Lease]:
    return leasing.lease(Wanted(line=LINE, holder="test", wait=patience))


def asked_by(step: Ask | Pause) -> Ask:
    assert isinstance(step, Ask)
    return step


@pytest.mark.parametrize(
    "error", [NoFreeLine.within(0, "it is leased"), KeyboardInterrupt(), asyncio.CancelledError(), SystemExit(143)]
)
@pytest.mark.parametrize("answer", [None, CannotReach("away")], ids=["told", "away"])
def test_who_leaves_without_a_line_leaves_the_queue(error: BaseException, answer: CannotReach | None) -> None:
    asking = asking_for_a_line()
    asked = asked_by(next(asking))
    assert asked.body is not None
    goodbye = asked_by(asking.throw(error))
    assert (goodbye.method, goodbye.path, goodbye.params) == ("DELETE", asked.path, {"ticket": asked.body["ticket"]})
    with httpx2.Client(base_url="http://smscatch.example") as http:
        assert set(goodbye.build(http).extensions["timeout"].values()) == {GOODBYE_SECONDS}
    with pytest.raises(type(error)) as caught:
        asking.throw(answer) if answer else asking.send(httpx2.Response(204))
    assert str(caught.value) == str(error)


def test_a_line_that_stayed_taken_is_told_with_the_whole_wait(passes: Callable[[float], None]) -> None:
    asking = asking_for_a_line(patience=0.05)
    next(asking)
    asking.throw(CannotReach("away"))
    asked_by(next(asking))
    passes(0.05)
    assert asked_by(asking.throw(NoFreeLine.within(0.012345, "it is leased", ahead=1))).is_goodbye
    with pytest.raises(NoFreeLine, match=r"became free in 0\.05 s: it is leased\. Wait") as caught:
        asking.send(httpx2.Response(204))
    assert caught.value.details == {"reason": "it is leased", "ahead": 1}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), asyncio.CancelledError(), TimeoutError("struck")])
def test_who_is_interrupted_in_the_queue_says_who_has_the_line_and_where_it_stood(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "smscatch")
    asking = asking_for_a_line(60)
    next(asking)
    asked = asked_by(asking.throw(NoFreeLine.within(1, "it is leased to 'test 7'; 2 wait in front", ahead=2)))
    assert asked.body is not None
    assert asked.body["wait_seconds"] == leasing.QUEUE_SECONDS
    assert "waiting for a free line, at place 3 of the queue: it is leased to 'test 7'" in caplog.text
    assert asked_by(asking.throw(error)).is_goodbye
    with pytest.raises(type(error)) as caught:
        asking.send(httpx2.Response(204))
    assert caught.value.__notes__ == [
        "smscatch: after 0 s it still waited for a free line, at place 3 of the queue: it is leased to 'test 7'; 2 wait"
        " in front."
    ]


def test_a_pause_that_is_interrupted_is_followed_by_a_goodbye_and_a_dropped_request_by_none() -> None:
    asking = asking_for_a_line(60)
    next(asking)
    assert isinstance(asking.throw(CannotReach("away")), Pause)
    assert asked_by(asking.throw(KeyboardInterrupt())).is_goodbye
    dropped = asking_for_a_line()
    next(dropped)
    dropped.close()


def test_a_request_that_hung_until_the_time_was_over_is_followed_by_a_last_look(
    passes: Callable[[float], None],
) -> None:
    waiting = calls.wait("/next", matchers.a_code(None), 0.02, {"after": "1"})
    next(waiting)
    passes(0.02)
    assert isinstance(waiting.throw(CannotReach("no answer")), Pause)
    assert asked_by(waiting.send(None)).params["timeout"] == 0
    with pytest.raises(StopIteration) as found:
        waiting.send(httpx2.Response(200, content=encode_message(a_message())))
    assert found.value.value.value == "482913"
    asking = asking_for_a_line(patience=0.02)
    next(asking)
    passes(0.02)
    assert isinstance(asking.throw(CannotReach("no answer")), Pause)
    last = asked_by(asking.send(None))
    assert last.body is not None
    assert last.body["wait_seconds"] == 0
    assert asked_by(asking.throw(CannotReach("no answer"))).is_goodbye


def an_answer(cursor: int, text: str = "Your code is 482913") -> httpx2.Response:
    message = msgspec.structs.replace(a_message(text=text), cursor=str(cursor))
    return httpx2.Response(200, content=encode_message(message))


def waiting_for_the_newest(timeout: float = 60, quiet: float = 5) -> Conversation[matchers.Match]:
    filters = calls.WaitFilters(after="1", newest=True, quiet=quiet)
    return calls.wait("/next", matchers.a_code(None), timeout, filters)


def test_the_newest_is_asked_for_with_time_for_the_quiet() -> None:
    waiting = waiting_for_the_newest()
    asked = asked_by(next(waiting)).params
    assert {name: asked[name] for name in ("newest", "quiet", "timeout")} == {
        "newest": True,
        "quiet": 5,
        "timeout": POLL_SECONDS + 5,
    }
    with pytest.raises(StopIteration) as found:
        waiting.send(an_answer(7))
    assert found.value.value.message.cursor == "7"


def test_the_newest_so_far_is_not_yet_the_newest_while_there_is_time(passes: Callable[[float], None]) -> None:
    """A request whose own time was over may be answered with it."""
    waiting = waiting_for_the_newest()
    next(waiting)
    passes(POLL_SECONDS + 5)
    asked_by(waiting.send(an_answer(7)))
    passes(61 - (POLL_SECONDS + 5))
    with pytest.raises(StopIteration) as found:
        waiting.send(an_answer(8))
    assert found.value.value.message.cursor == "8"


def test_what_is_older_than_a_newest_that_is_not_wanted_was_quiet_already() -> None:
    waiting = waiting_for_the_newest()
    next(waiting)
    asked = asked_by(waiting.send(an_answer(9, "Welcome"))).params
    assert (asked["quiet"], [skip.partition(" ")[0] for skip in asked["skip"]]) == (0, ["9"])
    asked = asked_by(waiting.send(an_answer(10, "Your code is 111111"))).params  # it came just now
    assert asked["quiet"] == 5
    asked = asked_by(waiting.send(an_answer(10, "Welcome"))).params
    assert asked["quiet"] == 0
    with pytest.raises(StopIteration) as found:
        waiting.send(an_answer(8))
    assert found.value.value.message.cursor == "8"


def test_what_is_passed_over_fits_into_an_address() -> None:
    """However many texts come that are not wanted: what is in front of the oldest that is told was looked at."""
    waiting = calls.wait("/next", matchers.a_code("[0-9]{100}" * 20), 60, {"after": "1"})
    asked = asked_by(next(waiting))
    for cursor in range(2, 102):
        text = msgspec.structs.replace(a_message(sender="+4915112345678"), cursor=str(cursor))
        asked = asked_by(waiting.send(httpx2.Response(200, content=encode_message(text))))
    assert (asked.params["after"], len(asked.params["skip"])) == ("81", calls.MOST_SKIPPED)
    with httpx2.Client(base_url="http://smscatch.example") as http:
        assert len(str(asked.build(http).url)) < 8_000


def test_a_long_sender_is_cut_in_what_is_passed_over() -> None:
    read = a_message(sender="x" * 1000)
    asked = asked_by(next(calls.wait("/next", matchers.the_text, 60, {"after": "1"}, returned={read.id: read})))
    (skipped,) = asked.params["skip"]
    assert skipped.startswith(f"{read.id} an earlier wait")
    assert len(skipped) == calls.MAX_SKIP


async def test_a_line_is_released_though_its_task_is_cancelled_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    released = asyncio.Event()

    async def send(_: AsyncClient, request: Ask) -> httpx2.Response:
        if request.method == "DELETE":
            await asyncio.sleep(0)  # here the cancellation arrives
            released.set()
            return httpx2.Response(204)
        return httpx2.Response(201, content=msgspec.json.encode(LEASE))

    async def use() -> None:
        async with AsyncClient("http://smscatch.example", ADMIN_KEY) as client, client.lease(LINE):
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

    monkeypatch.setattr(AsyncClient, "_send", send)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(use())
    assert released.is_set()


async def test_a_goodbye_outlives_a_second_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    goes_on, is_heard = asyncio.Event(), asyncio.Event()

    async def send(_: AsyncClient, request: Ask) -> httpx2.Response:
        sent.append(request.method)
        await goes_on.wait()
        is_heard.set()
        return httpx2.Response(204)

    monkeypatch.setattr(AsyncClient, "_send", send)
    async with AsyncClient("http://smscatch.example", ADMIN_KEY) as client:
        waiting = asyncio.create_task(do(client.lease, LINE))
        for count in (1, 2):
            while len(sent) < count:
                await asyncio.sleep(0)
            waiting.cancel()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        goes_on.set()
        await asyncio.wait_for(is_heard.wait(), PATIENCE_SECONDS)
    assert sent == ["POST", "DELETE"]


def closed_connection() -> CannotReach:
    error = httpx2.RemoteProtocolError("Server disconnected without sending a response.")
    told = cannot_reach("http://smscatch.example", error)
    told.__cause__ = error
    return told


def test_what_is_sent_on_a_connection_that_was_just_closed_is_sent_again_once() -> None:
    asking = calls.lines()
    first = next(asking)
    assert asking.throw(closed_connection()) == first
    with pytest.raises(CannotReach):
        asking.throw(closed_connection())
    asking = calls.lines()
    next(asking)
    with pytest.raises(CannotReach):  # that is no closed connection
        asking.throw(CannotReach("away"))
    waiting = calls.wait("/next", matchers.the_text, 60, {"after": "1"})
    next(waiting)
    assert isinstance(waiting.throw(closed_connection()), Pause)  # and then for what is left of its time


@BOTH
async def test_a_connection_is_not_kept_until_the_server_closes_it(flavour: type[Client] | type[AsyncClient]) -> None:
    client = flavour("http://smscatch.example", ADMIN_KEY)
    transport: Any = client._http._transport
    pool = transport._make()._pool
    assert pool._keepalive_expiry < 5  # uvicorn's timeout_keep_alive
    await do(client.close)


@BOTH
async def test_over_https_a_server_is_verified(flavour: type[Client] | type[AsyncClient]) -> None:
    client = flavour("https://smscatch.example", ADMIN_KEY)
    transport: Any = client._http._transport
    assert transport._make()._pool._ssl_context.verify_mode is ssl.CERT_REQUIRED
    await do(client.close)


@BOTH
async def test_a_key_or_address_that_is_none_is_refused_at_once_and_the_key_not_shown(
    flavour: type[Client] | type[AsyncClient],
) -> None:
    client = flavour("http://smscatch.example/ ", f" {ADMIN_KEY}\n")
    assert (client.url, client._http.headers["authorization"]) == ("http://smscatch.example", f"Bearer {ADMIN_KEY}")
    await do(client.close)
    for key in ("a-secret\nof-two-lines-or-so", "ein-schlüssel-mit-umlaut", "a-secret"):
        with pytest.raises(BadSetting, match="at least 16 printable") as caught:
            flavour("http://smscatch.example", key)
        assert key not in str(caught.value)
        assert caught.value.__cause__ is None
    for url in ("localhost:7672", "http://", "http://[::1", "http://localhost:port", ""):
        with pytest.raises(BadSetting, match="url = "):
            flavour(url, ADMIN_KEY)


@BOTH
async def test_without_arguments_a_client_takes_the_environment(
    flavour: type[Client] | type[AsyncClient], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSCATCH_CONFIG", os.devnull)
    monkeypatch.setenv("SMSCATCH_URL", "http://smscatch.example/")
    monkeypatch.delenv("SMSCATCH_KEY", raising=False)
    with pytest.raises(BadSetting, match=r"for the server at http://smscatch\.example: set SMSCATCH_KEY"):
        flavour()
    monkeypatch.setenv("SMSCATCH_KEY", ADMIN_KEY)
    clients = {flavour(): "http://smscatch.example", flavour("http://other.example"): "http://other.example"}
    for client, url in clients.items():
        assert (client.url, client._http.headers["authorization"]) == (url, f"Bearer {ADMIN_KEY}")
        await do(client.close)
    monkeypatch.setenv("SMSCATCH_URL", "nowhere")
    with pytest.raises(BadSetting, match=r"url = 'nowhere' \(SMSCATCH_URL\)"):
        flavour()
    await do(flavour("http://other.example", ADMIN_KEY).close)  # then the environment does not matter


def test_a_header_that_is_not_sent_is_not_quoted() -> None:
    error = httpx2.LocalProtocolError("Illegal header value b'Bearer secret'")
    assert "secret" not in str(cannot_reach("http://smscatch.example", error))


@pytest.mark.parametrize(
    ("conversation", "said"),
    [
        (lambda: calls.wait("/next", matchers.the_text, math.nan, {}), "timeout = nan"),
        (lambda: calls.wait("/next", matchers.the_text, "60", {}), "timeout = '60'"),  # type: ignore[arg-type]
        (lambda: calls.wait("/next", matchers.the_text, 60, {"after": ""}), "after is empty"),
        (lambda: calls.wait("/next", matchers.the_text, 60, {"line": ""}), "line is empty"),
        (lambda: calls.wait("/next", matchers.the_text, 60, {"newest": "yes"}), "newest = 'yes'"),  # type: ignore[typeddict-item]
        (lambda: calls.wait("/next", matchers.the_text, 60, {"quiet": 1}), "quiet is for a wait with newest=True"),
        (
            lambda: calls.wait("/next", matchers.the_text, 60, {"newest": True, "quiet": 61}),
            "quiet = 61 .* from 0 to 60",
        ),
        (lambda: calls.wait("/next", matchers.the_text, 60, {"newest": True, "quiet": math.nan}), "quiet = nan"),
        (lambda: calls.messages(50, {"line": ""}), "line is empty"),
        (lambda: calls.start_of({"after": ""}), "after is empty"),
        (lambda: asking_for_a_line(math.nan), "wait = nan"),
        (lambda: leasing.lease(Wanted(line="")), "line is empty"),
        (lambda: leasing.lease(Wanted(ttl=math.inf)), "ttl = inf"),
        (lambda: leasing.lease(Wanted(ttl=math.nan)), "ttl = nan"),
        (lambda: leasing.lease(Wanted(ttl=0.5)), "ttl = 0.5 .* from 1 to 86400 seconds"),
        (lambda: leasing.lease(Wanted(label="")), "label is empty"),
        (lambda: leasing.lease(Wanted(line=447700900001)), "such as '447700900001'"),  # type: ignore[arg-type]
        (lambda: calls.wait("/next", matchers.the_text, 60, {"sender": "\udce9"}), "give text in UTF-8"),
        (lambda: leasing.leased("", None), "lease is empty"),
        (lambda: leasing.leased("3f", ""), "after is empty"),
    ],
)
def test_what_the_server_would_misunderstand_is_not_sent(conversation: Callable[[], Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        next(conversation())


def test_a_wait_without_an_end_is_asked_for_in_pieces() -> None:
    asked = asked_by(next(calls.wait("/next", matchers.the_text, math.inf, {"after": "1"})))
    assert asked.params["timeout"] == POLL_SECONDS
    asked = asked_by(next(asking_for_a_line(math.inf)))
    assert asked.body is not None
    assert asked.body["wait_seconds"] == leasing.FIRST_QUEUE_SECONDS


@BOTH
async def test_a_closed_client_says_so(flavour: type[Client] | type[AsyncClient]) -> None:
    client: Any = flavour("http://smscatch.example", ADMIN_KEY)
    await do(client.close)
    with pytest.raises(SmscatchError, match="This client is closed"):
        await do(client.lines)
    with pytest.raises(SmscatchError, match="This client is closed"):
        await first(client.events(after="1"))


def test_the_first_group_that_matched_is_the_code_and_a_pattern_that_is_none_is_refused_at_once() -> None:
    want = matchers.a_code(r"PIN (\d+)|TAN (\d+)|(\d+) it is")
    for text, code in (("PIN 12", "12"), ("TAN 34", "34"), ("56 it is", "56")):
        assert want(a_message(text=text)) == code
    with pytest.raises(matchers.Unwanted):
        matchers.a_code("x*")(a_message())
    for refused in (matchers.a_code, matchers.a_link):
        with pytest.raises(BadRequest, match="is no regular expression"):
            refused("(")


@pytest.mark.parametrize("content", [b"<html>Welcome to our hotel", b"{}", b"\xff", b"[]"])
def test_an_answer_of_something_else_is_asked_about(content: bytes) -> None:
    request = httpx2.Request("GET", "http://hotel.example/")
    conversations: list[Conversation[Any]] = [
        calls.messages(1, {}),
        calls.lines(),
        calls.leases(),
        calls.cursor(),
        calls.wait("/next", matchers.the_text, 60, {"after": "1"}),
        leasing.leased("3f", None),
    ]
    for conversation in conversations:
        next(conversation)
        with pytest.raises(SmscatchError, match="is that a smscatch server"):
            conversation.send(httpx2.Response(200, content=content, request=request))


@BOTH
@pytest.mark.parametrize("kind", ["text/html", "text/event-stream"])
async def test_a_stream_of_something_else_is_asked_about(flavour: type[Client] | type[AsyncClient], kind: str) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=b"data: Welcome\n\n", headers={"content-type": kind}, request=request)

    client: Any = flavour("http://hotel.example", ADMIN_KEY)
    client._http._transport = httpx2.MockTransport(answer)
    with pytest.raises(SmscatchError, match="is that a smscatch server"):
        await first(client.events(after="1"))
    await do(client.close)
