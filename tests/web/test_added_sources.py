"""Sources that an administrator adds while the server runs: by the API, on the page, and over two servers' heads."""

import asyncio
import importlib
import re
import tomllib
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from smscatch import keys
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import Message, Query
from smscatch.modem.health import Health, write_health
from smscatch.smpp.states import STATES, BindStates
from smscatch.sources import signed_kinds
from smscatch.stores.absent import absent_store
from smscatch.web.app import make_app
from smscatch.web.texts import read_texts
from tests.conftest import Clock
from tests.samples import LINE, NOON
from tests.sources.samples import Post, Samples
from tests.surroundings import settings_in

URL = "https://sms.example/api/v1/inbound/gate"
CONFIG = f"""
[lines."{LINE}"]
[sources.rented]
kind = "twilio"
secrets = "x"
public_url = "https://sms.example/api/v1/inbound/rented"
"""
CARRIER = """
[smpp.carrier]
host = "smsc.example"
system_id = "us"
binds = 2
"""
FORM = {"content-type": "application/x-www-form-urlencoded"}


def samples_of(kind: str) -> Samples:
    found: Samples = importlib.import_module(f"tests.data.{kind}").SAMPLES
    return found


class House:
    """An application in this process, its administrator, and services that send to the source `gate`."""

    def __init__(self, inbox: Inbox, clock: Clock, client: httpx2.AsyncClient) -> None:
        self.inbox, self.clock, self.client = inbox, clock, client

    async def add(self, kind: str, secret: str = "", **more: Any) -> Any:
        samples = samples_of(kind)
        tables = {name: tomllib.loads(f"it = {table}")["it"] for name, table in samples.tables.items()}
        body = {"name": "gate", "kind": kind, "public_url": URL, **tables, **more}
        answer = await self.client.post("/api/v1/sources", json=body | ({"secret": secret} if secret else {}))
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def send(self, kind: str, secret: str, number: int = 0) -> int:
        """Send a text as the service does that was told a secret; return the status."""
        samples = samples_of(kind)
        post = samples.make("+447700900123", f"{number} is your code", f"0A{number}")
        return await self.send_signed(samples, post, secret)

    async def send_signed(self, samples: Samples, post: Post, secret: str) -> int:
        query, headers = samples.sign(post, secret, URL, self.clock())
        url = "/api/v1/inbound/gate" + (f"?{query}" if query else "")
        sent = headers | {"content-type": post.content_type, "authorization": headers.get("authorization", "")}
        return (await self.client.post(url, content=post.content, headers=sent)).status_code

    async def gate(self) -> Any:
        found = (await self.client.get("/api/v1/sources")).json()["sources"]
        return next((source for source in found if source["name"] == "gate"), None)

    async def texts(self) -> list[Message]:
        return [stored.message for stored in await self.inbox.store.after(Query(), 0, 100)]

    async def post(self, path: str, **fields: str) -> httpx2.Response:
        return await self.client.post(path, data=fields, headers=FORM)


@pytest.fixture
async def house(inbox: Inbox, leases: Leases, clock: Clock, tmp_path: Path) -> AsyncIterator[House]:
    (tmp_path / "spool").mkdir()
    _, secret = await keys.add_key(inbox, "boss", ("admin",))
    app = make_app(inbox, leases, settings_in(tmp_path, CONFIG))
    headers = {"authorization": f"Bearer {secret}"}
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://inside.test", headers=headers) as client:
        yield House(inbox, clock, client)


@pytest.mark.parametrize("kind", signed_kinds())
async def test_a_source_of_each_kind_takes_texts_as_soon_as_it_is_added(house: House, kind: str) -> None:
    configured = samples_of(kind).configured("the-secret-of-the-tests")
    assert await house.send(kind, "the-secret-of-the-tests") == 404
    added = await house.add(kind, configured)
    assert (added["path"], added["public_url"], added["secret"]) == ("/api/v1/inbound/gate", URL, configured)
    assert await house.send(kind, "the-secret-of-the-tests") == 200
    (message,) = await house.texts()
    assert (message.line, message.text, message.source) == (LINE, "0 is your code", kind)
    assert await house.send(kind, "another") == 403
    gate = await house.gate()
    assert (gate["kind"], gate["configured"], gate["secrets"], "secret" in gate) == (kind, False, 1, False)
    assert [one["ids"] for one in gate["taken"]] == [[message.id]]
    assert [one["reason"].partition(":")[0] for one in gate["refused"]] == ["no secret fits"]
    assert (await house.client.delete("/api/v1/sources/gate")).status_code == 204
    assert await house.send(kind, "the-secret-of-the-tests", 1) == 404
    assert (await house.gate(), len(await house.texts())) == (None, 1)


async def test_a_secret_is_made_where_the_sender_can_be_told_it_and_shown_once(house: House) -> None:
    secret = (await house.add("smsgate"))["secret"]
    assert len(secret) >= 40
    assert await house.send("smsgate", secret) == 200
    assert secret not in (await house.client.get("/api/v1/sources")).text
    for kind in ("twilio", "telnyx", "vonage"):
        answer = await house.client.post("/api/v1/sources", json={"name": "other", "kind": kind, "public_url": URL})
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
        assert "The secret is missing" in answer.json()["message"]


async def test_a_secret_is_rotated_and_the_old_one_is_good_until_it_is_dropped(house: House) -> None:
    old = (await house.add("smsgate"))["secret"]
    new = (await house.client.post("/api/v1/sources/gate/secrets")).json()["secret"]
    assert [await house.send("smsgate", secret, at) for at, secret in enumerate((old, new))] == [200, 200]
    assert (await house.gate())["secrets"] == 2
    assert (await house.client.delete("/api/v1/sources/gate/secrets")).status_code == 204
    assert [await house.send("smsgate", secret, 2) for secret in (old, new)] == [403, 200]


async def test_what_is_no_source_is_refused_and_nothing_is_kept(house: House, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.write_text("a secret of this machine")
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({"name": "Gate"}, 400, "matching regex"),
        ({"name": "generic"}, 400, "is not generic"),
        ({"kind": "gammu"}, 400, "there is no kind 'gammu'"),
        ({"kind": "twilio", "secret": "x", "public_url": None}, 400, "public_url is missing"),
        ({"public_url": "ftp://x"}, 400, "public_url = 'ftp://x'"),
        ({"lines": ["nobody"]}, 400, "is no number"),
        ({"secret": "two\nlines"}, 400, "secrets = the value given"),
        ({"secrets_file": str(hidden)}, 400, "unknown field"),
        ({"kind": "signed", "secret": "x" * 40, "fields": {"colour": "red"}}, 400, "colour"),
        ({"name": "rented"}, 409, "There is a source rented already"),
    ]
    for changed, status, said in wrong:
        body = {"name": "gate", "kind": "smsgate"} | changed
        answer = await house.client.post("/api/v1/sources", json=body)
        assert answer.status_code == status, changed
        assert said in answer.json()["message"]
        assert "a secret of this machine" not in answer.text
    await house.add("smsgate")
    again = await house.client.post("/api/v1/sources", json={"name": "gate", "kind": "smsgate"})
    assert (again.status_code, again.json()["error"]) == (409, "source_exists")
    assert [source.name for source in await house.inbox.store.added_sources()] == ["gate"]


async def test_a_source_keeps_to_its_lines(house: House) -> None:
    secret = (await house.add("smsgate", lines=["+447700900009"]))["secret"]
    assert await house.send("smsgate", secret) == 403
    assert "may not deliver to the line" in (await house.gate())["refused"][0]["reason"]


async def test_what_stands_in_the_configuration_is_not_changed_from_here(house: House) -> None:
    for method, path in (("DELETE", ""), ("POST", "/secrets"), ("DELETE", "/secrets")):
        answer = await house.client.request(method, f"/api/v1/sources/rented{path}")
        assert (answer.status_code, "stands in" in answer.json()["message"]) == (400, True)
        unknown = await house.client.request(method, f"/api/v1/sources/nobody{path}")
        assert unknown.status_code == 404


async def test_another_server_over_the_database_knows_it_at_once_and_after_a_restart(
    house: House, leases: Leases, tmp_path: Path
) -> None:
    other = House(house.inbox, house.clock, house.client)
    app = make_app(house.inbox, leases, settings_in(tmp_path, ""))
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://other.test") as client:
        other.client = client
        assert await other.send("smsgate", "x") == 404
        secret = (await house.add("smsgate"))["secret"]
        assert await other.send("smsgate", secret) == 200
        await house.client.delete("/api/v1/sources/gate")
        assert await other.send("smsgate", secret, 1) == 404


async def test_while_the_store_is_away_what_it_had_is_taken_and_what_is_unknown_may_come_again(
    house: House, leases: Leases, tmp_path: Path
) -> None:
    secret = (await house.add("smsgate"))["secret"]
    assert await house.send("smsgate", secret) == 200
    store, house.inbox.store = house.inbox.store, absent_store("The store is away.")
    assert await house.send("smsgate", secret, 1) == 200
    answer = await house.client.post("/api/v1/inbound/unknown")
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    transport = httpx2.ASGITransport(make_app(house.inbox, leases, settings_in(tmp_path, "")))
    async with httpx2.AsyncClient(transport=transport, base_url="http://restarted.test") as client:
        answer = await client.post("/api/v1/inbound/gate")
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    house.inbox.store = store


async def test_while_the_store_is_silent_what_it_had_is_taken(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = (await house.add("smsgate"))["secret"]
    assert await house.send("smsgate", secret) == 200
    monkeypatch.setattr(house.inbox.store, "added_sources", asyncio.Event().wait)  # says nothing
    assert await house.send("smsgate", secret, 1) == 200
    assert await house.send("smsgate", "another", 1) == 403


def shown(page: str) -> list[str]:
    """What stands to be copied on the page, where a source was made."""
    made = re.search(r'id="made-source".*?</section>', page, re.DOTALL)
    assert made is not None
    return [unescape(found) for found in re.findall(r"<code>(.*?)</code>", made[0])]


async def test_the_page_adds_a_source_and_shows_address_and_secret_once(house: House) -> None:
    answer = await house.post("/sources", name="gate", kind="smsgate", server="https://sms.example/", reach="all")
    assert answer.status_code == 200
    address, secret = shown(answer.text)
    assert address == URL
    assert await house.send("smsgate", secret) == 200
    assert await house.send("smsgate", "another") == 403
    page = (await house.client.get("/lines")).text
    assert (secret in page, URL in page, "no secret fits" in page) == (False, True, True)
    assert f"/messages/{(await house.texts())[0].id}" in page
    _, new = shown((await house.post("/sources/gate/secret")).text)
    assert [await house.send("smsgate", each, 1) for each in (secret, new)] == [200, 200]
    assert (await house.post("/sources/gate/drop")).headers["location"] == "/lines#sources"
    assert await house.send("smsgate", secret, 2) == 403
    await house.post("/sources/gate/remove")
    assert URL not in (await house.client.get("/lines")).text


async def test_the_page_adds_one_that_signs_in_a_way_of_its_own(house: House) -> None:
    samples = samples_of("signed")
    tables = "\n".join(f"{name} = {table}" for name, table in samples.tables.items())
    form = {"name": "gate", "kind": "signed", "server": "https://sms.example", "reach": "some", "line": LINE}
    _, secret = shown((await house.post("/sources", **form, tables=tables)).text)
    assert await house.send("signed", secret) == 200
    assert (await house.gate())["lines"] == [LINE]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "A b"}, "NAME has up to 40"),
        ({"kind": "twilio"}, "The secret is missing"),
        ({"tables": "x = "}, "The tables are no TOML"),
        ({"tables": "[other]\nx = 1"}, "Of the tables only [fields] and [signature]"),
        ({"tables": "[fields]\nx = 1"}, "fields"),
        ({"reach": "some"}, "Say which lines"),
        ({"server": "sms.example"}, "public_url"),
    ],
)
async def test_a_form_that_is_refused_says_why_and_keeps_what_stood_in_it_but_the_secret(
    house: House, changed: dict[str, str], said: str
) -> None:
    form = {"name": "gate", "kind": "smsgate", "server": "https://sms.example", "reach": "all"} | changed
    secret = "" if changed.get("kind") else "a-secret-that-was-typed"
    answer = await house.post("/sources", **form, secret=secret)
    assert answer.status_code == 400
    assert said in unescape(answer.text)
    assert f'value="{form["server"]}"' in answer.text
    assert "a-secret-that-was-typed" not in answer.text
    assert await house.gate() is None


async def test_what_a_source_may_bring_keeps_the_server_ready_where_no_modem_works(
    house: House, leases: Leases, tmp_path: Path
) -> None:
    write_health(tmp_path / "spool", Health(line=LINE, device="/dev/ttyUSB0", state="no_sim", updated_at=NOON))

    async def ask(more: str = "") -> int:
        app = make_app(house.inbox, leases, settings_in(tmp_path, f'{more}\n[lines."{LINE}"]'))
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://other.test") as client:
            return (await client.get("/readyz", headers=dict(house.client.headers))).status_code

    assert [await ask(), await ask(CARRIER), await ask(f'smstools = "{tmp_path}"')] == [503, 200, 200]
    await house.add("smsgate")
    assert await ask() == 200


async def test_the_page_says_how_the_binds_to_carriers_are(house: House, leases: Leases, tmp_path: Path) -> None:
    settings, binds = settings_in(tmp_path, CARRIER), BindStates(house.clock)
    binds.tell("carrier", 1, "bound")
    binds.tell("carrier", 2, "refused", "The SMSC refuses the bind: the password is wrong.")
    transport = httpx2.ASGITransport(make_app(house.inbox, leases, settings, binds=binds))
    async with httpx2.AsyncClient(transport=transport, base_url="http://other.test") as client:
        page = (await client.get("/lines", headers=dict(house.client.headers))).text
    assert "smsc.example:2775" in page
    assert re.findall(r'class="modem-state \w+"><b>(\w+)</b>', page) == ["bound", "refused"]
    assert "The SMSC refuses the bind: the password is wrong." in page


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([("bound", None), ("refused", "Not so many.")], "; the SMSC carrier is bound"),
        (
            [("refused", "The password is wrong."), ("away", None)],
            "; the SMSC carrier is refused (The password is wrong)",
        ),
        ([("starting", None)], "; the SMSC carrier is starting"),
        ([], "meanwhile"),
    ],
)
@pytest.mark.parametrize("bound_line", [None, LINE, "+447700900009"])
async def test_a_wait_in_vain_says_how_the_carrier_of_its_line_is(
    house: House,
    leases: Leases,
    tmp_path: Path,
    *,
    told: list[tuple[str, str | None]],
    said: str,
    bound_line: str | None,
) -> None:
    binds = BindStates(house.clock)
    for number, (state, error) in enumerate(told, 1):
        binds.tell("carrier", number, state, error)
    more = f'line = "{bound_line}"\n' if bound_line else ""
    app = make_app(house.inbox, leases, settings_in(tmp_path, f'[lines."{LINE}"]\n{CARRIER}{more}'), binds=binds)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://other.test") as client:
        url = f"/api/v1/code?{urlencode({'line': LINE, 'timeout': 0})}"
        message = (await client.get(url, headers=dict(house.client.headers))).json()["message"]
    assert message.endswith(f"{said}.") == (bound_line in (None, LINE) or not told)
    assert ("carrier" in message) == (bound_line in (None, LINE) and bool(told))


@pytest.mark.parametrize("language", ["en", "de"])
def test_each_state_of_a_bind_has_a_name(language: str) -> None:
    texts = read_texts(language)
    assert all(texts(f"sources.bind_{state}") for state in STATES)


async def test_who_sees_no_sources_sees_no_section_of_them(house: House) -> None:
    for scopes, lines in ((("read", "lease", "ingest"), None), (("admin",), (LINE,))):
        _, secret = await keys.add_key(house.inbox, "other", scopes, lines)
        page = await house.client.get("/lines", headers={"authorization": f"Bearer {secret}"})
        assert (page.status_code, "sources" in page.text) == (200, False)


async def test_who_changed_a_source_is_on_record_without_its_secret(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    secret = (await house.add("smsgate"))["secret"]
    await house.client.delete("/api/v1/sources/gate")
    assert "source gate was added, of the kind smsgate, by the key" in caplog.text
    assert "source gate was removed by the key" in caplog.text
    assert "(boss)" in caplog.text
    assert secret not in caplog.text
