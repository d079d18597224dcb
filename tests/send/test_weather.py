"""The weather: what is late, lost, doubled, swapped, undelivered, refused or slow, by rules for a line or a sender."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import twilio.rest
from twilio.base.exceptions import TwilioRestException

from smscatch import Client, NoMessage, keys
from smscatch.arriving import LateArrivals
from smscatch.errors import BadSetting
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import NOBODY, Query
from smscatch.sources.caught import parse_caught
from smscatch.stores.jobs import OPEN
from smscatch.web import auth
from smscatch.web.app import make_app
from tests.conftest import ADMIN_KEY, Server
from tests.samples import LINE
from tests.send.conftest import Application
from tests.surroundings import settings_in

NUMBER, OTHER = "+15005550006", "+15005550010"
TO = "+12015550123"


def test_a_test_makes_weather_for_its_number_and_twilios_sdk_meets_it(
    catcher: Server, sms: Client, application: Application
) -> None:
    sdk = twilio.rest.Client("AC" + "1" * 32, ADMIN_KEY)
    sdk.api.base_url = f"{catcher.url}/twilio"

    def send(to: str, text: str, **more: Any) -> str:
        return str(sdk.messages.create(from_=NUMBER, to=to, body=text, **more).sid)

    with sms.lease() as phone, sms.lease() as other:
        rule = phone.make_weather(undelivered="30003")
        sid = send(phone.number, "Your code is 111111", status_callback=f"{application.url}/status")
        told = [application.next_call().form for _ in range(2)]
        assert [(form["MessageStatus"], form.get("ErrorCode")) for form in told] == [
            ("sent", None),
            ("undelivered", "30003"),
        ]
        fetched = sdk.messages(sid).fetch()
        assert (fetched.status, fetched.error_code) == ("undelivered", 30003)
        with pytest.raises(NoMessage, match="the weather kept the text"):
            phone.wait_for_message(timeout=0)
        phone.end_weather(rule)
        phone.make_weather(throttle=True)
        with pytest.raises(TwilioRestException) as refused:
            send(phone.number, "again")
        assert (refused.value.status, refused.value.code) == (429, 20429)
        send(other.number, "elsewhere the sun shines")
        assert other.wait_for_message().sender == NUMBER
        other.make_weather(delay_seconds=0.1)
        send(other.number, "Your code is 222222")
        assert other.wait_for_code() == "222222"


class House:
    """A server in this process, whose key sends plain texts and makes weather."""

    def __init__(self, inbox: Inbox, client: httpx2.AsyncClient, secret: str, late: LateArrivals) -> None:
        self.inbox, self.client, self.late = inbox, client, late
        self.headers = {"authorization": f"Bearer {secret}"}

    async def send(self, text: str, sender: str = NUMBER) -> httpx2.Response:
        body = {"from": sender, "to": TO, "text": text}
        return await self.client.post("/telnyx/v2/messages", json=body, headers=self.headers)

    async def make(self, **rule: Any) -> httpx2.Response:
        return await self.client.post("/api/v1/weather", json=rule, headers=self.headers)

    async def arrived(self) -> list[str]:
        """The texts that a wait could be given, in their order."""
        return [one.message.text for one in await self.inbox.store.after(Query(lease=""), 0, 100)]

    async def kept_back(self) -> list[tuple[str, ...]]:
        return [one.message.marks for one in await self.inbox.store.after(Query(lease=NOBODY), 0, 100)]


@pytest.fixture
async def house(inbox: Inbox, leases: Leases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(auth, "FAILURE_SECONDS", 0)
    table = '[weather.night]\nsender = "0010"\nline = "0123"\ndrop = true\n'
    settings = settings_in(tmp_path, table)
    settings.spool.mkdir()
    late = LateArrivals(inbox, settings)
    _, secret = await keys.add_key(inbox, "test", ("send",))
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings, late=late))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield House(inbox, client, secret, late)


async def test_the_settings_make_weather_for_the_endings_of_numbers(house: House) -> None:
    assert (await house.send("lost", OTHER)).is_success
    assert (await house.send("there")).is_success
    assert (await house.arrived(), await house.kept_back()) == (["there"], [("caught", "dropped")])
    shown = (await house.client.get("/api/v1/weather", headers=house.headers)).json()["rules"]
    assert [(rule["id"], rule["sender"], rule["until"]) for rule in shown] == [("night", "0010", None)]


async def test_a_text_arrives_twice(house: House) -> None:
    await house.make(line=TO, double=True)
    await house.send("hello")
    assert await house.arrived() == ["hello", "hello"]
    _, second = await house.inbox.store.after(Query(), 0, 10)
    assert second.message.marks == ("caught", "doubled")


async def test_each_second_text_overtakes_the_one_before_it(house: House) -> None:
    await house.make(reorder=True)
    for text in ("one", "two", "three"):
        await house.send(text)
    assert await house.arrived() == ["two", "one"]
    await house.send("four")
    assert await house.arrived() == ["two", "one", "four", "three"]


async def test_a_text_that_is_delayed_arrives_once_however_often_it_is_brought(house: House) -> None:
    await house.make(delay_seconds=60, sender="0006")
    await house.send("Your code is 482913")
    assert (await house.arrived(), await house.kept_back()) == ([], [("caught", "delayed")])
    (held,) = await house.inbox.store.after(Query(lease=NOBODY), 0, 10)
    (job,) = await house.inbox.store.jobs("late arrivals", OPEN, 10)
    assert (job.message, (job.due_at - job.created_at).total_seconds()) == (held.id, 60)
    text = parse_caught(await house.inbox.store.raw(held.id) or b"")
    for _ in range(2):
        await house.late.arrive(text)
    (message,) = [one.message for one in await house.inbox.store.after(Query(lease=""), 0, 100)]
    assert (message.text, message.code, message.marks) == ("Your code is 482913", "482913", ("caught",))


async def test_a_rule_ends_and_goes_and_the_newest_one_counts(house: House) -> None:
    (first, second) = [(await house.make(**rule)).json()["id"] for rule in ({"drop": True}, {"double": True})]
    await house.send("twice")
    assert (await house.client.delete(f"/api/v1/weather/{second}", headers=house.headers)).status_code == 204
    await house.send("lost")
    assert (await house.client.delete(f"/api/v1/weather/{first}", headers=house.headers)).status_code == 204
    await house.send("there")
    assert await house.arrived() == ["twice", "twice", "there"]
    for name in (first, "night"):
        assert (await house.client.delete(f"/api/v1/weather/{name}", headers=house.headers)).status_code == 404
    assert json.loads((await house.make(line=TO)).content)["error"] == "bad_request"


async def test_a_text_that_plivo_and_telnyx_could_not_deliver_is_found_so(house: House) -> None:
    await house.make(undelivered="40008")
    sent = (await house.send("hello")).json()["data"]["id"]
    data = (await house.client.get(f"/telnyx/v2/messages/{sent}", headers=house.headers)).json()["data"]
    assert (data["to"][0]["status"], data["errors"][0]["code"]) == ("delivery_failed", "40008")


def test_weather_that_does_nothing_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="does nothing"):
        settings_in(tmp_path, f'[weather.calm]\nline = "{LINE}"\n')
