"""A test whose text never came through us fails, and says where it went instead."""

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from smscatch import AsyncClient, Client, NotCaught
from smscatch.catching.catcher import catching
from smscatch.catching.forwarding import Destination
from smscatch.catching.tally import Tally
from smscatch.hosts import KEPT, MOST, CalledHost, CalledHosts
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.samples import NOON
from tests.surroundings import bare_environ

ELSEWHERE = CalledHost(host="example.com", outcome="passed")


async def test_a_host_that_the_proxy_refused_is_named(catcher: Server, tmp_path: Path) -> None:
    async with (
        AsyncClient(catcher.url, ADMIN_KEY) as sms,
        catching(bare_environ(TMPDIR=str(tmp_path)), Destination(catcher.url, ADMIN_KEY), Tally()) as environ,
        sms.lease(label="virtual") as phone,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        call = ["curl", "-s", "-d", f"to={phone.number}", "https://api.clicksend.com/v3/sms/send"]
        await (await asyncio.create_subprocess_exec(*call, env=environ)).wait()
        said = ""
        while "api.clicksend.com" not in said:  # which the server is told beside the call
            with pytest.raises(NotCaught) as failed:
                await sms.caught(phone.number, timeout=0)
            said = str(failed.value)
    assert "api.clicksend.com (smscatch catch refused it: an SMS provider for which smscatch has no send API)" in said
    assert "api.clicksend.com" in failed.value.details["hosts"]


def test_a_call_that_failed_here_is_named_and_a_host_that_was_let_through(sms: Client) -> None:
    key = {"authorization": f"Bearer {ADMIN_KEY}"}
    told = httpx2.post(
        f"{sms.url}/api/v1/hosts", headers=key, json={"hosts": [{"host": "x.example", "outcome": "passed"}]}
    )
    assert told.status_code == 204
    assert httpx2.post(sms.send_url("plain"), json={}, headers=key).status_code == 400
    with pytest.raises(NotCaught) as failed:
        sms.caught("+12015550199", timeout=0)
    assert (
        "What was called of late, the last first: plain (here, and was answered 400);"
        " x.example (smscatch catch let it through)"
    ) in str(failed.value)


def test_what_was_called_is_counted_and_forgotten_after_a_while() -> None:
    called = CalledHosts()
    called.note([ELSEWHERE, ELSEWHERE], NOON)
    (one,) = called.newest(NOON + KEPT)
    assert (one.host, one.count, one.called_at) == ("example.com", 2, NOON)
    assert called.newest(NOON + KEPT + timedelta(seconds=1)) == []


def test_no_more_than_so_many_are_remembered() -> None:
    called = CalledHosts()
    called.note([CalledHost(host=f"{number}.example", outcome="passed") for number in range(MOST + 1)], NOON)
    assert [one.host for one in called.newest(NOON)] == [f"{number}.example" for number in range(MOST, 0, -1)]
