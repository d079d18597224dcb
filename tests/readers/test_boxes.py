"""What the name of a server stands for: labels, lines, leases, and all virtual lines; and what a key sees of them."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from smscatch import keys
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.stores import Wish
from smscatch.web.app import make_app
from tests.samples import LINE, OTHER_LINE, a_delivery
from tests.surroundings import settings_in

VIRTUAL, ANOTHER, NOBODYS = "+12015550123", "+12015550124", "+12015550199"
LINES = f'[lines."{LINE}"]\nlabel = "desk"\n'
Make = Callable[..., "Boxes"]


class Boxes:
    """A server with some settings, and a client of it."""

    def __init__(self, client: httpx2.AsyncClient, inbox: Inbox) -> None:
        self._client, self._inbox = client, inbox

    async def ask(self, server: str, lines: tuple[str, ...] | None = None, **criteria: str) -> Any:
        """Return the texts in a server, or the status of the refusal."""
        _, secret = await keys.add_key(self._inbox, "reader", ("read",), lines)
        answer = await self._client.post(
            "/api/messages/search", params={"server": server}, json=criteria, auth=(secret, "")
        )
        return [item["summary"] for item in answer.json()["items"]] if answer.is_success else answer.status_code


@pytest.fixture
async def make(inbox: Inbox, leases: Leases, tmp_path: Path) -> AsyncIterator[Make]:
    clients = []

    def make(config: str, **settings: str) -> Boxes:
        transport = httpx2.ASGITransport(make_app(inbox, leases, settings_in(tmp_path, config, **settings)))
        clients.append(httpx2.AsyncClient(transport=transport, base_url="http://test"))
        return Boxes(clients[-1], inbox)

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
async def texts(inbox: Inbox) -> None:
    await inbox.receive([a_delivery(line=line, text=line) for line in (LINE, OTHER_LINE, VIRTUAL, ANOTHER)])


@pytest.mark.usefixtures("texts")
async def test_where_any_label_is_virtual_any_name_stands_for_all_that_the_key_sees(make: Make) -> None:
    boxes = make("", virtual_labels="*")
    assert await boxes.ask("abcd1234") == [ANOTHER, VIRTUAL, OTHER_LINE, LINE]
    assert await boxes.ask("abcd1234", sentTo=VIRTUAL) == [VIRTUAL]
    assert await boxes.ask("abcd1234", sentTo=NOBODYS) == []
    assert await boxes.ask("abcd1234", (ANOTHER,)) == [ANOTHER]
    assert await boxes.ask("abcd1234", (ANOTHER,), sentTo=VIRTUAL) == []


@pytest.mark.usefixtures("texts")
async def test_beside_lines_with_a_sim_a_virtual_label_stands_for_the_virtual_ones(make: Make) -> None:
    boxes = make(LINES)
    assert await boxes.ask("virtual") == [ANOTHER, VIRTUAL, OTHER_LINE]  # which is of a range for drama too
    assert await boxes.ask("virtual", sentTo=LINE) == []
    assert await boxes.ask("desk") == [LINE]
    assert await boxes.ask(VIRTUAL) == [VIRTUAL]
    assert await boxes.ask(NOBODYS) == []
    assert await boxes.ask("nosuch12") == 404


async def test_the_end_of_several_numbers_is_refused_unless_the_key_sees_but_one(make: Make, inbox: Inbox) -> None:
    twins = "+4915155512345", "+447755512345"
    await inbox.receive([a_delivery(line=line, text=line) for line in twins])
    boxes = make("")
    assert await boxes.ask("55512345") == 400
    assert await boxes.ask("55512345", (twins[1],)) == [twins[1]]


async def test_a_lease_is_known_before_its_first_text_and_by_its_whole_id_after_its_end(
    make: Make, inbox: Inbox, leases: Leases
) -> None:
    boxes = make(LINES)
    lease = await leases.acquire(Wish(key="k", lines=(VIRTUAL,), ttl=timedelta(minutes=1)), 0)
    for name in (lease.id, lease.id[:8], VIRTUAL[-8:]):
        assert await boxes.ask(name) == []
        assert await boxes.ask(name, (LINE,)) == 404
    await inbox.receive([a_delivery(line=VIRTUAL, text="mine"), a_delivery(line=LINE)])
    assert await boxes.ask(lease.id[:8]) == ["mine"]
    await leases.release(lease)
    assert await boxes.ask(lease.id) == ["mine"]
