"""Which hosts are caught, which never let through, and which are nobody's here."""

import re

import pytest

from smscatch.providers import HOSTS_PATTERN, PROVIDERS, find_provider, is_near_provider
from smscatch.web.compat import SEND_APIS

CAUGHT = {
    "api.twilio.com": "twilio",
    "API.Twilio.com.": "twilio",
    "api.dublin.ie1.twilio.com": "twilio",
    "verify.twilio.com": "twilio",
    "rest.nexmo.com": "vonage",
    "api-eu.vonage.com": "vonage",
    "api.plivo.com": "plivo",
    "api.telnyx.com": "telnyx",
    "rest.messagebird.com": "messagebird",
    "eu.sms.api.sinch.com": "sinch",
    "zt.us.sms.api.sinch.com": "sinch",
    "sns.eu-west-1.amazonaws.com": "sns",
    "sms-voice.us-east-1.amazonaws.com": "sns",
    "sns.cn-north-1.amazonaws.com.cn": "sns",
    "api.sms-gate.app": "smsgate",
}
NEVER_LET_THROUGH = [
    *("twilio.com", "studio.twilio.com", "a.b.c.d.twilio.com", "api.clicksend.com", "xyz.api.infobip.com"),
    *("conversations.messagebird.com", "pinpoint.us-east-1.amazonaws.com", "us.conversation.api.sinch.com"),
]
OTHERS = [
    *("example.com", "nottwilio.com", "api.twilio.com.example.com", "s3.eu-west-1.amazonaws.com", "localhost", ""),
    *("sqs.eu-west-1.amazonaws.com", "127.0.0.1", "twilio", "api-twilio.com", "api.twilio.community"),
]


@pytest.mark.parametrize(("host", "name"), CAUGHT.items())
def test_hosts_of_the_send_apis_are_caught(host: str, name: str) -> None:
    found = find_provider(host)
    assert found is not None
    assert (found.provider.name, found.is_caught, found.provider.prefix) == (name, True, f"/{name}")


@pytest.mark.parametrize("host", NEVER_LET_THROUGH)
def test_other_hosts_of_providers_are_known_and_not_caught(host: str) -> None:
    found = find_provider(host)
    assert found is not None
    assert not found.is_caught


@pytest.mark.parametrize("host", OTHERS)
def test_all_other_hosts_are_no_providers(host: str) -> None:
    assert find_provider(host) is None


def test_one_pattern_has_all_of_them_and_no_others() -> None:
    hosts = [*CAUGHT, *NEVER_LET_THROUGH, *OTHERS]
    found = [host for host in hosts if re.match(HOSTS_PATTERN, host, re.IGNORECASE)]
    assert found == [*CAUGHT, *NEVER_LET_THROUGH]


@pytest.mark.parametrize(
    ("entry", "is_near"),
    [
        ("*", True),
        (".", True),
        ("com", True),
        ("twilio.com", True),
        (".TWILIO.com", True),
        ("*.twilio.com", True),
        ("api.twilio.com:443", True),
        (".amazonaws.com", True),
        ("s3.eu-west-1.amazonaws.com", True),
        ("localhost", False),
        ("example.com", False),
        ("lio.com", False),
        ("10.0.0.0/8", False),
    ],
)
def test_what_could_exempt_a_provider_from_a_proxy_is_seen(entry: str, is_near: bool) -> None:
    assert is_near_provider(entry) is is_near


def test_whatever_send_api_there_is_has_hosts_that_are_led_to_it() -> None:
    led = {provider.prefix for provider in PROVIDERS if provider.caught}
    assert {f"/{name}" for name in SEND_APIS} - {"/plain", "/supabase"} <= led  # which have no hosts
