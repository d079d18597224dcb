"""Keys that end by themselves."""

from datetime import timedelta

import pytest

from smscatch import keys
from smscatch.errors import Unauthorized
from smscatch.inbox import Inbox
from smscatch.web import auth
from tests.conftest import Clock


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "FAILURE_SECONDS", 0)


async def test_a_key_ends_after_its_lifetime_and_no_session_outlives_it(inbox: Inbox, clock: Clock) -> None:
    _, secret = await keys.add_key(inbox, "guest", ("read",), lifetime=timedelta(days=1))
    session = await keys.start_session(inbox, secret)
    clock.advance(86_399)
    await keys.start_session(inbox, session)
    clock.advance(1)
    for ended in (secret, session):
        with pytest.raises(Unauthorized):
            await keys.start_session(inbox, ended)


async def test_a_session_of_a_key_for_ever_ends_after_a_month(inbox: Inbox, clock: Clock) -> None:
    _, secret = await keys.add_key(inbox, "team", ("read",))
    session = await keys.start_session(inbox, secret)
    clock.advance(keys.SESSION.total_seconds())
    await keys.start_session(inbox, secret)
    with pytest.raises(Unauthorized):
        await keys.start_session(inbox, session)
