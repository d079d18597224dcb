"""Many texts in one request, over an inbox in this process: an answer to each, and a bad one spoils no other."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest

from smscatch import keys
from smscatch.inbox import Inbox
from smscatch.intake import drain_into
from smscatch.leases import Leases
from smscatch.messages import Query
from smscatch.spool import Spool
from smscatch.stores import Delivery
from smscatch.stores.absent import absent_store
from smscatch.web.api import generic
from smscatch.web.app import make_app
from smscatch.web.bodies import MAX_BODY_BYTES
from tests.samples import LINE, OTHER_LINE
from tests.surroundings import settings_in

LINES = "application/x-ndjson"


class House:
    """A server in this process, and a client with a key that may deliver to one line."""

    def __init__(self, inbox: Inbox, spool: Spool, client: httpx2.AsyncClient) -> None:
        self.inbox, self.spool, self.client = inbox, spool, client
        self.drain = drain_into(spool, inbox, lambda line: line)
        inbox.catch_up = self.drain.drain

    async def post(self, content: bytes | str, media_type: str = "application/json") -> httpx2.Response:
        return await self.client.post("/api/v1/inbound/generic", content=content, headers={"content-type": media_type})

    async def texts(self) -> list[str]:
        await self.drain.drain()
        return [stored.message.text for stored in await self.inbox.store.after(Query(), 0, 2000)]


@pytest.fixture
async def house(inbox: Inbox, leases: Leases, tmp_path: Path) -> AsyncIterator[House]:
    settings = settings_in(tmp_path)
    spool = Spool(settings.spool)
    _, secret = await keys.add_key(inbox, "gateway", ("ingest",), (LINE,))
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings))
    headers = {"authorization": f"Bearer {secret}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield House(inbox, spool, client)
    spool.close()


def a_text(text: str, **facts: Any) -> dict[str, Any]:
    return {"line": LINE, "sender": "Authy", "text": text} | facts


def in_lines(values: Sequence[object]) -> str:
    return "".join(f"{json.dumps(value)}\r\n" for value in values)


BOTH = [pytest.param("application/json", json.dumps, id="a list"), pytest.param(LINES, in_lines, id="lines")]


@pytest.mark.parametrize(("media_type", "write"), BOTH)
async def test_many_are_answered_in_their_order_and_stored_in_it_by_few_commits(
    house: House, monkeypatch: pytest.MonkeyPatch, media_type: str, write: Any
) -> None:
    commits, add = [], house.inbox.store.add

    async def noting(deliveries: Sequence[Delivery]) -> int:
        commits.append(len(deliveries))
        return await add(deliveries)

    monkeypatch.setattr(house.inbox.store, "add", noting)
    texts = [f"Your code is {482000 + n}" for n in range(200)]
    answer = await house.post(write([a_text(text) for text in texts]), media_type)
    assert answer.status_code == 200, answer.text
    assert await house.texts() == texts
    assert len(commits) < 10
    stored = await house.inbox.store.after(Query(), 0, 1000)
    assert [taken["id"] for taken in answer.json()] == [each.message.id for each in stored]
    assert [each.message.code for each in stored] == [text.split()[-1] for text in texts]


@pytest.mark.parametrize(("media_type", "write"), BOTH)
async def test_a_bad_one_has_its_own_error_and_spoils_no_other(house: House, media_type: str, write: Any) -> None:
    posted = [
        a_text("one"),
        a_text("two", sent_at="0001-01-01T00:00:00+14:00"),
        {"line": LINE, "sender": "Authy"},
        a_text("not ours", line=OTHER_LINE),
        7,
        [a_text("a list in a list")],
        a_text("three", line=LINE.replace("+", "00")),
    ]
    answer = await house.post(write(posted), media_type)
    assert answer.status_code == 207
    errors = [each.get("error") for each in answer.json()]
    assert errors == [None, *["bad_delivery"] * 2, "forbidden", *["bad_delivery"] * 2, None]
    assert "1970 to 2199" in answer.json()[1]["message"]
    assert "`text`" in answer.json()[2]["message"]
    assert (await house.texts(), house.spool.names()) == (["one", "three"], [])
    assert not list((house.spool.folder / "rejected").iterdir())


async def test_if_none_can_be_taken_it_is_refused_with_the_reason_of_each(house: House) -> None:
    answer = await house.post(json.dumps([a_text("not ours", line=OTHER_LINE), {"line": LINE}]))
    assert (answer.status_code, answer.json()["error"]) == (422, "bad_delivery")
    assert [each["error"] for each in answer.json()["answers"]] == ["forbidden", "bad_delivery"]
    assert await house.texts() == []


async def test_a_line_that_is_no_json_spoils_no_other_and_blank_ones_are_nothing(house: House) -> None:
    lines = [json.dumps(a_text("one")), "", "{", "\xff", json.dumps(a_text("two")), ""]
    answer = await house.post("\n".join(lines).encode("latin-1"), LINES)
    assert answer.status_code == 207
    assert [each.get("error") for each in answer.json()] == [None, "bad_delivery", "bad_delivery", None]
    assert await house.texts() == ["one", "two"]


async def test_what_is_sent_again_with_its_ids_is_answered_as_before_and_stored_once(house: House) -> None:
    content = json.dumps([a_text(f"text {n}", id=str(n % 3)) for n in range(4)])
    first, second = await house.post(content), await house.post(content)
    assert (first.status_code, first.json()) == (200, second.json())
    assert first.json()[0] == first.json()[3]
    assert await house.texts() == ["text 0", "text 1", "text 2"]


@pytest.mark.parametrize(
    ("content", "media_type", "status", "said"),
    [
        ("[]", "application/json", 422, "0 objects"),
        ("\n\n", LINES, 422, "0 objects"),
        (json.dumps([a_text("x")] * 1001), "application/json", 422, "1001 objects"),
        (in_lines([a_text("x")] * 1001), LINES, 422, "1001 objects"),
        (json.dumps([a_text("x")])[:-1], "application/json", 422, "truncated"),
        (" " * (generic.MAX_BYTES + 1), LINES, 400, "larger"),
        (json.dumps(a_text("x")) + " " * MAX_BODY_BYTES, "application/json", 400, "larger"),
    ],
)
async def test_what_is_no_list_or_too_much_is_refused_whole(
    house: House, content: str, media_type: str, *, status: int, said: str
) -> None:
    answer = await house.post(content, media_type)
    assert (answer.status_code, said in answer.json()["message"]) == (status, True), answer.text
    assert await house.texts() == []


async def test_one_that_is_too_large_to_lie_in_the_spool_is_refused(house: House) -> None:
    large = json.dumps(a_text("large"))[:-1] + " " * MAX_BODY_BYTES + "}"
    answer = await house.post(f"[{large}, {json.dumps(a_text('small'))}]")
    assert (answer.status_code, answer.json()[0]["error"]) == (207, "bad_delivery")
    assert await house.texts() == ["small"]


async def test_while_the_store_is_away_they_are_in_the_spool_and_come_in_their_order(house: House) -> None:
    store, house.inbox.store = house.inbox.store, absent_store("The store is away.")
    keys_of_store = store.find_key
    house.inbox.store.find_key = keys_of_store  # type: ignore[method-assign]
    texts = [f"text {n}" for n in range(30)]
    answer = await house.post(json.dumps([a_text(text) for text in texts]))
    assert (answer.status_code, len(answer.json()), len(house.spool.names())) == (200, 30, 30)
    house.inbox.store = store
    assert (await house.texts(), house.spool.names()) == (texts, [])


async def test_where_nothing_can_be_kept_it_says_so(house: House) -> None:
    store, house.inbox.store = house.inbox.store, absent_store("The store is away.")
    house.inbox.store.find_key = store.find_key  # type: ignore[method-assign]
    house.spool.folder.rename(house.spool.folder.with_name("away"))
    answer = await house.post(json.dumps([a_text("x"), a_text("y")]))
    assert (answer.status_code, answer.json()["error"]) == (503, "store_unavailable")
    house.spool.folder.with_name("away").rename(house.spool.folder)
    house.inbox.store = store
    assert await house.texts() == []
