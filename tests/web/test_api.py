"""The JSON API over an inbox in this process: shapes, filters, refusals, keys."""

import base64
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from smscatch import keys
from smscatch.errors import StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.modem.health import Health, write_health
from smscatch.web import auth
from smscatch.web.app import make_app
from smscatch.web.static_files import address
from tests.samples import LINE, NOON, OTHER_LINE, a_delivery
from tests.surroundings import settings_in

CONFIG = f'[lines."{LINE}"]\nlabel = "Line one"\nphone_id = "stick"\n'


@pytest.fixture
async def api(
    inbox: Inbox, leases: Leases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with the administrator's key."""
    monkeypatch.setattr(auth, "FAILURE_SECONDS", 0)
    settings = settings_in(tmp_path, CONFIG)
    _, secret = await keys.add_key(inbox, "admin", ("admin",))
    settings.spool.mkdir(exist_ok=True)
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings), raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {secret}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client


async def with_key(inbox: Inbox, *scopes: str, lines: tuple[str, ...] | None = None) -> dict[str, str]:
    _, secret = await keys.add_key(inbox, "test", scopes, lines)
    return {"authorization": f"Bearer {secret}"}


async def test_messages_come_newest_first_with_cursors_that_lead_on(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    await inbox.receive([a_delivery(text=f"text {n}") for n in range(5)])
    answer = (await api.get("/api/v1/messages?limit=2")).json()
    assert [message["text"] for message in answer["messages"]] == ["text 4", "text 3"]
    assert (answer["cursor"], answer["next"]) == ("5", "4")
    answer = (await api.get(f"/api/v1/messages?limit=3&before={answer['next']}")).json()
    assert [message["text"] for message in answer["messages"]] == ["text 2", "text 1", "text 0"]
    assert answer["next"] is None
    answer = (await api.get("/api/v1/messages?after=3")).json()
    assert [message["text"] for message in answer["messages"]] == ["text 4", "text 3"]


async def test_an_empty_inbox_is_an_empty_list(api: httpx2.AsyncClient) -> None:
    assert (await api.get("/api/v1/messages")).json() == {"messages": [], "cursor": "0", "next": None}


async def test_a_list_can_be_limited_to_times(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    hours = [timedelta(hours=n) for n in (3, 2, 1)]
    await inbox.receive([a_delivery(text=f"{ago}", received_at=NOON - ago) for ago in hours])
    answer = (await api.get("/api/v1/messages?after=150m&before=90m")).json()
    assert [message["text"] for message in answer["messages"]] == ["2:00:00"]
    answer = (await api.get("/api/v1/messages", params={"after": "2026-11-22T10:30:00Z"})).json()
    assert [message["text"] for message in answer["messages"]] == ["1:00:00"]


async def test_next_is_the_oldest_match_after_the_cursor(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    await inbox.receive([a_delivery(text=text) for text in ("old", "wanted 1", "wanted 2")])
    answer = await api.get("/api/v1/messages/next?after=1&contains=WANTED&timeout=1")
    assert answer.json()["text"] == "wanted 1"
    answer = await api.get(f"/api/v1/messages/next?after={answer.json()['cursor']}&contains=wanted")
    assert answer.json()["text"] == "wanted 2"


async def test_next_without_after_waits_for_what_comes_from_now_on(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    await inbox.receive([a_delivery()])
    answer = await api.get("/api/v1/messages/next?timeout=0")
    assert answer.status_code == 404
    assert answer.json()["error"] == "no_message"
    assert answer.json()["message"] == "No message matched in 0 s: nothing came meanwhile."


async def test_code_is_the_code_alone_and_passes_over_texts_without(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    await inbox.receive([a_delivery(text="Welcome to Acme, thanks for joining"), a_delivery()])
    answer = await api.get("/api/v1/code?after=0")
    assert (answer.text, answer.headers["content-type"]) == ("482913", "text/plain; charset=utf-8")
    answer = await api.get("/api/v1/code?after=2&timeout=0")
    assert (answer.status_code, answer.json()["error"]) == (404, "no_message")


async def test_one_message_by_id_and_latest(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    first, second = a_delivery(text="first"), a_delivery(text="second", sender="Google")
    await inbox.receive([first, second])
    assert (await api.get(f"/api/v1/messages/{first.message.id}")).json()["text"] == "first"
    assert (await api.get("/api/v1/messages/latest")).json()["text"] == "second"
    assert (await api.get("/api/v1/messages/latest?sender=authy")).json()["text"] == "first"
    assert (await api.get("/api/v1/messages/nothing")).json()["error"] == "not_found"
    assert (await api.get("/api/v1/messages/latest?sender=nobody")).status_code == 404


async def test_messages_can_be_deleted_one_by_one_or_by_line(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    await inbox.receive([a_delivery(), a_delivery(), a_delivery(), a_delivery(line=OTHER_LINE)])
    assert (await api.delete("/api/v1/messages/latest")).status_code == 204
    message_id = (await api.get("/api/v1/messages/latest")).json()["id"]
    answer = await api.delete(f"/api/v1/messages/{message_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await api.delete(f"/api/v1/messages/{message_id}")).status_code == 404
    assert (await api.delete("/api/v1/messages", params={"line": LINE})).status_code == 204
    assert (await api.get("/api/v1/messages")).json()["messages"] == []


async def test_deleting_without_a_line_deletes_nothing(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    await inbox.receive([a_delivery()])
    assert (await api.delete("/api/v1/messages")).json()["error"] == "bad_request"
    assert len((await api.get("/api/v1/messages")).json()["messages"]) == 1


async def test_lines_are_the_configured_ones_and_those_that_received(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    await inbox.receive([a_delivery(line=OTHER_LINE)])
    first, second = (await api.get("/api/v1/lines")).json()["lines"]
    assert (first["number"], first["label"], first["messages"], first["last_received_at"]) == (
        LINE,
        "Line one",
        0,
        None,
    )
    assert (second["number"], second["messages"], second["last_received_at"]) == (
        OTHER_LINE,
        1,
        "2026-11-22T12:00:00.000Z",
    )


@pytest.mark.parametrize("typed", [LINE, LINE.removeprefix("+"), " " + LINE.removeprefix("+"), "0044 7700 900001"])
async def test_a_line_may_be_typed_in_any_usual_way(api: httpx2.AsyncClient, inbox: Inbox, typed: str) -> None:
    await inbox.receive([a_delivery(), a_delivery(line=OTHER_LINE)])
    answer = await api.get("/api/v1/messages", params={"line": typed})
    assert [message["line"] for message in answer.json()["messages"]] == [LINE]


async def test_a_body_that_is_nested_too_deeply_is_refused(api: httpx2.AsyncClient) -> None:
    answer = await api.post("/api/v1/explain", content=b'{"more": ' + b"[" * 50_000)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


async def test_the_codes_that_came_are_listed_as_firebases_emulator_lists_them(
    api: httpx2.AsyncClient, inbox: Inbox
) -> None:
    for code in ("111111", "222222"):
        await inbox.receive([a_delivery(text=f"Your code is {code}", sender=code)])
    await inbox.receive([a_delivery(text="Hello")])
    told = (await api.get("/emulator/v1/projects/demo-project/verificationCodes")).json()["verificationCodes"]
    assert [(one["phoneNumber"], one["code"]) for one in told] == [(LINE, "111111"), (LINE, "222222")]
    assert (await api.get(f"/api/v1/messages/{told[1]['sessionInfo']}")).json()["code"] == "222222"


async def test_the_json_of_2018_is_byte_for_byte_as_it_was(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    odd = datetime(2018, 4, 28, 18, 0, 0, 123_000, UTC)
    await inbox.receive(
        [
            a_delivery(sender="x", text="y", received_at=odd.replace(microsecond=0)),
            a_delivery(sender="+49", text="Hä <b> 😀", received_at=odd),
        ]
    )
    answer = await api.get("/json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == (
        b'[{"number": "+49", "text": "H\\u00e4 <b> \\ud83d\\ude00",'
        b' "timestamp": {"$date": "2018-04-28T18:00:00.123Z"}},'
        b' {"number": "x", "text": "y", "timestamp": {"$date": "2018-04-28T18:00:00Z"}}]'
    )


async def test_the_json_of_2018_shows_fifty_and_can_be_limited_to_a_line(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    await inbox.receive([a_delivery(text=str(n)) for n in range(60)] + [a_delivery(line=OTHER_LINE, text="other")])
    assert len((await api.get("/json")).json()) == 50
    assert [row["text"] for row in (await api.get(f"/json?line={OTHER_LINE}")).json()] == ["other"]


@pytest.mark.parametrize(
    ("path", "status", "code", "said"),
    [
        ("/api/v1/messages?after=yesterday", 400, "bad_cursor", "10m"),
        ("/api/v1/messages?before=-1", 400, "bad_cursor", "10m"),
        ("/api/v1/messages/next?after=999999", 400, "bad_cursor", "another database"),
        ("/api/v1/messages?after=999999", 400, "bad_cursor", "another database"),
        ("/api/v1/messages?after=1795345200", 400, "bad_cursor", "2026-11-22T11:00:00.000Z"),
        ("/api/v1/messages?before=1795345200000", 400, "bad_cursor", "Unix time"),
        ("/api/v1/messages/next?after=1795345200", 400, "bad_cursor", "Unix time"),
        ("/api/v1/code?after=1795345200123.5", 400, "bad_cursor", "Unix time"),
        ("/api/v1/messages/next?after=1795345200123456789", 400, "bad_cursor", "Unix time"),
        ("/api/v1/events?after=1795345200", 400, "bad_cursor", "Unix time"),
        ("/api/v1/messages?limit=0", 400, "bad_request", "1 to 500"),
        ("/api/v1/messages?limit=501", 400, "bad_request", "1 to 500"),
        ("/api/v1/messages?limit=ten", 400, "bad_request", "1 to 500"),
        ("/api/v1/messages?sendr=x", 400, "bad_request", "'sendr'"),
        ("/api/v1/messages?sender=a&sender=b", 400, "bad_request", "more than once"),
        ("/api/v1/messages?contains=" + "x" * 501, 400, "bad_request", "at most 500"),
        ("/api/v1/messages?line=+49999999999", 404, "unknown_line", "/api/v1/lines"),
        ("/json?line=nowhere", 404, "unknown_line", "nowhere"),
        ("/api/v1/messages/next?timeout=301", 400, "bad_timeout", "0 to 300"),
        ("/api/v1/messages/next?timeout=-1", 400, "bad_timeout", "0 to 300"),
        ("/api/v1/messages/next?timeout=nan", 400, "bad_timeout", "0 to 300"),
        ("/api/v1/code?timeout=soon", 400, "bad_timeout", "0 to 300"),
        ("/api/v1/nothing", 404, "not_found", "/openapi.json"),
        ("/nothing", 404, "not_found", "/openapi.json"),
    ],
)
async def test_bad_input_gets_a_stable_code_and_a_sentence(
    api: httpx2.AsyncClient, path: str, status: int, *, code: str, said: str
) -> None:
    answer = await api.get(path)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert said in answer.json()["message"]


async def test_a_store_with_so_many_messages_that_unix_time_is_a_cursor_takes_it_for_one(
    api: httpx2.AsyncClient, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def position() -> int:
        return 1_795_345_200

    monkeypatch.setattr(inbox.store, "position", position)
    assert (await api.get("/api/v1/messages?after=1795345200")).status_code == 200
    assert "Unix time" in (await api.get("/api/v1/messages?after=1795345201")).json()["message"]


async def test_a_sender_is_found_by_what_a_person_types_and_two_are_never_one(
    api: httpx2.AsyncClient, inbox: Inbox
) -> None:
    async def found(typed: str) -> list[str]:
        answer = await api.get("/api/v1/messages", params={"sender": typed})
        return [message["sender"] for message in answer.json()["messages"]]

    await inbox.receive([a_delivery(sender="+491701234567")])
    for typed in ("+49 170 1234567", "0049 170 1234567", "49170-1234567", " 491701234567", "tel:+491701234567"):
        assert await found(typed) == ["+491701234567"]
    assert await found("0170 1234567") == []
    await inbox.receive([a_delivery(sender="491701234567"), a_delivery(sender="01701234567")])
    for sender in ("+491701234567", "491701234567", "01701234567"):
        assert await found(sender) == [sender]
    assert await found(" 491701234567") == ["+491701234567"]
    assert await found("0170 1234567") == ["01701234567"]


async def test_a_line_that_is_not_configured_is_taken_and_said_to_be_so(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    text = {"sender": "Authy", "text": "Your code is 482913"}
    ours = (await api.post("/api/v1/inbound/generic", json={"line": "0044 (0)7700-900001", **text})).json()
    other = (await api.post("/api/v1/inbound/generic", json={"line": "07911 123456", **text})).json()
    assert (ours["line"], ours["unconfigured"]) == (LINE, False)
    assert (other["line"], other["unconfigured"]) == ("+447911123456", True)
    await inbox.receive([a_delivery(line=LINE), a_delivery(line="+447911123456")])
    lines = (await api.get("/api/v1/lines")).json()["lines"]
    assert [(line["number"], line["unconfigured"]) for line in lines] == [(LINE, False), ("+447911123456", True)]


@pytest.mark.parametrize("written", ["tel:+44-7700-900001", " 447700900001", "00447700900001", "07700 900001"])
async def test_a_line_is_found_however_it_is_written(api: httpx2.AsyncClient, inbox: Inbox, written: str) -> None:
    await inbox.receive([a_delivery()])
    assert len((await api.get("/api/v1/messages", params={"line": written})).json()["messages"]) == 1
    assert (await api.post("/api/v1/leases", json={"line": written})).json()["line"] == LINE


async def test_a_method_that_a_path_does_not_take_is_refused(api: httpx2.AsyncClient) -> None:
    answer = await api.post("/api/v1/lines")
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")


async def test_what_the_table_has_goes_straight_to_its_handler_and_all_else_to_the_router(
    api: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    routed, route = list[str](), Router.__call__

    async def noting(self: Router, scope: Scope, receive: Receive, send: Send) -> None:
        routed.append(f"{scope['method']} {scope['path']}")
        await route(self, scope, receive, send)

    monkeypatch.setattr(Router, "__call__", noting)
    for method, path, status in (
        ("GET", "/api/v1/messages", 200),
        ("GET", "/api/v1/messages/unknown", 404),
        ("PUT", "/api/v1/messages", 405),
        ("HEAD", "/healthz", 200),
        ("GET", "/static/smscatch.css", 200),
    ):
        assert (await api.request(method, path)).status_code == status
    assert routed == ["PUT /api/v1/messages", "HEAD /healthz", "GET /static/smscatch.css"]


async def test_a_bug_is_answered_without_its_details(api: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smscatch.access.Access.lines", lambda _: 1 / 0)
    answer = await api.get("/api/v1/lines")
    assert (answer.status_code, answer.json()["error"]) == (500, "internal_error")
    assert "division" not in answer.text


async def test_a_store_that_is_away_is_503_with_retry_after(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    await api.get("/readyz")  # the key is looked up on the same store, so the store breaks only afterwards
    await inbox.store._reader.run(lambda connection: connection.execute("PRAGMA query_only"))  # type: ignore[attr-defined]
    connection = inbox.store._reader.connection  # type: ignore[attr-defined]
    await inbox.store._reader.run(lambda _: connection.close())  # type: ignore[attr-defined]
    inbox.store._own.close()  # type: ignore[attr-defined]
    answer = await api.get("/readyz")
    assert (answer.status_code, answer.json()["error"]) == (503, "store_unavailable")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "path", ["/", "/json", "/api/v1/messages", "/api/v1/lines", "/api/v1/events", "/readyz", "/openapi.json", "/live"]
)
async def test_every_route_but_health_needs_a_key(api: httpx2.AsyncClient, path: str) -> None:
    for headers in ({"authorization": ""}, {"authorization": "Bearer wrong"}, {"authorization": "Basic !"}):
        answer = await api.get(path, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
        assert "www-authenticate" in answer.headers
    answer = await api.get("/healthz", headers={"authorization": ""})
    assert answer.json() == {"status": "ok", "time": "2026-11-22T12:00:00.000Z"}


async def test_the_key_may_be_the_user_name_of_basic(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    bearer = (await with_key(inbox, "read"))["authorization"].removeprefix("Bearer ")
    basic = base64.b64encode(f"{bearer}:".encode()).decode()
    assert (await api.get("/api/v1/lines", headers={"authorization": f"Basic {basic}"})).status_code == 200


async def test_a_key_does_what_its_scopes_allow_and_no_more(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    reader = await with_key(inbox, "read")
    assert (await api.get("/api/v1/messages", headers=reader)).status_code == 200
    refused = await api.delete(f"/api/v1/messages?line={LINE}", headers=reader)
    assert (refused.status_code, refused.json()["error"]) == (403, "forbidden")
    assert "'admin'" in refused.json()["message"]
    assert (await api.get("/api/v1/messages", headers=await with_key(inbox, "ingest"))).status_code == 403


async def test_a_key_of_one_line_sees_no_other(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    other = a_delivery(line=OTHER_LINE, text="secret")
    await inbox.receive([a_delivery(), other])
    key = await with_key(inbox, "read", lines=(LINE,))
    seen = (await api.get("/api/v1/messages", headers=key)).json()["messages"]
    assert [message["line"] for message in seen] == [LINE]
    assert [line["number"] for line in (await api.get("/api/v1/lines", headers=key)).json()["lines"]] == [LINE]
    assert len((await api.get("/json", headers=key)).json()) == 1
    assert (await api.get(f"/api/v1/messages/{other.message.id}", headers=key)).status_code == 404
    assert (await api.get("/api/v1/messages/latest", headers=key)).json()["line"] == LINE
    assert (await api.get(f"/api/v1/messages?line={OTHER_LINE}", headers=key)).json()["error"] == "forbidden"
    vain = await api.get("/api/v1/messages/next?after=1&timeout=0", headers=key)
    assert OTHER_LINE not in vain.text


async def test_a_revoked_key_is_worthless(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    key, secret = await keys.add_key(inbox, "short", ("read",))
    await inbox.store.revoke_key(key.id)
    assert (await api.get("/json", headers={"authorization": f"Bearer {secret}"})).status_code == 401


async def test_signing_in_makes_a_session_and_signing_out_ends_it(api: httpx2.AsyncClient) -> None:
    secret = api.headers.pop("authorization").removeprefix("Bearer ")
    page = {"accept": "text/html"}
    answer = await api.get("/", headers=page)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert (await api.post("/login", content="key=wrong")).status_code == 401
    answer = await api.post("/login", content=f"key={secret}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert secret not in cookie
    assert (await api.get("/", headers=page)).status_code == 200
    foreign = {"sec-fetch-site": "same-site"}
    assert (await api.delete(f"/api/v1/messages?line={LINE}", headers=foreign)).status_code == 403
    session = dict(api.cookies)
    await api.post("/logout")
    api.cookies.update(session)
    assert (await api.get("/api/v1/lines")).status_code == 401


async def test_a_session_ends_with_its_key_and_with_time(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    key, secret = await keys.add_key(inbox, "short", ("read",))
    session = await keys.start_session(inbox, secret)
    bearer = {"authorization": f"Bearer {session}"}
    assert (await api.get("/json", headers=bearer)).status_code == 200
    inbox.now = lambda: NOON + keys.SESSION
    assert (await api.get("/json", headers=bearer)).status_code == 401
    inbox.now = lambda: NOON
    await inbox.store.revoke_key(key.id)
    assert (await api.get("/json", headers=bearer)).status_code == 401


async def test_every_answer_carries_the_headers_that_keep_a_browser_in(api: httpx2.AsyncClient) -> None:
    for path in ("/", "/healthz", "/nothing", "/static/smscatch.css"):
        headers = (await api.get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


async def test_the_files_of_a_page_are_cached_for_ever_and_those_of_another_version_are_not(
    api: httpx2.AsyncClient,
) -> None:
    files = re.findall(
        r'(?:href|src)="(/static/[^"]+)"', (await api.get("/lines", headers={"accept": "text/html"})).text
    )
    assert {file.rpartition("/")[0] for file in files} == {address()}
    for file in files:
        answer = await api.get(file)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    for path in ("/static/0123456789abcdef/page.js", "/static/page.js"):
        answer = await api.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    assert (await api.get(f"{address()}/nothing.js")).status_code == 404


async def test_a_body_without_end_is_cut_off(api: httpx2.AsyncClient) -> None:
    answer = await api.post("/login", content=b"key=" + b"x" * 300_000)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


async def test_explain_tells_which_code_and_why(api: httpx2.AsyncClient) -> None:
    answer = (await api.post("/api/v1/explain", json={"text": "Your Authy code is 482913"})).json()
    assert answer["code"] == "482913"
    assert answer["codes"][0]["rule"]
    assert answer["segments"] == {"encoding": "GSM-7", "count": 1, "units": 25, "costly": [], "parts_in_gsm": 0}
    answer = (await api.post("/api/v1/explain", json={"text": "your friend’s code: " + "1" * 60})).json()
    assert (answer["segments"]["count"], answer["segments"]["parts_in_gsm"]) == (2, 1)
    assert answer["segments"]["costly"] == [{"character": "’", "place": 12}]
    assert (await api.post("/api/v1/explain", content=b"[")).json()["error"] == "bad_request"
    assert (await api.post("/api/v1/explain", json={})).json()["error"] == "bad_request"


async def test_the_description_names_every_route_and_the_shape_of_a_message(api: httpx2.AsyncClient) -> None:
    described = (await api.get("/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    assert {"/json", "/api/v1/messages/next", "/api/v1/messages/{id}", "/healthz"} <= set(described["paths"])
    parameters = described["paths"]["/api/v1/code"]["get"]["parameters"]
    names = ["line", "sender", "contains", "after", "timeout", "newest", "quiet", "skip"]
    assert [parameter["name"] for parameter in parameters] == names
    assert {"id", "line", "text", "code"} <= set(described["components"]["schemas"]["Message"]["properties"])
    assert "$ref" in json.dumps(described["paths"])


async def test_readiness_tells_how_many_wait(api: httpx2.AsyncClient) -> None:
    assert (await api.get("/readyz")).json() == {"status": "ready", "waiting": 0, "warnings": [], "checks": []}


async def test_the_page_of_a_message_says_why_it_has_its_code(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    delivery = a_delivery(text="Your code is 482913, valid 10 minutes. <b>Call</b> +447700900123.")
    other = a_delivery(line=OTHER_LINE)
    await inbox.receive([delivery, other])
    answer = await api.get(f"/messages/{delivery.message.id}")
    assert answer.status_code == 200
    for part in ("Why this code", "482913", "+447700900123", "rejected", "&lt;b&gt;Call", "2026-11-22T12:00:00.000Z"):
        assert part in answer.text
    key = await with_key(inbox, "read", lines=(LINE,))
    assert (await api.get(f"/messages/{other.message.id}", headers=key)).status_code == 404


async def test_filters_count_for_an_id_too(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    delivery = a_delivery()
    await inbox.receive([delivery])
    path = f"/api/v1/messages/{delivery.message.id}"
    assert (await api.delete(f"{path}?sender=Nobody")).status_code == 404
    assert (await api.get(f"{path}?sender=Authy")).status_code == 200


async def test_readiness_says_what_keeps_messages_from_coming_in(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    inbox.trouble = "The spool is gone."
    answer = await api.get("/readyz")
    assert (answer.status_code, answer.json()["message"]) == (503, "The spool is gone.")


async def test_readiness_says_when_no_modem_of_any_line_works(
    api: httpx2.AsyncClient, inbox: Inbox, tmp_path: Path
) -> None:
    publish(tmp_path, LINE, "no_sim")
    publish(tmp_path, OTHER_LINE, "silent")
    answer = await api.get("/readyz")
    assert (answer.status_code, answer.json()["error"]) == (503, "no_modem")
    assert answer.json()["modems"] == {LINE: "no_sim", OTHER_LINE: "silent"}
    assert f"the modem of {LINE} is no sim" in answer.json()["message"]
    assert f"the modem of {OTHER_LINE} is silent" in answer.json()["message"]
    narrow = await api.get("/readyz", headers=await with_key(inbox, "read", lines=(LINE,)))
    assert (narrow.status_code, OTHER_LINE in narrow.text) == (503, False), "its modem is not for this key"
    publish(tmp_path, OTHER_LINE, "ready")
    answer = await api.get("/readyz")
    assert (answer.status_code, answer.json()["modems"]) == (200, {LINE: "no_sim", OTHER_LINE: "ready"})
    [check] = answer.json()["checks"]
    assert check["sentence"] == f"The modem of {LINE} at /dev/ttyUSB0 is no sim."
    lines = (await api.get("/api/v1/lines")).json()["lines"]
    assert check in lines[0]["checks"]
    assert check["remedy"] in (await api.get("/lines")).text


@pytest.mark.parametrize("state", ["deaf", "sim_busy"])
async def test_readiness_does_not_count_a_modem_in_which_no_text_comes(
    api: httpx2.AsyncClient, tmp_path: Path, state: str
) -> None:
    publish(tmp_path, LINE, state)
    publish(tmp_path, OTHER_LINE, "silent")
    assert (await api.get("/readyz")).json()["error"] == "no_modem"
    publish(tmp_path, OTHER_LINE, "starting")
    assert (await api.get("/readyz")).status_code == 200


async def test_readiness_does_not_call_a_line_dead_that_has_no_modem_of_ours(
    api: httpx2.AsyncClient, inbox: Inbox, tmp_path: Path
) -> None:
    publish(tmp_path, OTHER_LINE, "no_sim")  # while gammu-smsd reads the configured one
    assert (await api.get("/readyz")).status_code == 200
    publish(tmp_path, LINE, "stopped")
    assert (await api.get("/readyz")).status_code == 503
    await inbox.receive([a_delivery(line="+447700900003")])  # a webhook brought it
    assert (await api.get("/readyz")).status_code == 200


def publish(folder: Path, line: str, state: str) -> None:
    """Publish how the modem of a line is, as its link would."""
    write_health(folder / "spool", Health(line=line, device="/dev/ttyUSB0", state=state, updated_at=NOON))


@pytest.mark.parametrize("path", ["/api/v1/messages/next?timeout=0", "/api/v1/code?timeout=0", "/api/v1/messages"])
async def test_now_is_refused_rather_than_wrong_while_the_spool_cannot_be_stored(
    api: httpx2.AsyncClient, inbox: Inbox, path: str
) -> None:
    async def catch_up() -> None:
        raise StoreUnavailable("The database is locked.")

    inbox.catch_up = catch_up
    answer = await api.get(path)
    assert (answer.status_code, answer.json()["error"]) == (503, "store_unavailable")
    assert (await api.get("/api/v1/messages/next?after=0&timeout=0")).status_code == 404  # a cursor needs no now
