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
import os, boto3, sinch
from android_sms_gateway import client, domain
from smscatch import Client

TEXT = "Your code is 482913"

def by_sns(to, **keys):
    sns = boto3.client("sns", region_name="eu-west-1", **keys)
    sns.publish(PhoneNumber=to, Message=TEXT)

def by_sns_with_a_key_of_its_own(to):
    by_sns(to, aws_access_key_id="AKIAMINE", aws_secret_access_key="from a file")

def by_sinch(to):
    token = os.environ["SINCH_API_TOKEN"]
    of_plan = sinch.SinchClient(service_plan_id="mine", sms_api_token=token, sms_region="eu")
    of_plan.sms.batches.send_sms(to=[to], from_="Acme", body=TEXT)

def by_a_project_of_sinch(to):
    secret = os.environ["SINCH_KEY_SECRET"]
    of_project = sinch.SinchClient(project_id="p", key_id="k", key_secret=secret, sms_region="us")
    of_project.sms.batches.send_sms(to=[to], from_="Acme", body=TEXT)

def by_smsgate(to):
    with client.APIClient("me", os.environ["SMSGATE_PASSWORD"]) as gate:
        gate.send(domain.Message(phone_numbers=[to], text_message=domain.TextMessage(text=TEXT)))

with Client() as sms:
    for send in (by_sns, by_sns_with_a_key_of_its_own, by_sinch, by_a_project_of_sinch, by_smsgate):
        with sms.lease(label="virtual") as phone:
            send(phone.number)
            assert phone.wait_for_code(timeout=300) == "482913", send
"""


async def test_packages_with_their_own_hosts_are_caught_and_answered(catcher: Server, tmp_path: Path) -> None:
    names = ("SINCH_API_TOKEN", "SINCH_KEY_SECRET", "SMSGATE_PASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    before, tally = bare_environ(TMPDIR=str(tmp_path), **dict.fromkeys(names, "the application's own")), Tally()
    async with catching(before, Destination(catcher.url, ADMIN_KEY), tally) as environ:
        program = await asyncio.create_subprocess_exec(sys.executable, "-c", APPLICATION, env=environ)
        assert await program.wait() == 0
    assert tally.report() == [
        "caught api.sms-gate.app, answered 202 once",
        "caught auth.sinch.com, answered 200 once",
        "caught eu.sms.api.sinch.com, answered 201 once",
        "caught sns.eu-west-1.amazonaws.com, answered 200 2 times",
        "caught zt.us.sms.api.sinch.com, answered 201 once",
    ]
