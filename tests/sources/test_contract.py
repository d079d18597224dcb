"""What every source of signed deliveries over HTTP does, whoever sends them; a new one needs a file in tests/data/."""

import importlib
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import msgspec
import pytest

from smscatch.errors import BadDelivery, StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.intake import drain_into
from smscatch.keys import add_key
from smscatch.leases import Leases
from smscatch.messages import Message, Query
from smscatch.settings import Settings
from smscatch.sources import KINDS, find_source, join_parts, open_sources, signed_kinds
from smscatch.sources.webhook import JSON, Envelope, Webhook, parse_envelope, write_envelope
from smscatch.spool import Entry, Spool, write_entry
from smscatch.stores.absent import absent_store
from smscatch.web.app import make_app
from smscatch.web.bodies import MAX_BODY_BYTES
from tests.conftest import Clock
from tests.samples import NOON, OTHER_LINE
from tests.sources import in_parts
from tests.sources.samples import Post, Samples
from tests.surroundings import settings_in

INSIDE, OUTSIDE = "http://inside.test", "https://outside.example/sms/hook"
SECRET, OLD_SECRET = "the-secret-of-the-tests", "the-secret-of-before"


class Kind(NamedTuple):
    name: str
    webhook: Webhook
    samples: Samples


SIGNED = [
    Kind(name, webhook, importlib.import_module(f"tests.data.{name}").SAMPLES)
    for name, webhook in signed_kinds().items()
]


@pytest.fixture(params=SIGNED, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


class Gate:
    """A server in this process with one configured source, called `gate`, which its sender knows as OUTSIDE."""

    def __init__(self, kind: Kind, inbox: Inbox, spool: Spool, *, clock: Clock, client: httpx2.AsyncClient) -> None:
        self.kind, self.inbox, self.clock, self.spool, self.client = kind, inbox, clock, spool, client
        self.drain = drain_into(spool, inbox, lambda line: line)
        inbox.catch_up = self.drain.drain

    async def send(self, post: Post, secret: str = SECRET, url: str = OUTSIDE, **changed: Any) -> httpx2.Response:
        """Sign a delivery and send it; `changed` is what becomes of it on the way: content, headers, method."""
        query, headers = self.kind.samples.sign(post, secret, url, self.clock())
        return await self.send_signed(post, query, headers, **changed)

    async def send_signed(
        self, post: Post, query: str, headers: dict[str, str], to: str = "gate", **changed: Any
    ) -> httpx2.Response:
        content = b"" if post.method == "GET" else post.content
        sent = {"method": post.method, "content": content, "headers": headers | {"content-type": post.content_type}}
        address = f"/api/v1/inbound/{to}" + (f"?{query}" if query else "")
        return await self.client.request(url=address, **(sent | changed))

    async def messages(self) -> list[Message]:
        """What is stored when the spool is drained, of which nothing may be put aside."""
        await self.drain.drain()
        assert self.put_aside() == []
        return [stored.message for stored in await self.inbox.store.after(Query(), 0, 1000)]

    def put_aside(self) -> list[str]:
        return [path.read_text() for path in (self.spool.folder / "rejected").glob("*.txt")]

    def is_untouched(self) -> bool:
        return self.spool.names() == [] and self.put_aside() == []


@pytest.fixture
def settings(kind: Kind, tmp_path: Path) -> Settings:
    new, old = map(kind.samples.configured, (SECRET, OLD_SECRET))
    more = "\n".join(f"{key} = {value}" for key, value in kind.samples.tables.items())
    gates = f'''
        [sources.gate]
        kind = "{kind.name}"
        secrets = ["{new}", "{old}"]
        public_url = "{OUTSIDE}"
        {more}
        [sources.narrow]
        kind = "{kind.name}"
        secrets = "{new}"
        public_url = "{OUTSIDE}"
        lines = ["{OTHER_LINE}"]
        {more}
    '''
    return settings_in(tmp_path, gates)


@pytest.fixture
async def gate(kind: Kind, inbox: Inbox, leases: Leases, clock: Clock, *, settings: Settings) -> AsyncIterator[Gate]:
    spool = Spool(settings.spool)
    app = make_app(inbox, leases, settings)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=INSIDE) as client:
        yield Gate(kind, inbox, spool, clock=clock, client=client)
    spool.close()


async def test_a_text_is_taken_in_each_form_and_the_sender_is_told_what_it_expects(gate: Gate) -> None:
    for post in gate.kind.samples.texts:
        answer = await gate.send(post)
        assert (answer.status_code, answer.content) == (200, gate.kind.webhook.answer.content)
        assert answer.headers["content-type"].startswith(gate.kind.webhook.answer.media_type)
        (message,) = await gate.messages()  # the same text in another form is the same message
        read = msgspec.structs.asdict(message)
        assert {name: read[name] for name in gate.kind.samples.sent} == gate.kind.samples.sent
        assert (message.source, message.received_at) == (gate.kind.name, NOON)


async def test_the_bytes_are_kept_as_they_came(gate: Gate) -> None:
    post = gate.kind.samples.texts[0]
    await gate.send(post)
    (message,) = await gate.messages()
    raw = await gate.inbox.store.raw(message.id)
    assert raw is not None
    envelope = parse_envelope(raw)
    assert (envelope.content, envelope.content_type, envelope.received_at) == (post.content, post.content_type, NOON)


async def test_what_is_forged_is_refused_plainly_and_told_in_the_log(
    gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    for post in gate.kind.samples.texts:
        answer = await gate.send(post, "another secret")
        assert (answer.status_code, answer.json()["error"]) == (403, "bad_signature")
        assert "secret" not in answer.text
    assert gate.is_untouched()
    assert "source gate: a delivery from 127.0.0.1 is refused: no secret fits" in caplog.text
    assert SECRET not in caplog.text
    assert "482913" not in caplog.text


async def test_an_administrator_sees_what_was_refused_and_nobody_else(gate: Gate) -> None:
    for _ in range(2):
        await gate.send(gate.kind.samples.texts[0], "another secret")
    keys = [await add_key(gate.inbox, scope, (scope,)) for scope in ("admin", "ingest")]
    seen, refused = [
        await gate.client.get("/api/v1/sources", headers={"authorization": f"Bearer {secret}"}) for _, secret in keys
    ]
    assert refused.status_code == 403
    source = seen.json()["sources"][0]
    assert (source["name"], source["kind"], source["path"]) == ("gate", gate.kind.name, "/api/v1/inbound/gate")
    assert [refusal["reason"].partition(":")[0] for refusal in source["refused"]] == ["no secret fits"] * 2
    assert SECRET not in seen.text


async def test_what_is_not_signed_or_changed_on_the_way_is_refused(gate: Gate) -> None:
    for post in gate.kind.samples.texts:
        query, headers = gate.kind.samples.sign(post, SECRET, OUTSIDE, gate.clock())
        unsigned = await gate.send_signed(post, query, {})
        assert unsigned.status_code == 403
        if post.method == "GET":
            changed = await gate.send_signed(post, query.replace("482913", "482914"), headers)
        else:
            changed = await gate.send_signed(post, query, headers, content=post.content.replace(b"482913", b"482914"))
        assert changed.status_code == 403
    assert gate.is_untouched()


async def test_a_flood_of_forged_ones_is_logged_once_a_minute(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    for minute in range(2):
        for _ in range(5):
            await gate.send(gate.kind.samples.texts[0], "another secret")
        assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == minute + 1
        gate.clock.advance(61)


async def test_what_is_replayed_or_repeated_is_one_message(gate: Gate) -> None:
    post = gate.kind.samples.texts[0]
    query, headers = gate.kind.samples.sign(post, SECRET, OUTSIDE, gate.clock())
    for _ in range(2):
        assert (await gate.send_signed(post, query, headers)).status_code == 200
    gate.clock.advance(30)
    assert (await gate.send(post)).status_code == 200  # it did not get our answer, and signs anew
    assert len(await gate.messages()) == 1


async def test_what_was_signed_long_ago_is_refused_if_its_time_is_signed(gate: Gate) -> None:
    post, max_age = gate.kind.samples.texts[0], gate.kind.samples.max_age
    query, headers = gate.kind.samples.sign(post, SECRET, OUTSIDE, gate.clock())
    gate.clock.advance((max_age or timedelta(days=1)).total_seconds() + 1)
    answer = await gate.send_signed(post, query, headers)
    assert answer.status_code == (200 if max_age is None else 403)


async def test_what_is_signed_but_lacks_something_is_refused_and_put_aside(gate: Gate) -> None:
    answer = await gate.send(gate.kind.samples.malformed)
    assert (answer.status_code, answer.json()["error"]) == (422, "bad_delivery")
    await gate.drain.drain()
    assert len(gate.put_aside()) == 1
    assert await gate.inbox.store.after(Query(), 0, 10) == []


async def test_two_texts_are_two_messages_also_in_one_delivery(gate: Gate) -> None:
    samples = gate.kind.samples
    for post in (samples.several,) if samples.several else (samples.texts[0], samples.other):
        assert (await gate.send(post)).status_code == 200
    assert len(await gate.messages()) == 2


def test_two_sources_of_a_kind_may_give_the_same_id(kind: Kind, settings: Settings) -> None:
    post, fields = kind.samples.texts[0], open_sources(settings)["gate"].webhook.fields
    envelopes = [
        Envelope(
            received_at=NOON,
            address="",
            content_type=post.content_type,
            origin=f"source {name}",
            content=post.content,
            fields=fields,
        )
        for name in ("one", "other")
    ]
    read = [kind.webhook.read(envelope, "entry", lambda line: line) for envelope in envelopes]
    assert read[0][0].id != read[1][0].id


async def test_what_is_no_text_is_accepted_and_dropped(gate: Gate) -> None:
    for post in gate.kind.samples.events:
        assert (await gate.send(post)).status_code == 200
    assert gate.is_untouched()


async def test_old_and_new_secret_are_good_while_they_are_rotated(gate: Gate) -> None:
    posts = (gate.kind.samples.texts[0], SECRET), (gate.kind.samples.other, OLD_SECRET)
    assert [(await gate.send(post, secret)).status_code for post, secret in posts] == [200, 200]
    assert len(await gate.messages()) == 2


async def test_a_probe_is_answered_and_other_methods_are_refused(gate: Gate) -> None:
    probe = await gate.client.head("/api/v1/inbound/gate")
    assert (probe.status_code, probe.content) == (200, b"")
    wrong = await gate.client.put("/api/v1/inbound/gate")
    assert (wrong.status_code, wrong.json()["error"]) == (405, "method_not_allowed")
    if "GET" not in gate.kind.webhook.methods:
        wrong = await gate.client.get("/api/v1/inbound/gate")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST, HEAD")
    assert (await gate.client.head("/api/v1/inbound/nobody")).status_code == 404
    assert gate.is_untouched()


async def test_a_body_that_is_too_large_is_refused(gate: Gate) -> None:
    post = gate.kind.samples.texts[0]
    answer = await gate.send(post, content=post.content + b" " * MAX_BODY_BYTES)
    assert answer.status_code == 400
    assert gate.is_untouched()


async def test_a_text_to_a_line_that_is_not_the_sources_is_refused(gate: Gate) -> None:
    post = gate.kind.samples.texts[0]
    query, headers = gate.kind.samples.sign(post, SECRET, OUTSIDE, gate.clock())
    answer = await gate.send_signed(post, query, headers, to="narrow")
    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
    assert gate.is_untouched()


async def test_while_the_store_is_away_it_is_taken_and_stored_later(gate: Gate) -> None:
    store, gate.inbox.store = gate.inbox.store, absent_store("The store is away.")
    assert (await gate.send(gate.kind.samples.texts[0])).status_code == 200
    with pytest.raises(StoreUnavailable):
        await gate.drain.drain()
    gate.inbox.store = store
    assert len(await gate.messages()) == 1


async def test_a_spool_that_cannot_be_written_is_no_yes(gate: Gate) -> None:
    gate.spool.folder.rename(gate.spool.folder.with_name("away"))
    answer = await gate.send(gate.kind.samples.texts[0])
    assert (answer.status_code, answer.json()["error"]) == (503, "store_unavailable")
    assert answer.headers["retry-after"], "a service repeats what it could not deliver"
    gate.spool.folder.with_name("away").rename(gate.spool.folder)
    assert gate.is_untouched()


async def test_a_delivery_may_hold_the_parts_of_a_text(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, in_parts.KIND, in_parts.__name__)
    spool = Spool(tmp_path / "spool")
    content = b'["Your code is ", "482913"]'
    envelope = Envelope(received_at=NOON, address="", content_type=JSON, origin="source x", content=content)
    write_entry(spool.folder, Entry("1", in_parts.KIND, write_envelope(envelope)))
    await drain_into(spool, inbox, lambda line: line).drain()
    spool.close()
    (stored,) = await inbox.store.after(Query(), 0, 10)
    assert (stored.message.text, stored.message.code, stored.message.parts) == ("Your code is 482913", "482913", 2)


def test_parts_of_a_source_that_has_none_are_refused() -> None:
    with pytest.raises(BadDelivery, match="No source joins parts of kind 'gammu'"):
        join_parts([msgspec.structs.replace(in_parts.a_part("x", 1), source="gammu")])


def test_every_kind_is_a_source_under_its_own_name() -> None:
    sources = {name: find_source(name) for name in KINDS}
    assert {name: source and source.kind for name, source in sources.items()} == {name: name for name in KINDS}
