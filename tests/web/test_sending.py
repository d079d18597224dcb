"""A test text sent from the page of the lines: to simulated modems alone, by who may bring in texts."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from smscatch import keys
from smscatch.errors import BadRequest
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.web.app import make_app
from tests.samples import LINE, OTHER_LINE
from tests.surroundings import settings_in

CONFIG = f'[lines."{LINE}"]\n[lines."{OTHER_LINE}"]\n'
SEND = f"/lines/{quote(LINE)}/send"
GOOD = {"sender": "Authy", "text": "Your Authy code is 482913"}
FORM = 'class="test"'


class Modem:
    """What was sent to a modem; it refuses what `refusal` says."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.refusal = ""

    async def send(self, sender: str, text: str) -> None:
        if self.refusal:
            raise BadRequest(self.refusal)
        self.sent.append((sender, text))


@pytest.fixture
def modem() -> Modem:
    return Modem()


@pytest.fixture
async def client(inbox: Inbox, leases: Leases, tmp_path: Path, modem: Modem) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without a key, of a server in which LINE has a simulated modem and OTHER_LINE has none."""
    app = make_app(inbox, leases, settings_in(tmp_path, CONFIG), test_lines={LINE: modem.send})
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        yield client


async def with_key(inbox: Inbox, *scopes: str) -> dict[str, str]:
    _, secret = await keys.add_key(inbox, "test", scopes)
    return {"authorization": f"Bearer {secret}"}


async def test_a_text_goes_to_the_modem_of_its_line_and_the_browser_to_where_it_appears(
    client: httpx2.AsyncClient, inbox: Inbox, modem: Modem
) -> None:
    answer = await client.post(SEND, data=GOOD, headers=await with_key(inbox, "ingest", "read"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/?line={quote(LINE)}")
    answer = await client.post(SEND, data=GOOD, headers=await with_key(inbox, "ingest"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/lines")
    assert modem.sent == [("Authy", "Your Authy code is 482913")] * 2


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "The sender has 0 characters"),
        (GOOD | {"text": " "}, "The text has 0 characters"),
        (GOOD | {"sender": "4" * 22}, "The sender has 22 characters"),
        (GOOD | {"text": "x" * 601}, "The text has 601 characters: give 1 to 600."),
    ],
)
async def test_what_is_missing_or_too_long_is_refused_in_a_sentence(
    client: httpx2.AsyncClient, inbox: Inbox, form: dict[str, str], said: str
) -> None:
    answer = await client.post(SEND, data=form, headers=await with_key(inbox, "ingest"))
    assert answer.status_code == 400
    assert said in answer.json()["message"]


async def test_what_no_sms_can_carry_is_refused_in_the_words_of_the_modem(
    client: httpx2.AsyncClient, inbox: Inbox, modem: Modem
) -> None:
    modem.refusal = "'a name that is too long' is no sender."
    answer = await client.post(SEND, data=GOOD, headers=await with_key(inbox, "ingest"))
    assert (answer.status_code, answer.json()["message"]) == (400, modem.refusal)


async def test_a_line_without_a_simulated_modem_is_sent_nothing(client: httpx2.AsyncClient, inbox: Inbox) -> None:
    answer = await client.post(
        SEND.replace(quote(LINE), quote(OTHER_LINE)), data=GOOD, headers=await with_key(inbox, "admin")
    )
    assert answer.status_code == 404
    assert "smscatch demo" in answer.json()["message"]


async def test_a_page_of_another_site_sends_nothing(client: httpx2.AsyncClient, inbox: Inbox, modem: Modem) -> None:
    _, secret = await keys.add_key(inbox, "test", ("admin",))
    client.cookies.set("smscatch_session", await keys.start_session(inbox, secret))
    answer = await client.post(SEND, data=GOOD, headers={"origin": "http://elsewhere.test"})
    assert (answer.status_code, modem.sent) == (403, [])
    answer = await client.post(SEND, data=GOOD, headers={"origin": "http://test"})
    assert (answer.status_code, len(modem.sent)) == (303, 1)


async def test_it_is_offered_for_simulated_modems_alone_and_to_who_may_bring_in_texts(
    client: httpx2.AsyncClient, inbox: Inbox
) -> None:
    for scopes, forms in ((("admin",), 1), (("read", "ingest"), 1), (("read",), 0)):
        page = await client.get("/lines", headers=await with_key(inbox, *scopes))
        assert page.text.count(FORM) == forms, scopes
