"""What an application that sends by SMPP binds with: keys of its own, and the password of the settings."""

import re
from pathlib import Path

import httpx2
import pytest

from smscatch.errors import BadSetting, Unauthorized
from smscatch.inbox import Inbox
from smscatch.keycache import KeyCache
from smscatch.keys import add_key
from smscatch.leases import Leases
from smscatch.settings import load_settings
from smscatch.smppkeys import CONFIGURED, ensure_smpp_key, get_smpp_key
from smscatch.web.app import make_app
from tests.surroundings import settings_in

PASSWORD = "pass1234"
CONFIG = f"""
[smpp_server]
port = 2775
password = "{PASSWORD}"
receipt_after = "5s"
"""


async def test_the_password_of_the_settings_is_good_as_long_as_it_stands_there(inbox: Inbox, tmp_path: Path) -> None:
    await ensure_smpp_key(inbox, settings_in(tmp_path, CONFIG))
    await ensure_smpp_key(inbox, settings_in(tmp_path, CONFIG))
    found = await get_smpp_key(inbox, "smscatch", PASSWORD, KeyCache())
    assert (found.key.id, found.key.scopes) == (CONFIGURED, ("send",))
    await ensure_smpp_key(inbox, settings_in(tmp_path, CONFIG.replace(PASSWORD, "another1")))
    with pytest.raises(Unauthorized):
        await get_smpp_key(inbox, "smscatch", PASSWORD, KeyCache())
    assert (await get_smpp_key(inbox, "smscatch", "another1", KeyCache())).key.id == CONFIGURED
    await ensure_smpp_key(inbox, settings_in(tmp_path))
    with pytest.raises(Unauthorized):
        await get_smpp_key(inbox, "smscatch", "another1", KeyCache())


def test_no_application_is_caught_by_smpp_unless_the_settings_say_so(tmp_path: Path) -> None:
    unset, here = settings_in(tmp_path), settings_in(tmp_path, CONFIG)
    assert (unset.smpp_server_port, unset.smpp_server_host) == (None, "127.0.0.1")
    assert (here.smpp_server_port, here.smpp_server_receipt_after.seconds) == (2775, 5)
    shown = {name: text for name, _, text in here.rows()}
    assert shown["smpp_server_password"] == "(set)"


@pytest.mark.parametrize("password", ["short", "longer-than-8", "wi th bl", "größe12"])
def test_a_password_that_no_client_can_send_is_refused_without_being_shown(password: str) -> None:
    with pytest.raises(BadSetting, match="6 to 8 printable ASCII characters") as refused:
        load_settings(environ={"SMSCATCH_SMPP_SERVER_PASSWORD": password})
    assert password not in str(refused.value)


async def test_an_administrator_alone_is_told_the_password(inbox: Inbox, leases: Leases, tmp_path: Path) -> None:
    _, admin = await add_key(inbox, "admin", ("admin",))
    _, reader = await add_key(inbox, "reader", ("read",))
    encrypted = f'{CONFIG}certificate = "smpp.pem"\n'
    for port, config, tls in ((4711, CONFIG, False), (4711, encrypted, True), (None, "", False)):
        settings = settings_in(tmp_path, config)
        transport = httpx2.ASGITransport(make_app(inbox, leases, settings, smpp_port=port))
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            told = [
                await client.get("/api/v1/smpp", headers={"authorization": f"Bearer {key}"}) for key in (admin, reader)
            ]
            if port is None:
                assert [answer.status_code for answer in told] == [404, 404]
                continue
            assert told[0].json() == {"port": port, "system_id": "smscatch", "password": PASSWORD, "tls": tls}
            assert told[1].json() == {"port": port, "system_id": None, "password": None, "tls": tls}


async def test_the_page_of_the_keys_makes_one_that_may_send_alone(inbox: Inbox, leases: Leases, tmp_path: Path) -> None:
    _, secret = await add_key(inbox, "admin", ("admin",))
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings_in(tmp_path)))
    form = {"name": "app", "for": "smpp", "scope": "admin", "reach": "all", "days": "7"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        page = (await client.post("/keys", data=form, headers={"authorization": f"Bearer {secret}"})).text
    system_id, password = re.findall(r"<pre tabindex=\"0\"><code>([^<]+)</code></pre>", page)
    made = (await get_smpp_key(inbox, system_id, password, KeyCache())).key
    assert (made.name, made.scopes, made.lines) == ("app", ("send",), None)
    assert made.expires_at is not None
    assert "Point your application" not in page  # with it no SDK sends
