"""Leases over HTTP: shapes, pools, refusals, and what those without the lease get."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from smscatch import keys
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import Lease
from smscatch.modem.health import Health, write_health
from smscatch.web import auth
from smscatch.web.app import make_app
from tests.conftest import Clock
from tests.samples import LINE, NOON, OTHER_LINE, a_delivery, the_parts
from tests.surroundings import settings_in

THIRD_LINE = "+447700900003"
CONFIG = f"""
[lines."{LINE}"]
label = "pool"
[lines."{OTHER_LINE}"]
label = "pool"
phone_id = "b"
[lines."{THIRD_LINE}"]
label = "login"
phone_id = "c"
"""


@pytest.fixture
async def api(
    inbox: Inbox, leases: Leases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with a key that may lease."""
    monkeypatch.setattr(auth, "FAILURE_SECONDS", 0)
    settings = settings_in(tmp_path, CONFIG)
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        client.headers |= await with_key(inbox, "lease")
        yield client


async def with_key(inbox: Inbox, *scopes: str, lines: tuple[str, ...] | None = None) -> dict[str, str]:
    _, secret = await keys.add_key(inbox, "test", scopes, lines)
    return {"authorization": f"Bearer {secret}"}


async def test_a_line_is_leased_by_its_number(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    await inbox.receive([a_delivery()])
    answer = await api.post("/api/v1/leases", json={"line": "0044 7700 900001", "holder": "test 7", "ttl_seconds": 90})
    assert answer.status_code == 201
    lease = answer.json()
    assert {name: lease[name] for name in ("line", "label", "holder", "cursor", "expires_at", "rests_until")} == {
        "line": LINE,
        "label": "pool",
        "holder": "test 7",
        "cursor": "1",
        "expires_at": "2026-11-22T12:01:30.000Z",
        "rests_until": "2026-11-22T12:01:35.000Z",
    }
    assert (await api.get("/api/v1/leases")).json() == {"leases": [lease]}
    assert (await api.get(f"/api/v1/leases/{lease['id']}")).json() == lease
    lines = (await api.get("/api/v1/lines")).json()["lines"]
    assert [line["lease"] and line["lease"]["holder"] for line in lines] == ["test 7", None, None]


async def test_its_messages_are_read_through_the_lease(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    lease = (await api.post("/api/v1/leases", json={"line": LINE})).json()
    path = f"/api/v1/leases/{lease['id']}"
    await inbox.receive([a_delivery(text="hello"), a_delivery(text="Your code is 123456", sender="Bank")])
    first = (await api.get(f"{path}/next?timeout=5")).json()
    assert (first["text"], first["lease"]) == ("hello", lease["id"])
    assert (await api.get(f"{path}/next?timeout=5&sender=bank")).json()["code"] == "123456"
    assert (await api.get(f"{path}/code?timeout=5&after={first['cursor']}")).text == "123456"
    assert (await api.get(f"{path}/next?line={LINE}")).status_code == 400


async def test_of_two_codes_the_newer_is_asked_for_by_a_cursor_or_as_the_newest(
    api: httpx2.AsyncClient, inbox: Inbox
) -> None:
    lease = (await api.post("/api/v1/leases", json={"line": LINE})).json()
    path = f"/api/v1/leases/{lease['id']}/code"
    await inbox.receive([a_delivery(text="Your code is 111111")])
    mark = (await api.get("/api/v1/cursor")).text
    await inbox.receive([a_delivery(text="Your code is 222222"), a_delivery(text="Welcome")])
    assert (await api.get(path)).text == "111111"
    assert (await api.get(path, params={"after": mark})).text == "222222"
    assert (await api.get(path, params={"newest": "true", "quiet": "0.01"})).text == "222222"
    reader = await with_key(inbox, "read")
    await inbox.receive([a_delivery(text=f"Your code is {code}", line=OTHER_LINE) for code in ("333333", "444444")])
    plain = {"line": OTHER_LINE, "after": mark, "quiet": "0"}  # which says that the newest is meant
    assert (await api.get("/api/v1/code", params=plain, headers=reader)).text == "444444"
    assert (await api.get("/api/v1/messages/next", params=plain, headers=reader)).json()["code"] == "444444"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"newest": "perhaps"}, "newest = 'perhaps' is not accepted: give true or false."),
        ({"newest": "true", "quiet": "61"}, "quiet = '61' is not accepted: give seconds from 0 to 60."),
        ({"newest": "true", "quiet": "nan"}, "quiet = 'nan' is not accepted: give seconds from 0 to 60."),
        ({"quiet": "soon"}, "quiet = 'soon' is not accepted: give seconds from 0 to 60."),
    ],
)
async def test_how_the_newest_cannot_be_asked_for(
    api: httpx2.AsyncClient, inbox: Inbox, asked: dict[str, str], said: str
) -> None:
    lease = (await api.post("/api/v1/leases", json={"line": LINE})).json()
    answer = await api.get(f"/api/v1/leases/{lease['id']}/next", params=asked)
    assert (answer.status_code, answer.json()["message"]) == (400, said)
    answer = await api.get("/api/v1/code", params=asked, headers=await with_key(inbox, "read"))
    assert (answer.status_code, answer.json()["message"]) == (400, said)


async def test_what_the_line_received_since_is_listed_late_texts_too(
    api: httpx2.AsyncClient, inbox: Inbox, clock: Clock
) -> None:
    await inbox.receive([a_delivery(text="before")])
    lease = (await api.post("/api/v1/leases", json={"line": LINE, "ttl_seconds": 60})).json()
    await inbox.receive([a_delivery(text="late", sent_at=NOON - timedelta(hours=1)), a_delivery(text="mine")])
    clock.advance(65)
    await api.post("/api/v1/leases", json={"line": LINE})
    await inbox.receive([a_delivery(text="next one's", received_at=clock())])
    listed = (await api.get(f"/api/v1/leases/{lease['id']}/messages")).json()["messages"]
    assert [(message["text"], message["lease"], message["marks"]) for message in listed] == [
        ("mine", lease["id"], []),
        ("late", None, ["late"]),
    ]


async def test_nobody_else_is_given_what_belongs_to_a_lease(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    lease = (await api.post("/api/v1/leases", json={"line": LINE, "holder": "test 7"})).json()
    await inbox.receive([a_delivery()])
    reader = await with_key(inbox, "read")
    answer = await api.get(f"/api/v1/code?line=%2B{LINE[1:]}&after=0&timeout=0", headers=reader)
    assert (answer.status_code, answer.json()["error"]) == (404, "no_message")
    assert f"the text from 'Authy' belongs to the lease {lease['id']} of 'test 7'" in answer.json()["message"]
    listed = (await api.get("/api/v1/messages", headers=reader)).json()["messages"]
    assert [message["lease"] for message in listed] == [lease["id"]]


@pytest.mark.parametrize("after", ["0", "30d", "2026-11-22T00:00:00Z"])
async def test_a_leaseholder_is_told_nothing_of_what_came_before(
    api: httpx2.AsyncClient, inbox: Inbox, clock: Clock, after: str
) -> None:
    first, _ = the_parts("Your code is 482913. " * 20, sender="Google")[:2]
    await inbox.receive([a_delivery(sender="Bank"), first])
    clock.advance(1)
    lease = (await api.post("/api/v1/leases", json={"line": LINE})).json()
    answer = await api.get(f"/api/v1/leases/{lease['id']}/next", params={"after": after, "timeout": 0})
    assert (answer.json()["error"], answer.json()["near_misses"]) == ("no_message", [])
    assert not [sender for sender in ("Bank", "Google") if sender in answer.text]


async def test_another_key_cannot_use_the_lease(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    lease = (await api.post("/api/v1/leases", json={"line": LINE})).json()
    path = f"/api/v1/leases/{lease['id']}"
    thief = await with_key(inbox, "lease")
    assert (await api.get(f"{path}/next?timeout=0", headers=thief)).status_code == 403
    assert (await api.delete(path, headers=thief)).status_code == 403
    assert (await api.post(f"{path}/extend", headers=thief)).status_code == 403
    assert (await api.delete(path, headers=await with_key(inbox, "admin"))).status_code == 204


async def test_a_reader_cannot_lease(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    reader = await with_key(inbox, "read")
    answer = await api.post("/api/v1/leases", json={}, headers=reader)
    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
    assert (await api.get("/api/v1/leases", headers=reader)).status_code == 200


async def test_a_label_stands_for_a_pool(api: httpx2.AsyncClient) -> None:
    pool = {"label": "pool", "ttl_seconds": 60}
    lines = [(await api.post("/api/v1/leases", json=pool)).json()["line"] for _ in range(2)]
    assert sorted(lines) == [LINE, OTHER_LINE]
    answer = await api.post("/api/v1/leases", json=pool)
    assert (answer.status_code, answer.json()["error"]) == (409, "no_free_line")
    assert {holder["line"] for holder in answer.json()["holders"]} == {LINE, OTHER_LINE}
    assert (await api.post("/api/v1/leases", json={})).json()["line"] == THIRD_LINE


async def test_a_key_leases_only_lines_that_it_may_see(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    limited = await with_key(inbox, "lease", lines=(OTHER_LINE,))
    for _ in range(2):
        answer = await api.post("/api/v1/leases", json={"label": "pool"}, headers=limited)
        assert answer.json().get("line", answer.json().get("error")) in (OTHER_LINE, "no_free_line")
    assert (await api.post("/api/v1/leases", json={"line": LINE}, headers=limited)).status_code == 403
    assert (await api.post("/api/v1/leases", json={"label": "login"}, headers=limited)).status_code == 404
    foreign = (await api.post("/api/v1/leases", json={"line": LINE})).json()
    unseen = await api.get(f"/api/v1/leases/{foreign['id']}", headers=limited)
    assert (unseen.json()["error"], LINE in unseen.text) == ("unknown_lease", False)
    assert {lease["line"] for lease in (await api.get("/api/v1/leases", headers=limited)).json()["leases"]} == {
        OTHER_LINE
    }


@pytest.mark.parametrize("state", ["port_missing", "deaf", "sim_busy"])
async def test_of_a_pool_a_line_whose_modem_is_away_or_hears_nothing_is_left_out(
    api: httpx2.AsyncClient, tmp_path: Path, state: str
) -> None:
    write_health(tmp_path / "spool", Health(line=LINE, device="/dev/x", state=state, updated_at=NOON))
    leased = await api.post("/api/v1/leases", json={"label": "pool"})
    assert leased.json()["line"] == OTHER_LINE
    assert (await api.post("/api/v1/leases", json={"label": "pool"})).status_code == 409


@pytest.mark.parametrize("state", ["ready", "starting"])
async def test_of_a_pool_a_line_that_never_received_anything_is_leased(
    api: httpx2.AsyncClient, tmp_path: Path, state: str
) -> None:
    write_health(tmp_path / "spool", Health(line=LINE, device="/dev/x", state=state, updated_at=NOON))
    leased = [(await api.post("/api/v1/leases", json={"label": "pool"})).json()["line"] for _ in range(2)]
    assert sorted(leased) == sorted([LINE, OTHER_LINE])


async def test_a_line_that_is_deaf_is_leased_where_there_is_no_better_one(
    api: httpx2.AsyncClient, tmp_path: Path
) -> None:
    for line in (LINE, OTHER_LINE):
        write_health(tmp_path / "spool", Health(line=line, device="/dev/x", state="deaf", updated_at=NOON))
    assert (await api.post("/api/v1/leases", json={"label": "pool"})).status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "part"),
    [
        ({"ttl_seconds": 0}, 400, "ttl_seconds"),
        ({"ttl_seconds": 1e9}, 400, "ttl_seconds"),
        ({"wait_seconds": 301}, 400, "wait_seconds"),
        ({"wait": 5}, 400, "wait"),
        ({"ticket": "short"}, 400, "ticket"),
        ({"line": LINE, "label": "pool"}, 400, "not both"),
        ({"line": "+447700900009"}, 404, "There is no line"),
        ({"label": "none"}, 404, "There is no line with the label 'none'"),
        ([], 400, "object"),
    ],
)
async def test_a_wrong_request_is_refused_in_words(
    api: httpx2.AsyncClient, body: object, status: int, part: str
) -> None:
    answer = await api.post("/api/v1/leases", json=body)
    assert answer.status_code == status
    assert part in answer.json()["message"]


async def test_extended_and_released(api: httpx2.AsyncClient, clock: Clock) -> None:
    lease = (await api.post("/api/v1/leases", json={"line": LINE, "ttl_seconds": 60})).json()
    path = f"/api/v1/leases/{lease['id']}"
    clock.advance(30)
    longer = await api.post(f"{path}/extend", json={"ttl_seconds": 60})
    assert (longer.status_code, longer.json()["expires_at"]) == (200, "2026-11-22T12:01:30.000Z")
    assert [(await api.delete(path)).status_code for _ in range(2)] == [204, 204]
    clock.advance(1)
    answer = await api.post(f"{path}/extend", json={"ttl_seconds": 60})
    assert (answer.status_code, answer.json()["error"]) == (410, "lease_ended")
    assert "was released at 2026-11-22T12:00:30.000Z" in answer.json()["message"]
    answer = await api.get(f"{path}/code?timeout=0")
    assert (answer.status_code, answer.json()["error"]) == (410, "lease_ended")
    assert (await api.get("/api/v1/leases/none")).json()["error"] == "unknown_lease"


async def test_a_ticket_is_of_one_request(api: httpx2.AsyncClient) -> None:
    asked = {"line": LINE, "ticket": "ticket 1"}
    lease = (await api.post("/api/v1/leases", json=asked)).json()
    assert (await api.post("/api/v1/leases", json=asked)).json()["id"] == lease["id"]
    for another in ({"line": OTHER_LINE}, {"label": "login"}):
        answer = await api.post("/api/v1/leases", json={"ticket": "ticket 1"} | another)
        assert (answer.status_code, answer.json()["parameter"]) == (400, "ticket")


async def test_messages_to_skip_are_passed_over_and_the_reason_is_told(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    lease = (await api.post("/api/v1/leases", json={"line": LINE})).json()
    path = f"/api/v1/leases/{lease['id']}/next"
    await inbox.receive([a_delivery(text="first"), a_delivery(text="second")])
    first = (await api.get(path)).json()
    second = (await api.get(path, params={"skip": first["id"]})).json()
    assert (first["text"], second["text"]) == ("first", "second")
    answer = await api.get(path, params={"skip": [first["id"], f"{second['cursor']} it is blue"], "timeout": 0})
    assert "it was to be passed over; it is blue" in answer.json()["message"]
    assert (await api.get(path, params={"skip": ["x"] * 101})).status_code == 400


async def test_a_request_is_given_up(api: httpx2.AsyncClient) -> None:
    lease = (await api.post("/api/v1/leases", json={"line": LINE, "ticket": "ticket 1"})).json()
    assert (await api.delete("/api/v1/leases?ticket=ticket+1")).status_code == 204
    assert (await api.delete("/api/v1/leases?ticket=unknown+one")).status_code == 204
    assert (await api.delete("/api/v1/leases")).status_code == 400
    assert (await api.get(f"/api/v1/leases/{lease['id']}")).json()["released_at"] == "2026-11-22T12:00:00.000Z"


async def test_a_key_that_is_revoked_while_it_waits_gets_no_line(
    api: httpx2.AsyncClient, inbox: Inbox, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, secret = await keys.add_key(inbox, "to be revoked", ("lease",))
    acquire = leases.acquire_all

    async def acquire_and_revoke(*arguments: Any) -> tuple[Lease, ...]:
        leased = await acquire(*arguments)
        await inbox.store.revoke_key(key.id)
        return leased

    monkeypatch.setattr(leases, "acquire_all", acquire_and_revoke)
    answer = await api.post("/api/v1/leases", json={"line": LINE}, headers={"authorization": f"Bearer {secret}"})
    assert answer.status_code == 401
    assert (await leases.held())[0].released_at is not None


async def test_a_timeout_says_how_the_modem_is(api: httpx2.AsyncClient, inbox: Inbox, tmp_path: Path) -> None:
    health = Health(
        line=LINE,
        device="/dev/x",
        state="not_registered",
        updated_at=NOON,
        error="The network is not found.",
        last_contact_at=NOON - timedelta(minutes=4),
        signal_percent=12,
    )
    write_health(tmp_path / "spool", health)
    await inbox.receive([a_delivery(sender="Google", line=OTHER_LINE), a_delivery(sender="Google")])
    answer = await api.get(
        "/api/v1/messages/next",
        params={"line": LINE, "sender": "Authy", "after": "0", "timeout": "0"},
        headers=await with_key(inbox, "read"),
    )
    assert answer.json()["message"] == (
        f"No message matched in 0 s: 1 came to {LINE} meanwhile: sender 'Google' is not 'Authy'; the modem of {LINE}"
        " is not registered (The network is not found), last seen 4 min ago, signal 12 %."
    )
    assert answer.json()["modems"][0]["state"] == "not_registered"
    assert [miss["reason"] for miss in answer.json()["near_misses"]] == ["sender 'Google' is not 'Authy'"]


async def test_a_line_is_known_as_soon_as_its_first_text_is_in_the_spool(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    async def drain() -> None:
        await inbox.receive([a_delivery(line="+447700900009", delivery="the only one")])

    inbox.catch_up = drain
    assert (await api.post("/api/v1/leases", json={"line": "+447700900009"})).status_code == 201


async def test_two_lines_are_leased_at_once_and_used_one_by_one(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    asked = {"label": "pool", "count": 2, "holder": "test 7", "ticket": "of this test", "ttl_seconds": 60}
    answer = await api.post("/api/v1/leases", json=asked)
    assert answer.status_code == 201
    group = answer.json()
    assert {lease["line"] for lease in group["leases"]} == {LINE, OTHER_LINE}
    assert [lease["group"] for lease in group["leases"]] == [group["id"]] * 2
    assert (group["holder"], group["cursor"], group["expires_at"]) == ("test 7", "0", "2026-11-22T12:01:00.000Z")
    path = f"/api/v1/leases/{group['id']}"
    assert (await api.get(path)).json() == group
    assert (await api.post("/api/v1/leases", json=asked)).json() == group
    assert (await api.get("/api/v1/leases")).json()["leases"] == sorted(group["leases"], key=lambda one: one["line"])
    await inbox.receive(
        [a_delivery(line=lease["line"], text=f"code 12345{n}") for n, lease in enumerate(group["leases"])]
    )
    codes = [(await api.get(f"/api/v1/leases/{lease['id']}/code?timeout=5")).text for lease in group["leases"]]
    assert codes == ["123450", "123451"]
    assert (await api.post(f"{path}/extend", json={"ttl_seconds": 90})).json()["expires_at"].endswith("12:01:30.000Z")
    assert (await api.delete(path)).status_code == 204
    assert all(lease["released_at"] for lease in (await api.get(path)).json()["leases"])


async def test_a_lease_without_a_count_is_no_group(api: httpx2.AsyncClient) -> None:
    lease = (await api.post("/api/v1/leases", json={"line": LINE})).json()
    assert (lease["line"], lease["group"], "leases" in lease) == (LINE, None, False)


@pytest.mark.parametrize(
    ("asked", "code", "sentence"),
    [
        ({"count": 0}, "bad_request", ">= 1"),
        ({"count": 21}, "bad_request", "<= 20"),
        ({"count": 2, "line": LINE}, "bad_request", "is one line, not 2"),
        ({"count": 3, "label": "pool"}, "unknown_line", "never be 3 free lines: this key may lease 2 with the label"),
        ({"count": 4}, "unknown_line", "never be 4 free lines: this key may lease 3. Add lines, or ask for fewer."),
    ],
)
async def test_a_group_that_can_never_be_had_is_refused(
    api: httpx2.AsyncClient, asked: dict[str, Any], code: str, sentence: str
) -> None:
    answer = await api.post("/api/v1/leases", json=asked)
    assert answer.json()["error"] == code
    assert sentence in answer.json()["message"]


async def test_a_ticket_of_a_group_is_of_no_other_request(api: httpx2.AsyncClient) -> None:
    await api.post("/api/v1/leases", json={"count": 2, "ticket": "of a group"})
    for asked in ({}, {"count": 1}, {"count": 3}):
        answer = await api.post("/api/v1/leases", json={**asked, "ticket": "of a group"})
        assert (answer.status_code, "is of another request, which got" in answer.json()["message"]) == (400, True)


async def test_a_group_has_no_messages_of_its_own_and_is_the_keys_alone(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    group = (await api.post("/api/v1/leases", json={"label": "pool", "count": 2})).json()
    path = f"/api/v1/leases/{group['id']}"
    answer = await api.get(f"{path}/next?timeout=0")
    assert (answer.status_code, f"{group['id']}.2 of" in answer.json()["message"]) == (404, True)
    thief = await with_key(inbox, "lease")
    assert (await api.delete(path, headers=thief)).status_code == 403
    limited = await with_key(inbox, "lease", lines=(OTHER_LINE,))
    assert (await api.get(path, headers=limited)).json()["error"] == "unknown_lease"
    answer = await api.post("/api/v1/leases", json={"count": 2}, headers=limited)
    assert "this key may lease 1." in answer.json()["message"]


async def test_of_a_pool_with_too_few_working_modems_a_group_takes_what_there_is(
    api: httpx2.AsyncClient, tmp_path: Path
) -> None:
    write_health(tmp_path, Health(line=LINE, device="/dev/x", state="port_missing", updated_at=NOON))
    group = (await api.post("/api/v1/leases", json={"label": "pool", "count": 2})).json()
    assert len(group["leases"]) == 2


async def test_the_label_virtual_gives_a_number_that_nobody_has(api: httpx2.AsyncClient) -> None:
    answers = [(await api.post("/api/v1/leases", json={"label": "virtual"})).json() for _ in range(3)]
    assert len({lease["line"] for lease in answers}) == 3
    assert {lease["label"] for lease in answers} == {"virtual"}
    assert all(lease["line"].startswith("+1") and lease["rests_until"] == lease["expires_at"] for lease in answers)
    again = {"label": "virtual", "ticket": "a ticket of a test"}
    one, two = [(await api.post("/api/v1/leases", json=again)).json() for _ in range(2)]
    assert one == two
    wrong = await api.post("/api/v1/leases", json=again | {"label": "pool"})
    assert (wrong.status_code, "ticket" in wrong.json()["message"]) == (400, True)


async def test_a_label_of_lines_and_of_virtual_ones_gives_a_line_while_one_is_free(
    inbox: Inbox, leases: Leases, tmp_path: Path
) -> None:
    config = f'[lines."{LINE}"]\nlabel = "pool"\n[virtual]\nlabels = "pool"\ndefault = true\n'
    app = make_app(inbox, leases, settings_in(tmp_path, config))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        client.headers |= await with_key(inbox, "lease", "read")
        first = (await client.post("/api/v1/leases", json={"label": "pool"})).json()
        second = (await client.post("/api/v1/leases", json={"label": "pool", "wait_seconds": 60})).json()
        third = (await client.post("/api/v1/leases", json={"wait_seconds": 60})).json()
        assert (first["line"], second["label"], third["label"]) == (LINE, "virtual", "virtual")
        assert LINE not in (second["line"], third["line"])
        none_yet = await client.get("/api/v1/messages", params={"line": second["line"]})
        assert none_yet.json()["messages"] == []


async def test_a_key_of_some_lines_gets_no_virtual_one(api: httpx2.AsyncClient, inbox: Inbox) -> None:
    headers = await with_key(inbox, "lease", lines=(LINE,))
    answer = await api.post("/api/v1/leases", json={"label": "virtual"}, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (404, "unknown_line")
