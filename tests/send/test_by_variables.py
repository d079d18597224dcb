"""Applications as they are, in the environment of `smscatch catch`: neither a base URL nor a key of ours is in them."""

import asyncio
import sys
from pathlib import Path

from smscatch.catching.catcher import catching
from smscatch.catching.forwarding import Destination
from smscatch.catching.tally import Tally
from tests.conftest import ADMIN_KEY, Server
from tests.surroundings import bare_environ

APPLICATION = """
import os, boto3
from smscatch import Client

def by_sns(to, **keys):
    sns = boto3.client("sns", region_name="eu-west-1", **keys)
    sns.publish(PhoneNumber=to, Message="Your code is 482913")

def by_sns_with_a_key_of_its_own(to):
    by_sns(to, aws_access_key_id="AKIAMINE", aws_secret_access_key="from a file")

with Client() as sms:
    for send in (by_sns, by_sns_with_a_key_of_its_own):
        with sms.lease(label="virtual") as phone:
            send(phone.number)
            assert phone.wait_for_code(timeout=60) == "482913", send
"""


async def test_packages_with_their_own_hosts_are_caught_and_answered(catcher: Server, tmp_path: Path) -> None:
    before, tally = bare_environ(TMPDIR=str(tmp_path)), Tally()
    async with catching(before, Destination(catcher.url, ADMIN_KEY), tally) as environ:
        program = await asyncio.create_subprocess_exec(sys.executable, "-c", APPLICATION, env=environ)
        assert await program.wait() == 0
    assert tally.report() == ["caught sns.eu-west-1.amazonaws.com, answered 200 2 times"]
