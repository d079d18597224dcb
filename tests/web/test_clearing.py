"""Deleting what a list with a filter shows, over an inbox in this process: as much as was shown, and no more."""

import html
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from smscatch import keys, search
from smscatch.deletions import MANY
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import Query
from smscatch.web import auth
from smscatch.web.app import make_app
from tests.conftest import Clock
from tests.samples import LINE, OTHER_LINE, a_delivery
from tests.surroundings import settings_in

CONFIG = f'[lines."{LINE}"]\n[lines."{OTHER_LINE}"]\n'
OFFER = re.compile(r'action="(/messages/delete\?[^"]+)"')


class Admin:
    """An administrator, perhaps of one line only, who looks at lists and deletes what they show."""

    def __init__(self, client: httpx2.AsyncClient, inbox: Inbox) -> None:
        self.client, self._inbox = client, inbox

    async def become(self, *scopes: str, lines: tuple[str, ...] | None = None) -> None:
        _, secret = await keys.add_key(self._inbox, "test", scopes, lines)
        self.client.headers["authorization"] = f"Bearer {secret}"

    async def offer(self, **asked: str) -> str | None:
        """Return where the page of a list says that what it shows is deleted."""
        page = await self.client.get("/", params=asked)
        assert page.status_code == 200
        found = OFFER.search(page.text)
        return html.unescape(found[1]) if found else None

    async def delete(self, **asked: str) -> int:
        """Delete what the page of a list offers; return how many the answer says."""
        offer = await self.offer(**asked)
        assert offer is not None
        answer = await self.client.post(offer)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["deleted"])


@pytest.fixture
async def admin(inbox: Inbox, leases: Leases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Admin]:
    monkeypatch.setattr(auth, "FAILURE_SECONDS", 0)
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings_in(tmp_path, CONFIG)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        admin = Admin(client, inbox)
        await admin.become("admin")
        yield admin


async def receive(inbox: Inbox, *texts: str, line: str = LINE, sender: str = "Authy") -> None:
    await inbox.receive([a_delivery(text=text, line=line, sender=sender, received_at=inbox.now()) for text in texts])


async def kept(inbox: Inbox) -> list[str]:
    """The texts that are there, oldest first."""
    return [stored.message.text for stored in await inbox.store.after(Query(), 0, 1000)]


async def test_what_the_words_found_is_deleted_in_batches_and_a_repeat_does_not_revive_it(
    admin: Admin, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "BATCH", 2)
    parcel = a_delivery(text="parcel 0", line=LINE, received_at=inbox.now())
    await inbox.receive([parcel])
    await receive(inbox, *(f"parcel {number}" for number in range(1, 5)), "a letter")
    assert await admin.delete(contains="parcel") == 5
    assert await kept(inbox) == ["a letter"]
    await inbox.receive([parcel])
    assert await kept(inbox) == ["a letter"]


async def test_all_pages_of_a_list_are_deleted_by_its_sender_or_by_its_line(admin: Admin, inbox: Inbox) -> None:
    await receive(inbox, *(f"one {number}" for number in range(45)), sender="Bank")
    await receive(inbox, "two", line=OTHER_LINE)
    await receive(inbox, "three")
    assert await admin.delete(sender="bank") == 45
    assert await admin.delete(line=OTHER_LINE) == 1
    assert await kept(inbox) == ["three"]


async def test_what_came_after_the_page_stays(admin: Admin, inbox: Inbox) -> None:
    await receive(inbox, "parcel, shown")
    offer = await admin.offer(contains="parcel")
    await receive(inbox, "parcel, later")
    assert offer is not None
    assert (await admin.client.post(offer)).json() == {"deleted": 1}
    assert await kept(inbox) == ["parcel, later"]


async def test_an_age_is_the_time_that_it_was_when_the_page_was_shown(admin: Admin, inbox: Inbox, clock: Clock) -> None:
    await receive(inbox, "old")
    clock.advance(timedelta(minutes=8).total_seconds())
    await receive(inbox, "young")
    clock.advance(timedelta(minutes=3).total_seconds())
    offer = await admin.offer(before="10m")
    clock.advance(timedelta(minutes=30).total_seconds())
    assert offer is not None
    assert (await admin.client.post(offer)).json() == {"deleted": 1}
    assert await kept(inbox) == ["young"]


async def test_asking_twice_does_not_go_on_to_the_international_number(admin: Admin, inbox: Inbox) -> None:
    await receive(inbox, "of the number", sender="+447700900456")
    await receive(inbox, "of the short code", sender="447700900456")
    offer = await admin.offer(sender="447700900456")
    assert offer is not None
    assert [(await admin.client.post(offer)).json()["deleted"] for _ in range(2)] == [1, 0]
    assert await kept(inbox) == ["of the number"]


async def test_a_narrowed_key_deletes_on_its_lines_only(admin: Admin, inbox: Inbox) -> None:
    await receive(inbox, "parcel one")
    await receive(inbox, "parcel two", line=OTHER_LINE)
    await admin.become("admin", lines=(OTHER_LINE,))
    assert await admin.delete(contains="parcel") == 1
    assert await kept(inbox) == ["parcel one"]
    assert (await admin.client.post("/messages/delete", params={"line": LINE, "up_to": "2"})).status_code == 403


async def test_it_is_offered_to_administrators_and_where_a_filter_shows_something(admin: Admin, inbox: Inbox) -> None:
    await receive(inbox, "parcel", "letter")
    assert await admin.offer() is None
    assert await admin.offer(contains="nothing like it") is None
    assert await admin.offer(contains="e", before="2") is None  # a page further back shows a part only
    await admin.become("read")
    assert await admin.offer(contains="parcel") is None


@pytest.mark.parametrize(
    "asked",
    [
        {"up_to": "1"},
        {"contains": "", "up_to": "1"},
        {"contains": "parcel"},
        {"contains": "parcel", "up_to": "10m"},
        {"contains": "parcel", "up_to": "99"},
        {"contains": "parcel", "up_to": "1", "before": "1"},
        {"contains": "parcel", "up_to": "1", "form": "x"},
    ],
)
async def test_without_a_filter_or_a_position_nothing_is_deleted(
    admin: Admin, inbox: Inbox, asked: dict[str, str]
) -> None:
    await receive(inbox, "parcel")
    answer = await admin.client.post("/messages/delete", params=asked)
    assert 400 <= answer.status_code < 500
    assert await kept(inbox) == ["parcel"]


async def test_open_pages_are_told_and_a_browser_is_led_back_to_the_list(admin: Admin, inbox: Inbox) -> None:
    await receive(inbox, "parcel")
    offer = await admin.offer(contains="parcel")
    assert offer is not None
    transport = admin.client._transport
    assert isinstance(transport, httpx2.ASGITransport)
    watcher = transport.app._app._app.state.context.house.deletions.watch()  # type: ignore[attr-defined]
    answer = await admin.client.post(offer, headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert watcher.get_nowait() == MANY


async def test_a_key_that_is_revoked_meanwhile_deletes_nothing_further(
    admin: Admin, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "BATCH", 1)
    await receive(inbox, "parcel one", "parcel two")
    offer, delete = await admin.offer(contains="parcel"), inbox.store.delete

    async def delete_and_revoke(message_id: str) -> bool:
        for key in await inbox.store.keys():
            await inbox.store.revoke_key(key.id)
        return await delete(message_id)

    monkeypatch.setattr(inbox.store, "delete", delete_and_revoke)
    assert offer is not None
    assert (await admin.client.post(offer)).status_code == 401
    assert await kept(inbox) == ["parcel one"]
