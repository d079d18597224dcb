"""What is acknowledged with 200 is in the store afterwards, whatever it says; a repeat is what one sender repeats."""

import json
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smscatch import codes, keys
from smscatch.draining import Drain
from smscatch.inbox import Inbox
from smscatch.intake import drain_into
from smscatch.leases import Leases
from smscatch.messages import Message, Query
from smscatch.sources.generic import MAX_TEXT
from smscatch.spool import Entry, Spool, write_entry
from smscatch.stores import Store
from smscatch.web.app import make_app
from tests.samples import LINE, OTHER_LINE
from tests.surroundings import settings_in


class House:
    """A server in this process: posts go into the store, behind what lies in the spool."""

    def __init__(self, inbox: Inbox, drain: Drain, spool: Spool, client: httpx2.AsyncClient) -> None:
        self.inbox = inbox
        self.spool = spool
        self.client = client
        self.drain = drain
        inbox.catch_up = drain.drain

    async def key(self, **facts: Any) -> dict[str, str]:
        _, secret = await keys.add_key(self.inbox, "gateway", ("ingest",), **facts)
        return {"authorization": f"Bearer {secret}"}

    async def post(self, headers: dict[str, str], **facts: Any) -> str:
        """Deliver a text; return the id that was answered."""
        delivery = {"line": LINE, "sender": "Authy", "text": "Your code is 482913"} | facts
        answer = await self.client.post("/api/v1/inbound/generic", json=delivery, headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    async def messages(self) -> list[Message]:
        await self.drain.drain()
        assert [path.name for path in (self.spool.folder / "rejected").iterdir()] == []
        return [stored.message for stored in await self.inbox.store.after(Query(), 0, 1000)]


@pytest.fixture
async def house(store: Store, tmp_path: Path) -> AsyncIterator[House]:
    inbox = await Inbox.open(store)
    leases = Leases(inbox, rest=timedelta(seconds=5), tolerance=timedelta(seconds=60))
    configured = settings_in(tmp_path)
    spool = Spool(configured.spool)
    transport = httpx2.ASGITransport(make_app(inbox, leases, configured))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield House(inbox, drain_into(spool, inbox, configured.line_of), spool, client)
    spool.close()


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20) | st.sampled_from(["", " ", "\0", "\ud800", "1"])
ZONES = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
ANY_TIME = (
    st.datetimes(timezones=ZONES).map(lambda time: time.isoformat())
    | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59.9999999Z"])
    | st.sampled_from(
        ["2026-12-31T23:59:60Z", "2026-11-22T24:00:00Z", "0000-01-01T00:00:00Z", "2199-12-31T00:00:00-23:59"]
    )
    | st.sampled_from([None, 0, -1, 1e308, 10**400, "", "now", True])
)
ANY_DELIVERY = st.fixed_dictionaries(
    {
        "line": st.just(LINE) | ANY_TEXT,
        "sender": ANY_TEXT | st.just("+447700900123"),
        "text": ANY_TEXT | ANY_TEXT.map(lambda text: (text + "1 ") * (MAX_TEXT // (len(text) + 2))),
    },
    optional={"id": ANY_TEXT | st.none(), "sent_at": ANY_TIME},
)


# Few examples of many deliveries each: every one that is acknowledged waits for the disk.
@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(deliveries=st.lists(ANY_DELIVERY, min_size=5, max_size=10))
async def test_what_is_acknowledged_is_stored(house: House, deliveries: list[dict[str, Any]]) -> None:
    key = await house.key()
    acknowledged = []
    for delivery in deliveries:
        content = json.dumps(delivery).encode()
        answer = await house.client.post("/api/v1/inbound/generic", content=content, headers=key)
        assert answer.status_code in (200, 400, 422), answer.text  # 400: too large
        if answer.status_code == 200:
            acknowledged.append((answer.json()["id"], delivery))
    await house.messages()
    assert house.spool.names() == []
    for id_, delivery in acknowledged:
        stored = await house.inbox.store.get(id_)
        assert stored is not None
        assert "id" in delivery or stored.message.text == delivery["text"]


@pytest.mark.parametrize("sent_at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z"])
async def test_a_time_that_no_text_was_sent_at_is_refused_at_once(house: House, sent_at: str) -> None:
    delivery = {"line": LINE, "sender": "Authy", "text": "x", "sent_at": sent_at}
    answer = await house.client.post("/api/v1/inbound/generic", json=delivery, headers=await house.key())
    assert (answer.status_code, answer.json()["error"]) == (422, "bad_delivery")
    assert "1970 to 2199" in answer.json()["message"]


async def test_an_id_is_the_senders_and_not_the_worlds(house: House) -> None:
    one, other = await house.key(), await house.key()
    ids = [
        await house.post(one, id="1"),
        await house.post(other, id="1"),
        await house.post(one, id="1", line=OTHER_LINE),
    ]
    assert ids[0] == await house.post(one, id="1", line=LINE.replace("+", "00"))
    assert len(set(ids)) == 3
    assert sorted(message.id for message in await house.messages()) == sorted(ids)


async def test_a_session_names_its_texts_as_the_key_does_that_it_was_made_from(house: House) -> None:
    _, secret = await keys.add_key(house.inbox, "gateway", ("ingest",))
    session = await keys.start_session(house.inbox, secret)
    ids = {await house.post({"authorization": f"Bearer {given}"}, id="1") for given in (secret, session)}
    assert len(ids) == len(await house.messages()) == 1


def as_before(name: str, **facts: Any) -> Entry:
    """A spool entry that version 0.1 wrote."""
    delivery = {"line": LINE, "sender": "Authy", "text": "Your code is 482913", "id": "1"} | facts
    body = {"received_at": "2026-11-22T12:00:00Z", "delivery": delivery}
    return Entry(name, "generic", json.dumps(body).encode())


@pytest.mark.parametrize("is_stored", [True, False])
async def test_what_the_version_before_took_in_is_not_doubled_by_a_repeat(house: House, is_stored: bool) -> None:
    write_entry(house.spool.folder, as_before("0000"))
    if is_stored:
        assert len(await house.messages()) == 1
    key = await house.key()
    await house.post(key, id="1")
    await house.post(key, id="1")
    await house.post(await house.key(), id="1", text="another gateway's first")
    assert [message.text for message in await house.messages()] == ["Your code is 482913", "another gateway's first"]


async def test_what_the_version_before_acknowledged_is_not_put_aside(house: House) -> None:
    write_entry(house.spool.folder, as_before("0000", sent_at="9999-12-31T23:59:59-14:00"))
    write_entry(house.spool.folder, as_before("0001", id="2", sent_at="2026-11-22T11:59:00Z"))
    sent = [message.sent_at for message in await house.messages()]
    assert sent == [None, datetime(2026, 11, 22, 11, 59, tzinfo=UTC)]


@pytest.mark.parametrize(("text", "is_on_loop"), [("Your code is 482913", True), ("Your code is 482913 " * 300, False)])
async def test_the_codes_of_a_text_are_read_once_and_those_of_a_long_one_not_by_the_event_loop(
    house: House, monkeypatch: pytest.MonkeyPatch, text: str, *, is_on_loop: bool
) -> None:
    read: list[tuple[str, bool]] = []
    find_codes = codes.find_codes

    def watch(text: str) -> codes.Reading:
        read.append((text, threading.current_thread() is threading.main_thread()))
        return find_codes(text)

    monkeypatch.setattr(codes, "find_codes", watch)
    await house.post(await house.key(), text=text)
    (message,) = await house.messages()
    assert message.code == "482913"
    first, *again = read
    assert first == (text, is_on_loop)
    # On a busy machine the store may seem silent: then the text goes into the spool, and its drain reads it.
    assert again in ([], [(text, False)])
