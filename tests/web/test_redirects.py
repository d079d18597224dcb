"""The pages say how an application's SDK is pointed here: to who may send, and with a key that was made just now."""

import html
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from smscatch import keys
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.redirecting import TARGETS, redirects
from smscatch.web.app import make_app
from tests.surroundings import settings_in

SERVER = "http://test"


@pytest.fixture
async def browser(inbox: Inbox, leases: Leases, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings_in(tmp_path, "")))
    async with httpx2.AsyncClient(transport=transport, base_url=SERVER) as client:
        yield client


def with_all(page: str, key: str) -> bool:
    """Whether a page has the line for each SDK, with a key in it."""
    shown = html.unescape(page)
    return all(line in shown for provider in TARGETS for _, line in redirects(SERVER, key, provider))


async def test_the_page_of_lines_says_it_to_who_may_send(browser: httpx2.AsyncClient, inbox: Inbox) -> None:
    for scopes, is_told in ((("read", "send"), True), (("admin",), True), (("read", "lease"), False)):
        _, secret = await keys.add_key(inbox, "someone", scopes)
        page = (await browser.get("/lines", headers={"authorization": f"Bearer {secret}"})).text
        assert with_all(page, "KEY") is is_told
        assert ("Send to here" in page) is is_told


async def test_a_key_that_was_made_just_now_stands_in_the_lines(browser: httpx2.AsyncClient, inbox: Inbox) -> None:
    _, admin = await keys.add_key(inbox, "admin", ("admin",))
    headers = {"authorization": f"Bearer {admin}", "origin": SERVER}
    for scope, is_told in (("send", True), ("read", False)):
        form = {"name": "app", "scope": scope, "reach": "all"}
        page = (await browser.post("/keys", data=form, headers=headers)).text
        made = html.unescape(page).partition(keys.PREFIX)[2].partition("<")[0]
        assert made
        assert with_all(page, keys.PREFIX + made) is is_told
