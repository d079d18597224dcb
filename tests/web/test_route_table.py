"""Every route × every scope × own line, foreign line, all lines: what a key may not see or do it is refused.

The loop is over the route table: a route without a row in CALLS fails, so a new one cannot be forgotten.
"""

import asyncio
import base64
import json
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest
from starlette.types import ASGIApp, Message

from smscatch import keys
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import Lease
from smscatch.stores import Delivery, Wish
from smscatch.stores.records import Read
from smscatch.web import auth, stream
from smscatch.web.app import make_app
from smscatch.web.compat import send as sending
from smscatch.web.endpoint import Endpoint
from smscatch.web.faces import MAILOSAUR, SEND_API, TOOLS
from smscatch.web.leaving import HANG_UP, HangUp
from smscatch.web.routes import ENDPOINTS
from tests.conftest import Clock
from tests.patience import PATIENCE_SECONDS
from tests.samples import LINE, NOON, OTHER_LINE, a_message
from tests.surroundings import settings_in

REACHES = ((LINE,), (OTHER_LINE,), None)
Caller = tuple[str | None, tuple[str, ...] | None]  # the scope of a key, None for no key, and its lines
SENDER, CODE, HOLDER, LABEL, RAW, READER = "Zenon", "918273", "holder-nine", "label-nine", b"raw-nine", "reader-nine"
SINK = "sink-nine"
SENT = "2010-04-01/Accounts/AC1/Messages.json"
PUBLIC_URL = "https://source-nine.example/x"
SECRETS = (SENDER, CODE, HOLDER, LABEL, RAW.decode(), READER, SINK, PUBLIC_URL)
CONFIG = f"""
[lines."{LINE}"]
label = "{LABEL}"
[lines."{OTHER_LINE}"]
label = "another"
phone_id = "b"
[sources.rented]
kind = "twilio"
secrets = "x"
public_url = "{PUBLIC_URL}"
"""


class Call(NamedTuple):
    """How a route is called about LINE, what it answers a key that sees the line and one that does not.

    `shows` is what the first of them is told of the line. `limited` is the answer to a key of the line alone, if that
    differs. With `leased` the line is leased by the asking key.
    """

    good: int = 200
    foreign: int = 200
    shows: str = ""
    query: dict[str, str] | None = None
    body: Any = None
    form: str = ""
    limited: int | None = None
    leased: bool = False


ABOUT = {"line": LINE}
AT_ONCE = {"after": "0", "timeout": "0"}
SIGN_UP = {"line": LINE, "sender": "Bank", "text": "hello"}
LIMIT = f"scope=read&reach=some&line={quote(OTHER_LINE)}"
DEVICE = {"name": "phone", "sharedSecret": "GEZDGNBVGY3TQOJQ"}
LIST_LINES = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_lines", "arguments": {}}}
MCP_HEADERS = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
# No path of a page or of the API that needs no key has anything to do with lines: Call() says so.
CALLS: dict[str, tuple[Call, ...]] = {
    "GET /": (Call(shows=CODE), Call(foreign=403, shows=CODE, query=ABOUT)),
    "GET /live": (Call(shows=CODE, query={"after": "0"}), Call(foreign=403, shows=CODE, query=ABOUT | {"after": "0"})),
    "GET /messages/{id}": (Call(foreign=404, shows=CODE),),
    "GET /messages/{id}/raw": (Call(foreign=404, shows=RAW.decode()),),
    "POST /messages/delete": (
        Call(query={"contains": CODE, "up_to": "1"}),
        Call(foreign=403, query=ABOUT | {"up_to": "1"}),
        Call(400, 400, query={"up_to": "1"}),
    ),
    "POST /messages/{id}/delete": (Call(303, 404),),
    # It was not caught, so nobody knows whose number its sender is.
    "POST /messages/{id}/reply": (Call(400, 404, form="text=STOP"),),
    "GET /lines": (Call(shows=HOLDER, leased=True),),
    "GET /lines/live": (Call(shows=HOLDER, leased=True),),
    "POST /leases/{id}/end": (Call(303, 404, leased=True),),
    "POST /lines/{line}/send": (Call(303, 403, form="sender=Bank&text=hello"),),
    "POST /weather": (Call(303, 403, form=f"line={quote(LINE)}&drop=true"), Call(400, 403, form=f"line={quote(LINE)}")),
    "POST /weather/{id}/end": (Call(404, 404),),
    "POST /sources": (Call(200, 403, limited=403, form="name=new&kind=smsgate&server=http%3A%2F%2Fx.test&reach=all"),),
    "POST /sources/{source}/secret": (Call(400, 403, limited=403),),
    "POST /sources/{source}/drop": (Call(400, 403, limited=403),),
    "POST /sources/{source}/remove": (Call(400, 403, limited=403),),
    "GET /keys": (Call(shows=LABEL, foreign=403, limited=403),),
    "POST /keys": (Call(shows=LABEL, foreign=403, limited=403, form=f"name=new&{LIMIT}"),),
    "POST /keys/{id}": (Call(303, 403, limited=403, form=LIMIT),),
    "POST /keys/{id}/revoke": (Call(303, 403, limited=403),),
    "GET /docs": (Call(),),
    "GET /login": (Call(),),
    "POST /login": (Call(401, 401, form="key=wrong"),),
    "POST /logout": (Call(303, 303),),
    "POST /veil": (Call(303, 303),),
    "POST /dense": (Call(303, 303),),
    "GET /icon/{count}.svg": (Call(),),
    "GET /manifest.webmanifest": (Call(),),
    "GET /api/v1/code": (
        Call(shows=CODE, foreign=403, query=ABOUT | AT_ONCE),
        Call(shows=CODE, foreign=404, query=AT_ONCE),
        Call(404, 404, shows=SENDER, query=AT_ONCE | {"sender": "nobody"}),
    ),
    "GET /api/v1/cursor": (Call(),),
    "GET /api/v1/messages": (Call(shows=CODE), Call(shows=CODE, foreign=403, query=ABOUT)),
    "DELETE /api/v1/messages": (Call(204, 403, query=ABOUT),),
    "GET /api/v1/messages/next": (
        Call(shows=CODE, foreign=403, query=ABOUT | AT_ONCE),
        Call(shows=CODE, foreign=404, query=AT_ONCE),
    ),
    "GET /api/v1/messages/{id}": (Call(shows=CODE, foreign=404),),
    "GET /api/v1/messages/{id}/calls": (Call(foreign=404),),
    "GET /api/v1/messages/{id}/reads": (Call(shows=READER, foreign=404),),
    "DELETE /api/v1/messages/{id}": (Call(204, 404),),
    "POST /api/v1/replies": (
        Call(201, 403, body=ABOUT | {"text": "STOP", "to": "+15005550006", "provider": "twilio"}),
        Call(409, 403, body=ABOUT | {"text": "hello", "to": "+15005550006", "provider": "twilio"}),
    ),
    "GET /api/v1/weather": (Call(),),
    "POST /api/v1/weather": (Call(201, 403, body=ABOUT | {"drop": True}), Call(400, 403, body=ABOUT)),
    "DELETE /api/v1/weather/{id}": (Call(404, 404),),
    "GET /api/v1/lines": (Call(shows=HOLDER, leased=True),),
    "GET /api/v1/leases": (Call(shows=HOLDER, leased=True),),
    "POST /api/v1/leases": (
        Call(201, 403, shows=LABEL, body=ABOUT),
        Call(201, 404, shows=LABEL, body={"label": LABEL}),
        Call(409, 403, shows=HOLDER, body=ABOUT, leased=True),
    ),
    "DELETE /api/v1/leases": (Call(204, 204, query={"ticket": "a ticket of nobody"}),),
    "GET /api/v1/leases/{id}": (Call(200, 404, shows=HOLDER, leased=True),),
    "DELETE /api/v1/leases/{id}": (Call(204, 404, leased=True),),
    "GET /api/v1/leases/{id}/messages": (Call(200, 404, shows=CODE, leased=True),),
    "POST /api/v1/leases/{id}/extend": (Call(200, 404, shows=HOLDER, body={}, leased=True),),
    "GET /api/v1/leases/{id}/next": (Call(200, 404, shows=CODE, query={"timeout": "0"}, leased=True),),
    "GET /api/v1/leases/{id}/code": (Call(200, 404, shows=CODE, query={"timeout": "0"}, leased=True),),
    "GET /api/v1/events": (
        Call(shows=CODE, query={"after": "0"}),
        Call(shows=CODE, foreign=403, query=ABOUT | {"after": "0"}),
    ),
    "POST /api/v1/inbound/generic": (Call(200, 403, body=SIGN_UP),),
    "GET /api/v1/inbound/{source}": (Call(403, 403),),  # no key is any good here
    "POST /api/v1/inbound/{source}": (Call(403, 403, body=SIGN_UP),),
    "GET /api/v1/sources": (Call(shows=PUBLIC_URL, foreign=403, limited=403),),
    "POST /api/v1/sources": (Call(201, 403, limited=403, body={"name": "new", "kind": "smsgate"}),),
    # It stands in the configuration, and stays there.
    "DELETE /api/v1/sources/{source}": (Call(400, 403, limited=403),),
    "POST /api/v1/sources/{source}/secrets": (Call(400, 403, limited=403, body={}),),
    "DELETE /api/v1/sources/{source}/secrets": (Call(400, 403, limited=403),),
    "GET /api/v1/hosts": (Call(foreign=403, limited=403),),
    "POST /api/v1/hosts": (Call(204, 204, body={"hosts": [{"host": "example.com", "outcome": "passed"}]}),),
    "GET /api/v1/smpp": (Call(404, 404),),
    "GET /api/v1/sinks": (Call(shows=SINK, foreign=403, limited=403),),
    "POST /api/v1/explain": (Call(body={"text": "hello"}),),
    "GET /emulator/v1/projects/{project}/verificationCodes": (
        Call(shows=CODE),
        Call(shows=CODE, foreign=403, query=ABOUT),
    ),
    "GET /json": (Call(shows=CODE), Call(shows=CODE, foreign=403, query=ABOUT)),
    "GET /api/messages": (
        Call(shows=CODE, foreign=403, query={"server": LINE}),
        Call(shows=CODE, foreign=404, query={"server": LINE[-8:]}),
        Call(shows=CODE, foreign=404, query={"server": LABEL}),
        Call(400, 400),
    ),
    "POST /api/messages": (Call(400, 400),),
    "DELETE /api/messages": (Call(204, 403, query={"server": LINE}), Call(204, 404, query={"server": LABEL})),
    "POST /api/messages/search": (
        Call(shows=CODE, foreign=403, query={"server": LINE}, body={"sentTo": LINE}),
        Call(shows=CODE, foreign=404, query={"server": LABEL}, body={"body": "code", "sentFrom": "x", "match": "ANY"}),
    ),
    "GET /api/messages/{id}": (Call(foreign=404, shows=CODE),),
    "DELETE /api/messages/{id}": (Call(204, 404),),
    "POST /api/messages/{id}/{action}": (Call(400, 400),),
    "GET /api/servers": (Call(shows=LABEL),),
    "GET /api/servers/{id}": (Call(404, 404),),
    "GET /api/screenshots/clients": (Call(),),
    "GET /api/devices": (Call(),),
    "POST /api/devices": (Call(body=DEVICE), Call(400, 400, limited=400, body=DEVICE | {"sharedSecret": "1"})),
    "POST /api/devices/otp": (Call(body=DEVICE),),
    "GET /api/devices/{id}/otp": (Call(404, 404),),
    "DELETE /api/devices/{id}": (Call(404, 404),),
    "POST /mcp": (Call(shows=LABEL, body=LIST_LINES),),
    "GET /healthz": (Call(),),
    "GET /readyz": (Call(),),
    "GET /openapi.json": (Call(),),
    f"GET {sending.PATH}": (Call(limited=200),),
    f"POST {sending.PATH}": (Call(201, 403, form=f"To={quote(LINE)}&From=Bank&Body=hello"),),
    f"DELETE {sending.PATH}": (Call(404, 404),),
}


def headers_of(endpoint: Endpoint, secret: str) -> dict[str, str]:
    """The key where a client has it: one of Twilio's where its Auth Token is, one of Mailosaur's as the user name."""
    basic = {SEND_API: f"AC1:{secret}", MAILOSAUR: f"{secret}:"}.get(endpoint.face)
    credentials = f"Basic {base64.b64encode(basic.encode()).decode()}" if basic else f"Bearer {secret}"
    return {"authorization": credentials} | (MCP_HEADERS if endpoint.face is TOOLS else {})


class Answer(NamedTuple):
    """`told` are the secrets of LINE that are in it; `is_same` says whether all was as before, afterwards."""

    status: int
    body: str
    told: Sequence[str] = ()
    is_same: bool = True


async def send(app: ASGIApp, asked: str, headers: dict[str, str], body: bytes, *, until: str = "") -> Answer:
    """Return the answer; of a stream what comes until `until` did, or without that until nothing more is there."""
    hang_up, status, chunks = HangUp(), 0, []
    requests: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return requests.pop() if requests else await asyncio.Future()

    async def take(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)
        chunks.append(message.get("body", b""))
        if (until.encode() or b"still here") in chunks[-1]:
            hang_up.come()

    method, _, url = asked.partition(" ")
    path, _, query = url.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in ({"host": "test"} | headers).items()],
        "client": ("127.0.0.1", 1234),
        "server": ("test", 80),
        "state": {HANG_UP: hang_up},
    }
    async with asyncio.timeout(PATIENCE_SECONDS):
        await app(scope, receive, take)
    return Answer(status, b"".join(chunks).decode())


class House:
    """An application over an inbox, in which something is known of LINE."""

    def __init__(self, inbox: Inbox, leases: Leases, clock: Clock, app: ASGIApp) -> None:
        self.inbox, self.leases, self.clock, self.app = inbox, leases, clock, app

    async def call(self, endpoint: Endpoint, call: Call, callers: Sequence[Caller]) -> list[Answer]:
        """Return what each caller is answered, all about the same message, lease and key; the first has the lease."""
        made = [await keys.add_key(self.inbox, "caller", (scope or "read",), lines) for scope, lines in callers]
        lease = await self._lease(made[0][0].id) if call.leased else None
        message = a_message(sender=SENDER, text=f"Your code is {CODE}", received_at=self.clock())
        await self.inbox.receive([Delivery(message, RAW)])
        await self.inbox.store.add_reads([Read(message=message.id, key="k", name=READER, at=NOON)])
        await self.inbox.store.open_sink(SINK)
        victim, _ = await keys.add_key(self.inbox, "victim", ("read",))
        about = lease.id if lease else victim.id if "/keys/" in endpoint.path else message.id
        known = {
            "id": about,
            "source": "rented",
            "count": "3",
            "line": LINE,
            "provider": "twilio",
            "project": "demo",
            "path": f"/{SENT}",
            "action": "forward",
        }
        path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: known[found[1]], endpoint.path)
        url = f"{path}?{urlencode(call.query)}" if call.query else path
        body = call.form.encode() if call.body is None else json.dumps(call.body).encode()
        answers = []
        for (scope, lines), (_, secret) in zip(callers, made, strict=True):
            headers = {} if scope is None else headers_of(endpoint, secret)
            shown = call.shows if lines is None or LINE in lines else ""
            answer = await send(self.app, f"{endpoint.method} {url}", headers, body, until=shown)
            is_kept = await self.inbox.store.get(message.id) is not None
            is_same = is_kept and victim in await self.inbox.store.keys() and await self._is_same(lease)
            told = [secret for secret in SECRETS if secret in answer.body and secret not in url + body.decode()]
            answers.append(answer._replace(told=told, is_same=is_same))
        await self._tidy()
        return answers

    async def _lease(self, key_id: str) -> Lease:
        return await self.leases.acquire(Wish(key=key_id, lines=(LINE,), ttl=timedelta(minutes=1), holder=HOLDER), 0)

    async def _is_same(self, lease: Lease | None) -> bool:
        return [held.id for held in await self.leases.held() if held.released_at is None] == (
            [lease.id] if lease else []
        )

    async def _tidy(self) -> None:
        for lease in await self.leases.held():
            await self.leases.release(lease)
        self.clock.advance(6)
        await self.inbox.store.delete_lines([LINE])


async def send_nothing(sender: str, text: str) -> None:
    """What a simulated modem is sent."""


@pytest.fixture
async def house(
    inbox: Inbox, leases: Leases, clock: Clock, monkeypatch: pytest.MonkeyPatch, *, tmp_path: Path
) -> House:
    monkeypatch.setattr(auth, "FAILURE_SECONDS", 0)
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr(stream, "FIRST_PAUSE_SECONDS", 0.01)
    (tmp_path / "spool").mkdir()
    return House(
        inbox, leases, clock, make_app(inbox, leases, settings_in(tmp_path, CONFIG), test_lines={LINE: send_nothing})
    )


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert {name_of(endpoint) for endpoint in ENDPOINTS} == {*CALLS}


def callers_of(endpoint: Endpoint, *reaches: tuple[str, ...] | None) -> list[Caller]:
    """Return who has a scope that the route takes, each with each reach; anybody if it takes none."""
    scopes = (*endpoint.scopes, keys.ADMIN) if endpoint.scopes else (None,)
    return [(scope, lines) for scope in dict.fromkeys(scopes) for lines in reaches]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name_of)
async def test_a_key_is_told_and_does_what_its_scope_and_its_lines_let_it_and_nothing_else(
    house: House, endpoint: Endpoint
) -> None:
    await refuses_keys_without_the_scope(house, endpoint)
    await tells_a_key_of_a_foreign_line_nothing_and_changes_nothing_for_it(house, endpoint)
    await serves_keys_of_the_line_and_of_all_lines(house, endpoint)


async def refuses_keys_without_the_scope(house: House, endpoint: Endpoint) -> None:
    lacking = [scope for scope in (None, *keys.SCOPES) if scope not in (*endpoint.scopes, keys.ADMIN)]
    callers = [(scope, lines) for scope in lacking for lines in REACHES] if endpoint.scopes else []
    for call in CALLS[name_of(endpoint)]:
        for caller, answer in zip(callers, await house.call(endpoint, call, callers or [(None, None)]), strict=False):
            expected = 401 if caller[0] is None else 403
            assert (answer.status, answer.told, answer.is_same) == (expected, [], True), (call, caller)


async def tells_a_key_of_a_foreign_line_nothing_and_changes_nothing_for_it(house: House, endpoint: Endpoint) -> None:
    callers = callers_of(endpoint, (OTHER_LINE,))
    for call in CALLS[name_of(endpoint)]:
        for caller, answer in zip(callers, await house.call(endpoint, call, callers), strict=True):
            assert (answer.status, answer.told, answer.is_same) == (call.foreign, [], True), (call, caller, answer)


async def serves_keys_of_the_line_and_of_all_lines(house: House, endpoint: Endpoint) -> None:
    for call in CALLS[name_of(endpoint)]:
        for caller in callers_of(endpoint, (LINE,), None):
            (answer,) = await house.call(endpoint, call, [caller])
            expected = call.good if caller[1] is None else call.limited or call.good
            assert answer.status == expected, (call, caller, answer)
            if expected == call.good:
                assert call.shows in answer.body, (call, caller, answer)


async def test_who_read_a_message_and_how_it_came_is_for_administrators_alone(house: House) -> None:
    (endpoint,) = [endpoint for endpoint in ENDPOINTS if name_of(endpoint) == "GET /messages/{id}"]
    (call,) = CALLS[name_of(endpoint)]
    answers = await house.call(endpoint, call, [("read", None), ("admin", None)])
    seen = [(READER in answer.told, RAW.decode() in answer.told) for answer in answers]
    assert seen == [(False, False), (True, True)]
