"""Texts that were caught, received and replied are told apart on the pages, and lines without a SIM are folded."""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx2
import pytest

from smscatch import keys
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import Message, Query
from smscatch.search import CAUGHT, RECEIVED, REPLIES, WAYS, Search
from smscatch.sources.caught import CaughtText, read_caught, write_caught
from smscatch.sources.reply import RepliedText, read_reply, write_reply
from smscatch.stores import Delivery
from smscatch.web.app import make_app
from tests.samples import LINE, NOON, a_message
from tests.surroundings import settings_in

VIRTUAL = "+12015550123"
NUMBER = "+15005550006"


def a_caught(line: str, name: str, text: str = 'says "source":"reply" itself') -> Message:
    sent = CaughtText(name=name, line=line, text=text, owner="k", provider="twilio", sender=NUMBER, received_at=NOON)
    (message,) = read_caught(write_caught(sent), "", str)
    assert isinstance(message, Message)
    return message


def a_reply() -> Message:
    reply = RepliedText(name="1", provider="twilio", line=VIRTUAL, to=NUMBER, text="STOP", received_at=NOON)
    return read_reply(write_reply(reply), "", str)[0]


@pytest.fixture
async def browser(inbox: Inbox, leases: Leases, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    settings = settings_in(tmp_path, f'[lines."{LINE}"]\nlabel = "one"\n')
    settings.spool.mkdir()
    _, secret = await keys.add_key(inbox, "admin", ("admin",))
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings))
    headers = {"authorization": f"Bearer {secret}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client


async def receive(inbox: Inbox, messages: Sequence[Message]) -> None:
    await inbox.receive([Delivery(message, b"{}") for message in messages])


async def test_a_link_leads_to_the_texts_that_went_one_way(inbox: Inbox, browser: httpx2.AsyncClient) -> None:
    messages = [a_message(), a_caught(VIRTUAL, "1"), a_reply()]
    await receive(inbox, messages)
    page = (await browser.get("/")).text
    for way, message in zip((RECEIVED, CAUGHT, REPLIES), messages, strict=True):
        assert f'href="/?way={way}"' in page
        shown = (await browser.get("/", params={"way": way})).text
        assert re.findall(r'id="m-([0-9a-z]+)"', shown) == [message.id], way
        assert f'name="way" value="{way}"' in shown  # a search from here stays among them
        search = Search(inbox.store, Query(), {}, way)
        assert [await search.matches(each) for each in messages] == [each is message for each in messages]
        assert [each.id for each in await search.after(0, 10)] == [message.id]
    assert (await browser.get("/", params={"way": "sideways"})).status_code == 400
    deleted = await browser.post("/messages/delete?way=replies&up_to=3")
    assert deleted.json() == {"deleted": 1}


async def test_the_page_of_lines_shows_the_weather(browser: httpx2.AsyncClient) -> None:
    await browser.post("/api/v1/weather", json={"line": "0123", "undelivered": "30003", "double": True})
    page = (await browser.get("/lines")).text
    assert "arrive twice, are undelivered (30003)" in page
    assert "to 0123" in page


async def test_a_page_of_one_way_is_full_whatever_lies_between(inbox: Inbox) -> None:
    await receive(inbox, [a_caught(VIRTUAL, f"{place}") if place % 3 else a_message() for place in range(30)])
    found = await Search(inbox.store, Query(), {}, RECEIVED).newest(4)
    assert [stored.position for stored in found] == [28, 25, 22, 19]
    assert WAYS == (CAUGHT, RECEIVED, REPLIES)


async def test_many_virtual_lines_are_one_entry_of_the_page_of_lines(inbox: Inbox, browser: httpx2.AsyncClient) -> None:
    await receive(inbox, [a_caught(f"+120155501{place:02d}", f"{place}") for place in range(60)])
    page = (await browser.get("/lines")).text
    assert re.findall(r'id="card-([^"]+)"', page) == [LINE]
    assert "60 virtual lines" in page
    assert page.count('href="/?line=%2B1201') == 50
    inbox_page = (await browser.get("/")).text
    assert 'data-line="+1201' not in inbox_page
    assert 'href="/lines#folded"' in inbox_page
    assert 'data-line="+12015550107"' in (await browser.get("/", params={"line": "+12015550107"})).text
